package pace_test

//lint:file-ignore SA1019 the SDK still calls the older method

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// TestRetryable: what is tried again, and what counts as throttled.
func TestRetryable(t *testing.T) {
	r := pace.NewRetryer(pace.RetryerOptions{})
	dial := func(err error) error {
		return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	for _, tt := range []struct {
		name                 string
		err                  error
		retryable, throttled bool
	}{
		{"throttled", throttling(), true, true},
		{"throttled, otherwise", answerOf(503, "SlowDown", nil), true, true},
		{"too many requests, of a proxy", &smithyhttp.ResponseError{Response: answerOf(429, "", nil).(*smithyhttp.ResponseError).Response, Err: errors.New("HTML")}, true, true},
		{"too many requests", answerOf(429, "Unheard", nil), true, true},
		{"down", answerOf(503, "ServiceUnavailable", nil), true, false},
		{"internal error", answerOf(500, "InternalFailure", nil), true, false},
		{"the identity provider does not answer", answerOf(400, "IDPCommunicationError", nil), true, false},
		{"denied", answerOf(403, "AccessDenied", nil), false, false},
		{"not implemented", answerOf(501, "NotImplemented", nil), false, false},
		{"invalid", answerOf(400, "ValidationError", nil), false, false},
		{"refused", refused(), true, false},
		{"unknown host", unknownHost(), true, false},
		{"timed out", dial(os.ErrDeadlineExceeded), true, false},
		{"broken", &smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}, true, false},
		{"canceled", &smithy.CanceledError{Err: context.Canceled}, false, false},
		{"canceled while dialling", &smithy.CanceledError{Err: dial(context.Canceled)}, false, false},
		{"nothing to do with it", errors.New("x"), false, false},
	} {
		assert.Equal(t, tt.retryable, r.IsErrorRetryable(tt.err), tt.name)
		assert.Equal(t, tt.throttled, pace.Throttled(tt.err), tt.name)
	}
	assert.False(t, pace.Throttled(nil))
}

// TestUnreachable: after which failures a second try is the last.
func TestUnreachable(t *testing.T) {
	send := func(err error) error { return &smithyhttp.RequestSendError{Err: err} }
	op := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	for _, tt := range []struct {
		name     string
		err      error
		attempts int
	}{
		{"refused", refused(), 2},
		{"unknown host", unknownHost(), 2},
		{"name server down", send(op("dial", &net.DNSError{Err: "server misbehaving", IsTemporary: true})), 2},
		{"no route", send(op("dial", errors.New("no route to host"))), 2},
		{"behind a proxy", send(op("proxyconnect", op("dial", errors.New("connection refused")))), 2},
		{"certificate", send(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}), 2},
		{"name server slow", send(op("dial", &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true})), 8},
		{"slow", send(op("dial", os.ErrDeadlineExceeded)), 8},
		{"reset", send(op("read", errors.New("connection reset by peer"))), 8},
		{"ended", send(io.EOF), 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.failing(always(tt.err))
				start := time.Now()
				e := requireGaveUp(t, s.send(t.Context(), p, pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}))
				assert.Equal(t, tt.attempts, e.Attempts)
				if tt.attempts == 2 {
					assert.Less(t, time.Since(start), 2*time.Second)
				}
			})
		})
	}
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.failing(func(n int) error {
			if n%2 == 1 {
				return refused()
			}
			return answerOf(503, "ServiceUnavailable", nil)
		})
		e := requireGaveUp(t, s.send(t.Context(), p, pace.NewRetryer(pace.RetryerOptions{}), pace.Call{}))
		assert.Equal(t, 3, e.Attempts, "the second refusal, whatever came between")
	})
}

// TestRetryDelay: the delays double up to a maximum, and are drawn from all of
// it, or under throttling from its upper half.
func TestRetryDelay(t *testing.T) {
	for _, tt := range []struct {
		o        pace.RetryerOptions
		attempt  int
		err      error
		from, to time.Duration
	}{
		{attempt: 0, err: refused(), to: time.Second},
		{attempt: 1, err: refused(), to: time.Second},
		{attempt: 2, err: refused(), to: 2 * time.Second},
		{attempt: 3, err: refused(), to: 4 * time.Second},
		{attempt: 4, err: refused(), to: 4 * time.Second},
		{attempt: 1000, err: refused(), to: 4 * time.Second},
		{attempt: 1, err: throttling(), from: 500 * time.Millisecond, to: time.Second},
		{attempt: 9, err: throttling(), from: 2 * time.Second, to: 4 * time.Second},
		{o: pace.RetryerOptions{MaxDelay: 1500 * time.Millisecond}, attempt: 2, err: refused(), to: 1500 * time.Millisecond},
		{o: pace.RetryerOptions{MaxDelay: 100 * time.Millisecond}, attempt: 1, err: refused(), to: 100 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d, %v, %v", tt.attempt, tt.o.MaxDelay, pace.Throttled(tt.err)), func(t *testing.T) {
			r := pace.NewRetryer(tt.o)
			least, most := time.Hour, time.Duration(0)
			for range 2000 {
				d, err := r.RetryDelay(tt.attempt, tt.err)
				require.NoError(t, err)
				least, most = min(least, d), max(most, d)
			}
			near := (tt.to - tt.from) / 50
			assert.GreaterOrEqual(t, least, tt.from)
			assert.LessOrEqual(t, most, tt.to)
			assert.Less(t, least, tt.from+near)
			assert.Greater(t, most, tt.to-near)
		})
	}
}

// TestRetryerInterface: the rest of what the SDK asks, used without a pace.
func TestRetryerInterface(t *testing.T) {
	r := pace.NewRetryer(pace.RetryerOptions{Attempts: 5})
	assert.Equal(t, 5, r.MaxAttempts())
	assert.Equal(t, 8, pace.NewRetryer(pace.RetryerOptions{}).MaxAttempts())
	releases := []func(error) error{r.GetInitialToken()}
	attempt, err := r.GetAttemptToken(t.Context())
	require.NoError(t, err)
	again, err := r.GetRetryToken(t.Context(), refused())
	require.NoError(t, err)
	for _, release := range append(releases, attempt, again) {
		require.NoError(t, release(refused()))
	}
	var _ aws.Retryer = r
}
