package refresh

import (
	"context"
	"time"
)

// StepClock makes c see what it would had the wall clock been moved by d, the
// monotonic clock going on as it was. A synctest bubble has no such thing, so
// all that c dated by the wall clock is moved the other way.
func StepClock(c *Cache, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.current.Load(); e != nil {
		moved := *e
		moved.Expires = e.Expires.Add(-d)
		for _, m := range []*moment{&moved.refresh, &moved.ending, &moved.end, &moved.expiry} {
			m.wall -= int64(d)
		}
		c.current.Store(&moved)
	}
	if retry := c.retry.Load(); retry != nil {
		c.retry.Store(&moment{retry.wall - int64(d), retry.mono})
	}
	for _, m := range []*moment{&c.failure.asked.until, &c.failure.behind.until, &c.refusal.until} {
		m.wall -= int64(d)
	}
}

// Overtaken is a caller of Retrieve who has read the keys and the clock, and
// goes on when the result is called: others may have been faster.
func Overtaken(c *Cache) (goOn func(context.Context) (*Issued, error)) {
	e, now := c.current.Load(), c.now()
	return func(ctx context.Context) (*Issued, error) { return c.renew(ctx, e, now) }
}

// OvertakenStale is a caller of Retrieve who found stale keys and no pause, and
// goes on when the result is called.
func OvertakenStale(c *Cache) (goOn func()) {
	e := c.current.Load()
	return func() { c.refreshBehind(context.Background(), e) }
}

// OvertakenEnding is OvertakenStale for keys in the state ending.
func OvertakenEnding(c *Cache) (goOn func()) {
	e := c.current.Load()
	return func() { _, _ = c.waitEnding(context.Background(), e) }
}

// Lost is how many refreshes only earlier callers wait for.
func Lost(c *Cache) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lost)
}
