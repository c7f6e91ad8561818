package lab

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
)

// Spy stands between the library and AWS and notes every secret that passes in
// either direction.
type Spy struct {
	next http.RoundTripper
	mu   sync.Mutex
	Seen map[string]string // secret → what it is
}

// secretFields finds what is secret in forms and answers of all services.
var secretFields = regexp.MustCompile(`(?:"?(SecretAccessKey|SessionToken|Token|secretAccessKey|sessionToken)"?\s*[:>]\s*"?([^"<\s]{8,}))|` +
	`(?:\b(WebIdentityToken|TokenCode)=([^&]+))`)

// Note notes a secret; what says what it is.
func (s *Spy) Note(what, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) >= 6 {
		s.Seen[secret] = what
	}
}

func (s *Spy) read(body io.ReadCloser) io.ReadCloser {
	if body == nil {
		return nil
	}
	text, _ := io.ReadAll(body)
	_ = body.Close()
	for _, m := range secretFields.FindAllStringSubmatch(string(text), -1) {
		secret, _ := url.QueryUnescape(m[4])
		s.Note(m[1]+m[3], m[2]+secret)
	}
	return io.NopCloser(bytes.NewReader(text))
}

// RoundTrip passes the request on.
func (s *Spy) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Sso_bearer_token", "X-Aws-Ec2-Metadata-Token"} {
		s.Note(name, r.Header.Get(name))
	}
	auth := r.Header.Get("Authorization")
	if _, signature, ok := strings.Cut(auth, "Signature="); ok {
		auth = signature
	}
	s.Note("Authorization", auth)
	r.Body = s.read(r.Body)
	response, err := s.next.RoundTrip(r)
	if response != nil {
		if strings.HasSuffix(r.URL.Path, "/api/token") {
			text, _ := io.ReadAll(response.Body)
			s.Note("instance token", string(text))
			response.Body = io.NopCloser(bytes.NewReader(text))
		}
		response.Body = s.read(response.Body)
	}
	return response, err
}

// Kinds are those of the secrets that were seen.
func (s *Spy) Kinds() (all []string) {
	for _, what := range s.Seen {
		all = append(all, what)
	}
	return all
}

// LoadOptions puts the spy between, where there is one. It hides the Cloud's.
func (w *Place) LoadOptions() func(*config.LoadOptions) error {
	return func(o *config.LoadOptions) error {
		if err := w.Cloud.LoadOptions()(o); err != nil || w.Spy == nil {
			return err
		}
		client := &http.Client{Transport: w.Spy}
		o.HTTPClient = client
		o.EndpointCredentialOptions = func(eo *endpointcreds.Options) { eo.HTTPClient = client }
		return nil
	}
}

// Watched puts a spy between the sessions that are opened from here on and the
// Cloud, and returns the place.
func (w *Place) Watched() *Place {
	w.Spy = &Spy{next: w.Client().Transport, Seen: map[string]string{}}
	w.Spy.Note("secret key", w.Keys.SecretAccessKey)
	return w
}

// FileSecrets are what lies in files: tokens, keys, and what a process writes.
func (w *Place) FileSecrets() map[string]bool {
	found := map[string]bool{}
	for _, name := range []string{"token", "keys.json"} {
		if text, err := os.ReadFile(w.Dir + "/" + name); err == nil {
			found[string(text)] = true
		}
	}
	return found
}
