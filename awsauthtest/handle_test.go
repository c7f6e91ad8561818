package awsauthtest_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// echo answers with who asked for what.
func echo(w http.ResponseWriter, r *http.Request) {
	who, signed := awsauthtest.Caller(r.Context())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	w.Header().Set("X-Path", r.URL.Path)
	fmt.Fprintf(w, "%v %s %s %s", signed, who.ARN, who.Account, body)
}

// signS3 signs a request as S3's clients do.
func signS3(t *testing.T, keys awsauthtest.Keys, method, to, body, hash string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, to, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Amz-Content-Sha256", hash)
	creds, err := keys.Provider().Retrieve(t.Context())
	require.NoError(t, err)
	require.NoError(t, v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(t.Context(), creds, r, hash, "s3", "eu-west-1", at))
	return r
}

// TestHandle puts S3 beside STS.
func TestHandle(t *testing.T) {
	c, user := world(t)
	const bucket = "https://logs.s3.eu-west-1.amazonaws.com"
	_, err := c.Client().Get(bucket)
	require.ErrorContains(t, err, "awsauthtest does not model this service")
	c.Handle("*.s3.eu-west-1.amazonaws.com", http.HandlerFunc(echo))
	session, gone, revoked, expired := assume(t, c, user, role(manage)), c.AddUser(awsauthtest.User{ARN: bob}), assume(t, c, user, role(manage)), assume(t, c, user, role(manage))
	c.Deactivate(gone.AccessKeyID)
	c.Revoke(revoked.AccessKeyID)
	c.Expire(expired.AccessKeyID)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	const inRole = "arn:aws:sts::222222222222:assumed-role/manage-role/test"
	const unsigned = "UNSIGNED-PAYLOAD"
	stale := time.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		r      *http.Request
		status int
		want   string // the answer, or the code of the refusal
	}{
		"a role":         {signS3(t, session, "PUT", bucket+"/a%20b/c+d", "hello", unsigned, time.Now()), 200, "true " + inRole + " 222222222222 hello"},
		"a user":         {signS3(t, user, "GET", bucket+"/x?list-type=2", "", unsigned, time.Now()), 200, "true " + alice + " 111111111111 "},
		"chunks":         {signS3(t, user, "PUT", bucket+"/x", "5\r\nhello", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", time.Now()), 200, "5\r\nhello"},
		"unknown key":    {signS3(t, gone, "GET", bucket+"/x", "", unsigned, time.Now()), 403, "InvalidAccessKeyId"},
		"key of China":   {signS3(t, cn, "GET", bucket+"/x", "", unsigned, time.Now()), 403, "InvalidAccessKeyId"},
		"expired":        {signS3(t, expired, "GET", bucket+"/x", "", unsigned, time.Now()), 400, "ExpiredToken"},
		"revoked":        {signS3(t, revoked, "GET", bucket+"/x", "", unsigned, time.Now()), 403, "AccessDenied"},
		"an hour old":    {signS3(t, user, "GET", bucket+"/x", "", unsigned, stale), 403, "SignatureDoesNotMatch"},
		"another's body": {signS3(t, user, "PUT", bucket+"/x", "hello", hex.EncodeToString(make([]byte, 32)), time.Now()), 403, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, code := send(t, c, tt.r)
			require.Equal(t, tt.status, status, body)
			if status == http.StatusOK {
				require.Contains(t, body, tt.want)
				return
			}
			require.Equal(t, tt.want, code)
		})
	}
	resp, err := c.Client().Get(bucket)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, "nobody has signed that, and the handler knows")
	c.AssertCalled(t, inRole, "PUT /a%20b/c+d", "")
	require.Equal(t, "s3", c.Calls("PUT /a%20b/c+d")[0].Service)
	require.Panics(t, func() { c.Handle("sts.eu-west-1.amazonaws.com:443", http.HandlerFunc(echo)) })
	require.Panics(t, func() { c.Handle("169.254.169.254", nil) })
}

// TestHandlePresigned: S3 obeys what STS does not, the expiry of a presigned URL.
func TestHandlePresigned(t *testing.T) {
	c, user := world(t)
	c.Handle("s3.eu-west-1.amazonaws.com", http.HandlerFunc(echo))
	creds, err := user.Provider().Retrieve(t.Context())
	require.NoError(t, err)
	for expires, want := range map[string]int{"60": 403, "3600": 200, "604800": 200, "604801": 403} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://s3.eu-west-1.amazonaws.com/logs/a%20b?X-Amz-Expires="+expires, nil)
		require.NoError(t, err)
		u, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
			PresignHTTP(t.Context(), creds, r, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", time.Now().Add(-30*time.Minute))
		require.NoError(t, err)
		r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		require.NoError(t, err)
		status, body, _ := send(t, c, r)
		require.True(t, status == want || want == 403 && status == 400, "%s: %d %s", expires, status, body)
	}
}

// TestDialects: each protocol refuses in its own form.
func TestDialects(t *testing.T) {
	c, user := world(t)
	c.Handle("service.test:8443", http.HandlerFunc(echo))
	gone := c.AddUser(awsauthtest.User{ARN: bob})
	c.Deactivate(gone.AccessKeyID)
	const to = "https://service.test:8443/"
	for name, tt := range map[string]struct {
		service, target string
		status          int
		want            string
	}{
		"query": {"iam", "", 403, "<Code>InvalidClientTokenId</Code>"},
		"ec2":   {"ec2", "", 401, "<Response>\n  <Errors>\n    <Error>\n      <Code>AuthFailure</Code>"},
		"JSON":  {"dynamodb", "DynamoDB_20120810.GetItem", 400, `"__type":"UnrecognizedClientException"`},
	} {
		t.Run(name, func(t *testing.T) {
			sign := signing{service: tt.service, header: http.Header{}}
			if tt.target != "" {
				sign.header.Set("X-Amz-Target", tt.target)
			}
			status, body, _ := send(t, c, raw(t, gone, to, form("Action", "Describe"), sign))
			require.Equal(t, tt.status, status, body)
			require.Contains(t, body, tt.want)
			status, body, _ = send(t, c, raw(t, user, to, form("Action", "Describe"), sign))
			require.Equal(t, 200, status, body)
			require.Contains(t, body, "true "+alice)
		})
	}
	require.Len(t, c.Calls("GetItem"), 2)
	c.Inject(awsauthtest.Fault{Action: "GetItem", Kind: awsauthtest.Throttle, Times: 1})
	status, body, _ := send(t, c, raw(t, user, to, form(), signing{service: "dynamodb", header: http.Header{"X-Amz-Target": {"X.GetItem"}}}))
	require.Equal(t, 400, status)
	require.Contains(t, body, "ThrottlingException")
	_, body, _ = send(t, c, raw(t, user, to, form(), signing{service: "dynamodb", header: http.Header{"Authorization": {"AWS4-ECDSA-P256-SHA256 x"}}}))
	require.Contains(t, body, "true") // SignHTTP has written its own
	r := raw(t, user, to, form(), signing{service: "s3"})
	r.Header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=x")
	status, body, _ = send(t, c, r)
	require.Equal(t, 501, status)
	require.Contains(t, body, "SigV4a")
}

// TestHandlers covers which handler has a host, what one may do, and the socket.
func TestHandlers(t *testing.T) {
	c, _ := world(t)
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	c.Handle("*", named("all"))
	c.Handle("*.amazonaws.com", named("aws"))
	c.Handle("*.s3.us-east-1.amazonaws.com", named("s3"))
	c.Handle("a.s3.us-east-1.amazonaws.com", named("a"))
	c.Handle("LOCALHOST:9000", named("local"))
	c.Handle("gone.test", named("gone"))
	c.Handle("gone.test", nil)
	c.Handle("broken.test", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	c.Handle("head.test", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "7") }))
	get := func(u string) string {
		resp, err := c.Client().Get(u)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	for u, want := range map[string]string{
		"https://a.s3.us-east-1.amazonaws.com/x": "a", "https://b.s3.us-east-1.amazonaws.com:443/": "s3", "http://sqs.us-east-1.amazonaws.com": "aws",
		"http://localhost:9000/b": "local", "http://localhost:9001/b": "all", "https://gone.test": "all", "https://A.S3.us-east-1.amazonaws.com": "a",
	} {
		require.Equal(t, want, get(u), u)
	}
	require.Contains(t, get("https://sts.us-east-1.amazonaws.com/"), "InvalidAction", "the Cloud's own come first")
	_, err := c.Client().Get("https://broken.test")
	require.ErrorIs(t, err, syscall.ECONNRESET)
	resp, err := c.Client().Head("https://head.test")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, int64(7), resp.ContentLength)

	url, err := c.Serve()
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Host = "a.s3.us-east-1.amazonaws.com"
	socket := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err = socket.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	require.Equal(t, "a", string(body))
}

// TestUnmodelled: hosts that AWS has and the Cloud has not say so; others are not
// there.
func TestUnmodelled(t *testing.T) {
	c, _ := world(t)
	for host, modelled := range map[string]bool{
		"s3.us-east-1.amazonaws.com": false, "logs.s3.amazonaws.com": false, "iam.amazonaws.com": false, "s3.cn-north-1.amazonaws.com.cn": false,
		"s3.dualstack.eu-west-1.amazonaws.com": false, "ec2.eu-west-1.api.aws": false, "kms.us-isob-east-1.sc2s.sgov.gov": false,
		"organizations.us-gov-west-1.amazonaws.com": false, "s3.us-east-9.amazonaws.com": true, "s3.cn-north-1.amazonaws.com": true,
		"sts-fips.eu-west-1.amazonaws.com": true, "sts.us-east-7.amazonaws.com": true, "example.com": true, "amazonaws.com": true,
		"signin.us-east-1.api.aws": false, "eu-west-1.console.aws.amazon.com": false, "corp.awsapps.com": false, "console.aws.amazon.de": true, "eu-west-9.signin.aws.amazon.com": true, "cn-north-1.signin.aws.amazon.com": true, "oidc.eu-west-9.amazonaws.com": true,
	} {
		_, err := c.Client().Get("https://" + host)
		require.ErrorContains(t, err, map[bool]string{true: "no such host", false: "awsauthtest does not model"}[modelled], host)
	}
}

// TestHandleInBubble: a handler may take its time, which is the bubble's.
func TestHandleInBubble(t *testing.T) {
	c, user := world(t) // made outside
	synctest.Test(t, func(t *testing.T) {
		c.Handle("s3.eu-west-1.amazonaws.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Hour):
				echo(w, r)
			}
		}))
		start := time.Now()
		status, body, _ := send(t, c, signS3(t, user, "GET", "https://s3.eu-west-1.amazonaws.com/x", "", "UNSIGNED-PAYLOAD", start))
		require.Equal(t, 200, status, body)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

// TestHandleInPlace: a handler stands in the place of the sign-in service and of
// SSO's token service, until it is taken away.
func TestHandleInPlace(t *testing.T) {
	c, _ := world(t)
	for host, own := range map[string]int{"eu-west-1.signin.aws.amazon.com": 501, "oidc.cn-north-1.amazonaws.com.cn": 501} {
		for _, pattern := range []string{host, "*" + host[1:]} {
			c.Handle(pattern, http.HandlerFunc(echo))
			status, body, _ := send(t, c, request(t, "POST", "https://"+host+"/x", "hello"))
			require.Equal(t, 200, status)
			require.Contains(t, body, "hello")
			c.Handle(pattern, nil)
			status, _, _ = send(t, c, request(t, "POST", "https://"+host+"/x", "hello"))
			require.Equal(t, own, status)
		}
	}
	require.Panics(t, func() { c.Handle("portal.sso.eu-west-1.amazonaws.com", http.HandlerFunc(echo)) })
}
