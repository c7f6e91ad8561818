package transport_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

func TestPoolIsMadeOnFirstUse(t *testing.T) {
	before := runtime.NumGoroutine()
	built := 0
	base := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.Proxy = func(*http.Request) (*url.URL, error) { built++; return nil, nil }
	})
	pool := transport.NewPool(transport.PoolOptions{Base: base})
	pool.Own()
	transport.Metadata(transport.PoolOptions{Base: base})
	transport.Container(transport.PoolOptions{Base: base})
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "those of other tests may end meanwhile")
	assert.Zero(t, built)

	response, err := pool.Do(request(t, "GET", serve(t, new(journal), "sts", ok).URL))
	assert.Equal(t, "ok", text(t, response, err))
	assert.Equal(t, 1, built, "the base's transport is the one that is used")
}

// Service clients and the library's own calls use the same connections.
func TestPoolSharesConnections(t *testing.T) {
	for name, o := range map[string]transport.PoolOptions{
		"default": {}, "callers": {Base: awshttp.NewBuildableClient(), Callers: true}, "in-region": {Mode: aws.DefaultsModeInRegion},
	} {
		t.Run(name, func(t *testing.T) {
			opened := new(journal)
			server := httptest.NewUnstartedServer(http.HandlerFunc(ok))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.add("new")
				}
			}
			server.Start()
			defer server.Close()
			pool := transport.NewPool(o)
			for _, c := range []aws.HTTPClient{pool, pool.Own(), pool, transport.Own(pool), pool.Own()} {
				response, err := c.Do(request(t, "POST", server.URL))
				assert.Equal(t, "ok", text(t, response, err))
			}
			assert.Len(t, opened.take(), 1)
		})
	}
}

// A wide fan-out finds its connections again; a caller's own sizes stay.
func TestPoolKeepsConnections(t *testing.T) {
	const wide = 40
	for name, test := range map[string]struct {
		callers bool
		want    int
	}{"ours": {false, wide}, "callers": {true, wide + wide - awshttp.DefaultHTTPTransportMaxIdleConnsPerHost}} {
		t.Run(name, func(t *testing.T) {
			opened, arrived, release := new(journal), make(chan bool), make(chan bool)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived <- true
				<-release
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.add("new")
				}
			}
			server.Start()
			defer server.Close()
			pool := transport.NewPool(transport.PoolOptions{Base: awshttp.NewBuildableClient(), Callers: test.callers})
			for range 2 {
				done := make(chan error)
				for range wide {
					go func() {
						response, err := pool.Do(request(t, "GET", server.URL))
						if err == nil {
							_ = response.Body.Close()
						}
						done <- err
					}()
				}
				for range wide {
					<-arrived
				}
				for range wide {
					release <- true
				}
				for range wide {
					require.NoError(t, <-done)
				}
			}
			assert.Len(t, opened.take(), test.want)
		})
	}
}

// The SDK's client follows 307 and 308 only; so does the pool. Own follows none.
func TestRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		seen := new(journal)
		other := serve(t, seen, "other", ok)
		server := serve(t, seen, "sts", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.URL+"/there")
			w.WriteHeader(status)
		})
		pool := transport.NewPool(transport.PoolOptions{})
		sdks := awshttp.NewBuildableClient()
		for name, c := range map[string]struct {
			client  aws.HTTPClient
			follows bool
		}{
			"SDK": {sdks, status >= 307}, "pool": {pool, status >= 307},
			"own": {pool.Own(), false}, "metadata": {transport.Metadata(transport.PoolOptions{}), false},
			"container": {transport.Container(transport.PoolOptions{}), false}, "own of http.Client": {transport.Own(&http.Client{}), false},
			"own of the SDK's": {transport.Own(sdks), false},
		} {
			response, err := c.client.Do(request(t, "GET", server.URL))
			require.NoError(t, err, name)
			_ = response.Body.Close()
			if c.follows {
				assert.Equal(t, 200, response.StatusCode, "%s %d", name, status)
				assert.Len(t, seen.take(), 2, "%s %d", name, status)
				continue
			}
			assert.Equal(t, status, response.StatusCode, "%s %d", name, status)
			assert.Len(t, seen.take(), 1, "%s %d: the other host saw something", name, status)
		}
	}
}

// In a container behind a hop limit of 1 the answer to the token request never comes.
func TestMetadataWithoutToken(t *testing.T) {
	seen := new(journal)
	server := serve(t, seen, "imds", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte("my-role"))
	})
	for name, endpoint := range map[string]string{"by its headers": server.URL, "by its address": "http://169.254.169.254"} {
		t.Run(name, func(t *testing.T) {
			pool := transport.NewPool(transport.PoolOptions{Base: leadingTo(new(journal), server, nil), Callers: true})
			client := imds.NewFromConfig(aws.Config{HTTPClient: pool}, func(o *imds.Options) {
				o.Endpoint, o.ClientEnableState, o.Retryer = endpoint, imds.ClientEnabled, aws.NopRetryer{}
			})
			out, err := client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "iam/security-credentials/"})
			require.NoError(t, err)
			require.NoError(t, out.Content.Close())
		})
	}
	// The data request alone carries neither header nor address; it is known too.
	stuck := serve(t, seen, "imds", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		<-r.Context().Done()
	})
	client := imds.NewFromConfig(aws.Config{HTTPClient: transport.NewPool(transport.PoolOptions{})}, func(o *imds.Options) {
		o.Endpoint, o.ClientEnableState, o.Retryer = stuck.URL, imds.ClientEnabled, aws.NopRetryer{}
	})
	_, err := client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "iam/"})
	assert.ErrorContains(t, err, "timeout awaiting response headers")
}

// A connection to the metadata that does not come about is given up soon, whoever
// dials.
func TestMetadataDial(t *testing.T) {
	base := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	o := transport.PoolOptions{Base: base, Callers: true}
	for name, c := range map[string]aws.HTTPClient{"pool": transport.NewPool(o), "own": transport.Metadata(o)} {
		_, err := c.Do(request(t, "GET", "http://169.254.169.254/latest"))
		assert.ErrorIs(t, err, context.DeadlineExceeded, name)
	}
}
