// Package serve hands credentials to other programs as the endpoint of a
// container does: http://127.0.0.1:<port>/<path>, with a bearer token. Every SDK
// of AWS asks such an endpoint again before its keys expire, so a program that
// gets its keys from here goes on for as long as the server does.
//
// A request is answered from memory. The keys there are renewed behind it, early
// enough that what is handed out has 15 minutes left, or a third of its lifetime
// where that is less. Where renewal fails, the keys at hand are handed out until
// they expire, and never afterwards.
package serve

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// answerTime bounds a renewal that a request waits for. SDKs give up after one
	// second (boto3 two).
	answerTime = 900 * time.Millisecond
	// renewTime bounds a renewal that nobody waits for.
	renewTime = 30 * time.Second
	// leastLeft is how long the keys handed out live at the least: boto3 asks before
	// every call of its own when less is left.
	leastLeft = 15 * time.Minute
	// slowest and fastest bound how often the keys in memory are looked after.
	slowest, fastest = time.Minute, 100 * time.Millisecond
)

// ErrNoEnd is the error of Start for keys that come without an end, as long-lived ones
// do, and temporary ones of the environment: nothing would ever renew them.
var ErrNoEnd = errors.New("these keys come without an end, so nothing renews them")

// Server is the endpoint. Close ends it.
type Server struct {
	from  aws.CredentialsProvider
	tell  func(error)
	host  string // host and port, as the Host header must have it
	path  string
	token string

	server  *http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	held held
	told string // the last failure that was told
}

// held is what is in memory.
type held struct {
	keys  aws.Credentials
	since time.Time // when these keys were first seen
}

// Start gets the first keys of from, and only then listens, on a free port of the
// loopback address. tell is called with each failure, but not with the same one
// twice in a row; it may be called from any goroutine. The server runs until
// Close, whatever becomes of ctx.
func Start(ctx context.Context, from aws.CredentialsProvider, tell func(error)) (*Server, error) {
	return StartOn(ctx, from, tell, func() (net.Listener, error) { return net.Listen("tcp4", "127.0.0.1:0") })
}

// StartOn is Start with a listener of the caller's.
func StartOn(ctx context.Context, from aws.CredentialsProvider, tell func(error), listen func() (net.Listener, error)) (*Server, error) {
	keys, err := from.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	if !keys.CanExpire {
		return nil, ErrNoEnd
	}
	listener, err := listen()
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback address: %w", err)
	}
	s := &Server{
		from: from, tell: tell, host: listener.Addr().String(), path: "/" + rand.Text(), token: rand.Text() + rand.Text(),
		held: held{keys: keys, since: time.Now()},
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() { _ = s.server.Serve(listener) }) // ends with Close
	s.running.Go(func() { s.lookAfter(ctx) })
	return s, nil
}

// URL is the address to give as AWS_CONTAINER_CREDENTIALS_FULL_URI.
func (s *Server) URL() string { return "http://" + s.host + s.path }

// Token is what to give as AWS_CONTAINER_AUTHORIZATION_TOKEN. It is a secret.
func (s *Server) Token() string { return s.token }

// Close ends the server. Afterwards nothing listens.
func (s *Server) Close() error {
	s.cancel()
	err := s.server.Close()
	s.running.Wait()
	return err
}

// lookAfter renews the keys in memory for as long as the server runs. The provider
// decides when: it returns the same keys until it is time for new ones.
func (s *Server) lookAfter(ctx context.Context) {
	for {
		timer := time.NewTimer(s.hold().interval())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		s.report(s.renew(ctx, renewTime)) // and tries again
	}
}

// interval is how long after one look the next one comes.
func (h held) interval() time.Duration {
	return min(slowest, max(fastest, h.lifetime()/60))
}

func (h held) lifetime() time.Duration { return h.keys.Expires.Sub(h.since) }

// enough reports whether the keys live long enough to be handed out unasked.
func (h held) enough(now time.Time) bool {
	return h.keys.Expires.Sub(now) > min(leastLeft, h.lifetime()/3)
}

func (h held) expired(now time.Time) bool { return !now.Before(h.keys.Expires) }

func (s *Server) hold() held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// renew asks the provider, and keeps what is newer.
func (s *Server) renew(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	keys, err := s.from.Retrieve(ctx)
	if err == nil && !keys.CanExpire {
		err = ErrNoEnd
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if keys.AccessKeyID != s.held.keys.AccessKeyID || keys.Expires.After(s.held.keys.Expires) {
		s.held = held{keys: keys, since: time.Now()}
	}
	return nil
}

// report tells how a renewal went, if it failed and not as the last one did.
func (s *Server) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	again := s.told == text
	s.told = text
	s.mu.Unlock()
	if text != "" && !again && !errors.Is(err, context.Canceled) {
		s.tell(err)
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("Authorization")
	switch {
	case r.Host != s.host: // a web page of a name that leads here: DNS rebinding
		refuse(w, http.StatusForbidden, "Forbidden", "the Host header is not this endpoint's")
	case subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1:
		refuse(w, http.StatusForbidden, "Forbidden", "the authorization token is wrong: only the program that awsauth exec --serve started has it")
	case r.URL.Path != s.path:
		refuse(w, http.StatusNotFound, "NotFound", "there is nothing at this path")
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered")
	default:
		s.answer(w, r)
	}
}

// answer hands out keys, or says why there are none.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var err error
	if !s.hold().enough(time.Now()) {
		err = s.renew(r.Context(), answerTime)
	}
	h := s.hold()
	if h.expired(time.Now()) {
		refuse(w, http.StatusServiceUnavailable, "CredentialsUnavailable", s.why(err))
		return
	}
	write(w, http.StatusOK, map[string]string{
		"AccessKeyId":     h.keys.AccessKeyID,
		"SecretAccessKey": h.keys.SecretAccessKey,
		"Token":           h.keys.SessionToken,
		"Expiration":      h.keys.Expires.UTC().Format("2006-01-02T15:04:05Z"), // the SDK for JavaScript reads no other form
	}, "AccountId", h.keys.AccountID)
}

// why says why there are no keys. A request waits for a moment only, and that it did
// says less than how the last renewal failed.
func (s *Server) why(err error) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.told != "" && (err == nil || errors.Is(err, context.DeadlineExceeded)):
		return s.told
	case err != nil:
		return err.Error()
	}
	return "the keys expired, and there are no new ones yet"
}

// refuse answers an error. Some SDKs read the lower-case names, some the others.
func refuse(w http.ResponseWriter, status int, code, message string) {
	write(w, status, map[string]string{"code": code, "Code": code, "message": message, "Message": message}, "", "")
}

// write sends fields as JSON, and one more if it has a value.
func write(w http.ResponseWriter, status int, fields map[string]string, name, value string) {
	if value != "" {
		fields[name] = value
	}
	body, err := json.Marshal(fields)
	if err != nil { // strings can be encoded
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
