package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/serve"
)

// source hands out keys that a test sets.
type source struct {
	mu    sync.Mutex
	keys  aws.Credentials
	err   error
	hangs bool
	asked int
}

func (s *source) set(f func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// count is how often it was asked.
func (s *source) count() (n int) {
	s.set(func(s *source) { n = s.asked })
	return n
}

func (s *source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	s.asked++
	keys, err, hangs := s.keys, s.err, s.hangs
	s.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return aws.Credentials{}, ctx.Err()
	}
	return keys, err
}

func keys(id string, life time.Duration) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: id, SecretAccessKey: "secret-" + id, SessionToken: "token-" + id, AccountID: "222222222222",
		CanExpire: true, Expires: time.Now().Add(life),
	}
}

func start(t *testing.T, from aws.CredentialsProvider, tell func(error)) *serve.Server {
	t.Helper()
	s, err := serve.Start(t.Context(), from, tell)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// quiet fails the test for a failure that it does not expect.
func quiet(t *testing.T) func(error) {
	return func(err error) { t.Errorf("told: %v", err) }
}

// get asks over the socket, with changes to the request.
func get(t *testing.T, s *serve.Server, change func(*http.Request)) (int, map[string]string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", s.Token())
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	return decode(t, res.StatusCode, res.Body)
}

func decode(t *testing.T, status int, body io.Reader) (int, map[string]string) {
	t.Helper()
	fields := map[string]string{}
	require.NoError(t, json.NewDecoder(body).Decode(&fields))
	return status, fields
}

func TestAnswer(t *testing.T) {
	from := &source{keys: keys("ASIA1", time.Hour)}
	s := start(t, from, quiet(t))
	assert.Regexp(t, `^http://127\.0\.0\.1:[0-9]+/[A-Z2-7]{26}$`, s.URL())
	assert.Len(t, s.Token(), 52)
	status, fields := get(t, s, nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, map[string]string{
		"AccessKeyId": "ASIA1", "SecretAccessKey": "secret-ASIA1", "Token": "token-ASIA1", "AccountId": "222222222222",
		"Expiration": from.keys.Expires.UTC().Format("2006-01-02T15:04:05Z"),
	}, fields)
	for range 10 {
		get(t, s, nil)
	}
	assert.Equal(t, 1, from.asked, "from memory")

	other := start(t, from, quiet(t))
	assert.NotEqual(t, s.Token(), other.Token())
	assert.NotEqual(t, s.URL()[len("http://127.0.0.1:"):], other.URL()[len("http://127.0.0.1:"):])
}

// TestForbidden: only who has the token is answered, and only under the
// endpoint's own name.
func TestForbidden(t *testing.T) {
	s := start(t, &source{keys: keys("ASIA1", time.Hour)}, quiet(t))
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, 403},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", s.Token()+"x") }, 403},
		{"wrong case", func(r *http.Request) { r.Header.Set("Authorization", strings.ToLower(s.Token())) }, 403},
		{"foreign host", func(r *http.Request) { r.Host = "evil.example.com" }, 403},
		{"foreign host, this port", func(r *http.Request) { r.Host = "evil.example.com:" + r.URL.Port() }, 403},
		{"localhost", func(r *http.Request) { r.Host = "localhost:" + r.URL.Port() }, 403},
		{"no port", func(r *http.Request) { r.Host = "127.0.0.1" }, 403},
		{"path", func(r *http.Request) { r.URL.Path = "/" }, 404},
		{"path and token", func(r *http.Request) { r.URL.Path = "/"; r.Header.Del("Authorization") }, 403},
		{"longer path", func(r *http.Request) { r.URL.Path += "/x" }, 404},
		{"method", func(r *http.Request) { r.Method = http.MethodPost }, 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, fields := get(t, s, tt.change)
			assert.Equal(t, tt.status, status)
			assert.NotEmpty(t, fields["code"])
			assert.NotEmpty(t, fields["message"])
			assert.Equal(t, fields["code"], fields["Code"])
			assert.Equal(t, fields["message"], fields["Message"])
			assert.Len(t, fields, 4, "and no keys")
		})
	}
}

func TestStartFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := serve.Start(t.Context(), &source{err: broken}, quiet(t))
	require.ErrorIs(t, err, broken)
	_, err = serve.Start(t.Context(), &source{keys: aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "s"}}, quiet(t))
	require.ErrorIs(t, err, serve.ErrNoEnd)
}

func TestClose(t *testing.T) {
	s, err := serve.Start(t.Context(), &source{keys: keys("ASIA1", time.Hour)}, quiet(t))
	require.NoError(t, err)
	get(t, s, nil)
	require.NoError(t, s.Close())
	address, _, _ := strings.Cut(strings.TrimPrefix(s.URL(), "http://"), "/")
	_, err = net.DialTimeout("tcp", address, time.Second)
	require.Error(t, err, "nothing listens")
}

// TestSDK: the Go SDK's own client reads the answers, and the text of an error.
func TestSDK(t *testing.T) {
	s := start(t, &source{keys: keys("ASIA1", time.Hour)}, quiet(t))
	p := endpointcreds.New(s.URL(), func(o *endpointcreds.Options) { o.AuthorizationToken = s.Token() })
	got, err := p.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ASIA1", got.AccessKeyID)
	assert.Equal(t, "222222222222", got.AccountID)
	p = endpointcreds.New(s.URL(), func(o *endpointcreds.Options) { o.AuthorizationToken = "wrong" })
	_, err = p.Retrieve(t.Context())
	require.ErrorContains(t, err, "authorization token is wrong")
}

// deaf is a listener that nobody dials: a socket would keep a bubble's clock from
// going on.
type deaf struct{ closed chan struct{} }

func (d deaf) Accept() (net.Conn, error) { <-d.closed; return nil, net.ErrClosed }
func (d deaf) Close() error              { close(d.closed); return nil }
func (d deaf) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }

// startDeaf starts a server inside a bubble.
func startDeaf(t *testing.T, from aws.CredentialsProvider, tell func(error)) *serve.Server {
	t.Helper()
	s, err := serve.StartOn(t.Context(), from, tell, func() (net.Listener, error) { return deaf{make(chan struct{})}, nil })
	require.NoError(t, err)
	return s
}

// ask asks inside a bubble, without the socket.
func ask(t *testing.T, s *serve.Server) (int, map[string]string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), nil)
	r.Header.Set("Authorization", s.Token())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return decode(t, w.Code, w.Body)
}

// TestRenewal: the keys in memory are renewed while nobody asks.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{keys: keys("ASIA1", time.Hour)}
		s := startDeaf(t, from, quiet(t))
		<-time.After(30 * time.Minute)
		from.set(func(f *source) { f.keys = keys("ASIA2", time.Hour) })
		<-time.After(2 * time.Minute)
		from.set(func(f *source) { f.hangs = true })
		_, fields := ask(t, s)
		assert.Equal(t, "ASIA2", fields["AccessKeyId"])
		require.NoError(t, s.Close())
	})
}

// TestOutage: while the source is down the keys at hand are handed out in time, and
// never past their expiry. A failure is told once.
func TestOutage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*source)
	}{
		{"refuses", func(f *source) { f.err = errors.New("STS is down") }},
		{"hangs", func(f *source) { f.hangs = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &source{keys: keys("ASIA1", time.Hour)}
				var mu sync.Mutex
				var told []string
				s := startDeaf(t, from, func(err error) {
					mu.Lock()
					defer mu.Unlock()
					told = append(told, err.Error())
				})
				from.set(tt.spoil)
				for _, at := range []time.Duration{30 * time.Minute, 50 * time.Minute, 59 * time.Minute} {
					<-time.After(time.Until(from.keys.Expires.Add(at - time.Hour)))
					before := time.Now()
					status, fields := ask(t, s)
					assert.Equal(t, http.StatusOK, status, at)
					assert.Equal(t, "ASIA1", fields["AccessKeyId"], at)
					assert.Less(t, time.Since(before), time.Second, at)
				}
				<-time.After(time.Until(from.keys.Expires))
				before := time.Now()
				status, fields := ask(t, s)
				assert.Equal(t, http.StatusServiceUnavailable, status)
				assert.Less(t, time.Since(before), time.Second)
				assert.NotEmpty(t, fields["Message"])
				assert.NotContains(t, fields, "AccessKeyId")
				mu.Lock()
				assert.Len(t, told, 1)
				mu.Unlock()

				from.set(func(f *source) { f.err, f.hangs, f.keys = nil, false, keys("ASIA2", time.Hour) })
				status, fields = ask(t, s)
				assert.Equal(t, http.StatusOK, status)
				assert.Equal(t, "ASIA2", fields["AccessKeyId"])
				require.NoError(t, s.Close())
			})
		})
	}
}

// TestLeastLeft: what has too little left is renewed before it is handed out, as
// after a night of a closed laptop.
func TestLeastLeft(t *testing.T) {
	tests := []struct{ life, left time.Duration }{
		{time.Hour, 14*time.Minute + 50*time.Second},
		{15 * time.Minute, 4*time.Minute + 50*time.Second},
		{12 * time.Hour, 14*time.Minute + 50*time.Second},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			from := &source{keys: keys("ASIA1", tt.life)}
			s := startDeaf(t, from, quiet(t))
			<-time.After(tt.life - tt.left)
			from.set(func(f *source) { f.keys = keys("ASIA2", tt.life) })
			_, fields := ask(t, s)
			assert.Equal(t, "ASIA2", fields["AccessKeyId"], tt)
			require.NoError(t, s.Close())
		})
	}
}
