package awsauth_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// answerMistakes are those of what comes back from STS.
func answerMistakes() []mistake {
	return []mistake{
		{
			name: "STS fails",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.ServerError)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: STS in us-east-1 fails (ServiceUnavailable), gave up after 8 attempts in $TIME; ` +
				`try again later, or another region with WithRegion`,
			kinds: only(awsauth.Unreachable), from: service,
		}, {
			name: "the connection is reset",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Reset)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: no connection to sts.us-east-1.amazonaws.com: read tcp: read: connection reset by peer; ` +
				`check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS does not answer",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Hang)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says:  `awsauth: assume role $MANAGE: no answer from sts.us-east-1.amazonaws.com in 30s; check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS answers half",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Malformed)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: what sts.us-east-1.amazonaws.com answered is not an answer of STS (HTTP 200); ` +
				`check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		},
	}
}

// hostMistakes are those of names and addresses.
func hostMistakes() []mistake {
	return []mistake{
		{
			name: "region that does not exist",
			make: func(w *lab.Place) error {
				dial := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "sts.us-north-7.amazonaws.com", IsNotFound: true}}
				return w.Who(w.Static(), awsauth.WithRegion("us-north-7"), w.Cable(dial))
			},
			says: `awsauth: get caller identity: host sts.us-north-7.amazonaws.com is not known; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "an endpoint variable that is no URL",
			make: func(w *lab.Place) error {
				w.T.Setenv("AWS_ENDPOINT_URL", "127.0.0.1:5000")
				return w.JustNew()
			},
			says: `awsauth: AWS_ENDPOINT_URL "127.0.0.1:5000": not a URL, because it has no scheme; begin it with https:// or http://, ` +
				`like https://vpce-1234.sts.us-east-1.vpce.amazonaws.com`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "DNS does not work",
			make: func(w *lab.Place) error {
				return w.Who(w.Static(), w.Cable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
					Err: "server misbehaving", Name: "sts.us-east-1.amazonaws.com", IsTemporary: true,
				}}))
			},
			says: `awsauth: get caller identity: host sts.us-east-1.amazonaws.com cannot be looked up: server misbehaving; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		},
	}
}

// TestProxy: a proxy that refuses says so, and one that is not there.
func TestProxy(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET")
	require.NoError(t, os.Unsetenv("AWS_ENDPOINT_URL_STS")) // the child is to ask the proxy for the real host
	for _, tt := range []struct {
		status int
		says   string
	}{
		{http.StatusForbidden, "the proxy refuses to connect to sts.us-east-1.amazonaws.com: Forbidden; " +
			"check HTTPS_PROXY and the proxy's rules, or name the host in NO_PROXY"},
		{http.StatusProxyAuthRequired, "the proxy refuses to connect to sts.us-east-1.amazonaws.com: Proxy Authentication Required; " +
			"check HTTPS_PROXY and the proxy's rules, or name the host in NO_PROXY"},
		{0, "the proxy does not answer: dial tcp $PROXY: connect: connection refused; " +
			"check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY"},
	} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodConnect, r.Method)
				rw.WriteHeader(tt.status)
			}))
			defer proxy.Close()
			if tt.status == 0 {
				proxy.Close()
			}
			host := strings.TrimPrefix(proxy.URL, "http://")
			out := reborn(t, "HTTPS_PROXY=http://ana:proxy-password@"+host)
			assert.Contains(t, out, "ERROR awsauth: get caller identity: "+strings.ReplaceAll(tt.says, "$PROXY", host)+"\n")
			assert.Contains(t, out, "KINDS true false")
			assert.NotContains(t, out, "proxy-password")
		})
	}
}

// TestHome: the SDK looks for SSO tokens in the home directory.
func TestHome(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	out := reborn(t, "AWS_PROFILE=dev", "HOME="+w.Dir)
	assert.Contains(t, out, `ERROR awsauth: profile "dev": SSO session "corp" has never been logged in on this machine; run: aws sso login --profile dev`)
	assert.Contains(t, out, "KINDS false true")
}

// childTest is what this test binary does where it was started by one of its
// own tests.
const childTest = "AWSAUTH_TEST_CHILD"

// TestChild runs in a process of its own, for what the net package and the SDK
// read from the environment once.
func TestChild(t *testing.T) {
	if os.Getenv(childTest) == "" {
		t.Skip("only for TestProxy and TestHome")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := awsauth.New(awsauth.WithLoadOptions(config.WithRetryMaxAttempts(1)))
	if err == nil {
		_, err = s.Identity(ctx)
	}
	fmt.Printf("ERROR %v\nKINDS %t %t\n", err, errors.Is(err, awsauth.Unreachable), errors.Is(err, awsauth.Expired))
}

// reborn runs TestChild with these variables and returns what it printed.
func reborn(t *testing.T, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), append(env, childTest+"=1")...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// TestCertificates: an STS endpoint whose authority this machine does not know,
// and how it gets to know it.
func TestCertificates(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	behind, err := w.Serve()
	require.NoError(t, err)
	to, err := url.Parse(behind)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "https://")
	open := func(endpoint string) error {
		s, err := awsauth.New(w.Static(), awsauth.WithSTSEndpoint(endpoint), awsauth.WithLoadOptions(config.WithRetryMaxAttempts(1)))
		require.NoError(t, err)
		_, err = s.Identity(t.Context())
		return err
	}
	err = open(server.URL)
	lab.RequireBad(t, err, awsauth.Unreachable)
	assert.Equal(t, "awsauth: get caller identity: the certificate of "+address+" is signed by an authority that is not known here; "+
		"name a file with the authority's certificate, in PEM form, in AWS_CA_BUNDLE", err.Error())

	bundle := filepath.Join(w.Dir, "ca.pem")
	require.NoError(t, os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	t.Setenv("AWS_CA_BUNDLE", bundle)
	require.NoError(t, open(server.URL))

	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	err = open("https://localhost:" + port)
	lab.RequireBad(t, err, awsauth.Unreachable, "the certificate of localhost:"+port+" is for another host; "+
		"check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables")

	const hint = "; name a file with the authorities' certificates in PEM form"
	t.Setenv("AWS_CA_BUNDLE", bundle+".missing")
	_, err = awsauth.New(w.Static())
	lab.RequireBad(t, err, awsauth.InvalidOption, "awsauth: AWS_CA_BUNDLE: "+bundle+".missing cannot be read: no such file or directory"+hint)
	other := filepath.Join(w.Dir, "other.pem")
	require.NoError(t, os.WriteFile(other, []byte("none\n"), 0o600))
	t.Setenv("AWS_CA_BUNDLE", other)
	_, err = awsauth.New(w.Static())
	lab.RequireBad(t, err, awsauth.InvalidOption, "awsauth: AWS_CA_BUNDLE: "+other+" holds no certificate"+hint)
	t.Setenv("AWS_CA_BUNDLE", "")
	w.Files("[default]\nca_bundle = $DIR/none.pem\n", "")
	_, err = awsauth.New(w.Static())
	lab.RequireBad(t, err, awsauth.InvalidOption, w.Text("awsauth: $DIR/config:2: $DIR/none.pem cannot be read: no such file or directory")+hint)
}
