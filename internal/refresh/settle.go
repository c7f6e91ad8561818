package refresh

import (
	"context"
	"errors"
	"slices"
)

// settle ends f with what Fetch returned. Keys of a refresh that is already
// over, having been abandoned, are kept all the same, if they are of use.
func (c *Cache) settle(f *flight, got Issued, err error) {
	if err == nil {
		err = c.take(f, got)
	} else if f.ctx.Err() == context.DeadlineExceeded {
		err = f.explained(err)
	}
	if err != nil {
		c.fail(f, err)
	}
}

// explained adds to the error of a Fetch that ran out of time what is known of
// the reason.
func (f *flight) explained(err error) error {
	e := f.timedOut(err)
	if e.Prompt || e.Last != nil && errors.Is(err, context.DeadlineExceeded) {
		return e
	}
	return err
}

// take makes what Fetch returned the keys at hand, and gives it to all who
// wait, or says why it does not.
func (c *Cache) take(f *flight, got Issued) error {
	c.mu.Lock()
	now := c.now()
	e, err := c.judge(got, now)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	held, effort := c.current.Load(), f.effort()
	c.keep(e)
	c.end(f, &e.Issued, nil)
	waiting := append(c.lost, c.flight)
	c.lost = nil
	for _, other := range waiting { // new keys are good for all
		if other != nil {
			c.end(other, &e.Issued, nil)
			other.ctx.cancel()
		}
	}
	c.mu.Unlock()
	left := e.left(now)
	if held == nil || !held.same(got) || left <= 0 {
		c.Observer.Refreshed(Refreshed{Keys: &e.Issued, Left: left, Effort: effort})
	}
	return nil
}

// judge decides whether keys that came replace those at hand, and returns the
// entry to be kept. The reasons to refuse are, in this order:
//
//	they are the same            unless static stability makes more of them
//	they have expired            unless static stability lets them be used
//	they end sooner              unless those at hand were refused
//
// c.mu is held.
func (c *Cache) judge(got Issued, now moment) (*entry, error) {
	held := c.current.Load()
	if held != nil && held.same(got) {
		return c.judgeSame(held, now)
	}
	e, err := c.date(got, now)
	switch {
	case err != nil:
		return nil, err
	case held != nil && held.AccessKeyID != c.refusal.keyID && e.endsBefore(held, now):
		return nil, ErrSooner
	}
	return e, nil
}

// judgeSame is judge for the keys that are at hand already. They keep the
// lifetime they had when they were first seen.
func (c *Cache) judgeSame(held *entry, now moment) (*entry, error) {
	if held.AccessKeyID == c.refusal.keyID {
		return nil, ErrRefused
	}
	if c.StaticStability && !held.lasting {
		if e := held.lookedAt(now); e != nil {
			return e, nil
		}
	}
	if left := held.left(now); !held.lasting && left <= 0 {
		return nil, &ExpiredError{Ago: -left}
	}
	return nil, ErrSame
}

// keep makes e the keys at hand. c.mu is held.
func (c *Cache) keep(e *entry) {
	if old := c.current.Load(); old != nil && old.AccessKeyID != e.AccessKeyID {
		c.replaced = old.AccessKeyID
	}
	c.current.Store(e)
	c.retry.Store(nil)
	c.failure = failures{}
}

// fail ends f with an error, which those who wait get if there are no usable
// keys. The failure of a refresh that was set aside is that of its own callers
// alone.
func (c *Cache) fail(f *flight, cause error) {
	c.mu.Lock()
	over := f.over
	c.mu.Unlock()
	if over {
		return
	}
	err := c.Classify(cause)
	outlook := c.outlook(cause, err)
	c.mu.Lock()
	tell := c.failed(f, err, outlook)
	c.mu.Unlock()
	tell() // which may do I/O
}

// failed is fail under the lock. It returns what the Observer is to be told.
func (c *Cache) failed(f *flight, err error, outlook Outlook) (tell func()) {
	if f.over {
		return func() {}
	}
	now := c.now()
	alone, effort := c.flight != f, f.effort()
	e := c.prolong(now)
	if e.usable(now) {
		c.end(f, &e.Issued, nil)
	} else {
		e = nil
		c.end(f, nil, err)
	}
	switch {
	case alone:
	case e != nil:
		pause := c.failure.whileUsable(err, outlook)
		retry := now.after(pause)
		c.retry.Store(&retry)
		kept := Kept{Keys: &e.Issued, Left: e.left(now), NextTry: pause, Err: err, Effort: effort}
		return func() { c.Observer.Kept(kept) }
	case c.failure.unusable(err, outlook, now, f.background, c.Local):
		return func() { c.Observer.Failed(Failed{Err: err, Effort: effort}) }
	}
	return func() {}
}

// prolong returns the keys at hand, used past their expiry if static stability
// allows. It does so before the expiry, so that nobody waits at it. c.mu is
// held.
func (c *Cache) prolong(now moment) *entry {
	e := c.current.Load()
	if e == nil || e.lasting || !c.StaticStability || e.AccessKeyID == c.refusal.keyID || !e.expiry.passed(now.after(stableRetry)) {
		return e
	}
	if x := e.extended(now); x != nil {
		c.current.Store(x)
		return x
	}
	return e
}

// end gives f its result, once. c.mu is held.
func (c *Cache) end(f *flight, keys *Issued, err error) {
	if f.over {
		return
	}
	f.over, f.keys, f.err = true, keys, err
	if c.flight == f {
		c.flight = nil
	}
	c.lost = slices.DeleteFunc(c.lost, func(other *flight) bool { return other == f })
	if f.timer != nil {
		f.timer.Stop()
	}
	close(f.done)
}
