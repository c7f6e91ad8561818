package awsauth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// mistake is something that goes wrong, and what is said then. In the text
// stand $DIR for the directory of the shared files, $KEY for the user's
// shortened access key id, and the names that place.text knows.
type mistake struct {
	name  string
	make  func(w *lab.Place) error
	says  string
	kinds []awsauth.Kind
	from  origin
	real  bool // runs a process: not on a clock of its own
	new   bool // New refuses: nothing has gone over the wire
}

// origin is who said it first, and so which of the SDK's errors are found under
// the library's.
type origin int

const (
	ours    origin = iota // the library: none
	service               // STS: all of them
	network               // no answer: an OperationError
)

// kinds are all there are.
var kinds = []awsauth.Kind{
	awsauth.InvalidOption, awsauth.NoCredentials, awsauth.ProfileNotFound, awsauth.Expired, awsauth.MFARequired,
	awsauth.LongTermCredentials, awsauth.AccessDenied, awsauth.InvalidKey, awsauth.WrongPartition, awsauth.InvalidDuration,
	awsauth.Throttled, awsauth.Unreachable,
}

func only(k ...awsauth.Kind) []awsauth.Kind { return k }

// TestMistakes holds every error to its text, its kinds and what is under it.
func TestMistakes(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			lab.OnAnyClock(t, m.real, func(t *testing.T, w *lab.Place) {
				w.Files("", "")
				err := m.make(w)
				require.Error(t, err)
				var e *awsauth.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, w.Text(m.says), w.General(err.Error()))
				lab.RequireBad(t, err, m.kinds[0])
				for _, k := range kinds {
					assert.Equal(t, slices.Contains(m.kinds, k), errors.Is(err, k), "kind %q", k)
				}
				_, rest, _ := strings.Cut(err.Error(), "awsauth: ")
				assert.NotRegexp(t, `^[A-Z][a-z]`, strings.ReplaceAll(rest, "With", "with"), "lower case, but for names")
				if m.new {
					assert.Empty(t, w.Said())
				}
				m.from.check(t, err, e)
			})
		})
	}
}

// check asks for the SDK's errors under err.
func (from origin) check(t *testing.T, err error, e *awsauth.Error) {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	var awsResponse *awshttp.ResponseError
	var operation *smithy.OperationError
	plain, detailed := fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err)
	if from != ours {
		assert.ErrorAs(t, err, &operation)
	}
	if from == service {
		assert.ErrorAs(t, err, &api)
		require.ErrorAs(t, err, &awsResponse)
		assert.GreaterOrEqual(t, awsResponse.HTTPStatusCode(), 400)
	}
	id := ""
	if errors.As(err, &awsResponse) {
		require.ErrorAs(t, err, &response)
		assert.Equal(t, response.Response.StatusCode, awsResponse.HTTPStatusCode())
		id = awsResponse.ServiceRequestID()
	}
	assert.Equal(t, id, e.RequestID)
	if id != "" {
		assert.NotContains(t, plain, id)
		plain += " (request id " + id + ")"
	}
	assert.Equal(t, plain, detailed)
}
