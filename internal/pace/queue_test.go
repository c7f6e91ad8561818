package pace

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowed is a pacer that lets a call go each second, the next one in a second.
func slowed() *Pacer {
	p := &Pacer{}
	now := time.Now()
	p.speed.begin(now, 1, false)
	p.next = now.Add(time.Second)
	return p
}

// TestLeave: a caller who leaves the queue takes no turn from those behind.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := slowed()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 10 {
			go func() { assert.ErrorIs(t, p.await(ctx, &call{pacer: p, began: start}), context.DeadlineExceeded) }()
		}
		synctest.Wait()
		require.NoError(t, p.await(t.Context(), &call{pacer: p, began: start}))
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// TestTurnIsLate: the turn is due, but the timer has not fired yet. It is for
// those who queue, not for a call that comes just then.
func TestTurnIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := slowed()
		first, err := p.enter(&call{pacer: p})
		require.NoError(t, err)
		require.NotNil(t, first)
		p.next = time.Now()
		second, err := p.enter(&call{pacer: p})
		require.NoError(t, err)
		require.NotNil(t, second, "went out before the one who queues")
		<-first.done
		assert.True(t, first.turn)
		<-second.done
	})
}

// TestDropped: nobody waits any longer for a call that queues. It leaves soon,
// and sends nothing, however far away its turn is.
func TestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := slowed()
		start := time.Now()
		p.next = start.Add(4 * time.Second)
		waited := func() bool { return time.Since(start) < 100*time.Millisecond }
		err := p.await(t.Context(), &call{Call: Call{Waited: waited}, pacer: p, began: start})
		require.ErrorIs(t, err, ErrNobodyWaits)
		assert.Equal(t, sweepEvery, time.Since(start))
	})
}

// TestPlaceIsKept: a call that was throttled goes back to the place it had,
// before those who came after it.
func TestPlaceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := slowed()
		older, newer := &call{pacer: p}, &call{pacer: p}
		first, err := p.enter(older)
		require.NoError(t, err)
		second, err := p.enter(newer)
		require.NoError(t, err)
		<-first.done // the older one has its turn, and is throttled
		again, err := p.enter(older)
		require.NoError(t, err)
		<-again.done
		p.mu.Lock()
		waiting := len(p.queue)
		p.mu.Unlock()
		require.Equal(t, 1, waiting, "the newer one went first")
		<-second.done
	})
}

// TestAnswersOfAnyKind: what the service said without throttling counts for the
// speed, a refusal included, and so does an answer that is a proxy's.
func TestAnswersOfAnyKind(t *testing.T) {
	for name, answer := range map[string]error{
		"success": nil,
		"denied":  &smithy.GenericAPIError{Code: "AccessDenied"},
		"proxy":   &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadGateway}}, Err: errors.New("HTML")},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Pacer{}
			attempt := func(err error) {
				r := p.Of(NewRetryer(RetryerOptions{}), Call{}).(aws.RetryerV2)
				release, tokenErr := r.GetAttemptToken(t.Context())
				require.NoError(t, tokenErr)
				require.NoError(t, release(err))
			}
			for range 40 {
				attempt(answer)
			}
			attempt(&smithy.GenericAPIError{Code: "Throttling"})
			assert.Equal(t, 40.0, p.speed.perSecond)
		})
	}
}

// keeping is a retryer that keeps what its release functions were told.
type keeping struct {
	aws.RetryerV2
	told []error
}

var errBudget = errors.New("the budget is not to be had back")

func (k *keeping) release(err error) error { k.told = append(k.told, err); return errBudget }

func (k *keeping) GetAttemptToken(context.Context) (func(error) error, error) { return k.release, nil }

func (k *keeping) GetRetryToken(context.Context, error) (func(error) error, error) {
	return k.release, nil
}

// TestRelease: the retryer beneath is told how each attempt went, and what it
// says to that is passed on.
func TestRelease(t *testing.T) {
	beneath := &keeping{RetryerV2: NewRetryer(RetryerOptions{})}
	r := (&Pacer{}).Of(beneath, Call{}).(aws.RetryerV2)
	failed := errors.New("failed")
	release, err := r.GetAttemptToken(t.Context())
	require.NoError(t, err)
	require.Equal(t, errBudget, release(failed))
	release, err = r.GetRetryToken(t.Context(), failed)
	require.NoError(t, err)
	require.Equal(t, errBudget, release(nil))
	require.Equal(t, []error{failed, nil}, beneath.told)
}

// TestReservedAtLeast: the shorter pause of one call does not take the turns
// from another, which comes back later.
func TestReservedAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, now := &Pacer{}, time.Now()
		p.expect(4 * time.Second)
		p.expect(time.Second)
		assert.Equal(t, 4*time.Second+reserve, p.reserved.Sub(now))
		p.expect(5 * time.Second)
		assert.Equal(t, 5*time.Second+reserve, p.reserved.Sub(now))
	})
}

// without is an error that says of itself that another try is of no use.
type without struct{ error }

func (w without) Unwrap() error      { return w.error }
func (without) RetryableError() bool { return false }

// TestFailureOfCredentials: the call that was to bring a call's credentials was
// throttled, by whatever service. That is no answer to the call itself.
func TestFailureOfCredentials(t *testing.T) {
	p := &Pacer{}
	c := p.Of(NewRetryer(RetryerOptions{}), Call{Failed: func(*Error) { t.Error("it is not the service's failure") }}).(*call)
	release, err := c.GetAttemptToken(t.Context())
	require.NoError(t, err)
	require.NoError(t, release(without{&smithy.GenericAPIError{Code: "Throttling"}}))
	assert.Zero(t, p.speed.perSecond)
	assert.Zero(t, p.speed.answers)
	assert.Nil(t, c.last)
}

// endless is a retryer without a limit of attempts.
type endless struct{ aws.RetryerV2 }

func (endless) MaxAttempts() int { return 0 }

// TestMostAttempts is the lesser limit of both, where there is one.
func TestMostAttempts(t *testing.T) {
	for _, tt := range []struct{ retryer, call, want int }{{8, 0, 8}, {8, 2, 2}, {2, 8, 2}, {0, 2, 2}, {0, 0, 0}} {
		var r aws.Retryer = NewRetryer(RetryerOptions{Attempts: tt.retryer})
		if tt.retryer == 0 {
			r = endless{NewRetryer(RetryerOptions{})}
		}
		assert.Equal(t, tt.want, (&Pacer{}).Of(r, Call{Attempts: tt.call}).(*call).most(), "%+v", tt)
	}
}

// steady is a retryer whose delay is always a second.
type steady struct{ aws.RetryerV2 }

func (steady) RetryDelay(int, error) (time.Duration, error) { return time.Second, nil }

// TestDelayToTheEnd: the caller's time ends together with the delay. No attempt
// can follow, so the call ends here, with the last answer.
func TestDelayToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := (&Pacer{}).Of(steady{NewRetryer(RetryerOptions{})}, Call{}).(*call)
		release, err := c.GetAttemptToken(ctx)
		require.NoError(t, err)
		failed := &smithy.GenericAPIError{Code: "InternalFailure"}
		require.NoError(t, release(failed))
		_, err = c.RetryDelay(1, failed)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, failed)
	})
}

// TestDelayOfOtherErrors: only a throttled call is sent again at once, and only
// for one are turns kept.
func TestDelayOfOtherErrors(t *testing.T) {
	p := &Pacer{}
	c := p.Of(NewRetryer(RetryerOptions{}), Call{}).(*call)
	attempt := func(err error) (delay time.Duration) {
		release, tokenErr := c.GetAttemptToken(t.Context())
		require.NoError(t, tokenErr)
		require.NoError(t, release(err))
		delay, delayErr := c.RetryDelay(1, err)
		require.NoError(t, delayErr)
		return delay
	}
	failed := &smithy.GenericAPIError{Code: "InternalFailure"}
	attempt(failed)
	assert.Zero(t, p.reserved, "turns kept")
	assert.Equal(t, atOnce, attempt(&smithy.GenericAPIError{Code: "Throttling"}))
	assert.NotZero(t, p.reserved)
	var longest time.Duration
	for range 20 {
		p.speed = speed{} // no queue
		longest = max(longest, attempt(failed))
	}
	assert.NotZero(t, longest, "sent again at once")
}

// TestRecentSeconds: the second before counts until the one after it is over, to the
// nanosecond.
func TestRecentSeconds(t *testing.T) {
	begun := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	for passed, want := range map[time.Duration]float64{
		time.Second - 1: 3, time.Second: 3, 2*time.Second - 1: 3, 2 * time.Second: 0, time.Hour: 0,
	} {
		r := recent{began: begun, current: 3}
		assert.Equal(t, want, r.most(begun.Add(passed)), "%v", passed)
	}
}
