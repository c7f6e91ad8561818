package awsauthtest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/certtest"
)

func TestAnywhereHosts(t *testing.T) {
	c := awsauthtest.Start()
	for host, there := range map[string]bool{
		"rolesanywhere.us-east-1.amazonaws.com":                    true,
		"rolesanywhere.us-east-1.api.aws":                          true,
		"rolesanywhere-fips.us-east-1.amazonaws.com":               true,
		"rolesanywhere-fips.eu-west-1.amazonaws.com":               false,
		"rolesanywhere.mars-east-1.amazonaws.com":                  false,
		"rolesanywhere.cn-north-1.amazonaws.com.cn":                true,
		"rolesanywhere.cn-north-1.amazonaws.com":                   false,
		"rolesanywhere.us-gov-west-1.amazonaws.com":                true,
		"rolesanywhere-fips.us-gov-east-1.amazonaws.com":           true,
		"rolesanywhere.us-iso-east-1.c2s.ic.gov":                   false,
		"rolesanywhere.eusc-de-east-1.amazonaws.eu":                false,
		"vpce-0123-a1.rolesanywhere.us-east-1.vpce.amazonaws.com":  true,
		"vpce-0123-a1.rolesanywhere.us-iso-east-1.vpce.c2s.ic.gov": false,
	} {
		response, err := c.Client().Post("https://"+host+"/sessions", "application/json", strings.NewReader("{}"))
		if there {
			require.NoError(t, err, host)
			assert.Equal(t, 403, response.StatusCode, host)
			continue
		}
		var dns *net.DNSError
		require.ErrorAs(t, err, &dns, host)
		assert.Equal(t, "no such host", dns.Err, host)
	}
	response, err := c.Client().Get("https://rolesanywhere.us-east-1.amazonaws.com/profiles")
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotImplemented, response.StatusCode, "what is not modelled says so")
}

// TestAnywhereCertificate signs in with certificates of the Cloud's own CA, at a time
// that SetClock says.
func TestAnywhereCertificate(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	withCA := a.request.TrustAnchorARN
	a.request.TrustAnchorARN = a.AddTrustAnchor(awsauthtest.TrustAnchor{Account: "222222222222", Region: "us-east-1"})
	other := a.AddTrustAnchor(awsauthtest.TrustAnchor{Account: "222222222222", Region: "us-east-1"})
	_, _, err := a.signIn(t.Context(), a.Certificate(a.request.TrustAnchorARN, "host-7", 0), nil)
	require.NoError(t, err)
	a.AssertCalled(t, "CN=host-7", "CreateSession", fleet)

	past := a.Certificate(a.request.TrustAnchorARN, "host-7", -time.Second)
	stranger := a.Certificate(other, "host-7", time.Hour)
	for _, cert := range []tls.Certificate{past, stranger} {
		_, _, err := a.signIn(t.Context(), cert, nil)
		requireRefused(t, err, 403, "AccessDeniedException", "Untrusted Signing Certificate")
	}
	a.SetClock(func() time.Time { return time.Now().Add(-2 * time.Minute) })
	_, _, err = a.signIn(t.Context(), past, nil)
	require.NoError(t, err, "two minutes ago it was valid")

	assert.Panics(t, func() { a.Certificate(withCA, "host-7", 0) })
	assert.Panics(t, func() { a.Certificate("", "host-7", 0) })
}

func TestAnywherePanics(t *testing.T) {
	c := awsauthtest.Start()
	ca := certtest.NewCA(t, "Example Root")
	leaf := ca.Issue(t, "host-7", certtest.ECDSA(t)).Leaf
	good := []*x509.Certificate{ca.Cert}
	for name, a := range map[string]awsauthtest.TrustAnchor{
		"account": {Account: "22222222222", Region: "us-east-1", CAs: good},
		"region":  {Account: "222222222222", Region: "mars-east-1", CAs: good},
		"service": {Account: "222222222222", Region: "us-iso-east-1", CAs: good},
		"leaf":    {Account: "222222222222", Region: "us-east-1", CAs: []*x509.Certificate{ca.Cert, leaf}},
		"nil":     {Account: "222222222222", Region: "us-east-1", CAs: []*x509.Certificate{nil}},
	} {
		assert.Panics(t, func() { c.AddTrustAnchor(a) }, name)
	}
	for name, p := range map[string]awsauthtest.AnywhereProfile{
		"account":         {Account: "2", Region: "us-east-1"},
		"region":          {Account: "222222222222", Region: ""},
		"role":            {Account: "222222222222", Region: "us-east-1", RoleARNs: []string{alice}},
		"another account": {Account: "111111111111", Region: "us-east-1", RoleARNs: []string{fleet}},
		"partition":       {Account: "222222222222", Region: "cn-north-1", RoleARNs: []string{fleet}},
		"short":           {Account: "222222222222", Region: "us-east-1", Duration: 14 * time.Minute},
		"long":            {Account: "222222222222", Region: "us-east-1", Duration: 13 * time.Hour},
	} {
		assert.Panics(t, func() { c.AddAnywhereProfile(p) }, name)
	}
}

// TestAnywhereSession looks at what a session is called and how long it lives, and
// at what becomes of it along a chain.
func TestAnywhereSession(t *testing.T) {
	const strict, open = "arn:aws:iam::666666666666:role/strict", "arn:aws:iam::666666666666:role/open"
	a := newAnywhere(t, "us-east-1", fleet)
	a.AddRole(awsauthtest.Role{ARN: fleet, Trust: []string{"rolesanywhere.amazonaws.com"}, MaxSession: 4 * time.Hour, RequireSourceIdentity: true})
	a.AddRole(awsauthtest.Role{ARN: strict, Trust: []string{"222222222222"}})
	a.AddRole(awsauthtest.Role{ARN: open, Trust: []string{"222222222222"}, AllowSourceIdentity: true})
	a.request.ProfileARN = a.AddAnywhereProfile(awsauthtest.AnywhereProfile{
		Account: "222222222222", Region: "us-east-1", RoleARNs: []string{fleet}, Duration: 3 * time.Hour, AcceptSessionName: true,
	})
	a.request.Name = "host-7"
	cert := a.ca.Issue(t, "host-7.example.com", certtest.RSA(t), func(c *x509.Certificate) {
		c.DNSNames = []string{"host-7.example.com"}
	})
	creds, session, err := a.signIn(t.Context(), cert, nil)
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:sts::222222222222:assumed-role/device/host-7", session.ARN)
	assert.WithinDuration(t, time.Now().Add(3*time.Hour), creds.Expires, time.Minute, "the profile's duration")
	assert.Equal(t, map[string]string{
		"x509Subject/CN": "host-7.example.com", "x509Subject/O": "Example", "x509SAN/DNS": "host-7.example.com",
		"x509Issuer/CN": "Example Root", "x509Issuer/O": "Example",
	}, a.SessionTags(creds.AccessKeyID))

	_, err = client(a.Cloud, "us-east-1", keysOf(creds)).AssumeRole(t.Context(), role(strict))
	requireRefused(t, err, 403, "AccessDenied", "")
	out, err := client(a.Cloud, "us-east-1", keysOf(creds)).AssumeRole(t.Context(), role(open))
	require.NoError(t, err)
	assert.Equal(t, "host-7.example.com", *out.SourceIdentity)
}

func TestAnywhereFaults(t *testing.T) {
	a := newAnywhere(t, "us-east-1", fleet)
	cert := a.ca.Issue(t, "host-7", certtest.ECDSA(t))
	for name, tt := range map[string]struct {
		fault  awsauthtest.Fault
		status int
		code   string
	}{
		"throttled": {awsauthtest.Fault{Kind: awsauthtest.Throttle}, 429, "ThrottlingException"},
		"down":      {awsauthtest.Fault{Kind: awsauthtest.ServerError}, 503, "ServiceUnavailable"},
		"refused":   {awsauthtest.Fault{Kind: awsauthtest.Refuse, Message: "Untrusted Signing Certificate"}, 403, "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.fault.Role, tt.fault.Times = fleet, 1
			a.Inject(tt.fault)
			_, _, err := a.signIn(t.Context(), cert, nil)
			requireRefused(t, err, tt.status, tt.code, tt.fault.Message)
		})
	}
}

func TestAnywhereHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnywhere(t, "us-east-1", fleet)
		cert := a.ca.Issue(t, "host-7", certtest.ECDSA(t))
		a.Inject(awsauthtest.Fault{Action: "CreateSession", Kind: awsauthtest.Hang, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, _, err := a.signIn(ctx, cert, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
