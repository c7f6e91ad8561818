package awsauth

import "time"

// StepClock makes s see what it would had the wall clock been moved by d, the
// monotonic clock going on as it was. A synctest bubble has no such thing, so
// all that s dated by the wall clock is moved the other way.
func StepClock(s *Session, d time.Duration) {
	c := &s.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.current.Load(); e != nil {
		moved := *e
		moved.refreshAt -= int64(d)
		moved.goodUntil -= int64(d)
		moved.creds.Expires = e.creds.Expires.Add(-d)
		c.current.Store(&moved)
	}
	if next := c.nextTry.Load(); next != 0 {
		c.nextTry.Store(next - int64(d))
	}
	if !c.failure.until.IsZero() {
		c.failure.until = c.failure.until.Add(-d)
	}
}
