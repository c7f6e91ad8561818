package refresh

import (
	"context"
	"time"
)

// Refusal is what a service said of a key before its time.
type Refusal int

const (
	// EndedEarly: the service knows the key's session, which has ended.
	EndedEarly Refusal = iota + 1
	// Unknown: the service does not know the key. Either the key is gone, or
	// only this service does not know it, as in a region that the account has
	// not enabled.
	Unknown
)

const (
	// refusalInterval is the least time between two keys that are replaced
	// because a service refused them: a service that refuses every key must not
	// make a refresh of every request.
	refusalInterval = time.Minute
	// acceptedLately is how long the acceptance of a key by one service
	// outweighs that another does not know it.
	acceptedLately = time.Minute
)

// refusal is the last one that was heeded.
type refusal struct {
	keyID string
	until moment // no other is heeded before
	tried bool   // a refresh was started for it
}

// Accepted is told that a service has just accepted a key. It costs next to
// nothing.
func (c *Cache) Accepted(keyID string) {
	e := c.current.Load()
	if e == nil || e.AccessKeyID != keyID {
		return
	}
	now := int64(time.Since(c.born)) + 1 // 0 means never
	if last := e.accepted.Load(); now-last > int64(time.Second) || last == 0 {
		e.accepted.Store(now)
	}
}

// acceptedBefore reports whether a service accepted e not long before now.
func (e *entry) acceptedBefore(now moment) bool {
	last := e.accepted.Load()
	return last != 0 && now.mono+1-last < int64(acceptedLately)
}

// Refuse is told that a service refused a key before its time. It gets others,
// waits for them as long as ctx allows, and reports whether there are others
// now, so that the request is worth sending again. Meanwhile all callers go on
// with the keys at hand: one service may have refused what the rest accept.
//
// A refusal leads to one refresh of its own, at most once a minute. It never
// makes a person type.
func (c *Cache) Refuse(ctx context.Context, keyID string, why Refusal) (replaced bool) {
	for own := false; ; {
		h := c.hear(ctx, keyID, why, own)
		if h.first {
			c.Observer.Refused(keyID, why)
		}
		if h.doubted != nil {
			c.dropIfDead(ctx, h.doubted)
		}
		f := h.flight
		if f == nil {
			return h.replaced
		}
		if c.await(ctx, f, false, nil) != nil {
			return false
		}
		// A refresh that had begun before the refusal may fail, or bring the
		// same key: then the refusal gets one of its own.
		own = f.refused == keyID
	}
}

// hearing is what follows from a refusal.
type hearing struct {
	first    bool    // of this key
	doubted  *entry  // keys that a person typed for, which are to be checked
	flight   *flight // the refresh to wait for; nil: there is none
	replaced bool    // there are other keys already
}

// hear decides what follows from a refusal. With tried, the refresh that it led
// to has ended, and there is none to come.
func (c *Cache) hear(ctx context.Context, keyID string, why Refusal, tried bool) (h hearing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.current.Load()
	switch {
	case keyID == "":
	case e != nil && e.AccessKeyID != keyID: // any other key than the one before is not ours
		h.replaced = keyID == c.replaced
	case tried:
	case e == nil: // the key may have been dropped: see drop
		if keyID == c.replaced {
			h.flight = c.joinRefused(ctx)
		}
	case c.replaceable(e, why):
		c.heed(ctx, e, why, &h)
	}
	return h
}

// replaceable reports whether a refusal of e is a reason to look for other
// keys. c.mu is held, as for what follows.
func (c *Cache) replaceable(e *entry, why Refusal) bool {
	switch {
	case e.lasting && !c.Rereads: // there are no others
		return false
	case why == Unknown && e.acceptedBefore(c.now()): // others know it
		return false
	}
	return true
}

// heed fills in what follows from the refusal of e, the keys at hand.
func (c *Cache) heed(ctx context.Context, e *entry, why Refusal, h *hearing) {
	now := c.now()
	if c.refusal.until.passed(now) {
		h.first = c.refusal.keyID != e.AccessKeyID
		c.refusal = refusal{keyID: e.AccessKeyID, until: now.after(refusalInterval)}
		switch {
		case c.prompts():
			if c.Alive != nil {
				h.doubted = e
			}
		case e.lasting:
		case e.expiry.passed(now): // the end of static stability
			c.drop(e)
		default: // should the refresh fail, the next caller starts another
			c.current.Store(e.staleFrom(now))
		}
	}
	if c.prompts() {
		return
	}
	if c.flight == nil && c.refusal.keyID == e.AccessKeyID && !c.refusal.tried {
		c.refusal.tried = true
		f := c.prepare(ctx, true, e.AccessKeyID, why)
		defer func() { go f.run() }()
	}
	h.flight = c.joinRefused(ctx)
}

// joinRefused returns the refresh that may replace a refused key, entered, or
// nil if there is none to wait for.
func (c *Cache) joinRefused(ctx context.Context) *flight {
	if f := c.flight; f != nil && f.enter(ctx) {
		return f
	}
	return nil
}

// drop forgets keys that are good no longer.
func (c *Cache) drop(e *entry) {
	c.current.Store(nil)
	c.replaced = e.AccessKeyID
}

// dropIfDead drops keys that a person typed for, if they are good no longer.
func (c *Cache) dropIfDead(ctx context.Context, e *entry) {
	if c.Alive(ctx, &e.Issued) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() == e {
		c.drop(e)
	}
}
