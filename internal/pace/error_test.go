package pace

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
)

// again is an error that says of itself that another try is of use.
type again struct{ error }

func (again) RetryableError() bool { return true }

// bare is an error of an answer that had no status.
type bare struct{ error }

func (bare) HTTPStatusCode() int { return 0 }

// TestKinds of errors, where several say different things in one chain.
func TestKinds(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "Throttling"}
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for name, tt := range map[string]struct {
		err                                       error
		retried, answered, unreachable, isSettled bool
	}{
		"throttled":               {throttled, true, true, false, false},
		"no connection":           {dial, true, false, true, false},
		"canceled, throttled":     {&aws.RequestCanceledError{Err: throttled}, false, true, false, false},
		"canceled, dialling":      {&aws.RequestCanceledError{Err: dial}, false, false, false, false},
		"credentials throttled":   {without{throttled}, false, true, false, true},
		"wants another try":       {again{errors.New("reset")}, true, false, false, false},
		"response without status": {bare{errors.New("cut")}, false, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.retried, NewRetryer(RetryerOptions{}).IsErrorRetryable(tt.err), "retried")
			assert.Equal(t, tt.answered, answered(tt.err), "answered")
			assert.Equal(t, tt.unreachable, Unreached(tt.err), "unreachable")
			assert.Equal(t, tt.isSettled, settled(tt.err), "settled")
		})
	}
}

// TestRetryAfter is the delay that a service asks for, where it is one.
func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"1500": 1500 * time.Millisecond, "0": 0, "-5": 0, "soon": 0, "": 0, "99999999": mostRetryAfter} {
		header := http.Header{"X-Amz-Retry-After": {value}}
		err := &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{Header: header}}}
		assert.Equal(t, want, retryAfter(err), "%q", value)
	}
}

// TestAnswerWithoutResponse: a client of the caller's may make an error of an
// answer that holds none.
func TestAnswerWithoutResponse(t *testing.T) {
	for _, err := range []error{
		&smithyhttp.ResponseError{Err: errors.New("cut")},
		&smithyhttp.ResponseError{Response: &smithyhttp.Response{}, Err: errors.New("cut")},
		&awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{}, Err: errors.New("cut")}},
	} {
		assert.False(t, Throttled(err))
	}
}
