package awsauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// everyHost notes the hosts of all requests and which bearer tokens came with
// them, and answers nothing of use.
type everyHost struct {
	mu     sync.Mutex
	hosts  []string
	tokens []string // of the hosts in order
}

func (e *everyHost) Do(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hosts = append(e.hosts, r.URL.Host)
	e.tokens = append(e.tokens, r.Header.Get("X-Amz-Sso_bearer_token"))
	return &http.Response{StatusCode: http.StatusTeapot, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func (e *everyHost) seen() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[string]bool{}
	for _, host := range e.hosts {
		all[host] = true
	}
	return all
}

// ssoLogin leaves a login behind that has ended, and can be renewed where renew
// is set.
func (c *cast) ssoLogin(key string, renew bool) {
	c.T.Helper()
	c.SSOLogin(key)
	if !renew {
		return
	}
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	require.NoError(c.T, err)
	soon := time.Now().UTC()
	text := `{"accessToken": "old", "expiresAt": "` + soon.Add(-time.Hour).Format(time.RFC3339) + `", "refreshToken": "r", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "` +
		soon.Add(time.Hour).Format(time.RFC3339) + `"}`
	require.NoError(c.T, os.WriteFile(path, []byte(text), 0o600))
}

// TestEndpointOfSignIn: SSO, its token service and sign-in are called where the
// variables and the profile say, and nowhere else.
func TestEndpointOfSignIn(t *testing.T) {
	const session = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
	const sso = "[profile ops]\nsso_session = corp\nsso_account_id = " + lab.Home + "\nsso_role_name = base\n"
	const legacy = "[profile ops]\nsso_account_id = " + lab.Home + "\nsso_role_name = base\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
	login := "[profile ops]\nlogin_session = me\n"
	for _, tt := range []struct {
		name, config string
		env          []string
		setup        func(*cast)
		host         string
	}{
		{"SSO", sso + session, []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, func(c *cast) { c.ssoLogin("corp", false) }, "localhost:4566"},
		{"SSO, its own", sso + session, []string{"AWS_ENDPOINT_URL_SSO=http://localhost:4567", "AWS_ENDPOINT_URL=http://localhost:1"}, func(c *cast) { c.ssoLogin("corp", false) }, "localhost:4567"},
		{"SSO, profile", sso + "endpoint_url = http://localhost:4568\n" + session, nil, func(c *cast) { c.ssoLogin("corp", false) }, "localhost:4568"},
		{"SSO, services", sso + "services = s\n" + session + "[services s]\nsso =\n  endpoint_url = http://localhost:4569\n", nil, func(c *cast) { c.ssoLogin("corp", false) }, "localhost:4569"},
		{"SSO with FIPS", sso + session, []string{"AWS_ENDPOINT_URL=http://localhost:4566", "AWS_USE_FIPS_ENDPOINT=true"}, func(c *cast) { c.ssoLogin("corp", false) }, "localhost:4566"},
		{"SSO ignored", sso + session, []string{"AWS_ENDPOINT_URL=http://localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, func(c *cast) { c.ssoLogin("corp", false) }, "portal.sso.us-east-1.amazonaws.com"},
		{"SSO, old form", legacy, []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, func(c *cast) { c.ssoLogin("https://corp.awsapps.com/start", false) }, "localhost:4566"},
		{"SSO without", sso + session, nil, func(c *cast) { c.ssoLogin("corp", false) }, "portal.sso.us-east-1.amazonaws.com"},
		{"token service", sso + session, []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, func(c *cast) { c.ssoLogin("corp", true) }, "localhost:4566"},
		{"token service, its own", sso + session, []string{"AWS_ENDPOINT_URL_SSO_OIDC=http://localhost:4570"}, func(c *cast) { c.ssoLogin("corp", true) }, "localhost:4570"},
		{"token service with dual stack", sso + session, []string{"AWS_ENDPOINT_URL=http://localhost:4566", "AWS_USE_DUALSTACK_ENDPOINT=true"}, func(c *cast) { c.ssoLogin("corp", true) }, "localhost:4566"},
		{"token service without", sso + session, nil, func(c *cast) { c.ssoLogin("corp", true) }, "oidc.us-east-1.amazonaws.com"},
		{"sign-in", login, []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, func(c *cast) { c.signIn("me", -time.Minute) }, "localhost:4566"},
		{"sign-in, its own", login, []string{"AWS_ENDPOINT_URL_SIGNIN=http://localhost:4571"}, func(c *cast) { c.signIn("me", -time.Minute) }, "localhost:4571"},
		{"sign-in with FIPS", login, []string{"AWS_ENDPOINT_URL=http://localhost:4566", "AWS_USE_FIPS_ENDPOINT=true"}, func(c *cast) { c.signIn("me", -time.Minute) }, "localhost:4566"},
		{"sign-in, region of the profile", login + "region = eu-west-1\n", []string{"AWS_REGION=us-east-2"}, func(c *cast) { c.signIn("me", -time.Minute) }, "eu-west-1.signin.aws.amazon.com"},
		{"sign-in, region of the session", login, []string{"AWS_REGION=us-east-2"}, func(c *cast) { c.signIn("me", -time.Minute) }, "us-east-2.signin.aws.amazon.com"},
		{"sign-in of a source, its region", "[profile ops]\nrole_arn = $BASE\nsource_profile = b\nregion = us-east-2\n[profile b]\nlogin_session = me\nregion = eu-west-1\n", nil,
			func(c *cast) { c.signIn("me", -time.Minute) }, "eu-west-1.signin.aws.amazon.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.ByName()
			tt.setup(c)
			c.Env(tt.env...)
			c.Files(c.text(tt.config), "")
			e := &everyHost{}
			s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithHTTPClient(e), config.WithRetryMaxAttempts(1)))
			require.NoError(t, err)
			_, err = s.Retrieve(t.Context())
			require.Error(t, err)
			assert.Equal(t, map[string]bool{tt.host: true}, e.seen())
		})
	}
}

// proxyChild tells a test process that it is the one with the proxy variables:
// net/http reads them once in a process.
const proxyChild = "AWSAUTH_TEST_PROXY_CHILD"

// TestLinkLocalAndProxies: the link-local addresses of AWS are never asked through
// a proxy, which could answer with keys of its own, and would see the token.
func TestLinkLocalAndProxies(t *testing.T) {
	if os.Getenv(proxyChild) != "" {
		askLinkLocal(t)
		return
	}
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Host)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer proxy.Close()
	for name, env := range map[string][]string{
		"metadata":       nil,
		"metadata, IPv6": {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6"},
		"ECS":            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + lab.SomeSecret},
		"EKS":            {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + lab.SomeSecret},
		"EKS, IPv6":      {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[fd00:ec2::23]/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + lab.SomeSecret},
		"loopback":       {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + lab.SomeSecret},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLinkLocalAndProxies$", "-test.count=1")
			cmd.Env = []string{proxyChild + "=1", "HTTP_PROXY=" + proxy.URL, "HTTPS_PROXY=" + proxy.URL, "http_proxy=" + proxy.URL, "https_proxy=" + proxy.URL,
				"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "AWS_REGION=us-east-1"}
			cmd.Env = append(cmd.Env, env...)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			mu.Lock()
			defer mu.Unlock()
			assert.Empty(t, asked, "%s", out)
			asked = nil
		})
	}
}

// askLinkLocal is the process with the proxy.
func askLinkLocal(t *testing.T) {
	s, err := awsauth.New()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = s.Retrieve(ctx)
	require.Error(t, err)
	t.Log(err)
}

// TestClientOfOptionsAsks: a client that came by WithLoadOptions is the one that
// asks the metadata and the container.
func TestClientOfOptionsAsks(t *testing.T) {
	for host, env := range map[string][]string{
		"169.254.169.254": {"AWS_EC2_METADATA_DISABLED=false"},
		"[fd00:ec2::254]": {"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6"},
	} {
		c := newCast(t, awsauth.AWS)
		c.Env(append(env, "AWS_REGION=us-east-1", "HTTP_PROXY=http://127.0.0.1:1")...)
		e := &everyHost{}
		s, err := awsauth.New(awsauth.WithLoadOptions(config.WithHTTPClient(e)))
		require.NoError(t, err)
		_, err = s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Equal(t, map[string]bool{host: true}, e.seen())
	}
}
