package awsauth_test

import (
	"bytes"
	"context"
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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
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

// TestPaper: the tests below would see a secret.
func TestPaper(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7+MDENG"
	type inner struct{ hidden any }
	for name, write := range map[string]func(p *paper){
		"print":  func(p *paper) { p.print(aws.Credentials{SecretAccessKey: secret}) },
		"error":  func(p *paper) { p.print(errors.New("x " + secret)) },
		"hidden": func(p *paper) { p.dig(&inner{map[string]*inner{"k": {[]byte(secret)}}}) },
		"hex":    func(p *paper) { fmt.Fprintf(p, "%x", secret) },
		"bytes":  func(p *paper) { fmt.Fprint(p, []byte("a "+secret+" z")) },
		"query":  func(p *paper) { fmt.Fprint(p, url.Values{"k": {secret}}.Encode()) },
	} {
		var p paper
		write(&p)
		found := slices.ContainsFunc(forms(secret), func(form string) bool { return strings.Contains(p.String(), form) })
		assert.True(t, found, name)
	}
}

// loud are all of the SDK's log modes, signatures and bodies included.
const loud = aws.LogSigning | aws.LogRetries | aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogDeprecatedUsage

// TestNothingLeaks prints all that there is to print of a session of every
// source: before any call, in three kinds of trouble, and when it works.
func TestNothingLeaks(t *testing.T) {
	troubles := map[string]awsauthtest.Fault{
		"works":     {Kind: awsauthtest.None},
		"refuses":   {Kind: awsauthtest.Refuse, Code: "AccessDenied"},
		"malformed": {Kind: awsauthtest.Malformed},
		"hangs":     {Kind: awsauthtest.Hang},
	}
	for _, src := range explainSources() {
		for trouble, fault := range troubles {
			t.Run(src.name+" "+trouble, func(t *testing.T) {
				onAnyClock(t, src.name == "process" && trouble != "hangs", func(t *testing.T, w *place) {
					if src.name == "process" && trouble == "hangs" {
						t.Skip("the process does not hang")
					}
					w.watched()
					var p paper
					logger := slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))
					opts := append(src.fill(w, "us-east-1"), awsauth.WithLogger(logger),
						awsauth.WithLoadOptions(config.WithClientLogMode(loud),
							config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "bearer-token-of-ana"}})))
					w.spy.note("bearer token", "bearer-token-of-ana")
					for name := range w.fileSecrets() {
						w.spy.note("file", name)
					}
					role := awsauth.WithAccount(target)
					session := w.open(append(opts, role)...)
					w.show(&p, session)
					w.Inject(fault)
					creds, err := session.Retrieve(t.Context())
					if err == nil {
						w.spy.note("secret of the role", creds.SecretAccessKey)
						w.spy.note("token of the role", creds.SessionToken)
						require.Equal(t, trouble, "works")
					}
					p.print(err)
					p.dig(err)
					_, err = w.open(opts...).Identity(t.Context())
					p.print(err)
					p.dig(err)
					id, err := session.Identity(t.Context())
					p.print(err)
					p.print(id)
					p.dig(id)
					err = session.ForEachAccount(t.Context(), []string{target}, func(ctx context.Context, s *awsauth.Session) error {
						p.print(s)
						_, err := s.Retrieve(ctx)
						return err
					}, awsauth.WithProgress(func(pr awsauth.Progress) { p.print(pr); p.dig(pr) }))
					p.print(err)
					p.dig(err)
					w.show(&p, session)
					for _, option := range append(opts, role) {
						p.print(option)
					}
					p.clean(t, w.spy.seen)
				})
			})
		}
	}
}

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

// TestNoErrorLeaks prints and walks every error that the catalogue knows.
func TestNoErrorLeaks(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			onAnyClock(t, m.real, func(t *testing.T, w *place) {
				w.watched().files("", "")
				w.spy.note("code", "000000")
				err := m.make(w)
				require.Error(t, err)
				var p paper
				p.print(err)
				p.dig(err)
				w.spy.note("new secret", w.keys.SecretAccessKey)
				w.spy.note("option", someSecret)
				p.clean(t, w.spy.seen)
			})
		})
	}
}

// TestHalfAnAnswer: STS's answer is cut behind the secret, and the SDK keeps what
// came.
func TestHalfAnAnswer(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.watched()
		w.down(awsauthtest.Malformed)
		_, err := w.open(w.static(), awsauth.WithAccount(target)).Retrieve(t.Context())
		require.Error(t, err)
		var broken *smithy.DeserializationError
		require.ErrorAs(t, err, &broken)
		assert.Contains(t, w.spy.kinds(), "SecretAccessKey")
		var p paper
		p.dig(err)
		p.clean(t, w.spy.seen)
	})
}

func (s *spy) kinds() (all []string) {
	for _, what := range s.seen {
		all = append(all, what)
	}
	return all
}

// TestRepeatedValues: AWS repeats what has the wrong form, also where it is
// secret.
func TestRepeatedValues(t *testing.T) {
	const message = `2 validation errors detected: Value 'code-17' at 'tokenCode' failed to satisfy constraint: Member must have length 6; ` +
		`Value 'to.ken' at 'webIdentityToken' failed to satisfy constraint; Value 'x' at 'roleSessionName' failed`
	w := newPlace(t, awsauth.AWS)
	w.webToken()
	w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
	w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: http.StatusBadRequest, Code: "ValidationError", Message: message})
	for _, opts := range [][]awsauth.Option{{}, {w.static(), awsauth.WithAccount(target)}} {
		err := w.fetch(opts...)
		requireBad(t, err, awsauth.InvalidOption, "Value '…' at 'tokenCode'", "Value '…' at 'webIdentityToken'", "Value 'x' at 'roleSessionName'")
		var p paper
		p.print(err)
		p.dig(err)
		p.clean(t, map[string]string{"code-17": "code", "to.ken": "token"})
	}
}

// TestOptionsPrintNothing: options are values, and hold secrets.
func TestOptionsPrintNothing(t *testing.T) {
	keys := aws.Credentials{AccessKeyID: someID, SecretAccessKey: someSecret, SessionToken: "a-session-token"}
	var p paper
	for _, v := range []any{
		awsauth.WithStaticCredentials(someID, someSecret, "a-session-token"),
		awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })),
		awsauth.WithLoadOptions(config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "a-session-token"}})),
		awsauth.WithProfile("ops"), awsauth.WithAccount(target), awsauth.WithExternalID("x-1"), awsauth.WithConcurrency(3),
		awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithTemporaryOnly(),
	} {
		p.print(v)
		p.dig(v)
	}
	p.clean(t, map[string]string{someSecret: "secret key", "a-session-token": "token"})
}

// TestProcessArguments: the command line of a process may hold a password.
func TestProcessArguments(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\ncredential_process = echo '{\"password\": \"process-password\"}'\n", "")
	for _, profile := range []string{"ops", "keys"} {
		var p paper
		s := w.open(awsauth.WithProfile(profile), awsauth.WithLogger(slog.New(slog.NewJSONHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		_, err := s.Retrieve(t.Context())
		requireBad(t, err, awsauth.NoCredentials, "without Version 1")
		w.show(&p, s)
		p.print(err)
		p.dig(err)
		p.clean(t, map[string]string{"process-password": "argument"})
	}
}

// TestContainerToken: the token of the container's endpoint is in the
// environment, from where the SDK copies it.
func TestContainerToken(t *testing.T) {
	const token = "Basic container-token"
	w := newPlace(t, awsauth.AWS).watched()
	w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base"), Token: "another"})
	w.env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN="+token)
	s := w.open()
	_, err := s.Retrieve(t.Context())
	requireBad(t, err, awsauth.NoCredentials, "HTTP 401")
	var p paper
	w.show(&p, s)
	p.print(err)
	p.dig(err)
	assert.Contains(t, w.spy.seen, token)
	p.clean(t, w.spy.seen)
}

// TestEveryRecord prints the log of a session's whole life.
func TestEveryRecord(t *testing.T) {
	for _, handler := range []func(io.Writer, *slog.HandlerOptions) slog.Handler{
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		onItsClock(t, func(t *testing.T, w *place) {
			w.watched()
			var p paper
			s := w.inRole(awsauth.WithLogger(slog.New(handler(&p, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))),
				awsauth.WithLoadOptions(config.WithClientLogMode(loud)))
			get(t, s)
			up := w.down(awsauthtest.Malformed)
			time.Sleep(50 * time.Minute)
			get(t, s)
			time.Sleep(time.Minute)
			up()
			up = w.down(awsauthtest.Hang)
			get(t, s)
			time.Sleep(time.Minute)
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Hour)
			_, err = s.Retrieve(t.Context())
			require.Error(t, err)
			up()
			time.Sleep(time.Minute)
			w.Revoke(get(t, s).AccessKeyID)
			quiet := s.Config()
			quiet.ClientLogMode = 0
			_, err = sts.NewFromConfig(quiet).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			for _, message := range []string{"source chosen", "role assumed", "refresh failed", "no credentials", "refused"} {
				assert.Contains(t, p.String(), message)
			}
			p.clean(t, w.spy.seen)
		})
	}
}
