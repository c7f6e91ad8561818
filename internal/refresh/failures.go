package refresh

import (
	"math/rand/v2"
	"time"
)

// Outlook says what is to be expected after an error.
type Outlook int

const (
	Mends    Outlook = iota // by itself: throttling, outages
	Stays                   // until somebody changes something: access denied, invalid keys
	Ended                   // as Stays: the login session behind the keys has ended (see Config.Local)
	Upstream                // the failure is a parent's, which pauses itself
)

// Pauses after failures.
const (
	shareError   = 2 * time.Second // callers within it share one failure
	firstBackoff = time.Second     // while there are usable keys
	maxBackoff   = time.Minute     // for errors that mend
	maxStays     = 2 * time.Minute // for errors that stay
	mendsFactor  = 2               // pauses grow by this factor,
	staysFactor  = 4               // or by this
	pauseJitter  = 0.2             // of every pause but the first shared one
	pauseSteps   = 16              // beyond, a pause has reached its maximum
)

// failures remembers what went wrong since the last success.
type failures struct {
	tries  int    // failures in a row
	asked  streak // failures of refreshes that somebody needed
	behind streak // of the others, which made few attempts
	last   error  // the most recent failure of any kind; Explain shows it

	told moment // when the Observer last heard of a parent's failure
}

// streak is a row of failures without usable keys.
type streak struct {
	err    error
	until  moment // callers get err until then
	length int
}

func (s *streak) shared(now moment) error {
	if s.err == nil || s.until.passed(now) {
		return nil
	}
	return s.err
}

// shared is the failure that a caller without usable keys gets instead of
// another try. The failure of a few attempts is shared only by those who would
// make no more themselves.
func (f *failures) shared(now moment, background bool) error {
	if err := f.asked.shared(now); err != nil || !background {
		return err
	}
	return f.behind.shared(now)
}

// whileUsable notes a failure that no caller feels, and returns the pause until
// the next try.
func (f *failures) whileUsable(err error, outlook Outlook) time.Duration {
	f.tries++
	f.last = err
	return jittered(pause(firstBackoff, f.tries, outlook))
}

// unusable notes a failure that callers get, and reports whether it is news for
// the Observer. A parent's failure is followed by no pause, and so may come as
// often as callers do.
func (f *failures) unusable(err error, outlook Outlook, now moment, background, local bool) (news bool) {
	f.tries++
	f.last = err
	if outlook == Upstream {
		news = f.told.after(shareError).passed(now)
		if news {
			f.told = now
		}
		return news
	}
	s := &f.asked
	if background {
		s = &f.behind
	}
	s.length++
	wait := shareError
	if s.length > 1 && !(local && outlook == Ended) {
		wait = jittered(pause(shareError, s.length, outlook))
	}
	s.err, s.until = err, now.after(wait)
	return true
}

// pause grows with the number of failures, faster and farther for errors that
// stay.
func pause(first time.Duration, failures int, outlook Outlook) time.Duration {
	factor, most := mendsFactor, maxBackoff
	if outlook == Stays || outlook == Ended {
		factor, most = staysFactor, maxStays
	}
	for range min(failures, pauseSteps) - 1 {
		if first *= time.Duration(factor); first >= most {
			return most
		}
	}
	return first
}

// jittered takes up to a fifth off d, so that the maximum stays one.
func jittered(d time.Duration) time.Duration {
	return d - time.Duration(rand.Float64()*pauseJitter*float64(d))
}
