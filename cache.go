package awsauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials in the cache are in one of these states. The true expiry is what
// decides, and what callers see; the time to refresh stands beside it.
//
//	fresh    before the time to refresh: handed out, nothing else happens
//	stale    then until the expiry: handed out at once, renewed in the background
//	expired  from the expiry on, or when there are none yet: callers wait for new ones
//
// Times are compared on the wall clock, so that a suspended laptop knows its
// keys are gone, and on the monotonic clock, so that a clock set back does not
// make them last longer than AWS gave them.

// refreshTimeout bounds one refresh; callers who wait may leave earlier. The
// grace lets the call's own error, which says more, win over "abandoned".
const (
	refreshTimeout = 30 * time.Second
	refreshGrace   = time.Second
	askTimeout     = 5 * time.Minute // where a person has to type an MFA code
)

// cache holds the credentials of one session and renews them. Nothing runs
// while nobody asks.
type cache struct {
	fetch   aws.CredentialsProvider
	session *Session      // for what errors and log records say
	stable  bool          // EC2: see staticStability
	asks    bool          // a person types a code: never in the background
	patient bool          // and slowly: for this session, or for one before it
	local   bool          // whether a session has ended is seen in a file, at no cost
	anew    bool          // keys without an expiry may have changed where they are kept
	longest time.Duration // what was asked of STS; 0 if unknown

	current atomic.Pointer[entry]
	nextTry atomic.Int64 // wall clock, ns: no background refresh before; what callers of stale keys look at

	mu       sync.Mutex // guards what follows; never held across I/O
	flight   *flight    // the refresh that runs, or nil
	failure  failures
	refused  string    // the id of the last key that a service refused before its time,
	refusal  time.Time // and when
	replaced string    // the id of the key before the current one
}

// entry is one set of credentials. It never changes.
type entry struct {
	creds     aws.Credentials
	lasting   bool      // no expiry
	fetched   time.Time // with its monotonic reading
	refreshAt int64     // wall clock, ns
	freshFor  time.Duration
	goodUntil int64 // wall clock, ns: the true expiry, or the end of an extension by static stability
	goodFor   time.Duration
}

// flight is one refresh. creds and err are set before done is closed.
type flight struct {
	background bool // started for nobody who waits: with fewer attempts

	done  chan struct{}
	over  bool // guarded by cache.mu
	creds aws.Credentials
	err   error
}

func (c *cache) init(s *Session) {
	c.session, c.fetch = s, s.provider
	c.patient = s.wire.asks
	if s.role != nil {
		c.longest = s.role.duration
	} else {
		c.stable = s.source.kind == sourceEC2 && len(s.source.hops) == 0
		c.asks = s.wire.asks
		c.local = s.source.kind == sourceSSO || s.source.kind == sourceLogin
		c.anew = s.source.kind == sourceProvider || s.source.kind == sourceProcess
	}
}

// Retrieve hands out credentials that are good now. ctx bounds this caller's
// waiting only.
func (c *cache) Retrieve(ctx context.Context) (aws.Credentials, error) {
	e := c.current.Load()
	if e == nil {
		return c.wait(ctx)
	}
	if e.lasting {
		return e.creds, nil
	}
	now := time.Now()
	wall, age := now.UnixNano(), now.Sub(e.fetched)
	if wall < e.refreshAt && age < e.freshFor {
		return e.creds, nil
	}
	if !e.usable(wall, age) {
		return c.wait(ctx)
	}
	if !c.asks && !c.pausing(wall) {
		c.refreshBehind(ctx, e)
	}
	return e.creds, nil
}

// usable reports whether the keys may still be handed out.
func (e *entry) usable(wall int64, age time.Duration) bool {
	return e.lasting || wall < e.goodUntil && age < e.goodFor
}

// usableAt is usable for a time with both clocks.
func (e *entry) usableAt(now time.Time) bool {
	return e.usable(now.UnixNano(), now.Sub(e.fetched))
}

// pausing reports whether a failure was so recent that there is no refresh in
// the background. A pause that looks longer than any was dated by a clock that
// has been set back since.
func (c *cache) pausing(wall int64) bool {
	left := time.Duration(c.nextTry.Load() - wall)
	return 0 < left && left <= maxHopeless
}

// refreshBehind starts a refresh of stale that nobody waits for, unless one
// runs or has ended meanwhile.
func (c *cache) refreshBehind(ctx context.Context, stale *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight == nil && c.current.Load() == stale && !c.pausing(time.Now().UnixNano()) {
		c.start(ctx, true)
	}
}

// wait joins the refresh that runs, or starts one, and waits for its end or
// the caller's. Right after a failure it returns that failure instead.
func (c *cache) wait(ctx context.Context) (aws.Credentials, error) {
	for own := false; ; own = true {
		f, creds, err := c.join(ctx, own)
		if f == nil {
			return creds, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return aws.Credentials{}, ctx.Err()
		}
		if f.err == nil || !f.background || own || inBackground(ctx) {
			return f.creds, f.err
		}
		// It had the few attempts of a refresh that nobody waits for.
	}
}

// join returns the flight to wait for; or, where there is nothing to wait for,
// what its callers get. With own it starts a flight even right after a failure.
func (c *cache) join(ctx context.Context, own bool) (*flight, aws.Credentials, error) {
	if err := ctx.Err(); err != nil {
		return nil, aws.Credentials{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if e := c.current.Load(); e != nil && e.usableAt(now) {
		return nil, e.creds, nil // another caller's refresh ended meanwhile
	}
	if c.flight != nil {
		return c.flight, aws.Credentials{}, nil
	}
	if err := c.failure.shared(now); err != nil && !own {
		return nil, aws.Credentials{}, err
	}
	if c.asks && inBackground(ctx) {
		return nil, aws.Credentials{}, c.unasked()
	}
	return c.start(ctx, inBackground(ctx)), aws.Credentials{}, nil
}

// start begins a refresh with a context of its own. c.mu is held.
func (c *cache) start(ctx context.Context, background bool) *flight {
	f := &flight{done: make(chan struct{}), background: background}
	c.flight = f
	timeout := refreshTimeout
	if c.patient {
		timeout = askTimeout
	}
	ctx = context.WithValue(context.WithoutCancel(ctx), backgroundKey{}, background)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	abandon := time.AfterFunc(timeout+refreshGrace, func() {
		c.finish(f, aws.Credentials{}, errAbandoned)
	})
	go func() {
		defer cancel()
		defer abandon.Stop()
		returned := false
		defer func() {
			if !returned { // the provider panicked or ended its goroutine: let nobody wait forever
				c.finish(f, aws.Credentials{}, &Error{Kind: NoCredentials, Op: c.session.op(), what: "the credentials provider did not return"})
			}
		}()
		creds, err := c.fetch.Retrieve(ctx)
		returned = true
		c.finish(f, creds, err)
	}()
	return f
}

// errAbandoned ends a refresh that did not answer in its time.
var errAbandoned = fmt.Errorf("refresh abandoned after %v: %w", refreshTimeout, context.DeadlineExceeded)

// finish ends a flight. Keys that come after it was abandoned are kept all the
// same, if they are the best.
func (c *cache) finish(f *flight, creds aws.Credentials, err error) {
	now := time.Now()
	var fresh *entry
	if err == nil {
		fresh, err = c.newEntry(creds, now)
	}
	if err != nil {
		err = asError(err, c.session.op())
	}
	c.mu.Lock()
	if fresh != nil && !fresh.lasting && creds.AccessKeyID == c.refused { // static stability has ended for this key
		if fresh = fresh.unextended(now); fresh == nil {
			err = &Error{Kind: Expired, Op: c.session.op(), what: "a service refused the keys, they have expired, and there are no newer ones"}
		}
	}
	late := f.over
	if late && (fresh == nil || !fresh.outlasts(c.current.Load())) {
		c.mu.Unlock()
		return
	}
	var tell func()
	if fresh != nil {
		c.keep(fresh)
		if !late {
			f.creds = fresh.creds // else its callers have gone, or are just reading it
		}
		tell = func() { c.session.logRefreshed(fresh, now) }
	} else {
		tell = c.failed(f, err, now)
	}
	if !late {
		f.over, c.flight = true, nil
		close(f.done)
	}
	c.mu.Unlock()
	tell() // a log handler may do I/O
}

// keep stores keys that are good. c.mu is held.
func (c *cache) keep(e *entry) {
	if old := c.current.Load(); old != nil && old.creds.AccessKeyID != e.creds.AccessKeyID {
		c.replaced = old.creds.AccessKeyID
	}
	c.current.Store(e)
	c.nextTry.Store(0)
	c.failure = failures{}
}

// failed notes a failure and sets what those who waited for it get: the keys
// at hand while they are usable, the error else. It returns what is to be
// logged once c.mu, which is held, is not.
func (c *cache) failed(f *flight, err error, now time.Time) (tell func()) {
	e := c.current.Load()
	// Before the expiry, so that nobody waits at it.
	if e != nil && c.stable && e.creds.AccessKeyID != c.refused && !e.goodAt(now.Add(stableRetry)) {
		if extended := e.extended(now); extended != nil {
			e = extended
			c.current.Store(e)
		}
	}
	if e == nil || !e.usableAt(now) {
		f.err = err
		c.failure.unusable(err, now, c.local && errors.Is(err, Expired))
		if f.background {
			c.failure.err = nil // who comes now gets a try with all attempts
		}
		return func() { c.session.logFailed(err) }
	}
	f.creds = e.creds
	next := c.failure.whileUsable(err, now)
	c.nextTry.Store(next.UnixNano())
	return func() { c.session.logKept(e, now, next, err) }
}

// refuse is told that a service has refused the key with this id before its
// time. It gets new ones, waits for them as long as ctx allows, and reports
// whether there are others now, so that the request is worth sending again.
// Meanwhile all others go on with the keys at hand: one service may have
// refused what the rest accept, as in a region that the account has not enabled.
//
// It tries once per key and at most once a minute: a service that refuses every
// key must not make an STS call of every request.
func (c *cache) refuse(ctx context.Context, keyID string) bool {
	f, replaced := c.replace(ctx, keyID, time.Now())
	if f == nil {
		return replaced
	}
	select {
	case <-f.done:
		e := c.current.Load()
		return e != nil && e.creds.AccessKeyID != keyID
	case <-ctx.Done():
		return false
	}
}

// replace returns the flight that brings the successor of a refused key, or
// nil, and whether there is one already.
func (c *cache) replace(ctx context.Context, keyID string, now time.Time) (f *flight, replaced bool) {
	c.mu.Lock()
	e := c.current.Load()
	if e == nil || e.creds.AccessKeyID != keyID {
		defer c.mu.Unlock()
		return nil, keyID == c.replaced || e == nil && keyID == c.refused // any other key is not ours
	}
	recently := !c.refusal.IsZero() && now.Sub(c.refusal) < refusalInterval
	if e.lasting && !c.anew || recently && c.flight == nil || c.asks && inBackground(ctx) {
		c.mu.Unlock()
		return nil, false
	}
	first := c.refused != keyID
	c.refused, c.refusal = keyID, now
	switch {
	case !e.goodAt(now):
		c.current.Store(nil) // the end of static stability
	case !e.lasting: // should this flight fail, those who come try again
		stale := e.unextended(now)
		stale.freshFor, stale.refreshAt = 0, now.UnixNano()
		c.current.Store(stale)
	}
	if f = c.flight; f == nil {
		f = c.start(ctx, inBackground(ctx))
	}
	c.mu.Unlock()
	if first {
		c.session.logRefused()
	}
	return f, false
}

// refusalInterval is the least time between two keys that are replaced because
// a service refused them.
const refusalInterval = time.Minute

// backgroundKey marks the context of a refresh that nobody waits for.
type backgroundKey struct{}

// inBackground reports whether nobody waits for the call.
func inBackground(ctx context.Context) bool {
	yes, _ := ctx.Value(backgroundKey{}).(bool)
	return yes
}
