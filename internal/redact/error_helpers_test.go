package redact_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
)

// geheim marks what must not be shown; hostile texts carry it with an escape.
const geheim = "GEHEIM"

// answering is a client that gives one answer to every request.
func answering(status int, contentType, body string) aws.HTTPClient {
	return smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Status: "200 " + geheim, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{
				"Content-Type": {contentType}, "X-Amzn-Requestid": {"req-\x1b[2J1"}, "Set-Cookie": {geheim}, "Location": {"https://u:" + geheim + "@portal/?t=" + geheim},
			},
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	})
}

// sdkConfig signs with secrets that must not be shown.
func sdkConfig(c aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: c, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", geheim+"KEY", geheim+"TOKEN"),
	}
}

// chain lists an error and all that it wraps.
func chain(err error) (all []error) {
	if err == nil {
		return nil
	}
	all = append(all, err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		all = append(all, chain(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, w := range e.Unwrap() {
			all = append(all, chain(w)...)
		}
	}
	return all
}

// shown is everything that an error's chain can be made to print.
func shown(err error) (text string) {
	for _, e := range chain(err) {
		text += printed(e)
	}
	return text
}

// printed is everything that one error can be made to print.
func printed(e error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%v\n%+v\n%#v\n%q\n", e, e, e, e, e)
	if v := reflect.ValueOf(e); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		fmt.Fprintf(&b, "%+v\n%#v\n", v.Elem().Interface(), v.Elem().Interface())
	}
	if text, err := json.Marshal(e); err == nil {
		b.Write(text)
	}
	var api smithy.APIError
	if errors.As(e, &api) {
		b.WriteString(api.ErrorCode() + "\n" + api.ErrorMessage() + "\n")
	}
	var withID *awshttp.ResponseError
	if errors.As(e, &withID) {
		b.WriteString(withID.ServiceRequestID())
	}
	var response *smithyhttp.ResponseError
	if errors.As(e, &response) && response.Response != nil && response.Response.Response != nil {
		r := response.Response.Response
		fmt.Fprintf(&b, "%+v\n%#v\n", *r, *r)
		if r.Request != nil {
			fmt.Fprintf(&b, "%+v\n%v\n", *r.Request, r.Request.URL)
		}
		body, _ := io.ReadAll(r.Body)
		b.Write(body)
	}
	return b.String()
}

// assertClean asks that nothing secret and nothing that acts on a terminal can be had
// from an error.
func assertClean(t *testing.T, err error) {
	t.Helper()
	for _, e := range chain(err) {
		text := printed(e)
		for _, never := range []string{geheim, fmt.Sprintf("%x", geheim), "\x1b", "\u009b", "\u202e", "\a"} {
			if i := strings.Index(text, never); i >= 0 {
				t.Errorf("%T shows %q: …%s", e, never, text[max(0, i-60):min(len(text), i+20)])
			}
		}
		assert.LessOrEqual(t, len([]rune(e.Error())), 900, "%T", e)
		assert.NotContains(t, e.Error(), "\n")
	}
}
