package refresh

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// entry is one set of keys and the moments at which its state changes. It
// never changes; a changed copy takes its place. Issued.Expires is what the
// source said; all else is computed from it.
type entry struct {
	Issued
	lasting bool // the keys have no expiry, and the moments mean nothing

	refresh moment // fresh before, stale from then on
	ending  moment // ending from then on
	end     moment // expired from then on: expiry, or later by static stability
	expiry  moment // when the keys truly expire, or have been used for Config.Longest

	accepted *atomic.Int64 // see Cache.Accepted; copies for the same keys share it
}

const (
	longestLife  = 3 * time.Hour   // lead times are computed from this much of a lifetime at most
	endingAtMost = 2 * time.Minute // how long the state ending lasts,
	endingShare  = 10              // and which part of the lifetime at most
)

// instanceLook is how long the keys of an EC2 instance are used without a look
// for others, however long they last: a look is cheap, and the role of an
// instance may be changed.
const instanceLook = time.Hour

// staticStability is how long the keys of an EC2 instance are used past their
// expiry where new ones cannot be had. AWS documents that the metadata service
// may answer with expired keys, or not at all, during an outage, and that
// services go on accepting the old ones: a program that stops using them turns
// an outage of the control plane into its own. It is bounded by the lifetime
// that such keys have, six hours; a service that refuses them ends it at once.
//
// See https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
const staticStability = 6 * time.Hour

// stableRetry is the pause between two looks for better keys than an
// instance's expired ones. One extension lasts twice as long, so that a caller
// who comes every few minutes waits for no look.
const stableRetry = 5 * time.Minute

// date computes the moments of keys that have just arrived. Keys that have
// expired already are an error, unless static stability lets them be used,
// which it does not for the key that a service refused.
func (c *Cache) date(got Issued, now moment) (*entry, error) {
	e := &entry{Issued: got, lasting: !got.CanExpire, accepted: new(atomic.Int64)}
	if e.lasting {
		return e, nil
	}
	left := timeLeft(got.Expires, now)
	e.expiry = now.after(left)
	stable := c.StaticStability && got.AccessKeyID != c.refusal.keyID
	if stable && left < stableRetry { // EC2 has newer keys by then, unless it is in trouble
		if x := e.extended(now); x != nil {
			return x, nil
		}
	}
	if left <= 0 {
		return nil, newExpiredError(left, got.Expires.IsZero())
	}
	if longest := c.Longest - got.Age; c.Longest > 0 && longest < left {
		left = max(longest, time.Nanosecond)
		e.expiry = now.after(left)
	}
	e.end = e.expiry
	e.ending = now.after(left - min(left/endingShare, endingAtMost))
	e.refresh = now.after(left - lead(left))
	switch {
	case c.prompts():
		e.refresh, e.ending = e.end, e.end
	case c.StaticStability:
		e.refresh, e.ending = e.refresh.earlier(now.after(instanceLook)), e.end
	}
	return e, nil
}

// timeLeft is the time until then by the wall clock; negative past it.
func timeLeft(then time.Time, now moment) time.Duration {
	return then.Round(0).Sub(time.Unix(0, now.wall))
}

// left is the time until the keys expire, as the source said; 0 for keys
// without an expiry.
func (e *entry) left(now moment) time.Duration {
	if e.lasting {
		return 0
	}
	return timeLeft(e.Expires, now)
}

// lead is how long before their expiry keys are renewed.
func lead(lifetime time.Duration) time.Duration {
	third := min(lifetime, longestLife) / 3
	return third + time.Duration(rand.Float64()*float64(third))
}

// usable reports whether the keys may be handed out.
func (e *entry) usable(now moment) bool {
	return e != nil && (e.lasting || !e.end.passed(now))
}

// extended is e with its use past the expiry prolonged, or nil at the end of
// static stability.
func (e *entry) extended(now moment) *entry {
	left := timeLeft(e.Expires, now) + staticStability
	if left <= 0 {
		return nil
	}
	x := *e
	pause := min(jittered(stableRetry), left)
	x.refresh = now.after(pause)
	x.end = now.after(min(2*pause, left))
	x.ending = x.end
	return &x
}

// lookedAt is e after a look at the instance that brought the same keys again.
// It is nil at the end of static stability.
func (e *entry) lookedAt(now moment) *entry {
	left := timeLeft(e.Expires, now)
	if left < stableRetry {
		return e.extended(now)
	}
	x := *e
	x.refresh = now.after(min(instanceLook, left/2))
	return &x
}

// staleFrom is e to be renewed from now on, and no longer used past its expiry.
func (e *entry) staleFrom(now moment) *entry {
	x := *e
	x.refresh = now
	x.end = e.end.earlier(e.expiry)
	return &x
}

// same reports whether other holds the same keys, and says nothing new about
// their expiry.
func (e *entry) same(other Issued) bool {
	return e.AccessKeyID == other.AccessKeyID && e.SecretAccessKey == other.SecretAccessKey && e.SessionToken == other.SessionToken &&
		e.CanExpire == other.CanExpire && !other.Expires.After(e.Expires)
}

// endsBefore reports whether e expires before other does, by the time that is
// left. (What other's source said is not held against it: the wall clock may
// have been set back since, so that other's expiry only looks later.)
func (e *entry) endsBefore(other *entry, now moment) bool {
	if e.lasting || other.lasting {
		return !e.lasting
	}
	return e.expiry.until(now) < other.expiry.until(now)
}
