package awsauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// pacer is the pace of all STS calls that one session signs: STS counts by
// caller. It does nothing until STS
// throttles. Then the calls queue and go out one by one, at the rate at which
// STS has just been answering. A throttled answer lowers the rate, and it rises
// while there is none: all sessions slow down together, instead of each burning
// its attempts against the same limit.
type pacer struct {
	mu      sync.Mutex
	rate    float64   // calls a second; 0: not throttled
	seeking bool      // it is a guess, made when the throttling began
	next    time.Time // when the next call may go out
	cut     time.Time // when the rate was last set or lowered
	grew    time.Time // when it was last raised

	since time.Time // of the answers that are being counted: the last cut, or while not throttled this second's start
	count int       // of them
	last  int       // and those of the second before; while not throttled

	first, again chan struct{} // held by the head of the queue: of calls, and of calls that were throttled before
	repeats      int           // calls in the latter, which go first
}

const (
	paceStart = 10.0                   // calls a second, where too little was answered to tell
	paceLeast = 1.0                    // calls a second
	paceMost  = 10000.0                // calls a second; STS allows that to nobody, so there is no limit any more
	paceSeek  = 0.5                    // how fast a guess rises: twofold in the first 1.7 s, tenfold in 3 s
	paceGain  = 0.02                   // and a rate that was measured: by 2 % a second after one second, 20 % after ten
	paceCut   = 0.9                    // of what STS answers, so that those who were throttled have their turn
	paceLimit = 0.5                    // the most that one cut takes: few answers may just mean few calls
	paceHold  = 500 * time.Millisecond // between two cuts: what was under way tells nothing of the new rate
	paceAhead = 50 * time.Millisecond  // delay that may be made good: timers are coarse
)

// wait holds a call back until the pace allows it. Calls that were throttled
// before have a queue of their own, and go first: their time is running out.
func (p *pacer) wait(ctx context.Context, throttled bool) error {
	queue := p.queue(throttled)
	if queue == nil {
		return nil
	}
	if throttled {
		defer p.repeated()
	}
	start := time.Now()
	select {
	case queue <- struct{}{}:
		defer func() { <-queue }()
	case <-ctx.Done():
		return gaveUp(ctx, start)
	}
	for {
		pause := p.turn(time.Now(), throttled)
		if pause <= 0 {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return gaveUp(ctx, start)
		}
	}
}

// gaveUp is the error of a call whose time ran out in the queue.
func gaveUp(ctx context.Context, start time.Time) error {
	err := ctx.Err()
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &Error{Kind: Throttled, Op: "call STS", Err: err}
	e.what = fmt.Sprintf("STS throttles, and there was no turn for this call in %v", time.Since(start).Round(time.Second))
	return e.mend("run fewer accounts at once")
}

// queue is where a call has to wait, or nil.
func (p *pacer) queue(throttled bool) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.grow(time.Now()); {
	case p.rate == 0:
		return nil
	case throttled:
		p.repeats++
		return p.again
	}
	return p.first
}

// repeated notes that a call has left the queue of those that were throttled.
func (p *pacer) repeated() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repeats--
}

// turn takes the next call's place if its time has come, and else says how long
// that is.
func (p *pacer) turn(now time.Time, throttled bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.grow(now); p.rate == 0 {
		return 0
	}
	if pause := p.next.Sub(now); pause > 0 {
		return pause
	}
	interval := time.Duration(float64(time.Second) / p.rate)
	if p.repeats > 0 && !throttled {
		return interval
	}
	if earliest := now.Add(-paceAhead); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(interval)
	return 0
}

// grow raises the rate for the time that has passed: faster the longer nothing
// was throttled.
func (p *pacer) grow(now time.Time) {
	if p.rate == 0 {
		return
	}
	gain := paceGain
	if p.seeking {
		gain = paceSeek
	}
	p.rate *= 1 + gain*now.Sub(p.grew).Seconds()*now.Sub(p.cut).Seconds()
	p.grew = now
	if p.rate > paceMost {
		p.rate, p.since, p.count, p.last = 0, now, 0, 0
	}
}

// answered notes what STS said to a call.
func (p *pacer) answered(throttled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.grow(now)
	passed := now.Sub(p.since)
	if p.rate == 0 && passed >= time.Second {
		p.last, p.count, p.since = p.count, 0, now
		if passed >= 2*time.Second {
			p.last = 0
		}
	}
	switch {
	case !throttled:
		p.count++
		return
	case p.rate == 0:
		p.rate, p.seeking = max(float64(p.count), float64(p.last), paceStart), true
		if p.first == nil {
			p.first, p.again = make(chan struct{}, 1), make(chan struct{}, 1)
		}
	case now.Sub(p.cut) < paceHold:
		return
	default:
		answers := float64(p.count) / passed.Seconds()
		p.rate, p.seeking = max(paceCut*min(p.rate, answers), paceLimit*p.rate, paceLeast), false
	}
	p.cut, p.grew, p.since, p.count = now, now, now, 0
}

// pacedRetryer is the retryer of one call, whose attempts keep to a pace.
type pacedRetryer struct {
	aws.RetryerV2
	pacer     *pacer
	throttled int // attempts
}

// GetAttemptToken is called before each attempt, and what it returns with the
// attempt's outcome.
func (r *pacedRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if err := r.pacer.wait(ctx, r.throttled > 0); err != nil {
		return nil, err
	}
	release, err := r.RetryerV2.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	return func(err error) error {
		var api smithy.APIError
		if err == nil || errors.As(err, &api) {
			throttled := isThrottled(err)
			r.pacer.answered(throttled)
			if throttled {
				r.throttled++
			}
		}
		return release(err)
	}, nil
}

// RetryDelay leaves it to the pace when a call that was throttled is sent
// again. Throttled once more it backs off, so that its attempts last.
func (r *pacedRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if r.throttled == 1 && isThrottled(err) {
		return 0, nil
	}
	if r.throttled > 0 {
		attempt = max(attempt-1, 0) // the first was free
	}
	return r.RetryerV2.RetryDelay(attempt, err)
}

// isThrottled reports whether a service asked to slow down.
func isThrottled(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	_, yes := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
	return yes
}

// of gives a retryer the pace, for one call.
func (p *pacer) of(r aws.Retryer) aws.Retryer {
	v2, ok := r.(aws.RetryerV2)
	if !ok {
		v2 = legacyRetryer{r}
	}
	return &pacedRetryer{RetryerV2: v2, pacer: p}
}

// legacyRetryer lets a retryer of the older interface take part.
type legacyRetryer struct{ aws.Retryer }

// GetAttemptToken asks for the initial token, as the SDK does for such retryers.
func (r legacyRetryer) GetAttemptToken(context.Context) (func(error) error, error) {
	return r.GetInitialToken(), nil
}
