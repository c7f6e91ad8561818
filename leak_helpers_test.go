package awsauth_test

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// spy stands between the library and AWS and notes every secret that passes in
// either direction.
type spy struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]string // secret → what it is
}

// secretFields finds what is secret in forms and answers of all services.
var secretFields = regexp.MustCompile(`(?:"?(SecretAccessKey|SessionToken|Token|secretAccessKey|sessionToken)"?\s*[:>]\s*"?([^"<\s]{8,}))|` +

	`(?:\b(WebIdentityToken|TokenCode)=([^&]+))`)

func (s *spy) note(what, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) >= 6 {
		s.seen[secret] = what
	}
}

func (s *spy) read(body io.ReadCloser) io.ReadCloser {
	if body == nil {
		return nil
	}
	text, _ := io.ReadAll(body)
	_ = body.Close()
	for _, m := range secretFields.FindAllStringSubmatch(string(text), -1) {
		secret, _ := url.QueryUnescape(m[4])
		s.note(m[1]+m[3], m[2]+secret)
	}
	return io.NopCloser(bytes.NewReader(text))
}

// RoundTrip passes the request on.
func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Sso_bearer_token", "X-Aws-Ec2-Metadata-Token"} {
		s.note(name, r.Header.Get(name))
	}
	auth := r.Header.Get("Authorization")
	if _, signature, ok := strings.Cut(auth, "Signature="); ok {
		auth = signature
	}
	s.note("Authorization", auth)
	r.Body = s.read(r.Body)
	response, err := s.next.RoundTrip(r)
	if response != nil {
		if strings.HasSuffix(r.URL.Path, "/api/token") {
			text, _ := io.ReadAll(response.Body)
			s.note("instance token", string(text))
			response.Body = io.NopCloser(bytes.NewReader(text))
		}
		response.Body = s.read(response.Body)
	}
	return response, err
}

// LoadOptions puts the spy between, where there is one. It hides the Cloud's.
func (w *place) LoadOptions() func(*config.LoadOptions) error {
	return func(o *config.LoadOptions) error {
		if err := w.Cloud.LoadOptions()(o); err != nil || w.spy == nil {
			return err
		}
		client := &http.Client{Transport: w.spy}
		o.HTTPClient = client
		o.EndpointCredentialOptions = func(eo *endpointcreds.Options) { eo.HTTPClient = client }
		return nil
	}
}

// watched gives a place a spy.
func (w *place) watched() *place {
	w.spy = &spy{next: w.Client().Transport, seen: map[string]string{}}
	w.spy.note("secret key", w.keys.SecretAccessKey)
	return w
}

// paper is everything that was printed, each piece once: configurations repeat
// themselves.
type paper struct {
	mu   sync.Mutex // the log is written from refreshes, too
	text bytes.Buffer
	once map[string]bool
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.once == nil {
		p.once = map[string]bool{}
	}
	if !p.once[string(b)] {
		p.once[string(b)] = true
		p.text.Write(b)
	}
	return len(b), nil
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// verbs are those of fmt's that show a text, in a form that forms knows.
var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%X", "%d", "%T"}

// print prints v in every way.
func (p *paper) print(v any) {
	held := []any{v, &v, struct{ V any }{v}, []any{v}, map[string]any{"k": v}}
	if rv := reflect.ValueOf(v); rv.IsValid() {
		pointer := reflect.New(rv.Type())
		pointer.Elem().Set(rv)
		held = append(held, pointer.Interface())
		if rv.Kind() == reflect.Pointer && !rv.IsNil() && rv.Type() != reflect.TypeFor[*awsauth.Session]() {
			held = append(held, rv.Elem().Interface()) // printed by its fields, not its methods
		}
	}
	for _, h := range held {
		for _, verb := range verbs {
			fmt.Fprintf(p, verb+"\n", h)
		}
		fmt.Fprintln(p, h)
		if text, err := json.Marshal(h); err == nil {
			_, _ = p.Write(text)
		}
		for _, handler := range []slog.Handler{
			slog.NewTextHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug}),
			slog.NewJSONHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug}),
		} {
			slog.New(handler).With("with", h).WithGroup("group").Debug("message", "value", h)
		}
		func() {
			defer func() { fmt.Fprint(p, recover()) }()
			panic(h)
		}()
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText()
		_, _ = p.Write(text)
	}
	if err, ok := v.(error); ok {
		fmt.Fprintf(p, "%v %+v %#v", errors.Join(err, err), fmt.Errorf("wrapped: %w", err), &awsauth.AccountError{Account: target, Err: err})
	}
}

// walk prints every string that reflection finds behind v, unexported fields
// too. Functions are the end of it, and so is the Cloud of the test.
func (p *paper) walk(v reflect.Value, seen map[uintptr]bool) {
	if !v.IsValid() || strings.HasSuffix(v.Type().PkgPath(), "/awsauthtest") {
		return
	}
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintln(p, v.String())
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] || v.Type() == reflect.TypeFor[*spy]() || v.Type() == reflect.TypeFor[*paper]() {
			return
		}
		seen[v.Pointer()] = true
		p.walk(v.Elem(), seen)
	case reflect.Interface:
		p.walk(v.Elem(), seen)
	case reflect.Struct:
		for i := range v.NumField() {
			p.walk(v.Field(i), seen)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			text := make([]byte, v.Len())
			for i := range text {
				text[i] = byte(v.Index(i).Uint())
			}
			fmt.Fprintln(p, string(text))
			return
		}
		for i := range v.Len() {
			p.walk(v.Index(i), seen)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			p.walk(it.Key(), seen)
			p.walk(it.Value(), seen)
		}
	}
}

// dig walks v.
func (p *paper) dig(v any) { p.walk(reflect.ValueOf(v), map[uintptr]bool{}) }

// forms are how a secret may look on paper.
func forms(secret string) []string {
	quoted := fmt.Sprintf("%q", secret)
	bytes := fmt.Sprint([]byte(secret))
	return []string{
		secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), quoted[1 : len(quoted)-1],
		bytes[1 : len(bytes)-1], url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	}
}

// clean asks that none of the secrets is on the paper.
func (p *paper) clean(t *testing.T, secrets map[string]string) {
	t.Helper()
	printed := p.String()
	require.NotEmpty(t, printed)
	for secret, what := range secrets {
		for _, form := range forms(secret) {
			if i := strings.Index(printed, form); i >= 0 {
				t.Errorf("a secret (%s) is shown after %q", what, printed[max(0, i-160):i])
				break
			}
		}
	}
}

// loud are all of the SDK's log modes, signatures and bodies included.
const loud = aws.LogSigning | aws.LogRetries | aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogDeprecatedUsage

// show prints what a session has to show.
func (*place) show(p *paper, s *awsauth.Session) {
	cfg := s.Config()
	report := s.Explain()
	for _, v := range []any{s, cfg, cfg.Credentials, cfg.ConfigSources, report, report.Steps, report.Steps[0]} {
		p.print(v)
	}
	p.dig(cfg.ConfigSources)
	p.dig(report)
}

// fileSecrets are what lies in files: tokens, keys, and what a process writes.
func (w *place) fileSecrets() map[string]bool {
	found := map[string]bool{}
	for _, name := range []string{"token", "keys.json"} {
		if text, err := os.ReadFile(w.dir + "/" + name); err == nil {
			found[string(text)] = true
		}
	}
	return found
}

func (s *spy) kinds() (all []string) {
	for _, what := range s.seen {
		all = append(all, what)
	}
	return all
}
