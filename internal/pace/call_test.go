package pace_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// TestAlone: a single call that is throttled for seconds does not use up its
// attempts in one of them.
func TestAlone(t *testing.T) {
	for _, long := range []time.Duration{time.Second, 5 * time.Second, 9 * time.Second} {
		bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
			s.failing(always(throttling()))
			time.AfterFunc(long, func() { s.failing(nil) })
			start := time.Now()
			require.NoError(t, s.send(t.Context(), p, pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}), "throttled for %v", long)
			assert.Less(t, time.Since(start), long+5*time.Second)
			assert.LessOrEqual(t, s.count(), 8)
		})
	}
}

var unavailable = answerOf(http.StatusServiceUnavailable, "ServiceUnavailable", nil)

// hopeless are calls that are given up.
var hopeless = []struct {
	name     string
	fail     error
	patience time.Duration // of the caller; 0: endless
	options  pace.RetryerOptions
	call     pace.Call
	attempts [2]int
	elapsed  [2]time.Duration
	code     string
	cause    error // nil: out of attempts
}{
	{name: "throttled", fail: throttling(),
		attempts: [2]int{8, 8}, elapsed: [2]time.Duration{9 * time.Second, 25 * time.Second}, code: "Throttling"},
	{name: "throttled, 2 s", fail: throttling(), patience: 2 * time.Second,
		attempts: [2]int{3, 5}, elapsed: [2]time.Duration{2 * time.Second, 2 * time.Second}, code: "Throttling", cause: context.DeadlineExceeded},
	{name: "throttled, 2 s, 25 attempts", fail: throttling(), patience: 2 * time.Second, options: pace.RetryerOptions{Attempts: 25},
		attempts: [2]int{3, 5}, elapsed: [2]time.Duration{2 * time.Second, 2 * time.Second}, code: "Throttling", cause: context.DeadlineExceeded},
	{name: "throttled, 25 attempts", fail: throttling(), options: pace.RetryerOptions{Attempts: 25},
		attempts: [2]int{25, 25}, elapsed: [2]time.Duration{40 * time.Second, 100 * time.Second}, code: "Throttling"},
	{name: "fails", fail: unavailable,
		attempts: [2]int{8, 8}, elapsed: [2]time.Duration{time.Second, 28 * time.Second}, code: "ServiceUnavailable"},
	{name: "fails, 2 s", fail: unavailable, patience: 2 * time.Second, options: pace.RetryerOptions{Attempts: 100},
		attempts: [2]int{2, 50}, elapsed: [2]time.Duration{2 * time.Second, 2 * time.Second}, code: "ServiceUnavailable", cause: context.DeadlineExceeded},
	{name: "fails, two attempts", fail: unavailable, call: pace.Call{Attempts: 2},
		attempts: [2]int{2, 2}, elapsed: [2]time.Duration{100 * time.Millisecond, 1100 * time.Millisecond}, code: "ServiceUnavailable"},
	{name: "fails, more attempts than the retryer's", fail: unavailable, call: pace.Call{Attempts: 20},
		attempts: [2]int{8, 8}, elapsed: [2]time.Duration{time.Second, 28 * time.Second}, code: "ServiceUnavailable"},
	{name: "refuses connections", fail: refused(),
		attempts: [2]int{2, 2}, elapsed: [2]time.Duration{100 * time.Millisecond, 1100 * time.Millisecond}},
	{name: "unknown host", fail: unknownHost(),
		attempts: [2]int{2, 2}, elapsed: [2]time.Duration{100 * time.Millisecond, 1100 * time.Millisecond}},
	{name: "refuses connections, five allowed, 2 s", fail: refused(), options: pace.RetryerOptions{Attempts: 25, Unreachable: 25}, patience: 2 * time.Second,
		attempts: [2]int{2, 12}, elapsed: [2]time.Duration{2 * time.Second, 2 * time.Second}, cause: context.DeadlineExceeded},
}

// TestGivesUp: a call that is given up says how far it came, and keeps the last
// answer.
func TestGivesUp(t *testing.T) {
	for _, tt := range hopeless {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 {
				bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
					s.failing(always(tt.fail))
					ctx, cancel := t.Context(), func() {}
					if tt.patience > 0 {
						ctx, cancel = context.WithTimeout(ctx, tt.patience)
					}
					defer cancel()
					start := time.Now()
					e := requireGaveUp(t, s.send(ctx, p, pace.NewRetryer(tt.options), tt.call))
					assert.Equal(t, time.Since(start), e.Elapsed)
					assert.Equal(t, s.count(), e.Attempts)
					assert.GreaterOrEqual(t, e.Attempts, tt.attempts[0])
					assert.LessOrEqual(t, e.Attempts, tt.attempts[1])
					assert.GreaterOrEqual(t, e.Elapsed, tt.elapsed[0])
					assert.LessOrEqual(t, e.Elapsed, tt.elapsed[1])
					assert.Equal(t, tt.fail, e.Last)
					var api smithy.APIError
					if errors.As(e, &api); tt.code != "" {
						require.NotNil(t, api)
						assert.Equal(t, tt.code, api.ErrorCode())
					}
					var out *retry.MaxAttemptsError
					assert.Equal(t, tt.cause == nil, errors.As(e, &out))
					if tt.cause != nil {
						assert.ErrorIs(t, e, tt.cause)
					}
				})
			}
		})
	}
}

// TestCutShort: an attempt that the caller's time ends is told with what was
// answered before, or as it is where nothing was.
func TestCutShort(t *testing.T) {
	for name, tt := range map[string]struct {
		n    int // the attempt that hangs
		last bool
	}{
		"the first": {1, false}, "the second": {2, true}, "the last": {3, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.failing(func(n int) error {
					if n == tt.n {
						s.delay = time.Hour
					}
					return answerOf(http.StatusServiceUnavailable, "ServiceUnavailable", nil)
				})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err := s.send(ctx, p, pace.NewRetryer(pace.RetryerOptions{Attempts: 3}), pace.Call{})
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var e *pace.Error
				require.Equal(t, tt.last, errors.As(err, &e))
				if tt.last {
					assert.Equal(t, tt.n, e.Attempts)
					var api smithy.APIError
					require.ErrorAs(t, e, &api)
				}
			})
		})
	}
}

// TestAnsweredAtTheEnd: an answer that comes as the caller's time ends is the
// answer.
func TestAnsweredAtTheEnd(t *testing.T) {
	denied := answerOf(http.StatusForbidden, "AccessDenied", nil)
	html := &smithyhttp.ResponseError{Response: denied.(*smithyhttp.ResponseError).Response, Err: errors.New("HTML")}
	for name, want := range map[string]error{"of the service": denied, "of something else": html} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				loop := retry.NewAttemptMiddleware(p.Of(pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}), func(request any) any { return request })
				n := 0
				_, _, err := loop.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(
					func(context.Context, middleware.FinalizeInput) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
						if n++; n == 1 {
							return out, m, throttling()
						}
						cancel()
						return out, m, want
					}))
				assert.Equal(t, want, err)
			})
		})
	}
}

// TestFailed: who leaves a call that goes on knows what was answered so far.
func TestFailed(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.failing(always(throttling()))
		var told []pace.Error
		call := pace.Call{Failed: func(e *pace.Error) { told = append(told, *e) }}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Millisecond)
		defer cancel()
		require.Error(t, s.send(ctx, p, pace.NewRetryer(pace.RetryerOptions{}), call))
		require.NotEmpty(t, told)
		assert.Equal(t, 1, told[0].Attempts)
		assert.Equal(t, s.delay, told[0].Elapsed)
		assert.True(t, pace.Throttled(&told[0]))
		require.NoError(t, told[0].Cause)

		told = nil
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		e := requireGaveUp(t, s.send(ctx, p, pace.NewRetryer(pace.RetryerOptions{}), call))
		assert.Zero(t, e.Attempts, "it had no turn")
		require.Len(t, told, 1)
		assert.True(t, pace.Throttled(&told[0]), "another call was")
		assert.Equal(t, "0 attempts in 1ms, given up: context deadline exceeded: api error Throttling: Rate exceeded", e.Error())
	})
}

// theirs is a retryer of the older interface.
type theirs struct {
	aws.NopRetryer
	attempts int
	budget   int
}

func (r *theirs) IsErrorRetryable(error) bool { return true }
func (r *theirs) MaxAttempts() int            { return r.attempts }
func (r *theirs) RetryDelay(int, error) (time.Duration, error) {
	return 10 * time.Millisecond, nil
}

var errBudget = errors.New("their budget is spent")

func (r *theirs) GetRetryToken(context.Context, error) (func(error) error, error) {
	if r.budget--; r.budget < 0 {
		return nil, errBudget
	}
	return func(error) error { return nil }, nil
}

// v1 hides the newer method.
type v1 struct{ aws.Retryer }

// TestTheirs: the retryer of a caller decides beneath the pace.
func TestTheirs(t *testing.T) {
	with := func(attempts, budget int) func() aws.Retryer {
		return func() aws.Retryer { return &theirs{attempts: attempts, budget: budget} }
	}
	for _, tt := range []struct {
		name     string
		r        func() aws.Retryer // made in the bubble: some look at the clock
		fail     error
		attempts int
		cause    error
	}{
		{"attempts", with(5, 100), refused(), 5, nil},
		{"older interface", func() aws.Retryer { return v1{with(5, 100)()} }, refused(), 5, nil},
		{"their budget", with(5, 3), refused(), 4, errBudget},
		{"any number of attempts", with(0, 20), refused(), 21, errBudget},
		{"under throttling", with(5, 100), throttling(), 5, nil},
		{"ours, with other attempts", func() aws.Retryer { return retry.AddWithMaxAttempts(pace.NewRetryer(pace.RetryerOptions{}), 3) }, throttling(), 3, nil},
		{"the SDK's", func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = 4, ratelimit.None })
		}, refused(), 4, nil},
		{"the SDK's adaptive one", func() aws.Retryer { return retry.NewAdaptiveMode() }, refused(), 3, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.failing(always(tt.fail))
				e := requireGaveUp(t, s.send(t.Context(), p, tt.r(), pace.Call{}))
				assert.Equal(t, tt.attempts, e.Attempts)
				var out *retry.MaxAttemptsError
				assert.Equal(t, tt.cause == nil, errors.As(e, &out))
				if tt.cause != nil {
					assert.ErrorIs(t, e, tt.cause)
				}
			})
		})
	}
}

// TestRetryAfter: the delay that a service asks for is kept, on all versions of
// the SDK.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		header   string
		from, to time.Duration // of the pause before the second attempt
	}{
		{"", 0, 0},
		{"no number", 0, 0},
		{"-1", 0, 0},
		{"200", 200 * time.Millisecond, 200 * time.Millisecond},
		{"5000", 5 * time.Second, 5 * time.Second},
		{"3600000", 5 * time.Second, 10 * time.Second},
	} {
		t.Run(tt.header, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.failing(func(n int) error {
					if n == 1 {
						return answerOf(http.StatusBadRequest, "Throttling", http.Header{"X-Amz-Retry-After": {tt.header}})
					}
					return nil
				})
				require.NoError(t, s.send(t.Context(), p, pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}))
				pause := s.calls[1].Sub(s.calls[0]) - s.delay
				assert.GreaterOrEqual(t, pause, tt.from)
				assert.LessOrEqual(t, pause, tt.to+time.Nanosecond)

				s.failing(always(answerOf(http.StatusBadRequest, "Throttling", http.Header{"X-Amz-Retry-After": {tt.header}})))
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
				defer cancel()
				e := requireGaveUp(t, s.send(ctx, p, pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}))
				assert.Equal(t, 150*time.Millisecond, e.Elapsed)
				assert.True(t, pace.Throttled(e), "also where the caller's time ends in the pause")
			})
		})
	}
}
