package awsauthtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const endpoint = "https://sts.us-east-1.amazonaws.com/"

// signing says how raw signs; the zero value is right for endpoint.
type signing struct {
	region, service string
	at              time.Time
	header          http.Header
}

// raw makes a signed POST of a form, below the SDK's STS client.
func raw(t testing.TB, keys awsauthtest.Keys, to string, f url.Values, s signing) *http.Request {
	t.Helper()
	body := f.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range s.header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.service == "" {
		s.service = "sts"
	}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	hash := sha256.Sum256([]byte(body))
	creds, err := keys.Provider().Retrieve(t.Context())
	require.NoError(t, err)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(hash[:]), s.service, s.region, s.at))
	return r
}

// send returns status, body and, of a refusal, the code.
func send(t testing.TB, c *awsauthtest.Cloud, r *http.Request) (int, string, string) {
	t.Helper()
	resp, err := c.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(body), "<Code>")
	code, _, _ = strings.Cut(code, "</Code>")
	return resp.StatusCode, string(body), code
}

func whoami() url.Values { return form("Action", "GetCallerIdentity") }

// signedRequest is a GetCallerIdentity, how it is spoilt, and what comes of it.
type signedRequest struct {
	keys    awsauthtest.Keys
	to      string // default endpoint
	sign    signing
	edit    func(*http.Request)
	status  int
	code    string
	message string
}

func requireAnswers(t *testing.T, c *awsauthtest.Cloud, table map[string]signedRequest) {
	t.Helper()
	for name, tt := range table {
		t.Run(name, func(t *testing.T) {
			to := tt.to
			if to == "" {
				to = endpoint
			}
			r := raw(t, tt.keys, to, whoami(), tt.sign)
			if tt.edit != nil {
				tt.edit(r)
			}
			status, body, code := send(t, c, r)
			require.Equal(t, tt.code, code, body)
			require.Equal(t, tt.status, status, body)
			require.Contains(t, strings.ReplaceAll(body, "&#39;", "'"), tt.message)
		})
	}
}

// TestSignatureRefused goes through what can be wrong with a signature.
func TestSignatureRefused(t *testing.T) {
	c, keys := world(t)
	auth := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	replace := func(old, by string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, by, 1))
		}
	}
	requireAnswers(t, c, map[string]signedRequest{
		"payload hash":       {keys: keys, sign: signing{header: http.Header{"X-Amz-Content-Sha256": {strings.Repeat("0", 64)}}}, status: 403, code: "SignatureDoesNotMatch", message: "calculated"},
		"right":              {keys: keys, status: 200},
		"not signed":         {keys: keys, edit: func(r *http.Request) { r.Header.Del("Authorization") }, status: 403, code: "MissingAuthenticationToken"},
		"another algorithm":  {keys: keys, edit: auth("Basic YTpi"), status: 400, code: "IncompleteSignature"},
		"empty":              {keys: keys, edit: auth("AWS4-HMAC-SHA256 "), status: 400, code: "IncompleteSignature"},
		"no signature":       {keys: keys, edit: replace("Signature=", "Sig="), status: 400, code: "IncompleteSignature", message: "'Signature'"},
		"no credential":      {keys: keys, edit: replace("Credential=", "Cred="), status: 400, code: "IncompleteSignature", message: "'Credential'"},
		"short scope":        {keys: keys, edit: replace("/aws4_request", ""), status: 400, code: "IncompleteSignature", message: "slash-delimited"},
		"no date":            {keys: keys, edit: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, status: 400, code: "IncompleteSignature", message: "X-Amz-Date"},
		"another region":     {keys: keys, sign: signing{region: "eu-west-1"}, status: 403, code: "SignatureDoesNotMatch", message: "Credential should be scoped to a valid region."},
		"another service":    {keys: keys, sign: signing{service: "iam"}, status: 403, code: "SignatureDoesNotMatch", message: "correct service: 'sts'"},
		"another terminator": {keys: keys, edit: replace("aws4_request", "aws5_request"), status: 403, code: "SignatureDoesNotMatch", message: "terminator"},
		"host not signed":    {keys: keys, edit: replace("host;", ""), status: 403, code: "SignatureDoesNotMatch", message: "'Host'"},
		"header not signed":  {keys: keys, edit: func(r *http.Request) { r.Header.Set("X-Amz-New", "x") }, status: 403, code: "SignatureDoesNotMatch", message: "x-amz-new"},
		"day of the scope":   {keys: keys, edit: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }, status: 403, code: "SignatureDoesNotMatch"},
		"14 min late":        {keys: keys, sign: signing{at: time.Now().Add(-14 * time.Minute)}, status: 200},
		"16 min late":        {keys: keys, sign: signing{at: time.Now().Add(-16 * time.Minute)}, status: 403, code: "SignatureDoesNotMatch", message: "Signature expired: "},
		"14 min early":       {keys: keys, sign: signing{at: time.Now().Add(14 * time.Minute)}, status: 200},
		"16 min early":       {keys: keys, sign: signing{at: time.Now().Add(16 * time.Minute)}, status: 403, code: "SignatureDoesNotMatch", message: "Signature not yet current: "},
	})
}

// TestKeyRefused goes through what can be wrong with a key, and in which order
// it is found.
func TestKeyRefused(t *testing.T) {
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	gone, revoked := c.AddUser(awsauthtest.User{ARN: bob}), assume(t, c, keys, role(manage))
	c.Deactivate(gone.AccessKeyID)
	c.Expire(revoked.AccessKeyID)
	c.DisableRegion("ap-east-1")
	session := assume(t, c, keys, role(manage))
	change := func(k awsauthtest.Keys, do func(*awsauthtest.Keys)) awsauthtest.Keys { do(&k); return k }
	requireAnswers(t, c, map[string]signedRequest{
		"region before key":   {keys: awsauthtest.Keys{AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "x"}, sign: signing{region: "eu-west-1"}, status: 403, code: "SignatureDoesNotMatch"},
		"unknown key":         {keys: change(keys, func(k *awsauthtest.Keys) { k.AccessKeyID = "AKIAIOSFODNN7EXAMPLE" }), status: 403, code: "InvalidClientTokenId", message: "security token included in the request is invalid"},
		"deactivated key":     {keys: gone, status: 403, code: "InvalidClientTokenId"},
		"key of China":        {keys: cn, status: 403, code: "InvalidClientTokenId"},
		"key of aws in China": {keys: keys, to: "https://sts.cn-north-1.amazonaws.com.cn/", sign: signing{region: "cn-north-1"}, status: 403, code: "InvalidClientTokenId"},
		"wrong secret":        {keys: change(keys, func(k *awsauthtest.Keys) { k.SecretAccessKey += "x" }), status: 403, code: "SignatureDoesNotMatch", message: "does not match the signature you provided"},
		"late, wrong secret":  {keys: change(keys, func(k *awsauthtest.Keys) { k.SecretAccessKey += "x" }), sign: signing{at: time.Now().Add(-time.Hour)}, status: 403, code: "SignatureDoesNotMatch", message: "calculated"},
		"session":             {keys: session, status: 200},
		"no session token":    {keys: change(session, func(k *awsauthtest.Keys) { k.SessionToken = "" }), status: 403, code: "InvalidClientTokenId"},
		"wrong session token": {keys: change(session, func(k *awsauthtest.Keys) { k.SessionToken += "x" }), status: 403, code: "InvalidClientTokenId"},
		"token of a user":     {keys: change(keys, func(k *awsauthtest.Keys) { k.SessionToken = "x" }), status: 403, code: "InvalidClientTokenId"},
		"expired session":     {keys: revoked, status: 403, code: "ExpiredToken", message: "The security token included in the request is expired"},
		"region disabled":     {keys: keys, to: "https://sts.ap-east-1.amazonaws.com/", sign: signing{region: "ap-east-1"}, status: 403, code: "RegionDisabledException", message: "not activated in this region for account:111111111111"},
	})
}

// TestActions covers what is asked, before who asks.
func TestActions(t *testing.T) {
	c, keys := world(t)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"nothing":         {url.Values{}, 400, "InvalidAction"},
		"no action":       {form(), 400, "InvalidAction"},
		"unknown":         {form("Action", "AssumeBolt"), 400, "InvalidAction"},
		"no version":      {url.Values{"Action": {"GetCallerIdentity"}}, 400, "InvalidAction"},
		"another version": {url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2010-05-08"}}, 400, "InvalidAction"},
		"no role":         {form("Action", "AssumeRole"), 400, "ValidationError"},
		"duration no number": {form("Action", "AssumeRole", "RoleArn", manage, "RoleSessionName", "test", "DurationSeconds", "1h"),
			400, "ValidationError"},
		"duration huge": {form("Action", "AssumeRole", "RoleArn", manage, "RoleSessionName", "test", "DurationSeconds", "9223372036854775807"),
			400, "ValidationError"},
		"key info": {form("Action", "GetAccessKeyInfo", "AccessKeyId", keys.AccessKeyID), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, code := send(t, c, raw(t, keys, endpoint, tt.form, signing{}))
			require.Equal(t, tt.code, code, body)
			require.Equal(t, tt.status, status, body)
		})
	}
}

// TestTampered flips one bit of every byte of a signed request, one at a time,
// and each must be refused.
func TestTampered(t *testing.T) {
	c, keys := world(t)
	session := assume(t, c, keys, role(manage))
	to := endpoint + "?Extra=a%20b&Also=1"
	header := http.Header{"X-Amz-Note": {"a  note"}}
	good := func() *http.Request {
		r := raw(t, session, to, whoami(), signing{header: header})
		r.Header.Set("X-Unsigned", "anything")
		return r
	}
	status, body, _ := send(t, c, good())
	require.Equal(t, 200, status, body)
	flip := func(s string, i int) string { b := []byte(s); b[i] ^= 1; return string(b) }
	refused := func(what string, r *http.Request) {
		status, body, _ := send(t, c, r)
		require.GreaterOrEqual(t, status, 400, "%s: %s", what, body)
	}
	form := whoami().Encode()
	for i := range form {
		r := good()
		r.Body = io.NopCloser(strings.NewReader(flip(form, i)))
		refused(fmt.Sprint("body ", i), r)
	}
	for i := range good().URL.RawQuery {
		r := good()
		r.URL.RawQuery = flip(r.URL.RawQuery, i)
		refused(fmt.Sprint("query ", i), r)
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Note", "X-Amz-Security-Token", "Content-Type"} {
		value := good().Header.Get(name)
		require.NotEmpty(t, value, name)
		for i := range value {
			r := good() // its own date: that of value, flipped, could be the second that has come since
			r.Header.Set(name, flip(r.Header.Get(name), i))
			refused(fmt.Sprint(name, " ", i), r)
		}
	}
	r := good()
	r.URL.Path = "/x"
	refused("path", r)
	r = good()
	r.Method = http.MethodPut
	refused("method", r)
	r = good()
	r.Host = "sts.us-east-1.amazonaws.com:8443"
	refused("host", r)
	r = good()
	r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
	refused("payload hash", r)
}

// TestPresigned covers signatures in the query, as EKS tokens have them.
func TestPresigned(t *testing.T) {
	c, keys := world(t)
	session := assume(t, c, keys, role(manage))
	presigned, err := sts.NewPresignClient(client(c, "us-east-1", session)).PresignGetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	get := func(u string) (int, string, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		require.NoError(t, err)
		return send(t, c, r)
	}
	status, body, _ := get(presigned.URL)
	require.Equal(t, 200, status, body)
	require.Contains(t, body, "assumed-role/manage-role/test")
	call := c.Calls("GetCallerIdentity")[0]
	require.Equal(t, session.AccessKeyID, call.AccessKeyID)
	require.Equal(t, url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}, call.Params)
	_, _, code := get(strings.Replace(presigned.URL, "GetCallerIdentity", "GetSessionToken", 1))
	require.Equal(t, "SignatureDoesNotMatch", code)
	_, _, code = get(presigned.URL + "&X=1")
	require.Equal(t, "SignatureDoesNotMatch", code)
	_, _, code = get(presigned.URL + "&X-Amz-Expires=604801")
	require.NotEmpty(t, code)
	_, _, code = get(endpoint + "?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS3")
	require.Equal(t, "IncompleteSignature", code)
}

// TestPresignedExpiry: to STS a presigned URL is good for 15 minutes, whatever it
// says of itself.
func TestPresignedExpiry(t *testing.T) {
	c, keys := world(t)
	creds, err := keys.Provider().Retrieve(t.Context())
	require.NoError(t, err)
	empty := sha256.Sum256(nil)
	for name, tt := range map[string]struct {
		expires string
		age     time.Duration
		code    string
	}{
		"a week, 14 min old":   {"604800", 14 * time.Minute, ""},
		"a week, 16 min old":   {"604800", 16 * time.Minute, "SignatureDoesNotMatch"},
		"a minute, 2 min old":  {"60", 2 * time.Minute, ""},
		"a second, 14 min old": {"1", 14 * time.Minute, ""},
		"a minute, 16 min old": {"60", 16 * time.Minute, "SignatureDoesNotMatch"},
		"no expiry":            {"", 14 * time.Minute, ""},
		"an hour ahead":        {"604800", -time.Hour, "SignatureDoesNotMatch"},
		"no number":            {"soon", time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := whoami()
			if tt.expires != "" {
				q.Set("X-Amz-Expires", tt.expires)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"?"+q.Encode(), nil)
			require.NoError(t, err)
			signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), creds, r, hex.EncodeToString(empty[:]), "sts", "us-east-1", time.Now().Add(-tt.age))
			require.NoError(t, err)
			r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
			require.NoError(t, err)
			_, body, code := send(t, c, r)
			require.Equal(t, tt.code, code, body)
		})
	}
}

// TestKeys covers what keys look like, and that they keep their secrets.
func TestKeys(t *testing.T) {
	c, first := world(t)
	second := c.AddUser(awsauthtest.User{ARN: alice})
	require.NotEqual(t, first, second)
	session := assume(t, c, first, role(manage))
	require.Regexp(t, `^AKIA[A-Z2-7]{16}$`, first.AccessKeyID)
	require.Regexp(t, `^ASIA[A-Z2-7]{16}$`, session.AccessKeyID)
	require.Len(t, session.SecretAccessKey, 40)
	creds, err := session.Provider().Retrieve(t.Context())
	require.NoError(t, err)
	require.True(t, creds.CanExpire)
	require.Equal(t, session.Expires, creds.Expires)

	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "keys", session, "in", struct{ K awsauthtest.Keys }{session})
	encoded, err := json.Marshal(session)
	require.NoError(t, err)
	shown := log.String() + string(encoded) + session.String() + session.GoString()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, session) + fmt.Sprintf(verb, &session) + fmt.Sprintf(verb, []awsauthtest.Keys{session})
	}
	require.Contains(t, shown, session.AccessKeyID[:4]+"…"+session.AccessKeyID[16:])
	for _, secret := range []string{session.SecretAccessKey, session.SessionToken, session.AccessKeyID} {
		require.NotContains(t, shown, secret)
	}
	require.NotContains(t, fmt.Sprintf("%+v", c.Calls()), session.SessionToken)
}

// TestMisuse covers what panics: it is the test that is wrong, not the AWS.
func TestMisuse(t *testing.T) {
	c := awsauthtest.Start()
	for name, do := range map[string]func(){
		"user":             func() { c.AddUser(awsauthtest.User{ARN: "alice"}) },
		"user's partition": func() { c.AddUser(awsauthtest.User{ARN: "arn:aws-mars:iam::111111111111:user/a"}) },
		"device":           func() { c.AddUser(awsauthtest.User{ARN: alice, MFASerial: "x"}) },
		"device elsewhere": func() { c.AddUser(awsauthtest.User{ARN: alice, MFASerial: "arn:aws:iam::222222222222:mfa/a"}) },
		"role":             func() { c.AddRole(awsauthtest.Role{ARN: alice}) },
		"MaxSession":       func() { c.AddRole(awsauthtest.Role{ARN: manage, MaxSession: time.Minute}) },
		"trust":            func() { c.AddRole(awsauthtest.Role{ARN: manage, Trust: []string{"11111111111"}}) },
		"code":             func() { c.MFACode(phone) },
		"instance":         func() { c.SetInstance(&awsauthtest.Instance{RoleARN: "x"}) },
		"instance region":  func() { c.SetInstance(&awsauthtest.Instance{RoleARN: manage, Region: "cn-north-1"}) },
		"container":        func() { c.SetContainer(&awsauthtest.Container{}) },
		"SSO":              func() { c.AddSSO("t", "cn-north-1", manage) },
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, do) })
	}
	_, err := client(c, "us-east-1", awsauthtest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}).
		GetCallerIdentity(t.Context(), nil)
	requireRefused(t, err, 403, "InvalidClientTokenId", "")
}

// FuzzAuthorization sends any Authorization header: it must be refused, in
// AWS's form, and must not break anything.
func FuzzAuthorization(f *testing.F) {
	c := awsauthtest.Start()
	keys := c.AddUser(awsauthtest.User{ARN: alice})
	day := time.Now().UTC().Format("20060102")
	f.Add("AWS4-HMAC-SHA256 Credential=" + keys.AccessKeyID + "/" + day +
		"/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64))
	f.Add("AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e,Credential=a/b/c/d/e")
	f.Add("Bearer x")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(whoami().Encode()))
		require.NoError(t, err)
		r.Header = http.Header{
			"Authorization": {header}, "Content-Type": {"application/x-www-form-urlencoded"},
			"X-Amz-Date": {time.Now().UTC().Format("20060102T150405Z")},
		}
		resp, err := memoryDo(c, r)
		require.NoError(t, err)
		require.Contains(t, []int{400, 403}, resp.StatusCode)
	})
}

// memoryDo passes net/http's own check of header values by.
func memoryDo(c *awsauthtest.Cloud, r *http.Request) (*http.Response, error) {
	resp, err := c.Client().Transport.RoundTrip(r)
	if err == nil {
		err = resp.Body.Close()
	}
	return resp, err
}
