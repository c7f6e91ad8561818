package refresh

import "time"

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
