package rolesanywhere_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// secrets are what the answers of these tests hold and no error may show.
const secretKey, sessionToken = "wJalrXUtnFEMI/SECRET", "IQoJb3JpZ2luX2VjTOKEN"

func request(t *testing.T) rolesanywhere.Request {
	t.Helper()
	target, err := rolesanywhere.Parse(anchor, profile, role)
	require.NoError(t, err)
	return rolesanywhere.Request{Target: target, Endpoint: "https://rolesanywhere.us-east-1.amazonaws.com"}
}

// never fails the test when it is asked.
type never struct{ t *testing.T }

func (n never) Do(*http.Request) (*http.Response, error) {
	n.t.Error("a request was sent")
	return nil, errors.New("none should be sent")
}

// answers gives one answer after another, and then the last one again.
type answers struct {
	all  []any // func() error, or answer
	sent []*http.Request
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a *answers) Do(r *http.Request) (*http.Response, error) {
	a.sent = append(a.sent, r)
	next := a.all[min(len(a.sent), len(a.all))-1]
	switch next := next.(type) {
	case error:
		return nil, next
	case answer:
		header := next.header
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
	}
	panic("no answer")
}

func good(expiration string) answer {
	return answer{http.StatusCreated, nil, fmt.Sprintf(`{"credentialSet":[{"assumedRoleUser":{"arn":"arn:aws:sts::222222222222:assumed-role/device/0a",
		"assumedRoleId":"AROA:0a"},"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","secretAccessKey":%q,"sessionToken":%q,"expiration":%q},
		"packedPolicySize":3,"roleArn":%q,"sourceIdentity":"host-7"}],"subjectArn":"x"}`, secretKey, sessionToken, expiration, role)}
}

func refused(status int, code, message string) answer {
	return answer{status, http.Header{"X-Amzn-Errortype": {code + ":http://internal.amazon.com/"}, "X-Amzn-Requestid": {"1111-2222"}}, fmt.Sprintf(`{"message":%q}`, message)}
}

func ask(t *testing.T, h rolesanywhere.Doer, change ...func(*rolesanywhere.Request)) (aws.Credentials, rolesanywhere.Session, error) {
	t.Helper()
	r := request(t)
	for _, c := range change {
		c(&r)
	}
	cert := certtest.NewCA(t, "Root").Sub(t, "Lower").Issue(t, "host-7", certtest.ECDSA(t))
	return rolesanywhere.Client{HTTP: h, UserAgent: "test/1"}.CreateSession(t.Context(), r, cert)
}

func TestCreateSession(t *testing.T) {
	h := &answers{all: []any{good("2031-02-03T04:05:06+01:00")}}
	creds, session, err := ask(t, h, func(r *rolesanywhere.Request) { r.Duration, r.Name = 20*time.Minute, "host-7" })
	require.NoError(t, err)
	assert.Equal(t, aws.Credentials{
		AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: secretKey, SessionToken: sessionToken, Source: "RolesAnywhere",
		CanExpire: true, Expires: time.Date(2031, 2, 3, 3, 5, 6, 0, time.UTC), AccountID: "222222222222",
	}, creds)
	assert.Equal(t, rolesanywhere.Session{ARN: "arn:aws:sts::222222222222:assumed-role/device/0a", UserID: "AROA:0a"}, session)

	sent := h.sent[0]
	assert.Equal(t, "POST https://rolesanywhere.us-east-1.amazonaws.com/sessions", sent.Method+" "+sent.URL.String())
	assert.Equal(t, "test/1", sent.UserAgent())
	assert.Regexp(t, `^AWS4-X509-ECDSA-SHA256 Credential=[0-9]+/[0-9]{8}/us-east-1/rolesanywhere/aws4_request, `+
		`SignedHeaders=content-type;host;x-amz-date;x-amz-x509;x-amz-x509-chain, Signature=30[0-9a-f]+$`, sent.Header.Get("Authorization"))
	var body map[string]any
	require.NoError(t, json.NewDecoder(sent.Body).Decode(&body))
	assert.Equal(t, map[string]any{
		"durationSeconds": 1200.0, "roleSessionName": "host-7", "trustAnchorArn": anchor, "profileArn": profile, "roleArn": role,
	}, body)

	_, _, err = ask(t, h)
	require.NoError(t, err)
	body = nil
	require.NoError(t, json.NewDecoder(h.sent[1].Body).Decode(&body))
	assert.Equal(t, map[string]any{"trustAnchorArn": anchor, "profileArn": profile, "roleArn": role}, body, "what is not given is not sent")
}

// TestAnswerUnreadable shows no byte of an answer that is none of the service's.
func TestAnswerUnreadable(t *testing.T) {
	whole := good("2031-02-03T04:05:06Z").body
	for name, tt := range map[string]struct {
		answer
		want string
	}{
		"half":          {answer{201, nil, whole[:len(whole)-40]}, "ends too early"},
		"HTML":          {answer{200, nil, "<html>" + secretKey}, "it is not JSON"},
		"a list":        {answer{201, nil, `["` + secretKey + `"]`}, "does not have the expected form"},
		"no set":        {answer{201, nil, `{"subjectArn":"` + secretKey + `"}`}, "holds no credentials"},
		"no token":      {answer{201, nil, strings.Replace(whole, sessionToken, "", 1)}, "not complete"},
		"no expiration": {answer{201, nil, strings.Replace(whole, "2031-02-03T04:05:06Z", secretKey, 1)}, "its expiration is not a time"},
		"no end":        {answer{201, nil, whole + strings.Repeat(" ", 1<<20)}, "larger than 1 MiB"},
		"redirect":      {answer{302, http.Header{"Location": {"https://login.example.com/?" + secretKey}}, ""}, "not an answer of Roles Anywhere"},
		"proxy":         {answer{403, nil, "<html>" + secretKey}, "not an answer of Roles Anywhere"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ask(t, &answers{all: []any{tt.answer}})
			var unreadable *redact.UnreadableError
			require.ErrorAs(t, err, &unreadable)
			require.ErrorContains(t, err, tt.want)
			assert.True(t, transport.NotAWS(err))
			for _, verb := range []string{"%v", "%+v", "%#v"} {
				assert.NotContains(t, fmt.Sprintf(verb, err), secretKey)
				assert.NotContains(t, fmt.Sprintf(verb, err), sessionToken)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		answer
		want rolesanywhere.ServiceError
	}{
		"header": {
			refused(403, "AccessDeniedException", "Untrusted Signing Certificate"),
			rolesanywhere.ServiceError{Status: 403, Code: "AccessDeniedException", Message: "Untrusted Signing Certificate", RequestID: "1111-2222"},
		},
		"body": {
			answer{400, nil, `{"__type":"com.amazon.rolesanywhere#ValidationException","message":"no\n\u001b[2J"}`},
			rolesanywhere.ServiceError{Status: 400, Code: "ValidationException", Message: "no \ufffd[2J"},
		},
		"code, Message": {
			answer{404, nil, `{"code":"ResourceNotFoundException","Message":"Profile not found."}`},
			rolesanywhere.ServiceError{Status: 404, Code: "ResourceNotFoundException", Message: "Profile not found"},
		},
		"no message": {
			answer{403, http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, ""},
			rolesanywhere.ServiceError{Status: 403, Code: "AccessDeniedException"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &answers{all: []any{tt.answer}}
			_, _, err := ask(t, h)
			var e *rolesanywhere.ServiceError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.want, *e)
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, []any{tt.want.Code, tt.want.Message, smithy.FaultClient}, []any{api.ErrorCode(), api.ErrorMessage(), api.ErrorFault()})
			var response *awshttp.ResponseError
			require.ErrorAs(t, err, &response)
			assert.Equal(t, []any{tt.want.Status, tt.want.RequestID}, []any{response.HTTPStatusCode(), response.ServiceRequestID()})
			assert.False(t, transport.NotAWS(err))
			assert.Len(t, h.sent, 1, "a refusal is not asked again")
		})
	}
}

func TestRetries(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	fine := good("2031-02-03T04:05:06Z")
	for name, tt := range map[string]struct {
		all   []any
		sent  int
		fails bool
	}{
		"throttled":        {[]any{refused(429, "ThrottlingException", "Rate exceeded"), fine}, 2, false},
		"429 of a proxy":   {[]any{answer{429, nil, ""}, fine}, 2, false},
		"500":              {[]any{refused(500, "InternalServerException", ""), fine}, 2, false},
		"503 of a proxy":   {[]any{answer{503, nil, "<html>"}, answer{502, nil, ""}, fine}, 3, false},
		"reset":            {[]any{reset, fine}, 2, false},
		"thrice":           {[]any{refused(503, "ServiceUnavailable", "")}, 3, true},
		"throttled thrice": {[]any{refused(429, "ThrottlingException", "")}, 3, true},
		"reset thrice":     {[]any{reset}, 3, true},
		"refused":          {[]any{refused(403, "AccessDeniedException", "")}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &answers{all: tt.all}
				began := time.Now()
				_, _, err := ask(t, h)
				assert.Equal(t, tt.fails, err != nil, "%v", err)
				assert.Len(t, h.sent, tt.sent)
				assert.Less(t, time.Since(began), 45*time.Second)
				var most *retry.MaxAttemptsError
				assert.Equal(t, tt.sent == 3 && tt.fails, errors.As(err, &most))
			})
		})
	}
}

// TestConnectionFails has the SDK's error for it, and ends with the caller's context.
func TestConnectionFails(t *testing.T) {
	_, _, err := ask(t, &answers{all: []any{&net.DNSError{Err: "no such host", Name: "rolesanywhere.mars-east-1.amazonaws.com", IsNotFound: true}}})
	var send *smithyhttp.RequestSendError
	require.ErrorAs(t, err, &send)

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		cert := certtest.NewCA(t, "Root").Issue(t, "host-7", certtest.ECDSA(t))
		h := &answers{all: []any{refused(503, "ServiceUnavailable", "")}}
		_, _, err := rolesanywhere.Client{HTTP: h}.CreateSession(ctx, request(t), cert)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestPaced lets the pace drive the attempts: it is told of throttling.
func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pacer pace.Pacer
		var told []int
		h := &answers{all: []any{refused(429, "ThrottlingException", "Rate exceeded"), good("2031-02-03T04:05:06Z")}}
		client := rolesanywhere.Client{HTTP: h, Retryer: func() aws.Retryer {
			return pacer.Of(retry.NewStandard(), pace.Call{Failed: func(e *pace.Error) { told = append(told, e.Attempts) }})
		}}
		cert := certtest.NewCA(t, "Root").Issue(t, "host-7", certtest.ECDSA(t))
		_, _, err := client.CreateSession(t.Context(), request(t), cert)
		require.NoError(t, err)
		assert.Len(t, h.sent, 2)
		assert.Contains(t, told, 1)
	})
}

// TestSkew signs once more with the service's time, where that is far from here and the
// service did not take the signature.
func TestSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			status int
			off    time.Duration
			sent   int
		}{
			{403, time.Hour, 2}, {403, -time.Hour, 2}, {403, 4*time.Minute + time.Second, 2}, {403, -4*time.Minute - time.Second, 2},
			{403, 4 * time.Minute, 1}, {403, -4 * time.Minute, 1}, {403, 0, 1}, {400, time.Hour, 1}, {404, -time.Hour, 1},
		} {
			off := refused(tt.status, "AccessDeniedException", "Signature expired")
			there := time.Now().UTC().Add(tt.off)
			off.header.Set("Date", there.Format(http.TimeFormat))
			h := &answers{all: []any{off}}
			_, _, err := ask(t, h)
			var e *rolesanywhere.ServiceError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.sent, len(h.sent), "%+v", tt)
			last := h.sent[len(h.sent)-1].Header.Get("X-Amz-Date")
			if tt.sent == 2 {
				assert.Equal(t, there.Format("20060102T150405Z"), last)
			}
		}
	})
}
