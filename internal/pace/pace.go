// Package pace slows the calls of one caller down together when a service
// throttles them.
//
// AWS throttles by caller: all calls that are signed by one account share a
// limit, which nobody tells them. A [Pacer] stands for one such caller. It does
// nothing until a call is throttled. From then on the calls go out one by one,
// at the rate at which the service has just been answering. A throttled answer
// lowers the rate; it rises while there is none; and when it has risen far
// enough the pace ends.
//
// Who waits decides who goes first. A call that somebody waits for queues, as
// long as its context allows, and the oldest goes first. A call that nobody
// waits for, such as a refresh of keys that are still good, never queues: it
// goes out if a turn is free now and nobody else needs it, and else gives up: it
// can come again.
//
// The package gives the pace to the SDK as the retryer of a call ([Pacer.Of]).
// It relies on the retryer interface alone, not on when a version of the SDK
// counts, delays or budgets.
package pace

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Pacer is the pace of all calls of one caller. Its zero value is ready to use,
// and it is safe for concurrent use. It keeps no goroutine; it has a timer only
// while calls queue.
type Pacer struct {
	mu       sync.Mutex
	speed    speed
	next     time.Time // when the next call may go out
	reserved time.Time // until then turns are for calls that somebody waits for
	refusal  error     // what the service said when it last throttled
	calls    uint64    // that have queued so far: what their places are numbered by
	queue    []*place  // by number
	timer    *time.Timer
}

// Call is what a Pacer has to know of a call.
type Call struct {
	// Waited reports whether anybody waits for the call now; nil means yes. The
	// answer may change from one moment to the next. It is asked while the
	// Pacer is locked, so it must neither block nor make a call.
	Waited func() bool

	// Hold is called when the call starts to queue, and the function that it
	// returns when the call has its turn or leaves. Time limits of the work
	// itself should not run meanwhile. Nil holds nothing.
	Hold func() (release func())

	// Failed is told what is known of the call so far: after each attempt that
	// failed, and when the call starts to queue. The error's Cause is nil, as
	// the call goes on. It serves callers who leave before the call ends. Nil is
	// told nothing.
	Failed func(*Error)

	// Once is true for a call that may reach the service only once, such as one
	// with an MFA code: it is sent again only if there was no connection.
	Once bool

	// Attempts is the most attempts; 0 leaves it to the retryer.
	Attempts int
}

const (
	credit     = 50 * time.Millisecond  // delay of the pace that may be made good: timers are coarse
	sweepEvery = 250 * time.Millisecond // how often the queue is searched for calls that nobody waits for any more
	reserve    = 250 * time.Millisecond // how long a turn is kept for a call that comes back from its delay
)

// place is a call's place in the queue.
type place struct {
	number uint64
	waited func() bool
	done   chan struct{} // closed when the call has its turn, or has been dropped
	turn   bool          // which of both; read once done is closed
}

// await returns when a call may send its next attempt, or why it may not.
func (p *Pacer) await(ctx context.Context, c *call) error {
	at, err := p.enter(c)
	if at == nil {
		return err
	}
	c.tell()
	if c.Hold != nil {
		defer c.Hold()()
	}
	select {
	case <-at.done:
		if at.turn {
			return nil
		}
		return c.error(ErrNobodyWaits)
	case <-ctx.Done():
		p.leave(at)
		return c.error(ctx.Err())
	}
}

// enter lets a call go at once, which both results being nil says, gives it a
// place in the queue, or turns it away.
func (p *Pacer) enter(c *call) (*place, error) {
	waited := c.waited()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.speed.limited(now) {
		return nil, nil
	}
	if c.refusal == nil {
		c.refusal = p.refusal
	}
	open := len(p.queue) == 0 && (waited || !now.Before(p.reserved))
	if open && p.take(now) {
		return nil, nil
	}
	if !waited {
		return nil, c.error(ErrNobodyWaits)
	}
	if c.number == 0 {
		p.calls++
		c.number = p.calls
	}
	at := &place{number: c.number, waited: c.waited, done: make(chan struct{})}
	i, _ := slices.BinarySearchFunc(p.queue, at, byNumber)
	p.queue = slices.Insert(p.queue, i, at)
	if len(p.queue) == 1 {
		p.schedule(now)
	}
	return at, nil
}

func byNumber(a, b *place) int { return cmp.Compare(a.number, b.number) }

// leave gives a place in the queue up. A timer that is set runs out once.
func (p *Pacer) leave(at *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, found := slices.BinarySearchFunc(p.queue, at, byNumber); found {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
}

// serve drops the calls that nobody waits for any more, and gives the others
// the turns that are due.
func (p *Pacer) serve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = slices.DeleteFunc(p.queue, func(at *place) bool {
		if at.waited() {
			return false
		}
		close(at.done)
		return true
	})
	now := time.Now()
	due := 0
	for due < len(p.queue) && p.take(now) {
		p.queue[due].turn = true
		close(p.queue[due].done)
		due++
	}
	p.queue = slices.Delete(p.queue, 0, due)
	if len(p.queue) > 0 {
		p.schedule(now)
	}
}

// schedule sets the timer for the next turn. p.mu is held.
func (p *Pacer) schedule(now time.Time) {
	pause := min(p.next.Sub(now), sweepEvery)
	if p.timer == nil {
		p.timer = time.AfterFunc(pause, p.serve)
		return
	}
	p.timer.Reset(pause)
}

// take uses the next turn if it is due. p.mu is held.
func (p *Pacer) take(now time.Time) bool {
	if !p.speed.limited(now) {
		return true
	}
	if now.Before(p.next) {
		return false
	}
	if earliest := now.Add(-credit); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(p.speed.interval())
	return true
}

// answered notes what the service said to an attempt; refusal is nil unless it
// throttled.
func (p *Pacer) answered(refusal error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if refusal == nil {
		p.speed.answered(time.Now())
		return
	}
	p.speed.throttled(time.Now())
	p.refusal = refusal
}

// expect keeps the turns of the next while for calls that somebody waits for:
// one of them was throttled, and comes back after pause.
func (p *Pacer) expect(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(pause + reserve); until.After(p.reserved) {
		p.reserved = until
	}
}
