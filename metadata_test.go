package awsauth_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// recorder is an HTTP client that notes what goes through it.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	all  []string // "host authorization"
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.all = append(r.all, req.URL.Host+" "+req.Header.Get("Authorization"))
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.all, "\n")
}

func (r *recorder) client() *http.Client { return &http.Client{Transport: r} }

// served is a place whose container is reached through a socket.
func served(t *testing.T, token string) (w *lab.Place, host string) {
	t.Helper()
	w = lab.New(t, awsauth.AWS)
	url, err := w.Serve()
	require.NoError(t, err)
	path := w.SetContainer(&awsauthtest.Container{RoleARN: w.ARN(lab.Home, "role/base"), Token: token})
	w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+path, "AWS_CONTAINER_AUTHORIZATION_TOKEN="+token)
	return w, strings.TrimPrefix(url, "http://")
}

// TestContainerTokenStaysHere: a client of the caller's, which may lead to a
// proxy, does not get the container's token; a client for the container does.
func TestContainerTokenStaysHere(t *testing.T) {
	const token = "Basic b3Bz-container-token"
	for _, own := range []bool{false, true} {
		w, host := served(t, token)
		callers, containers := &recorder{next: w.Client().Transport}, &recorder{next: w.Client().Transport}
		opts := []func(*config.LoadOptions) error{config.WithHTTPClient(callers.client())}
		if own {
			opts = append(opts, config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = containers.client() }))
		}
		s, err := awsauth.New(awsauth.WithLoadOptions(opts...), awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		require.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
		assert.Contains(t, callers.text(), "sts.us-east-1.amazonaws.com")
		assert.NotContains(t, callers.text(), host)
		assert.NotContains(t, callers.text(), token)
		if own {
			assert.Equal(t, host+" "+token, containers.text())
		}
	}
}

// TestMetadataWithoutTokens: in a container with a hop limit of 1 the token of
// the instance metadata never comes, and the rest does.
func TestMetadataWithoutTokens(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Region: "eu-west-3", IMDSv1: true})
	url, err := w.Serve()
	require.NoError(t, err)
	w.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+url, "AWS_EC2_METADATA_DISABLED=false")
	w.Inject(awsauthtest.Fault{Action: "GetToken", Kind: awsauthtest.Hang})
	start := time.Now()
	s, err := awsauth.New()
	require.NoError(t, err)
	require.Equal(t, "eu-west-3", s.Config().Region)
	require.Less(t, time.Since(start), 1500*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	o := lab.Ask(ctx, s)
	require.NoError(t, o.Err)
	require.True(t, o.Creds.HasKeys())
	require.Less(t, o.Took, 3*time.Second)
}
