// Package refresh keeps one set of credentials good. Its Cache hands out the
// keys it has, gets new ones before they expire, and carries callers through
// the failures of the source behind it.
//
// The keys at hand are in one of four states, which depend on the time alone:
//
//	state    from                                      what a caller of Retrieve gets
//	fresh    their arrival                             the keys, at once
//	stale    the refresh moment                        the keys, at once; a refresh starts behind the caller,
//	                                                   if none runs and no pause after a failure is on
//	ending   min(2 min, a tenth of the lifetime)       the new keys of the refresh that runs or starts, if they
//	         before the expiry                         come within 5 s and the caller's ctx; else the keys at hand
//	expired  the expiry, or while there are no keys    the new keys of the refresh that runs or starts; the caller
//	                                                   waits for them or for the end of its ctx
//
// The refresh moment lies L/3 to 2L/3 before the expiry, drawn evenly, with
// L = min(lifetime, 3 h): programs that start together do not refresh together.
//
// In the state ending, the first wait that fails or lasts 5 s ends the waiting
// of all callers, until the pause after the failure allows another refresh.
//
// Three kinds of sources have other moments:
//
//   - A source that asks a person (Config.Prompts): fresh until expired, so
//     that nobody is asked before the keys are needed.
//   - EC2 (Config.StaticStability): stale an hour after the last look, never
//     ending, and used for up to six hours past the expiry while the instance
//     has no better keys.
//   - Keys without an expiry: always fresh.
//
// Each moment is kept on the wall clock and on the monotonic clock, and has
// come as soon as one of them says so. The wall clock knows that a suspended
// laptop's keys have expired; the monotonic clock knows the age of keys when
// the wall clock is set back.
//
// A Cache has no goroutine while no refresh runs, and holds no lock while it
// calls a function of its Config.
package refresh

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Issued is one set of keys and who they were issued to.
type Issued struct {
	aws.Credentials
	ARN, UserID string        // of a role session, for example; "" if the source did not say
	FromDisk    bool          // another process, or an earlier one, got them
	Age         time.Duration // since they were issued, by this machine's clock; 0 for new ones
	Owner       string        // stands for who got them, for a session that others are opened from; may be ""
}

// Format prints neither secret key nor session token, for any verb.
func (i Issued) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "keys %s of %q", i.AccessKeyID, i.ARN) }

// LogValue makes slog print what Format does.
func (i Issued) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(i)) }

// Config says where the keys of a Cache come from and how the source behaves.
// Only Fetch is required.
type Config struct {
	// Fetch asks the source for keys. It runs in a goroutine and a context of
	// its own, whose end it should obey.
	Fetch func(context.Context) (Issued, error)

	// StaticStability is true for EC2, whose keys may be used past their expiry.
	StaticStability bool
	// Prompts reports whether Fetch would ask a person now: then it is called only
	// for a caller who has no usable keys. It must be quick. Nil: it never does.
	Prompts func() bool
	// Patient is true where Fetch may wait for a person, here or in a parent.
	Patient bool
	// Local is true where the source sees the end of a session (Outlook Ended)
	// in a file, at no cost: pauses after that error do not grow.
	Local bool
	// Rereads is true where the source may hold other keys than before though
	// those at hand have no expiry: a refusal makes it read them again.
	Rereads bool
	// Longest is the lifetime that was asked of STS. Keys are used no longer,
	// even if a clock that is behind makes their expiry look farther away.
	// 0: unknown.
	Longest time.Duration

	// PassOn tells the source behind Fetch that a service refused its key. It
	// is called before Fetch, with the same context. It may be nil.
	PassOn func(ctx context.Context, keyID string, why Refusal)
	// Alive is asked once, where Fetch asks a person, whether keys that a service
	// has refused are still good. If not, they are dropped, and the next caller
	// is asked for new ones. Nil: they are taken for good until they expire.
	Alive func(context.Context, *Issued) bool

	// Classify turns an error of Fetch or of this package into the one that
	// callers get. It is called once per failure. Nil: errors stay as they are.
	Classify func(error) error
	// Outlook judges an error that Classify returned. Nil: all errors mend.
	Outlook func(error) Outlook
	// Observer hears what happens, for the log. It may be nil.
	Observer Observer
}

// Cache holds the credentials of one identity and renews them. It is made by
// New and is safe for concurrent use.
type Cache struct {
	Config
	born time.Time // what the monotonic part of a moment counts from

	current atomic.Pointer[entry]  // the keys at hand, or nil
	retry   atomic.Pointer[moment] // no refresh behind the callers before it; nil: no pause is on

	mu       sync.Mutex // guards what follows; never held across I/O
	flight   *flight    // the refresh that callers join, or nil
	lost     []*flight  // those that only earlier callers still wait for: see Cache.setAside
	asked    bool       // a refresh has started at least once
	failure  failures
	refusal  refusal
	replaced string // the id of the key before the current one
}

// New makes a Cache without keys. The first call of Retrieve gets them.
func New(c Config) *Cache {
	if c.Classify == nil {
		c.Classify = func(err error) error { return err }
	}
	if c.Outlook == nil {
		c.Outlook = func(error) Outlook { return Mends }
	}
	if c.Observer == nil {
		c.Observer = silent{}
	}
	return &Cache{Config: c, born: time.Now()}
}

// prompts reports whether Fetch would ask a person.
func (c *Cache) prompts() bool { return c.Prompts != nil && c.Prompts() }

// Retrieve returns keys that are good now; what it points to never changes.
// The end of ctx ends this caller's waiting, never the refresh that others
// wait for. The package comment says what callers get in each state.
func (c *Cache) Retrieve(ctx context.Context) (*Issued, error) {
	e := c.current.Load()
	if e == nil {
		return c.wait(ctx)
	}
	if e.lasting {
		return &e.Issued, nil
	}
	if now := c.now(); e.refresh.passed(now) {
		return c.renew(ctx, e, now)
	}
	return &e.Issued, nil
}

// renew is Retrieve for keys that are no longer fresh.
func (c *Cache) renew(ctx context.Context, e *entry, now moment) (*Issued, error) {
	switch {
	case e.end.passed(now):
		return c.wait(ctx)
	case c.pausing(now):
	case e.ending.passed(now) && ctx.Err() == nil:
		return c.waitEnding(ctx, e)
	default:
		c.refreshBehind(ctx, e)
	}
	return &e.Issued, nil
}

// pausing reports whether a failure was so recent that no refresh starts while
// there are usable keys.
func (c *Cache) pausing(now moment) bool {
	retry := c.retry.Load()
	return retry != nil && !retry.passed(now)
}

// refreshBehind starts a refresh that nobody waits for, unless one runs, or e
// is no longer the current entry, or a pause has begun.
func (c *Cache) refreshBehind(ctx context.Context, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight == nil && c.current.Load() == e && !c.pausing(c.now()) {
		go c.prepare(ctx, true, "", 0).run()
	}
}
