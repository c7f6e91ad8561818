package refresh

import (
	"context"
	"time"
)

// endingWait is how long callers wait for new keys in the state ending.
const endingWait = 5 * time.Second

// wait returns new keys to a caller who has no usable ones. It joins the
// refresh that runs, or starts one, or returns the failure of a moment ago.
func (c *Cache) wait(ctx context.Context) (*Issued, error) {
	for arrived := time.Now(); ; {
		t := c.join(ctx)
		f := t.flight
		if f == nil {
			return t.keys, t.err
		}
		if left := c.await(ctx, f, t.starts, nil); left != nil {
			left.After = time.Since(arrived)
			return nil, c.interrupted(left)
		}
		if !f.background || Background(ctx) {
			return f.keys, f.err
		}
		// The refresh made few attempts, for nobody had needed it when it
		// started. If it failed, this caller gets one with all attempts, or
		// shares its failure.
	}
}

// ticket is what a caller without usable keys gets: a refresh to wait for, or
// keys, or an error.
type ticket struct {
	flight *flight
	starts bool // the flight started for this caller
	keys   *Issued
	err    error // classified
	own    error // of this package, not yet classified
}

// join gives a caller its ticket.
func (c *Cache) join(ctx context.Context) ticket {
	if ctx.Err() != nil {
		return ticket{err: c.interrupted(&AbandonedError{Caller: true, Err: ctx.Err()})}
	}
	t := c.joinOrStart(ctx)
	if t.own != nil {
		t.err = c.Classify(t.own)
	}
	return t
}

func (c *Cache) joinOrStart(ctx context.Context) ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if e := c.current.Load(); e.usable(now) {
		return ticket{keys: &e.Issued} // another caller's refresh has ended meanwhile
	}
	if c.flight != nil && c.flight.lostPrompt() {
		c.setAside(c.flight)
	}
	if f := c.flight; f != nil {
		if !f.enter(ctx) {
			return ticket{own: ErrLoop}
		}
		return ticket{flight: f}
	}
	background := Background(ctx)
	if err := c.failure.shared(now, background); err != nil {
		return ticket{err: err}
	}
	if c.prompts() && background {
		return ticket{own: ErrUnasked}
	}
	f := c.prepare(ctx, background, "", 0)
	f.enter(ctx)
	go f.run()
	return ticket{flight: f, starts: true}
}

// await waits for the end of f, for that of ctx, or for enough to be closed. If
// ctx came first it returns the reason that the caller left. The caller has
// entered f, and leaves it here.
//
// If ctx belongs to a refresh itself (a child's, which waits for its parent's),
// the time of that one does not run meanwhile: the parent's is bounded.
func (c *Cache) await(ctx context.Context, f *flight, starts bool, enough <-chan struct{}) (left *AbandonedError) {
	if flightOf(ctx) != nil {
		defer Hold(ctx)()
	}
	select {
	case <-f.done:
	case <-enough:
	case <-ctx.Done():
		left = &AbandonedError{Caller: true, Prompt: f.prompting(), Last: f.lastError(), Err: ctx.Err()}
	}
	c.leave(ctx, f, starts)
	return left
}

// leave ends one caller's waiting for f. Without it f may be for nobody.
func (c *Cache) leave(ctx context.Context, f *flight, starts bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.exit(ctx)
	if starts {
		f.starterLeft.Store(true)
	}
	c.dropIfUnwanted(f)
}

// interrupted makes the error of a caller who left. State shows it where it
// tells of the source, and not of the caller alone.
func (c *Cache) interrupted(left *AbandonedError) error {
	err := c.Classify(left)
	if left.Last != nil || left.Prompt {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failure.last = err
	}
	return err
}

// waitEnding is Retrieve in the state ending.
func (c *Cache) waitEnding(ctx context.Context, e *entry) (*Issued, error) {
	f, enough := c.joinEnding(ctx, e)
	if f != nil {
		c.await(ctx, f, false, enough)
	}
	if e := c.current.Load(); e.usable(c.now()) {
		return &e.Issued, nil
	}
	return c.wait(ctx) // the keys at hand have expired meanwhile
}

// joinEnding returns the refresh to wait for while e ends, and the channel that
// is closed when its callers have waited long enough, which may be so already;
// or nil if e has been replaced, or a pause has begun.
func (c *Cache) joinEnding(ctx context.Context, e *entry) (*flight, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != e {
		return nil, nil
	}
	f := c.flight
	if f == nil {
		if c.pausing(c.now()) {
			return nil, nil
		}
		f = c.prepare(ctx, true, "", 0)
		defer func() { go f.run() }()
	}
	if f.enough == nil {
		f.enough = make(chan struct{})
		f.timer = time.AfterFunc(endingWait, func() { close(f.enough) })
	}
	if !f.enter(ctx) {
		return nil, nil
	}
	return f, f.enough
}
