package pace

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Of returns the retryer of one call, whose attempts keep to the pace. It must
// not be used for a second call.
//
// Under it, r decides what is retried, after which delay and how often. Where r
// is one of [NewRetryer], a call also gives up early when no connection can be
// had. Whatever r says, the call gives up when it is throttled and nobody waits
// for it. A call that is given up after it has failed or queued ends with an
// [*Error].
func (p *Pacer) Of(r aws.Retryer, c Call) aws.Retryer {
	v2, ok := r.(aws.RetryerV2)
	if !ok {
		v2 = v1{r}
	}
	own, _ := r.(*retryer)
	return &call{RetryerV2: v2, Call: c, pacer: p, own: own}
}

// v1 lets a retryer of the older interface take part.
type v1 struct{ aws.Retryer }

// GetAttemptToken asks for the initial token, as the SDK does for such retryers.
func (r v1) GetAttemptToken(context.Context) (func(error) error, error) {
	return r.GetInitialToken(), nil
}

// call is the retryer of one call. The SDK calls its methods one after another,
// in this order for each attempt: GetAttemptToken, the release functions that
// it and GetRetryToken returned, IsErrorRetryable, GetRetryToken, RetryDelay.
type call struct {
	aws.RetryerV2 // what decides beneath the pace
	Call
	pacer *Pacer
	own   *retryer // beneath, if it is ours

	ctx       context.Context // of the attempt; the SDK does not pass it to all methods
	began     time.Time
	number    uint64 // for its place in the queue: older calls go first
	open      bool   // the outcome of the attempt is not known yet
	attempts  int
	throttled int   // attempts
	unreached int   // attempts that had no connection
	last      error // of the attempts that failed, but not for the end of ctx
	refusal   error // what the service said to another call, where this one had no answer
}

// waited reports whether somebody waits for the call now.
func (c *call) waited() bool { return c.Waited == nil || c.Waited() }

// MaxAttempts tells the SDK of no limit: GetRetryToken keeps it, and says more
// when it is reached.
func (c *call) MaxAttempts() int { return 0 }

// most is the number of attempts that the call may have; 0 is any.
func (c *call) most() int {
	most := c.RetryerV2.MaxAttempts()
	if most == 0 || 0 < c.Attempts && c.Attempts < most {
		most = c.Attempts
	}
	return most
}

// GetAttemptToken waits for the call's turn. What it returns is told how the
// attempt went.
func (c *call) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	c.ctx = ctx
	if c.began.IsZero() {
		c.began = time.Now()
	}
	if err := c.pacer.await(ctx, c); err != nil {
		return nil, err
	}
	release, err := c.RetryerV2.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	c.attempts++
	c.open = true
	return c.settling(release), nil
}

// settling lets a release function of the retryer beneath also settle the
// attempt. There are two for each attempt but the first, and versions of the SDK
// differ in which of them they call.
func (c *call) settling(release func(error) error) func(error) error {
	return func(err error) error {
		c.settle(err)
		return release(err)
	}
}

// settle notes how an attempt went.
func (c *call) settle(err error) {
	if !c.open {
		return
	}
	c.open = false
	switch {
	case settled(err):
		return
	case Throttled(err):
		c.throttled++
		c.pacer.answered(asRefusal(err))
	case answered(err):
		c.pacer.answered(nil)
	case c.ctx.Err() != nil:
		return // it tells of the caller, not of the service
	case Unreached(err):
		c.unreached++
	}
	if err != nil {
		c.last = err
		c.tell()
	}
}

// IsErrorRetryable asks the retryer beneath, with one exception: an attempt that
// was cut short by the end of the call's time, after others had failed. It leads
// to GetRetryToken, which returns how those failed.
func (c *call) IsErrorRetryable(err error) bool {
	cut := c.ctx != nil && c.ctx.Err() != nil && !answered(err)
	return cut && c.last != nil || c.RetryerV2.IsErrorRetryable(err)
}

// GetRetryToken decides whether there is another attempt.
func (c *call) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if cause := c.end(ctx, err); cause != nil {
		return nil, c.error(cause)
	}
	release, tokenErr := c.RetryerV2.GetRetryToken(ctx, err)
	if tokenErr != nil {
		return nil, c.error(tokenErr)
	}
	return c.settling(release), nil
}

// end is why there is no other attempt, or nil.
func (c *call) end(ctx context.Context, err error) error {
	most := c.most()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case most > 0 && c.attempts >= most:
		return &retry.MaxAttemptsError{Attempt: c.attempts, Err: err}
	case c.Once && !Unseen(err):
		return &retry.MaxAttemptsError{Attempt: c.attempts, Err: err}
	case c.own != nil && c.unreached >= c.own.Unreachable:
		return &retry.MaxAttemptsError{Attempt: c.attempts, Err: err}
	case Throttled(err) && !c.waited():
		return ErrNobodyWaits
	}
	return nil
}

// RetryDelay is the pause before the next attempt. Where the caller's time ends
// within it, it ends here, where the last answer is still known.
func (c *call) RetryDelay(attempt int, err error) (time.Duration, error) {
	pause, delayErr := c.delay(attempt, err)
	if delayErr != nil {
		return 0, delayErr
	}
	pause = max(pause, retryAfter(err))
	if end, ok := c.ctx.Deadline(); ok && time.Until(end) <= pause {
		<-c.ctx.Done()
		return 0, c.error(c.ctx.Err())
	}
	if Throttled(err) {
		c.pacer.expect(pause)
	}
	return pause, nil
}

// atOnce is the shortest delay. It is not 0 for the sake of tests: a timer that
// is due when it is made runs in the goroutine that waits for it, and in a
// synctest bubble two of them crash the race detector of Go 1.26.
const atOnce = time.Nanosecond

// delay asks the retryer beneath. Where that is ours, it leaves it to the pace
// when a call that was throttled once is sent again. Throttled once more it
// backs off, so that its attempts last.
func (c *call) delay(attempt int, err error) (time.Duration, error) {
	if c.own == nil {
		return c.RetryerV2.RetryDelay(attempt, err)
	}
	if c.throttled == 1 && Throttled(err) {
		return atOnce, nil
	}
	attempt = c.attempts // versions of the SDK count from 0 or from 1
	if c.throttled > 0 {
		attempt-- // the first was free
	}
	return c.own.RetryDelay(attempt, err)
}
