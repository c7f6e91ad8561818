package awsauth

import (
	"context"
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
)

// cache holds the credentials of one session and renews them. Nothing runs
// while nobody asks.
type cache struct {
	fetch   aws.CredentialsProvider
	session *Session      // for what errors and log records say
	stable  bool          // EC2: see staticStability
	anew    bool          // keys without an expiry may have changed where they are kept
	longest time.Duration // what was asked of STS; 0 if unknown

	current atomic.Pointer[entry]
	nextTry atomic.Int64 // wall clock, ns: no background refresh before; what callers of stale keys look at

	mu      sync.Mutex // guards what follows; never held across I/O
	flight  *flight    // the refresh that runs, or nil
	failure failures
	dropped time.Time // when keys were last dropped because a service refused them
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
	was       *entry // nothing but that: keys that a service has refused
}

// flight is one refresh. creds and err are set before done is closed.
type flight struct {
	done  chan struct{}
	over  bool // guarded by cache.mu
	creds aws.Credentials
	err   error
}

func (c *cache) init(s *Session) {
	c.session, c.fetch = s, s.provider
	if s.role != nil {
		c.longest = s.role.duration
	} else {
		c.stable = s.source.kind == sourceEC2 && len(s.source.hops) == 0
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
	if !c.pausing(wall) {
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
		c.start(context.WithValue(ctx, backgroundKey{}, true))
	}
}

// wait joins the refresh that runs, or starts one, and waits for its end or
// the caller's. Right after a failure it returns that failure instead.
func (c *cache) wait(ctx context.Context) (aws.Credentials, error) {
	if err := ctx.Err(); err != nil {
		return aws.Credentials{}, err
	}
	c.mu.Lock()
	now := time.Now()
	if e := c.current.Load(); e != nil && e.usableAt(now) {
		c.mu.Unlock()
		return e.creds, nil // another caller's refresh ended meanwhile
	}
	f := c.flight
	if f == nil {
		if err := c.failure.shared(now); err != nil {
			c.mu.Unlock()
			return aws.Credentials{}, err
		}
		f = c.start(ctx)
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.creds, f.err
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
}

// start begins a refresh with a context of its own. c.mu is held.
func (c *cache) start(ctx context.Context) *flight {
	f := &flight{done: make(chan struct{})}
	c.flight = f
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	abandon := time.AfterFunc(refreshTimeout+refreshGrace, func() {
		c.finish(f, aws.Credentials{}, errAbandoned)
	})
	go func() {
		defer cancel()
		defer abandon.Stop()
		returned := false
		defer func() {
			if !returned { // the provider panicked or ended its goroutine: let nobody wait forever
				c.finish(f, aws.Credentials{}, fmt.Errorf("the credentials provider did not return"))
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
	c.current.Store(e)
	c.nextTry.Store(0)
	c.failure = failures{}
}

// failed notes a failure and sets what those who waited for it get: the keys
// at hand while they are usable, the error else. It returns what is to be
// logged once c.mu, which is held, is not.
func (c *cache) failed(f *flight, err error, now time.Time) (tell func()) {
	e := c.current.Load()
	if e != nil && e.was != nil {
		e = e.again(now)
		c.current.Store(e)
	}
	// Before the expiry, so that nobody waits at it.
	if e != nil && c.stable && !e.goodAt(now.Add(stableRetry)) {
		if extended := e.extended(now); extended != nil {
			e = extended
			c.current.Store(e)
		}
	}
	if e == nil || !e.usableAt(now) {
		f.err = err
		c.failure.unusable(err, now)
		return func() { c.session.logFailed(err) }
	}
	f.creds = e.creds
	next := c.failure.whileUsable(err, now)
	c.nextTry.Store(next.UnixNano())
	return func() { c.session.logKept(e, now, next, err) }
}

// drop sets the keys with this id aside, which a service has refused before
// their time, so that the next caller gets new ones. Where none can be had the
// old ones serve on: one service may have refused what the others accept, as
// those of a region do that the account has not enabled. drop does so once per key and at
// most once a minute: a service that refuses every key must not make an STS
// call of every request. It reports whether the refused request is worth
// sending again.
func (c *cache) drop(keyID string) bool {
	now := time.Now()
	c.mu.Lock()
	e := c.current.Load()
	if e == nil || e.was != nil || e.creds.AccessKeyID != keyID {
		c.mu.Unlock()
		return true // dropped or replaced already
	}
	recently := !c.dropped.IsZero() && now.Sub(c.dropped) < dropInterval
	if e.lasting && !c.anew || recently && c.flight == nil {
		c.mu.Unlock()
		return false
	}
	c.current.Store(&entry{was: e})
	c.dropped = now
	c.mu.Unlock()
	c.session.logDropped()
	return true
}

// again is the entry that brings keys back which had been set aside, to be
// renewed as soon as may be, or nil if they have expired.
func (e *entry) again(now time.Time) *entry {
	if !e.was.goodAt(now) {
		return nil
	}
	back := *e.was
	back.freshFor, back.refreshAt = 0, now.UnixNano()
	return &back
}

// dropInterval is the least time between two keys dropped by one session.
const dropInterval = time.Minute

// backgroundKey marks the context of a refresh that nobody waits for.
type backgroundKey struct{}

// inBackground reports whether nobody waits for the call.
func inBackground(ctx context.Context) bool {
	yes, _ := ctx.Value(backgroundKey{}).(bool)
	return yes
}
