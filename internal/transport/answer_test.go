package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken is a body that ends with an error.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestNotAWS(t *testing.T) {
	const refusal = `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`
	for name, test := range map[string]struct {
		status int
		body   io.Reader
		err    error
		want   bool
	}{
		"HTML of a proxy":     {502, strings.NewReader("<!DOCTYPE html><html><br></html>"), nil, true},
		"HTML with 200":       {200, strings.NewReader("<html><br></html>"), nil, true},
		"captive portal":      {307, strings.NewReader(""), nil, true},
		"permanently moved":   {301, strings.NewReader("<html/>"), nil, true},
		"plain text":          {403, strings.NewReader("go away"), nil, true},
		"nothing":             {503, strings.NewReader(""), nil, true},
		"cut":                 {200, strings.NewReader("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn"), nil, true},
		"cut by length":       {200, broken{io.ErrUnexpectedEOF}, nil, true},
		"too large":           {200, broken{&transport.TooLargeError{Limit: 1 << 20}}, nil, true},
		"redirected":          {0, nil, &transport.RedirectedError{}, true},
		"refused":             {403, strings.NewReader(refusal), nil, false},
		"reset in the middle": {200, broken{&net.OpError{Op: "read", Err: errors.New("reset")}}, nil, false},
		"time up":             {200, broken{context.DeadlineExceeded}, nil, false},
		"no connection":       {0, nil, &net.OpError{Op: "dial", Err: errors.New("refused")}, false},
	} {
		client := smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
			if test.err != nil {
				return nil, test.err
			}
			return &http.Response{StatusCode: test.status, Header: http.Header{}, Body: io.NopCloser(test.body), Request: r}, nil
		})
		_, err := sts.NewFromConfig(aws.Config{
			Region: "us-east-1", HTTPClient: client, Credentials: aws.AnonymousCredentials{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		}).GetCallerIdentity(t.Context(), nil)
		require.Error(t, err, name)
		assert.Equal(t, test.want, transport.NotAWS(err), "%s: %v", name, err)
		assert.Equal(t, test.want, transport.NotAWS(redact.Error(err)), "%s, redacted", name)
	}
	assert.False(t, transport.NotAWS(nil))
	assert.False(t, transport.NotAWS(io.EOF))
}
