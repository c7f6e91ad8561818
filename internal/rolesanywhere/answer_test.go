package rolesanywhere_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// TestErrorFault: the status says whose fault a refusal is.
func TestErrorFault(t *testing.T) {
	for status, want := range map[int]smithy.ErrorFault{400: smithy.FaultClient, 499: smithy.FaultClient, 500: smithy.FaultServer, 503: smithy.FaultServer} {
		assert.Equal(t, want, (&rolesanywhere.ServiceError{Status: status}).ErrorFault(), "%d", status)
	}
}

// broken answers with a body that ends in an error.
type broken struct{ err error }

func (b broken) Do(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(secretKey), iotest.ErrReader(b.err))
	return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

// TestAnswerBreaks: of a connection that breaks in the middle of an answer the error has
// status and cause, and nothing of what had come.
func TestAnswerBreaks(t *testing.T) {
	_, _, err := ask(t, broken{syscall.EHOSTUNREACH})
	require.ErrorIs(t, err, syscall.EHOSTUNREACH)
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	assert.Equal(t, http.StatusCreated, response.HTTPStatusCode())
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secretKey)
}

// TestSignedAlone: a certificate without intermediates is sent and signed alone.
func TestSignedAlone(t *testing.T) {
	h := &answers{all: []any{good("2031-02-03T04:05:06Z")}}
	cert := certtest.NewCA(t, "Root").Issue(t, "host-7", certtest.RSA(t))
	require.Len(t, cert.Certificate, 1)
	_, _, err := rolesanywhere.Client{HTTP: h}.CreateSession(t.Context(), request(t), cert)
	require.NoError(t, err)
	assert.Regexp(t, `^AWS4-X509-RSA-SHA256 Credential=.*, SignedHeaders=content-type;host;x-amz-date;x-amz-x509, Signature=`, h.sent[0].Header.Get("Authorization"))
	assert.NotEmpty(t, h.sent[0].Header.Get("X-Amz-X509"))
	assert.NotContains(t, h.sent[0].Header, "X-Amz-X509-Chain")
}

// TestSkewOfForeign: what is no refusal of the service's is not answered with another
// time, whatever its date.
func TestSkewOfForeign(t *testing.T) {
	h := &answers{all: []any{answer{403, http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}}, "<html>"}}}
	_, _, err := ask(t, h)
	var e *rolesanywhere.ServiceError
	require.Error(t, err)
	assert.False(t, errors.As(err, &e))
	assert.Len(t, h.sent, 1)
}
