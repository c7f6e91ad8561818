package pace

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrNobodyWaits is the cause of the end of a call that was throttled, or had no
// turn, while nobody waited for it. It may be tried again later.
var ErrNobodyWaits = errors.New("nobody waits for it")

// Error says how far a call came that was given up, or with [Call.Failed] how
// far it has come.
type Error struct {
	Attempts int           // that were sent
	Elapsed  time.Duration // since the call began, its time in the queue included

	// Last is how the last attempt failed, but for the end of the caller's own
	// context. Where there was none, it is what the service said when it
	// throttled another call of the same caller, without that call's particulars.
	Last error

	// Cause is why there was no other attempt: the context's error, a
	// *retry.MaxAttemptsError, ErrNobodyWaits, or the error of the retryer that
	// allows no retry. It is nil while the call goes on.
	Cause error
}

// Error returns the cause and the last failure in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d attempts in %v", e.Attempts, e.Elapsed.Round(time.Millisecond))
	if e.Cause != nil {
		text += ", given up: " + e.Cause.Error()
	}
	if e.Last != nil {
		text += ": " + e.Last.Error()
	}
	return text
}

// Unwrap returns Last and Cause.
func (e *Error) Unwrap() []error {
	var all []error
	for _, err := range []error{e.Last, e.Cause} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// error is what is known of the call.
func (c *call) error(cause error) *Error {
	e := &Error{Attempts: c.attempts, Elapsed: time.Since(c.began), Last: c.last, Cause: cause}
	if e.Last == nil {
		e.Last = c.refusal
	}
	return e
}

// tell passes on what is known of a call that goes on.
func (c *call) tell() {
	if c.Failed != nil {
		c.Failed(c.error(nil))
	}
}

// Throttled reports whether a service asked to slow down.
func Throttled(err error) bool {
	if _, yes := retry.DefaultThrottleErrorCodes[codeOf(err)]; yes {
		return true
	}
	return statusOf(err) == http.StatusTooManyRequests
}

// statusOf is the HTTP status of a service's answer, or 0. The SDK's own error
// panics when it is asked for the status of an answer that it does not hold.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && (response.Response == nil || response.Response.Response == nil) {
		return 0
	}
	var status interface{ HTTPStatusCode() int }
	if !errors.As(err, &status) {
		return 0
	}
	return status.HTTPStatusCode()
}

// codeOf is the code of a service's answer, or empty.
func codeOf(err error) string {
	if api := (smithy.APIError)(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// answered reports whether err, which may be nil, came with an answer: one that
// the SDK understands, or any other with an HTTP status, as of a proxy.
func answered(err error) bool {
	var api smithy.APIError
	switch {
	case err == nil, errors.As(err, &api):
		return true
	case canceled(err), errors.Is(err, context.DeadlineExceeded):
		return false // within an answer
	}
	return statusOf(err) > 0
}

// settled reports whether err says of itself that another try is of no use: the
// failure of something that a call needs, such as its credentials, which had tries
// of its own. It tells nothing of the service that was to be called.
func settled(err error) bool {
	var own interface{ RetryableError() bool }
	return errors.As(err, &own) && !own.RetryableError()
}

// asRefusal is what a throttling answer says to other calls as well.
func asRefusal(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return &smithy.GenericAPIError{Code: "TooManyRequestsException", Message: "HTTP status 429", Fault: smithy.FaultClient}
	}
	return &smithy.GenericAPIError{Code: api.ErrorCode(), Message: api.ErrorMessage(), Fault: api.ErrorFault()}
}

// canceled reports whether err tells of the caller's own end.
func canceled(err error) bool {
	var c interface{ CanceledError() bool }
	return errors.As(err, &c) && c.CanceledError() || errors.Is(err, context.Canceled)
}

// Unreached reports whether there was no way to the service that another try
// soon would find: the host is unknown or refuses connections, there is no
// route, or what answers there shows a certificate that is not trusted. A try
// that timed out, or a connection that broke, is not among these.
func Unreached(err error) bool {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || canceled(err) {
		return false
	}
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &name) || errors.As(err, &certificate) {
		return true
	}
	return dialled(err)
}

// Unseen reports whether a service has not looked at what a call carries: there was no
// connection, or it refused the signature first.
func Unseen(err error) bool {
	switch codeOf(err) {
	case "InvalidClientTokenId", "SignatureDoesNotMatch", "IncompleteSignature", "RequestExpired", "RequestTimeTooSkewed", "ExpiredToken":
		return true
	}
	return Unreached(err)
}

// dialled reports whether err came from opening a connection. Behind a proxy
// the outer *net.OpError is "proxyconnect", and the one in it tells.
func dialled(err error) bool {
	var op *net.OpError
	for errors.As(err, &op) {
		if op.Op == "dial" {
			return true
		}
		err = op.Err
	}
	return false
}

// mostRetryAfter bounds the delay that a service may ask for. The SDK does not
// go beyond it either.
const mostRetryAfter = 5 * time.Second

// retryAfter is the delay that a service asks for. Newer versions of the SDK
// keep to it whatever the retryer says; with it in the retryer's own delay, older
// ones do the same.
func retryAfter(err error) time.Duration {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return 0
	}
	ms, err := strconv.ParseInt(response.Response.Header.Get("X-Amz-Retry-After"), 10, 64)
	if err != nil || ms < 0 {
		return 0
	}
	return time.Duration(min(ms, mostRetryAfter.Milliseconds())) * time.Millisecond
}
