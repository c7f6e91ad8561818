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
	now := c.now()
	e := c.current.Load()
	switch {
	case keyID == "":
		return h
	case e == nil: // after static stability
		h.replaced = keyID == c.refusal.keyID && !c.Prompts
		return h
	case e.AccessKeyID != keyID: // any other key than the one before is not ours
		h.replaced = keyID == c.replaced
		return h
	case tried || !c.replaceable(e, why, now):
		return h
	}
	if c.refusal.keyID == "" || c.refusal.until.passed(now) {
		h.first = c.refusal.keyID != keyID
		c.heed(e, now)
		if c.Prompts && c.Alive != nil {
			h.doubted = e
		}
	}
	if c.Prompts {
		return h
	}
	if c.flight == nil && c.refusal.keyID == keyID && !c.refusal.tried {
		c.refusal.tried = true
		c.start(ctx, true, keyID, why)
	}
	if h.flight = c.flight; h.flight != nil && h.flight.waitsFor(flightOf(ctx)) {
		h.flight = nil
	}
	if h.flight != nil {
		h.flight.enter(ctx)
	}
	return h
}

// replaceable reports whether a refusal of e is a reason to look for other keys.
func (c *Cache) replaceable(e *entry, why Refusal, now moment) bool {
	switch {
	case e.lasting && !c.Rereads: // there are no others
		return false
	case why == Unknown && e.acceptedBefore(now): // others know it
		return false
	}
	return true
}

// heed notes the refusal of e, and lets e be renewed.
func (c *Cache) heed(e *entry, now moment) {
	c.refusal = refusal{keyID: e.AccessKeyID, until: now.after(refusalInterval)}
	switch {
	case e.lasting, c.Prompts:
	case e.expiry.passed(now): // the end of static stability
		c.current.Store(nil)
	default: // should the refresh fail, the next caller starts another
		c.current.Store(e.staleFrom(now))
	}
}

// dropIfDead drops keys that a person typed for, if they are good no longer.
func (c *Cache) dropIfDead(ctx context.Context, e *entry) {
	if c.Alive(ctx, &e.Issued) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() == e {
		c.current.Store(nil)
	}
}
