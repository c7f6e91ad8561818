package pace_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// service answers calls as AWS does: from a bucket of tokens that fills at a
// rate. Its times are those of the synctest bubble.
type service struct {
	delay time.Duration // of each answer

	mu     sync.Mutex
	rate   float64 // calls a second; 0: no limit
	depth  float64
	tokens float64
	at     time.Time
	calls  []time.Time // when each arrived
	fail   func(n int) error
	header http.Header // of throttled answers
}

// limit sets the rate, with a bucket that is full. A depth of 0 is one second's.
func (s *service) limit(rate, depth float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if depth == 0 {
		depth = rate
	}
	s.rate, s.depth, s.tokens, s.at = rate, depth, depth, time.Now()
}

// failing makes the service answer with an error, or not if f returns nil. n
// counts the calls from 1.
func (s *service) failing(f func(n int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// answer is one attempt.
func (s *service) answer(ctx context.Context) error {
	s.mu.Lock()
	err := s.decide()
	s.mu.Unlock()
	select {
	case <-time.After(s.delay):
		return err
	case <-ctx.Done():
		return &aws.RequestCanceledError{Err: ctx.Err()}
	}
}

func (s *service) decide() error {
	now := time.Now()
	s.calls = append(s.calls, now)
	if s.fail != nil {
		if err := s.fail(len(s.calls)); err != nil {
			return err
		}
	}
	if s.rate == 0 {
		return nil
	}
	s.tokens, s.at = min(s.depth, s.tokens+now.Sub(s.at).Seconds()*s.rate), now
	if s.tokens < 1 {
		return answerOf(http.StatusBadRequest, "Throttling", s.header)
	}
	s.tokens--
	return nil
}

// answerOf is the error that the SDK makes of an answer.
func answerOf(status int, code string, header http.Header) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: header}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "Rate exceeded"},
	}
}

func throttling() error { return answerOf(http.StatusBadRequest, "Throttling", nil) }

func always(err error) func(int) error { return func(int) error { return err } }

// refused is the error that the SDK makes of a connection that is refused.
func refused() error {
	return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
}

// unknownHost is the error that the SDK makes of a name that does not exist.
func unknownHost() error {
	return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}}
}

// send makes a call with the retry loop of the SDK.
func (s *service) send(ctx context.Context, p *pace.Pacer, r aws.Retryer, c pace.Call) error {
	loop := retry.NewAttemptMiddleware(p.Of(r, c), func(request any) any { return request })
	_, _, err := loop.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(
		func(ctx context.Context, _ middleware.FinalizeInput) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			return out, m, s.answer(ctx)
		}))
	return err
}

// walk makes n calls, some at a time, and returns the errors.
func (s *service) walk(ctx context.Context, p *pace.Pacer, n, concurrency int) (errs []error) {
	r := pace.NewRetryer(pace.RetryerOptions{})
	var mu sync.Mutex
	var running sync.WaitGroup
	places := make(chan struct{}, concurrency)
	for range n {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			if err := s.send(ctx, p, r, pace.Call{}); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	running.Wait()
	return errs
}

func nobody() bool { return false }

// bubble runs a test with a service and a pacer of its own, on a clock of its own.
func bubble(t *testing.T, f func(t *testing.T, s *service, p *pace.Pacer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, &service{delay: 50 * time.Millisecond}, &pace.Pacer{})
	})
}

// requireGaveUp returns the *pace.Error of err.
func requireGaveUp(t *testing.T, err error) *pace.Error {
	t.Helper()
	var e *pace.Error
	require.ErrorAs(t, err, &e)
	return e
}
