package refresh

import (
	"context"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	refreshTimeout = 30 * time.Second // for one refresh
	askTimeout     = 5 * time.Minute  // for one in which a person may have to type a code
	// grace is how much longer a Fetch may take that obeys its context: what it
	// says of the end tells more than "abandoned".
	grace = time.Second
)

// flight is one refresh. Its context, the value of the marker flightKey in it,
// is that of Fetch.
type flight struct {
	cache      *Cache
	background bool    // nobody needed it when it started: see Background
	starter    *flight // the refresh that it started for: a child's; nil for a caller's
	refused    string  // the id of the key that a service refused, if it started for that
	why        Refusal
	ctx        *limited
	began      time.Time

	done chan struct{} // closed when it is over
	keys *Issued       // the result, set before done is closed
	err  error

	over     bool            // guarded by cache.mu, as what follows
	callers  int             // who wait for it
	children map[*flight]int // refreshes of other caches that wait for it
	enough   chan struct{}   // closed when callers in the state ending have waited long enough; nil: none has
	timer    *time.Timer     // closes enough

	starterLeft atomic.Bool            // who it started for no longer waits
	answered    atomic.Bool            // see Answered
	parent      atomic.Pointer[flight] // the refresh of another cache that it waits for now
	noted       atomic.Pointer[error]  // see Note
}

type flightKey struct{}

// flightOf is the refresh that a context belongs to, or nil.
func flightOf(ctx context.Context) *flight {
	f, _ := ctx.Value(flightKey{}).(*flight)
	return f
}

// Background reports whether ctx belongs to a refresh that nobody needed when
// it started, because there were usable keys: few attempts are enough, and no
// person is asked for it. A child's refresh of that kind makes its parent's
// one, too.
func Background(ctx context.Context) bool {
	f := flightOf(ctx)
	return f != nil && f.background
}

// Waited reports whether somebody waits now for the refresh that ctx belongs
// to, be it through the refresh of a child. It is true for a ctx that belongs
// to none: a caller's own.
func Waited(ctx context.Context) bool {
	f := flightOf(ctx)
	return f == nil || f.waited()
}

func (f *flight) waited() bool {
	c := f.cache
	c.mu.Lock()
	waited, children := f.callers > 0, slices.Collect(maps.Keys(f.children))
	c.mu.Unlock()
	return waited || slices.ContainsFunc(children, (*flight).waited)
}

// Replacing says what the refresh that ctx belongs to is to replace: the keys at
// hand, nil if there are none, and the ids of keys that were refused or replaced
// before. For a ctx that belongs to no refresh both are empty.
func Replacing(ctx context.Context) (held *Issued, gone []string) {
	f := flightOf(ctx)
	if f == nil {
		return nil, nil
	}
	c := f.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.current.Load(); e != nil {
		held = &e.Issued
	}
	for _, id := range []string{f.refused, c.refusal.keyID, c.replaced} {
		if id != "" {
			gone = append(gone, id)
		}
	}
	return held, gone
}

// Alone reports whether no earlier refresh of the same Cache is still out, one that
// was set aside for a new one. It is true for a ctx that belongs to no refresh.
func Alone(ctx context.Context) bool {
	f := flightOf(ctx)
	if f == nil {
		return true
	}
	f.cache.mu.Lock()
	defer f.cache.mu.Unlock()
	return len(f.cache.lost) == 0
}

// Hold stops the time of the refresh that ctx belongs to, for example while it
// queues for its turn to call STS. From release on it has its full time again.
// A refresh that somebody started who needed keys ends while it is held, as
// soon as nobody waits for it. For any other ctx, Hold does nothing.
func Hold(ctx context.Context) (release func()) {
	f := flightOf(ctx)
	if f == nil {
		return func() {}
	}
	f.ctx.hold()
	c := f.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropIfUnwanted(f)
	return sync.OnceFunc(f.ctx.release)
}

// Note remembers the last error that one of Fetch's attempts met. If the
// refresh that ctx belongs to is abandoned, or a caller leaves it, their error
// carries it: a deadline must not hide what the source has been saying.
//
// Nil forgets it.
func Note(ctx context.Context, err error) {
	f := flightOf(ctx)
	switch {
	case f == nil:
	case err == nil:
		f.noted.Store(nil)
	default:
		f.noted.Store(&err)
	}
}

// Answered tells that the person whom Fetch asked has answered: what follows
// is a call like any other, with the time of any other.
func Answered(ctx context.Context) {
	if f := flightOf(ctx); f != nil && !f.answered.Swap(true) {
		f.ctx.restart(refreshTimeout)
	}
}

// parents yields f and the refreshes it waits for, the nearest first.
func (f *flight) parents(yield func(*flight) bool) {
	for range mostParents {
		if f == nil || !yield(f) {
			return
		}
		f = f.parent.Load()
	}
}

// mostParents is more than any chain of roles has. It ends a walk in a circle,
// which exists for the moment until enter has seen it.
const mostParents = 100

// lastError is the last error that was noted for f, or rather for the farthest
// parent's refresh that it waits for; or nil.
func (f *flight) lastError() (last error) {
	for p := range f.parents {
		if err := p.noted.Load(); err != nil {
			last = *err
		}
	}
	return last
}

// prompting reports whether f asks a person, or waits for a refresh that does.
func (f *flight) prompting() bool {
	for p := range f.parents {
		if p.cache.prompts() && !p.answered.Load() {
			return true
		}
	}
	return false
}

// lostPrompt reports whether f asks a person on behalf of a caller who has
// left.
func (f *flight) lostPrompt() bool {
	if !f.prompting() {
		return false
	}
	for ; f != nil; f = f.starter {
		if f.starterLeft.Load() {
			return true
		}
	}
	return false
}

// effort is what f has cost so far. cache.mu is held.
func (f *flight) effort() Effort {
	return Effort{Took: time.Since(f.began), Waiting: f.callers + len(f.children)}
}

// enter counts a caller, or a child's refresh, among those who wait for f. It
// reports false, and does nothing, if f itself waits for that child's refresh.
// cache.mu is held, as for exit.
func (f *flight) enter(ctx context.Context) bool {
	child := flightOf(ctx)
	if child == nil {
		f.callers++
		return true
	}
	before := child.parent.Swap(f) // first: of two that enter each other, one at least sees it
	for p := range f.parents {
		if p == child {
			child.parent.Store(before)
			return false
		}
	}
	if f.children == nil {
		f.children = map[*flight]int{}
	}
	f.children[child]++
	return true
}

func (f *flight) exit(ctx context.Context) {
	child := flightOf(ctx)
	if child == nil {
		f.callers--
		return
	}
	child.parent.Store(nil)
	if f.children[child]--; f.children[child] == 0 {
		delete(f.children, child)
	}
}

// prepare makes a refresh, which the caller starts by run, in a goroutine of
// its own. (Who waits for it enters it before, for its source may ask for the
// keys of who waits.) keyID and why tell of the refused key that it is to
// replace, if any. c.mu is held.
func (c *Cache) prepare(ctx context.Context, background bool, keyID string, why Refusal) *flight {
	f := &flight{
		cache: c, background: background, starter: flightOf(ctx), refused: keyID, why: why,
		began: time.Now(), done: make(chan struct{}),
	}
	limit := refreshTimeout
	if c.prompts() || c.Patient && !background {
		limit = askTimeout
	}
	values := context.WithValue(context.WithoutCancel(ctx), flightKey{}, f)
	f.ctx = newLimited(values, limit, func() { time.AfterFunc(grace, f.abandon) })
	c.flight, c.asked = f, true
	return f
}

// run calls Fetch and settles what it returns.
func (f *flight) run() {
	defer f.ctx.cancel()
	returned := false
	defer func() {
		if !returned { // let nobody wait for ever
			f.cache.fail(f, noReturn(recover(), debug.Stack()))
		}
	}()
	if f.refused != "" && f.cache.PassOn != nil {
		f.cache.PassOn(f.ctx, f.refused, f.why)
	}
	keys, err := f.cache.Fetch(f.ctx)
	returned = true
	f.cache.settle(f, keys, err)
}

// noReturn is the error of a Fetch that panicked, or ended its goroutine.
func noReturn(panicked any, stack []byte) error {
	e := &NoReturnError{}
	switch p := panicked.(type) {
	case nil:
		return e
	case runtime.Error:
		e.Panic = p.Error()
	default:
		e.Panic = typeName(p)
	}
	e.Stack = stack
	return e
}

// abandon ends f, though Fetch has not returned.
func (f *flight) abandon() {
	f.cache.fail(f, f.timedOut(context.DeadlineExceeded))
}

// timedOut is the error of a refresh whose time was up.
func (f *flight) timedOut(err error) *AbandonedError {
	return &AbandonedError{After: time.Since(f.began), Prompt: f.prompting(), Last: f.lastError(), Err: err}
}

// setAside lets f go on for those who wait for it, while others start anew.
// c.mu is held.
func (c *Cache) setAside(f *flight) {
	c.flight = nil
	c.lost = append(c.lost, f)
}

// dropIfUnwanted ends f if it started for a caller without keys, nobody waits
// for it any more, and it has not got far: it queues, or a person has not
// answered. The next caller starts another. c.mu is held.
func (c *Cache) dropIfUnwanted(f *flight) {
	if f.over || f.background || f.callers > 0 || len(f.children) > 0 || !f.ctx.held() && !f.prompting() {
		return
	}
	c.end(f, nil, context.Canceled)
	f.ctx.cancel()
}
