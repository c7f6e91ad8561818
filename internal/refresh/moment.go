package refresh

import "time"

// moment is a point in time on both clocks, in nanoseconds: Unix time on the
// wall clock, and the time since Cache.born on the monotonic clock.
type moment struct{ wall, mono int64 }

// passed reports whether m has come, as soon as one of the clocks says so.
func (m moment) passed(now moment) bool { return now.wall >= m.wall || now.mono >= m.mono }

// after is the moment d after m.
func (m moment) after(d time.Duration) moment {
	d = min(d, farthest)
	return moment{m.wall + int64(d), m.mono + int64(d)}
}

// until is the time from now to m, on the clock on which it comes first.
func (m moment) until(now moment) time.Duration {
	return time.Duration(min(m.wall-now.wall, m.mono-now.mono))
}

// earlier takes the earlier of two moments on each clock.
func (m moment) earlier(other moment) moment {
	return moment{min(m.wall, other.wall), min(m.mono, other.mono)}
}

// farthest bounds what is added to a moment. Helpers of credential_process
// write expiries like the year 9999, which Unix time in nanoseconds cannot
// hold.
const farthest = 100 * 365 * 24 * time.Hour

// now is the present moment.
func (c *Cache) now() moment {
	now := time.Now()
	return moment{now.UnixNano(), int64(now.Sub(c.born))}
}
