package awsauthtest_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// recording is a testing.TB that keeps its errors.
type recording struct {
	testing.TB
	errors []string
}

func (r *recording) Helper() {}

func (r *recording) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// TestCallsTo follows calls to one role, over every way there is to it.
func TestCallsTo(t *testing.T) {
	c, user := world(t)
	other := "arn:aws:iam::222222222222:role/other"
	c.AddRole(awsauthtest.Role{ARN: other, Trust: []string{manage, issuer}})
	keys := assume(t, c, user, role(manage))
	_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), role(other))
	require.NoError(t, err)
	_, err = client(c, "us-east-1", user).AssumeRole(t.Context(), role(other))
	require.Error(t, err)
	_, err = bearer(t, c, "us-east-1", other, c.WebIdentityToken(issuer, repo, 0))
	require.NoError(t, err)
	require.Len(t, c.CallsTo(manage), 1)
	require.Empty(t, c.CallsTo("arn:aws:iam::222222222222:role/oth"))
	const session = "arn:aws:sts::222222222222:assumed-role/manage-role/test"
	var got []string
	for _, call := range c.CallsTo(other) {
		got = append(got, call.String())
	}
	require.Equal(t, []string{
		session + " AssumeRole " + other,
		alice + " AssumeRole " + other + " (AccessDenied)",
		issuer + ":" + repo + " AssumeRoleWithWebIdentity " + other,
	}, got)

	c.SetContainer(&awsauthtest.Container{RoleARN: other})
	c.SetInstance(&awsauthtest.Instance{RoleARN: other, IMDSv1: true})
	c.AddSSO("bearer", "us-east-1", other)
	for _, u := range []string{
		"http://169.254.170.23/v1/credentials", "http://169.254.169.254/latest/meta-data/iam/security-credentials/other",
		"https://portal.sso.us-east-1.amazonaws.com/federation/credentials?role_name=other&account_id=222222222222",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		require.NoError(t, err)
		r.Header.Set("X-Amz-Sso_bearer_token", "bearer")
		status, body, _ := send(t, c, r)
		require.Equal(t, 200, status, body)
	}
	require.Len(t, c.CallsTo(other), 6)
}

// TestAssertCalled: the assertions fail where they should, and say what was
// called.
func TestAssertCalled(t *testing.T) {
	c, user := world(t)
	assume(t, c, user, role(manage))
	_, err := client(c, "us-east-1", user).AssumeRole(t.Context(), role(managCN))
	require.Error(t, err)
	for _, tt := range []struct {
		caller, action, role string
		called, tried        bool
	}{
		{alice, "AssumeRole", manage, true, true},
		{"*:user/alice", "*", "*:role/manage-*", true, true},
		{"", "", "", true, true},
		{alice, "AssumeRole", managCN, false, true},
		{bob, "AssumeRole", manage, false, false},
		{alice, "GetCallerIdentity", "", false, false},
		{alice, "AssumeRole", "arn:aws:iam::222222222222:role/manage", false, false},
	} {
		r := &recording{TB: t}
		require.Equal(t, tt.called, c.AssertCalled(r, tt.caller, tt.action, tt.role))
		require.Equal(t, tt.called, len(r.errors) == 0)
		n := len(r.errors)
		require.Equal(t, !tt.tried, c.AssertNotCalled(r, tt.caller, tt.action, tt.role))
		require.Equal(t, tt.tried, len(r.errors) > n)
		for _, text := range r.errors {
			require.Contains(t, text, alice+" AssumeRole "+managCN+" (AccessDenied)")
		}
	}
}

// TestFaultRole lets the calls for one role fail.
func TestFaultRole(t *testing.T) {
	c, user := world(t)
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/ops", Trust: []string{alice}})
	c.Inject(awsauthtest.Fault{Role: "arn:aws:iam::222222222222:role/ops", Kind: awsauthtest.ServerError})
	from := client(c, "us-east-1", user)
	_, err := from.AssumeRole(t.Context(), role(manage))
	require.NoError(t, err)
	_, err = from.GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	_, err = from.AssumeRole(t.Context(), role("arn:aws:iam::222222222222:role/ops"))
	require.Equal(t, "ServiceUnavailable", refusal(err))
}

// TestRedacted: no verb prints what is in a Cloud, nor does a copy of one.
func TestRedacted(t *testing.T) {
	c, user := world(t)
	session := assume(t, c, user, role(manage))
	held := struct {
		C     *awsauthtest.Cloud
		inner *awsauthtest.Cloud
	}{c, c}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "cloud", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "cloud", c)
	shown := log.String() + c.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, *c) + fmt.Sprintf(verb, held) + fmt.Sprintf(verb, []*awsauthtest.Cloud{c})
	}
	for _, secret := range []string{user.SecretAccessKey, session.SessionToken, user.AccessKeyID, session.AccessKeyID, alice} {
		require.NotContains(t, shown, secret)
	}
	require.Contains(t, shown, "awsauthtest.Cloud")
}

// TestStrangers: a foreign Host header is refused on the socket, before anything
// is recorded.
func TestStrangers(t *testing.T) {
	c, user := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	port := url[strings.LastIndexByte(url, ':'):]
	socket := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c.SetInstance(&awsauthtest.Instance{RoleARN: manage, IMDSv1: true})
	for host, status := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "LOCALHOST" + port: 200, "[::1]" + port: 200, "169.254.169.254": 200,
		"evil.example.com": 403, "evil.example.com" + port: 403, "127.0.0.1:1": 200, "localhost": 200, "192.0.2.1" + port: 403,
		"s3.us-east-1.amazonaws.com": 403, "127.0.0.1.evil.example.com" + port: 403,
	} {
		c.ResetCalls()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/latest/meta-data/iam/security-credentials/manage-role", nil)
		require.NoError(t, err)
		r.Host = host
		resp, err := socket.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode, "%s: %s", host, body)
		require.Equal(t, status == 200, len(c.Calls()) == 1, host)
		require.Equal(t, status == 200, strings.Contains(string(body), "SecretAccessKey"), host)
	}
	// What is not signed uses up no fault, here and in memory.
	c.Inject(awsauthtest.Fault{Kind: awsauthtest.Throttle, Times: 1})
	for _, to := range []string{url, "https://sts.us-east-1.amazonaws.com"} {
		for _, action := range []string{"GetCallerIdentity", "AssumeRole", ""} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form("Action", action).Encode()))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			status, _, code := send(t, c, r)
			require.Contains(t, []int{400, 403}, status)
			require.NotEqual(t, "Throttling", code)
		}
	}
	_, err = client(c, "us-east-1", user).GetCallerIdentity(t.Context(), nil)
	require.Equal(t, "Throttling", refusal(err))
	c.Inject(awsauthtest.Fault{Kind: awsauthtest.Throttle, Times: 1})
	_, err = bearer(t, c, "us-east-1", manage, c.WebIdentityToken(issuer, repo, 0))
	require.Equal(t, "Throttling", refusal(err), "what needs no signature is hit")
}

// TestSetClock lets other programs see time pass.
func TestSetClock(t *testing.T) {
	c, user := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	offset := time.Duration(0)
	c.SetClock(func() time.Time { return time.Now().Add(offset) })
	socket := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	once := func(keys awsauthtest.Keys) error {
		_, err := client(c, "us-east-1", keys).GetCallerIdentity(t.Context(), nil, at(url, socket))
		return err
	}
	session := assume(t, c, user, role(manage))
	first := c.MFACode(phone)
	token := c.WebIdentityToken(issuer, repo, 0)
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/web", Trust: []string{issuer}})
	require.NoError(t, once(session))
	offset = 59 * time.Minute
	requireRefused(t, once(user), 403, "SignatureDoesNotMatch", "Signature expired")
	skewed := sts.New(sts.Options{Region: "us-east-1", HTTPClient: socket, BaseEndpoint: &url, Credentials: session.Provider()})
	_, err = skewed.GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err, "the SDK reads the time from the refusal")
	offset = time.Hour + time.Minute
	_, err = skewed.GetCallerIdentity(t.Context(), nil)
	require.Equal(t, "ExpiredToken", refusal(err))
	_, err = bearer(t, c, "us-east-1", "web", token)
	require.Equal(t, "ExpiredTokenException", refusal(err))
	require.NotEqual(t, first, c.MFACode(phone))
	out, err := sts.New(sts.Options{Region: "us-east-1", HTTPClient: socket, BaseEndpoint: &url, Credentials: user.Provider()}).AssumeRole(t.Context(), role(manage))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(offset+time.Hour), *out.Credentials.Expiration, 5*time.Second)
	require.WithinDuration(t, time.Now().Add(offset), c.Calls()[len(c.Calls())-1].Time, 5*time.Second)
	c.SetClock(nil)
	require.NoError(t, once(session))
}

// TestCallsBy tells who called, by ARN or pattern.
func TestCallsBy(t *testing.T) {
	c, keys := world(t)
	session := assume(t, c, keys, role(manage))
	_, err := client(c, "us-east-1", session).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	_, err = client(c, "us-east-1", awsauthtest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}).GetCallerIdentity(t.Context(), nil)
	require.Error(t, err)
	const inRole = "arn:aws:sts::222222222222:assumed-role/manage-role/test"
	for caller, want := range map[string][]string{
		alice:                          {alice + " AssumeRole " + manage},
		inRole:                         {inRole + " GetCallerIdentity"},
		"*:assumed-role/manage-role/*": {inRole + " GetCallerIdentity"},
		"*":                            {alice + " AssumeRole " + manage, inRole + " GetCallerIdentity"},
		bob:                            nil,
		"":                             nil,
	} {
		var got []string
		for _, call := range c.CallsBy(caller) {
			got = append(got, call.String())
		}
		require.Equal(t, want, got, caller)
	}
}
