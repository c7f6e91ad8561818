package awsauthtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// socket is the Cloud on the loopback interface, if it is there.
type socket struct {
	mu     sync.Mutex
	url    string
	host   string
	server *http.Server
	stop   context.CancelFunc
	done   sync.WaitGroup // Serve itself and the requests it answers
	closed bool
}

// Serve puts the Cloud on a free port of 127.0.0.1 and returns its URL, without
// a trailing slash; called again, it returns the same one. It is the address to
// give as endpoint of STS (AWS_ENDPOINT_URL_STS, --endpoint-url), of the SSO
// portal (AWS_ENDPOINT_URL_SSO) and its token service (AWS_ENDPOINT_URL_SSO_OIDC),
// of the sign-in service (AWS_ENDPOINT_URL_SIGNIN; AWS_ENDPOINT_URL stands for
// all) and of Roles Anywhere, as AWS_EC2_METADATA_SERVICE_ENDPOINT, and, followed by what
// [Cloud.SetContainer] returned, as AWS_CONTAINER_CREDENTIALS_FULL_URI. As
// the host name no longer says it, region and partition are those of the
// credential scope. After Close it returns an error.
//
// Anybody on the machine can ask; what they can get are keys that open nothing
// else. A request whose Host header is neither an address of this machine nor a
// host that the Cloud knows is refused with 403.
func (c *Cloud) Serve() (string, error) {
	openServed()
	s := &c.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", fmt.Errorf("awsauthtest: serve: %w", net.ErrClosed)
	}
	if s.server != nil {
		return s.url, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("awsauthtest: serve: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.host, s.url, s.stop = listener.Addr().String(), "http://"+listener.Addr().String(), stop
	s.server = &http.Server{
		Handler:           http.HandlerFunc(c.serveHTTP),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
	}
	server := s.server // close sets the field to nil
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		_ = server.Serve(listener) // ends with ErrServerClosed
	}()
	return s.url, nil
}

func (s *socket) close() error {
	s.mu.Lock()
	server, stop := s.server, s.stop
	s.server, s.closed = nil, true
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	stop()
	err := server.Close()
	s.done.Wait()
	return err
}

// is reports whether a URL leads to the socket.
func (s *socket) is(u *url.URL) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server != nil && u.Host == s.host
}

// begin counts a request in, unless the socket is closed.
func (s *socket) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.done.Add(1)
	return true
}

// serveHTTP is the Cloud on the socket.
func (c *Cloud) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.socket.begin() {
		abort(w)
		return
	}
	defer c.socket.done.Done()
	at, ok := c.routeSocket(r)
	if !ok {
		http.Error(w, "awsauthtest: the Host header names neither this socket nor a host of AWS", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, at.maxBody())
	body, err := readBody(r, at.maxBody())
	if err != nil {
		http.Error(w, "request body: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	out, err := c.answer(r.Context(), newRequest(r, r.Host, body, at))
	if err != nil {
		abort(w)
		return
	}
	for name, values := range out.header {
		w.Header()[name] = values
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

// routeSocket finds the service that a request on the socket is for; false: it is
// for none. A client that uses the socket as its proxy names a host of AWS, and
// one that comes by another port of this machine names that. Every other name is
// a stranger's: a web page whose name was made to lead here must not read keys.
func (c *Cloud) routeSocket(r *http.Request) (place, bool) {
	if at, ok := c.locate(r.Host); ok {
		return at, true
	}
	name := strings.ToLower(strings.Trim(hostname(r.Host), "[]"))
	own := name == "localhost" || net.ParseIP(name).IsLoopback()
	return c.routeLoopback(r.URL.Path), own
}

// routeLoopback finds the service by the path, where the host says nothing.
func (c *Cloud) routeLoopback(path string) place {
	switch {
	case strings.HasPrefix(path, "/latest/"):
		return place{service: serviceMetadata}
	case strings.HasPrefix(path, containerPath), path == podCredentials:
		return place{service: serviceContainer}
	case path == federationPath, path == loginPath:
		return place{service: serviceSignin}
	case isSSO(path):
		return place{service: serviceSSO}
	case isOIDC(path):
		return place{service: serviceOIDC}
	case path == anywherePath:
		return place{service: serviceAnywhere}
	}
	return place{service: serviceSTS}
}

// abort ends the connection with a reset instead of an answer.
func abort(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection to take; closes the stream
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST
	}
	_ = conn.Close()
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func readBody(r *http.Request, most int64) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("awsauthtest: request body larger than %d MiB", most>>20)
	}
	return body, err
}

// response makes the reply an http.Response to a request in memory.
func (out reply) response(r *http.Request) *http.Response {
	length := int64(len(out.body))
	if r.Method == http.MethodHead {
		if declared, err := strconv.ParseInt(out.header.Get("Content-Length"), 10, 64); err == nil {
			length = declared
		}
		out.body = nil
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", out.status, http.StatusText(out.status)),
		StatusCode: out.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        out.header,
		Body:          io.NopCloser(bytes.NewReader(out.body)),
		ContentLength: length,
		Request:       r,
	}
}
