package refresh

import "time"

// State is what a Cache knows at one moment.
type State struct {
	Keys       *Issued // those at hand, usable or not; nil: there are none
	Usable     bool    // the keys are good now
	Asked      bool    // the source has been asked at least once
	Refreshing bool    // it is being asked now
	Failure    error   // the most recent, as Classify made it, while there are no usable keys; else nil
}

// State returns a snapshot, without any I/O.
func (c *Cache) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{Asked: c.asked, Refreshing: c.flight != nil}
	if e := c.current.Load(); e != nil {
		s.Keys, s.Usable = &e.Issued, e.usable(c.now())
	}
	if !s.Usable {
		s.Failure = c.failure.last
	}
	return s
}

// Held returns the keys at hand, usable or not; nil if there are none. It takes no
// lock, so it may be called from a function of another Cache's Config.
func (c *Cache) Held() *Issued {
	if e := c.current.Load(); e != nil {
		return &e.Issued
	}
	return nil
}

// Usable reports whether the keys at hand are good now. It takes no lock.
func (c *Cache) Usable() bool { return c.current.Load().usable(c.now()) }

// Observer hears what happens to the keys. It is called without any lock held,
// and may do I/O.
type Observer interface {
	Refreshed(Refreshed)               // new keys came, or an instance's expired ones are used on
	Kept(Kept)                         // a refresh failed, and the keys at hand are still good
	Failed(Failed)                     // a refresh failed, and callers got its error
	Refused(keyID string, why Refusal) // a service refused a key before its time
}

// Refreshed tells of keys that came.
type Refreshed struct {
	Keys *Issued
	Left time.Duration // until they expire; negative past it; 0 for keys without an expiry
	Effort
}

// Effort is what a refresh cost.
type Effort struct {
	Took    time.Duration // from its start
	Waiting int           // callers, and refreshes of children, that waited for its end
}

// Kept tells of a refresh that failed while the keys at hand were good.
type Kept struct {
	Keys    *Issued
	Left    time.Duration // as in Refreshed
	NextTry time.Duration // until the next refresh starts, if somebody asks
	Err     error         // as Classify made it
	Effort
}

// Failed tells of a refresh that failed while there were no good keys.
type Failed struct {
	Err error // as Classify made it
	Effort
}

// silent is the Observer of a Config without one.
type silent struct{}

func (silent) Refreshed(Refreshed)     {}
func (silent) Kept(Kept)               {}
func (silent) Failed(Failed)           {}
func (silent) Refused(string, Refusal) {}
