package pace

import "time"

// speed is how fast a caller may go: an estimate of the limit that a service
// keeps to itself. It is unlimited until the service throttles. Then it begins
// with a guess, which rises fast until the service throttles again. From then
// on it is measured: each further throttling sets it to a little less than what
// the service answered since the one before, and it rises slowly in between.
type speed struct {
	perSecond float64   // 0: unlimited
	guessed   bool      // nothing has been measured yet
	set       time.Time // when it was last set, by a guess or a measurement
	raised    time.Time // when it was last raised
	answers   int       // good answers since it was set
	recent    recent    // good answers of the last second, for the first guess
}

const (
	leastGuess  = 10.0                   // calls a second, where too little was answered to tell
	leastSpeed  = 0.25                   // calls a second
	mostSpeed   = 10000.0                // calls a second; AWS allows that to nobody, so there is no limit any more
	guessGain   = 0.5                    // how fast a guess rises: twofold in the first 1.7 s, tenfold in 3 s
	measureGain = 0.02                   // and a measured speed: by 2 % a second after one second, 20 % after ten
	share       = 0.9                    // of what is answered, so that those who were throttled have their turn
	mostCut     = 0.5                    // what is left by one cut at least: few answers may just mean few calls
	settle      = 500 * time.Millisecond // between two cuts: what was under way tells nothing of the new speed
)

// limited reports whether there is a limit now. It first raises the speed for
// the time that has passed: the longer nothing was throttled the faster.
func (s *speed) limited(now time.Time) bool {
	if s.perSecond == 0 {
		return false
	}
	gain := measureGain
	if s.guessed {
		gain = guessGain
	}
	s.perSecond *= 1 + gain*now.Sub(s.raised).Seconds()*now.Sub(s.set).Seconds()
	s.raised = now
	if s.perSecond > mostSpeed {
		s.perSecond = 0
	}
	return s.perSecond > 0
}

// interval is the time from one call to the next.
func (s *speed) interval() time.Duration {
	return time.Duration(float64(time.Second) / s.perSecond)
}

// answered notes that the service answered a call, whatever it said, without
// throttling it.
func (s *speed) answered(now time.Time) {
	s.answers++
	s.recent.add(now)
}

// throttled notes that the service throttled a call.
func (s *speed) throttled(now time.Time) {
	switch passed := now.Sub(s.set); {
	case !s.limited(now):
		s.begin(now, max(s.recent.most(now), leastGuess), true)
	case passed >= settle:
		measured := share * min(s.perSecond, float64(s.answers)/passed.Seconds())
		s.begin(now, max(measured, mostCut*s.perSecond, leastSpeed), false)
	}
}

// begin sets the speed, and starts to measure the answers to it.
func (s *speed) begin(now time.Time, perSecond float64, guessed bool) {
	s.perSecond, s.guessed = perSecond, guessed
	s.set, s.raised, s.answers = now, now, 0
}

// recent counts the answers of the second that runs and of the one before.
type recent struct {
	began           time.Time // the second that runs
	current, before int
}

func (r *recent) add(now time.Time) {
	r.advance(now)
	r.current++
}

// most is the answers in the better of both seconds.
func (r *recent) most(now time.Time) float64 {
	r.advance(now)
	return float64(max(r.current, r.before))
}

// advance begins a new second when one is over. The one before counts only if
// it has just ended.
func (r *recent) advance(now time.Time) {
	passed := now.Sub(r.began)
	if passed < time.Second {
		return
	}
	r.before = r.current
	if passed >= 2*time.Second {
		r.before = 0
	}
	r.began, r.current = now, 0
}
