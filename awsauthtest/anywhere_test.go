package awsauthtest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

const fleet = "arn:aws:iam::222222222222:role/fleet/device"

// anywhere is a Cloud with a trust anchor, a profile and a role for certificates.
type anywhere struct {
	*awsauthtest.Cloud
	ca      *certtest.CA
	request rolesanywhere.Request
}

func newAnywhere(t *testing.T, region, roleARN string) anywhere {
	t.Helper()
	a := anywhere{Cloud: awsauthtest.Start(), ca: certtest.NewCA(t, "Example Root")}
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	account := strings.Split(roleARN, ":")[4]
	a.AddRole(awsauthtest.Role{ARN: roleARN, Trust: []string{"rolesanywhere.amazonaws.com"}})
	anchor := a.AddTrustAnchor(awsauthtest.TrustAnchor{Account: account, Region: region, CAs: []*x509.Certificate{a.ca.Cert}})
	profile := a.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: account, Region: region, RoleARNs: []string{roleARN}})
	target, err := rolesanywhere.Parse(anchor, profile, roleARN)
	require.NoError(t, err)
	suffix := map[string]string{"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}[target.Partition]
	a.request = rolesanywhere.Request{Target: target, Endpoint: rolesanywhere.Endpoint(region, suffix, false)}
	return a
}

// signIn asks once, through a change of the signed request if one is given.
func (a anywhere) signIn(ctx context.Context, cert tls.Certificate, change func(*http.Request)) (aws.Credentials, rolesanywhere.Session, error) {
	client := rolesanywhere.Client{
		HTTP:    tampering{a.Client(), change},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	return client.CreateSession(ctx, a.request, cert)
}

// tampering changes requests on their way.
type tampering struct {
	*http.Client
	change func(*http.Request)
}

func (w tampering) Do(r *http.Request) (*http.Response, error) {
	if w.change != nil {
		w.change(r)
	}
	return w.Client.Do(r)
}

// keys makes what was handed out a client's.
func keysOf(c aws.Credentials) awsauthtest.Keys {
	return awsauthtest.Keys{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Expires: c.Expires}
}

func TestAnywhereSignsIn(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		key          crypto.Signer
		between      int // intermediates
		region, role string
	}{
		"RSA":                          {certtest.RSA(t), 0, "us-east-1", fleet},
		"RSA, an intermediate":         {certtest.RSA(t), 1, "eu-west-1", fleet},
		"ECDSA":                        {certtest.ECDSA(t), 0, "us-east-1", fleet},
		"ECDSA P-384, an intermediate": {p384, 1, "us-east-1", fleet},
		"ECDSA, two intermediates":     {certtest.ECDSA(t), 2, "us-east-1", fleet},
		"China":                        {certtest.ECDSA(t), 1, "cn-north-1", "arn:aws-cn:iam::444444444444:role/device"},
		"GovCloud":                     {certtest.ECDSA(t), 0, "us-gov-east-1", "arn:aws-us-gov:iam::555555555555:role/device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAnywhere(t, tt.region, tt.role)
			ca := a.ca
			for range tt.between {
				ca = ca.Sub(t, "Example Intermediate")
			}
			cert := ca.Issue(t, "host-7", tt.key)
			creds, session, err := a.signIn(t.Context(), cert, nil)
			require.NoError(t, err)

			target := a.request.Target
			want := "arn:" + target.Partition + ":sts::" + target.Account + ":assumed-role/device/" + hex.EncodeToString(cert.Leaf.SerialNumber.Bytes())
			assert.Equal(t, want, session.ARN)
			assert.Equal(t, target.Account, creds.AccountID)
			assert.WithinDuration(t, time.Now().Add(time.Hour), creds.Expires, time.Minute)

			out, err := client(a.Cloud, tt.region, keysOf(creds)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			require.NoError(t, err, "the keys work at STS")
			assert.Equal(t, want, *out.Arn)
			assert.Equal(t, session.UserID, *out.UserId)

			call := a.CallsTo(tt.role)[0]
			assert.Equal(t, []string{"rolesanywhere", "CreateSession", tt.region, "CN=host-7,O=Example", cert.Leaf.SerialNumber.String()},
				[]string{call.Service, call.Action, call.Region, call.Caller, call.AccessKeyID})
			assert.Equal(t, target.ProfileARN, call.Params.Get("profileArn"))
			assert.Equal(t, 201, call.Status)
			a.AssertCalled(t, "CN=host-7,*", "CreateSession", tt.role)
			assert.Equal(t, "host-7", a.SessionTags(creds.AccessKeyID)["x509Subject/CN"])
		})
	}
}

// TestAnywhereTampered changes each part of a request once, after it was signed.
func TestAnywhereTampered(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	ca := a.ca.Sub(t, "Example Intermediate")
	cert, other := ca.Issue(t, "host-7", certtest.ECDSA(t)), ca.Issue(t, "host-8", certtest.ECDSA(t))
	encode := func(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
	authorization := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			before := r.Header.Get("Authorization")
			require.Contains(t, before, old)
			r.Header.Set("Authorization", strings.Replace(before, old, new, 1))
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	const denied, invalid = "AccessDeniedException", "ValidationException"
	for name, tt := range map[string]struct {
		change        func(*http.Request)
		code, message string
	}{
		"content-type":         {set("Content-Type", "text/plain"), denied, "Invalid signature"},
		"host":                 {func(r *http.Request) { r.Host = "rolesanywhere-fips.us-east-1.amazonaws.com" }, denied, "Invalid signature"},
		"x-amz-date":           {set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z")), denied, "Invalid signature"},
		"x-amz-x509":           {set("X-Amz-X509", encode(other.Certificate[0])), denied, "serial number"},
		"x-amz-x509-chain":     {set("X-Amz-X509-Chain", encode(a.ca.Cert.Raw)), denied, "Invalid signature"},
		"chain away":           {func(r *http.Request) { r.Header.Del("X-Amz-X509-Chain") }, denied, "Invalid signature"},
		"body":                 {func(r *http.Request) { body(r, strings.Replace(read(t, r), "device", "admins", 1)) }, denied, "Invalid signature"},
		"query":                {func(r *http.Request) { r.URL.RawQuery = "roleArn=x" }, denied, "Invalid signature"},
		"a header more":        {set("X-Amz-Target", "x"), denied, "not signed: x-amz-target"},
		"certificate unsigned": {authorization(";x-amz-x509;", ";"), denied, "not signed: x-amz-x509"},
		"serial number":        {authorization("Credential=", "Credential=1"), denied, "serial number"},
		"scope's date":         {authorization("/us-east-1/", "0/us-east-1/"), denied, "Invalid signature"},
		"scope's region":       {authorization("/us-east-1/", "/us-east-2/"), denied, "valid region"},
		"scope's service":      {authorization("/rolesanywhere/", "/sts/"), denied, "correct service: 'rolesanywhere'"},
		"scope's end":          {authorization("/aws4_request", "/aws5_request"), denied, "valid terminator"},
		"algorithm":            {authorization("ECDSA", "RSA"), denied, "Invalid signature"},
		"another algorithm":    {authorization("AWS4-X509-ECDSA", "AWS4-HMAC"), invalid, "Unsupported AWS 'algorithm'"},
		"signature":            {authorization("Signature=30", "Signature=31"), denied, "Invalid signature"},
		"signature odd":        {authorization("Signature=3", "Signature="), denied, "Invalid signature"},
		"no signature":         {func(r *http.Request) { r.Header.Del("Authorization") }, denied, "Missing Authentication Token"},
		"no certificate":       {set("X-Amz-X509", "AAAA"), invalid, "x-amz-x509 is not"},
		"chain of nothing":     {set("X-Amz-X509-Chain", "AAAA"), invalid, "x-amz-x509-chain is not"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := a.signIn(t.Context(), cert, tt.change)
			requireRefused(t, err, map[string]int{denied: 403, invalid: 400}[tt.code], tt.code, tt.message)
		})
	}
	_, _, err := a.signIn(t.Context(), cert, nil)
	require.NoError(t, err, "as it was signed")
}

func read(t *testing.T, r *http.Request) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func body(r *http.Request, s string) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(s))), int64(len(s))
}

func TestAnywhereUntrusted(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	sub := a.ca.Sub(t, "Example Intermediate")
	key := certtest.ECDSA(t)
	alone := sub.Issue(t, "host-7", key)
	alone.Certificate = alone.Certificate[:1]
	const untrusted, insufficient = "Untrusted Signing Certificate", "Untrusted certificate. Insufficient certificate"
	for name, cert := range map[string]tls.Certificate{
		"another CA":           certtest.NewCA(t, "Example Root").Issue(t, "host-7", key),
		"intermediate missing": alone,
		"expired":              a.ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		"not valid yet":        a.ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
		"a CA's":               a.ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }),
		"no key usage":         a.ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.KeyUsage = 0 }),
		"not for signing":      a.ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := a.signIn(t.Context(), cert, nil)
			message := untrusted
			if leaf := cert.Leaf; leaf.IsCA || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
				message = insufficient
			}
			requireRefused(t, err, 403, "AccessDeniedException", message)
			assert.Empty(t, a.Calls()[len(a.Calls())-1].Caller)
		})
	}
}

func TestAnywhereRefuses(t *testing.T) {
	const closed, mfa, absent = "arn:aws:iam::222222222222:role/closed", "arn:aws:iam::222222222222:role/mfa", "arn:aws:iam::222222222222:role/absent"
	a := newAnywhere(t, "us-east-1", fleet)
	a.AddRole(awsauthtest.Role{ARN: closed, Trust: []string{"*", "222222222222"}})
	a.AddRole(awsauthtest.Role{ARN: mfa, Trust: []string{"rolesanywhere.amazonaws.com"}, RequireMFA: true})
	wide := awsauthtest.AnywhereProfile{Account: "222222222222", Region: "us-east-1", RoleARNs: []string{closed, mfa, absent, fleet}}
	all := a.AddAnywhereProfile(wide)
	wide.Region = "us-west-2"
	west := a.AddAnywhereProfile(wide)
	anchorWest := a.AddTrustAnchor(awsauthtest.TrustAnchor{Account: "222222222222", Region: "us-west-2", CAs: []*x509.Certificate{a.ca.Cert}})
	cert := a.ca.Issue(t, "host-7", certtest.ECDSA(t))
	for name, tt := range map[string]struct {
		change        func(*rolesanywhere.Request)
		status        int
		code, message string
	}{
		"trust anchor unknown":    {func(r *rolesanywhere.Request) { r.TrustAnchorARN += "0" }, 404, "ResourceNotFoundException", "Trust anchor"},
		"trust anchor elsewhere":  {func(r *rolesanywhere.Request) { r.TrustAnchorARN = anchorWest }, 404, "ResourceNotFoundException", "Trust anchor"},
		"profile unknown":         {func(r *rolesanywhere.Request) { r.ProfileARN += "0" }, 404, "ResourceNotFoundException", "Profile"},
		"profile elsewhere":       {func(r *rolesanywhere.Request) { r.ProfileARN = west }, 404, "ResourceNotFoundException", "Profile"},
		"role not in the profile": {func(r *rolesanywhere.Request) { r.RoleARN = closed }, 403, "AccessDeniedException", "Unable to assume role for " + closed},
		"role that is not there":  {func(r *rolesanywhere.Request) { r.RoleARN, r.ProfileARN = absent, all }, 403, "AccessDeniedException", "Unable to assume role"},
		"role that trusts others": {func(r *rolesanywhere.Request) { r.RoleARN, r.ProfileARN = closed, all }, 403, "AccessDeniedException", "Unable to assume role"},
		"role that wants MFA":     {func(r *rolesanywhere.Request) { r.RoleARN, r.ProfileARN = mfa, all }, 403, "AccessDeniedException", "Unable to assume role"},
		"no role":                 {func(r *rolesanywhere.Request) { r.RoleARN = "" }, 400, "ValidationException", "'roleArn'"},
		"a user":                  {func(r *rolesanywhere.Request) { r.RoleARN = alice }, 400, "ValidationException", "'roleArn'"},
		"too short":               {func(r *rolesanywhere.Request) { r.Duration = 899 * time.Second }, 400, "ValidationException", "'durationSeconds'"},
		"too long":                {func(r *rolesanywhere.Request) { r.Duration = 13 * time.Hour }, 400, "ValidationException", "'durationSeconds'"},
		"longer than the role":    {func(r *rolesanywhere.Request) { r.Duration = 2 * time.Hour }, 400, "ValidationException", "MaxSessionDuration"},
		"a name":                  {func(r *rolesanywhere.Request) { r.Name = "host-7" }, 403, "AccessDeniedException", "session name"},
		"no name":                 {func(r *rolesanywhere.Request) { r.Name = "a b" }, 400, "ValidationException", "'roleSessionName'"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := a
			tt.change(&changed.request)
			_, _, err := changed.signIn(t.Context(), cert, nil)
			requireRefused(t, err, tt.status, tt.code, tt.message)
		})
	}
}

// TestAnywhereTime holds date, duration and expiry against the Cloud's clock.
func TestAnywhereTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnywhere(t, "us-east-1", fleet)
		cert := a.ca.Issue(t, "host-7", certtest.ECDSA(t))
		a.request.Duration = 20 * time.Minute
		creds, _, err := a.signIn(t.Context(), cert, nil)
		require.NoError(t, err)
		assert.Equal(t, time.Now().Add(20*time.Minute).UTC(), creds.Expires)

		time.Sleep(20 * time.Minute)
		_, err = client(a.Cloud, "us-east-1", keysOf(creds)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		requireRefused(t, err, 403, "ExpiredToken", "expired")

		late := 16 * time.Minute // the client's clock stands still while the request is held up
		_, _, err = a.signIn(t.Context(), cert, func(*http.Request) { time.Sleep(late); late = 0 })
		require.NoError(t, err, "signed again with the service's time")
		var refused []string
		for _, call := range a.Calls("CreateSession") {
			refused = append(refused, call.ErrorCode)
		}
		assert.Equal(t, []string{"", "AccessDeniedException", ""}, refused)
	})
}

func TestAnywhereDateOff(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	cert := a.ca.Issue(t, "host-7", certtest.ECDSA(t))
	for name, by := range map[string]time.Duration{"Signature expired": 16 * time.Minute, "Signature not yet current": -16 * time.Minute} {
		a.SetClock(func() time.Time { return time.Now().Add(by) })
		request := capture(t, a, cert)
		response, err := a.Client().Do(request)
		require.NoError(t, err)
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, 403, response.StatusCode)
		assert.Contains(t, string(answer), name)
		assert.Equal(t, "AccessDeniedException", response.Header.Get("X-Amzn-Errortype"))
	}
}

// capture signs a request without sending it.
func capture(t *testing.T, a anywhere, cert tls.Certificate) *http.Request {
	t.Helper()
	var kept *http.Request
	client := rolesanywhere.Client{HTTP: keeping{&kept}, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	_, _, err := client.CreateSession(t.Context(), a.request, cert)
	require.Error(t, err)
	return kept
}

type keeping struct{ kept **http.Request }

func (k keeping) Do(r *http.Request) (*http.Response, error) {
	*k.kept = r
	return nil, errors.New("not sent")
}

// TestAnywhereAlgorithm signs by hand, under the name of the algorithm that fits the
// key, and under that of the other.
func TestAnywhereAlgorithm(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	for key, names := range map[crypto.Signer][2]string{
		certtest.ECDSA(t): {"AWS4-X509-ECDSA-SHA256", "AWS4-X509-RSA-SHA256"},
		certtest.RSA(t):   {"AWS4-X509-RSA-SHA256", "AWS4-X509-ECDSA-SHA256"},
	} {
		cert := a.ca.Issue(t, "host-7", key)
		for i, status := range []int{201, 403} {
			request := capture(t, a, cert)
			signByHand(t, request, key, names[i])
			response, err := a.Client().Do(request)
			require.NoError(t, err)
			assert.Equal(t, status, response.StatusCode, names[i])
		}
	}
}

// signByHand replaces the signature of a request without a chain.
func signByHand(t *testing.T, r *http.Request, key crypto.Signer, algorithm string) {
	t.Helper()
	text := read(t, r)
	body(r, text)
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	canonical := "POST\n/sessions\n\ncontent-type:application/json\nhost:" + r.URL.Host + "\nx-amz-date:" + r.Header.Get("X-Amz-Date") +
		"\nx-amz-x509:" + r.Header.Get("X-Amz-X509") + "\n\ncontent-type;host;x-amz-date;x-amz-x509\n" + hash(text)
	before := r.Header.Get("Authorization")
	_, after, _ := strings.Cut(before, "Credential=")
	credential, _, _ := strings.Cut(after, ",")
	_, scope, _ := strings.Cut(credential, "/")
	digest := sha256.Sum256([]byte(strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, hash(canonical)}, "\n")))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	require.NoError(t, err)
	r.Header.Set("Authorization", algorithm+" Credential="+credential+", SignedHeaders=content-type;host;x-amz-date;x-amz-x509, Signature="+hex.EncodeToString(signature))
}
