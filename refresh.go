package awsauth

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// When keys are renewed: half their lifetime before they expire, but not
// earlier than half an hour, and up to a fifth of that earlier still. Half,
// so that a 15-minute role is not renewed on every call; half an hour, which
// outlasts most outages; a fifth, so that a fleet that started together does
// not renew together.
const (
	maxLead    = 30 * time.Minute
	leadJitter = 0.2
)

// newEntry dates credentials that have just been fetched. Keys that are
// expired already are an error, unless they are an instance's.
func (c *cache) newEntry(creds aws.Credentials, now time.Time) (*entry, error) {
	e := &entry{creds: creds, lasting: !creds.CanExpire, fetched: now}
	if e.lasting {
		return e, nil
	}
	expires := creds.Expires.Round(0)
	e.goodFor = expires.Sub(now.Round(0))
	if e.goodFor <= 0 {
		return c.expiredEntry(e, now)
	}
	if c.stable && e.goodFor < stableRetry { // EC2 has newer ones 5 minutes before, unless it is in trouble
		return e.extended(now), nil
	}
	if c.longest > 0 {
		e.goodFor = min(e.goodFor, c.longest) // a clock that is behind makes the expiry look farther than it is
	}
	lead := min(e.goodFor/2, maxLead)
	lead += time.Duration(rand.Float64() * leadJitter * float64(lead))
	e.freshFor = e.goodFor - lead
	if c.stable {
		e.freshFor = min(e.freshFor, instanceRenewal)
	}
	e.refreshAt = now.Add(e.freshFor).UnixNano()
	e.goodUntil = expires.UnixNano()
	return e, nil
}

// instanceRenewal is how long an instance's keys are used without a look for
// newer ones, however long they last: asking is cheap, and the role of an
// instance may be changed.
const instanceRenewal = time.Hour

// staticStability is how long the keys of an EC2 instance are used past their
// expiry where new ones cannot be had. AWS documents that the metadata service
// may answer with expired keys, or not at all, during an outage, and that
// services go on accepting the old ones: a program that stops using them turns
// an outage of the control plane into its own. It is bounded by the lifetime
// that such keys have, six hours; a service that refuses them ends it at once.
//
// See https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
const staticStability = 6 * time.Hour

// stableRetry is the pause between two tries to get better keys than an
// instance's expired ones, and half of what one extension lasts: callers who
// come now and then wait for no try.
const stableRetry = 5 * time.Minute

// expiredEntry decides over keys that have expired before they arrived.
func (c *cache) expiredEntry(e *entry, now time.Time) (*entry, error) {
	if c.stable {
		if extended := e.extended(now); extended != nil {
			return extended, nil
		}
	}
	return nil, c.expired(e.creds, now)
}

// expired is the error for keys that were over when they came.
func (c *cache) expired(creds aws.Credentials, now time.Time) error {
	err := &Error{Kind: Expired, Op: c.session.op()}
	err.what = fmt.Sprintf("the keys that were returned had already expired %s ago", now.Round(0).Sub(creds.Expires).Round(time.Second))
	return err.mend("the clock of this machine is probably ahead: set it, for example with NTP")
}

// extended is e with its use past the expiry prolonged, or nil at the end of
// static stability.
func (e *entry) extended(now time.Time) *entry {
	end := e.creds.Expires.Round(0).Add(staticStability)
	left := end.Sub(now.Round(0))
	if left <= 0 {
		return nil
	}
	x := *e
	x.fetched = now
	x.freshFor = min(jittered(stableRetry), left)
	x.goodFor = min(2*x.freshFor, left)
	x.refreshAt = now.Add(x.freshFor).UnixNano()
	x.goodUntil = now.Add(x.goodFor).UnixNano()
	return &x
}

// unextended is e without use past its true expiry, or nil if that is over.
func (e *entry) unextended(now time.Time) *entry {
	left := e.creds.Expires.Round(0).Sub(now.Round(0))
	if left <= 0 {
		return nil
	}
	x := *e
	x.goodUntil = min(x.goodUntil, e.creds.Expires.UnixNano())
	x.goodFor = min(x.goodFor, now.Sub(e.fetched)+left)
	x.refreshAt = min(x.refreshAt, now.Add(left/2).UnixNano())
	x.freshFor = min(x.freshFor, now.Sub(e.fetched)+left/2)
	return &x
}

// unasked is the error where a person would have to be asked for an MFA code
// and nobody waits.
func (c *cache) unasked() error {
	e := &Error{Kind: MFARequired, Op: c.session.op()}
	e.what = "an MFA code is needed, which nobody is asked for in the background"
	return e
}

// goodAt reports whether the true expiry is still to come.
func (e *entry) goodAt(now time.Time) bool { return e.lasting || now.Round(0).Before(e.creds.Expires) }

// outlasts reports whether e is worth having in place of other.
func (e *entry) outlasts(other *entry) bool {
	return other == nil || e.lasting || !other.lasting && e.goodUntil > other.goodUntil
}

// Pauses after failures.
const (
	shareError   = 2 * time.Second // callers within it share one failure
	firstBackoff = time.Second     // while keys are still good
	maxBackoff   = time.Minute     // for what mends by itself: throttling, outages
	maxHopeless  = 2 * time.Minute // for what does not: access denied, invalid keys
	pauseJitter  = 0.2             // of every pause but the first shared one
	pauseSteps   = 16              // beyond, a pause has reached its maximum
	hopefulBase  = 2               // pauses grow by this factor,
	hopelessBase = 4               // or by this
)

// failures remembers what went wrong since the last success.
type failures struct {
	err   error
	until time.Time // callers without keys get err until then
	last  error     // of all, for Explain
	tries int       // failures in a row
	bare  int       // of these, in a row without usable keys
}

// shared is the failure that a caller without keys gets instead of another try.
func (f *failures) shared(now time.Time) error {
	left := f.until.Sub(now.Round(0))
	if f.err != nil && 0 < left && left <= maxHopeless { // longer: the clock was set back
		return f.err
	}
	return nil
}

// whileUsable notes a failure that hurts nobody yet, and says when to try
// again.
func (f *failures) whileUsable(err error, now time.Time) time.Time {
	f.tries++
	f.bare, f.err, f.last = 0, nil, err
	return now.Round(0).Add(jittered(pause(firstBackoff, f.tries, err)))
}

// unusable notes a failure that callers see.
func (f *failures) unusable(err error, now time.Time, cheap bool) {
	f.tries++
	f.bare++
	wait := shareError
	if f.bare > 1 && !cheap {
		wait = jittered(pause(shareError, f.bare, err))
	}
	f.err, f.until, f.last = err, now.Round(0).Add(wait), err
}

// pause grows with the number of failures, faster and farther for errors that
// need somebody to change something.
func pause(first time.Duration, failures int, err error) time.Duration {
	factor, most := hopefulBase, maxBackoff
	if hopeless(err) {
		factor, most = hopelessBase, maxHopeless
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

// hopeless reports whether an error stays until somebody changes something.
func hopeless(err error) bool {
	for _, k := range []Kind{AccessDenied, InvalidKey, InvalidOption, InvalidDuration, WrongPartition, MFARequired, LongTermCredentials, Expired} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
