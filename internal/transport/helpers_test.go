package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/require"
)

// journal collects what servers and dial functions saw.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// serve starts a server that notes "<name> <host><path> <authorization>" of each
// request before it answers.
func serve(t *testing.T, j *journal, name string, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.add(name + " " + r.Host + r.URL.Path + " " + r.Header.Get("Authorization"))
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// leadingTo is a client of the caller's whose every connection ends at server and
// whose proxy is proxy.
func leadingTo(j *journal, server, proxy *httptest.Server) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.Proxy = nil
		if proxy != nil {
			u, err := url.Parse(proxy.URL)
			if err != nil {
				panic(err)
			}
			tr.Proxy = http.ProxyURL(u)
		}
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			j.add("dial " + address)
			to := server.Listener.Addr().String()
			if proxy != nil && address == proxy.Listener.Addr().String() {
				to = address
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		}
	})
}

func request(t *testing.T, method, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer geheim")
	return r
}

// text reads and closes an answer.
func text(t *testing.T, response *http.Response, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}
