package lab

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// Paper is everything that was printed, each piece once: configurations repeat
// themselves.
type Paper struct {
	mu   sync.Mutex // the log is written from refreshes, too
	text bytes.Buffer
	once map[string]bool
}

// Write implements io.Writer, for a log.
func (p *Paper) Write(b []byte) (int, error) {
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

// String is all of it.
func (p *Paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// verbs are those of fmt's that show a text, in a form that Forms knows.
var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%X", "%d", "%T"}

// Print prints v in every way.
func (p *Paper) Print(v any) {
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
		fmt.Fprintf(p, "%v %+v %#v", errors.Join(err, err), fmt.Errorf("wrapped: %w", err), &awsauth.AccountError{Account: Target, Err: err})
	}
}

// walk prints every string that reflection finds behind v, unexported fields
// too. Functions are the end of it, and so is the Cloud of the test.
func (p *Paper) walk(v reflect.Value, seen map[uintptr]bool) {
	if !v.IsValid() || strings.HasSuffix(v.Type().PkgPath(), "/awsauthtest") {
		return
	}
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintln(p, v.String())
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] || v.Type() == reflect.TypeFor[*Spy]() || v.Type() == reflect.TypeFor[*Paper]() {
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

// Dig prints what reflection finds behind v.
func (p *Paper) Dig(v any) { p.walk(reflect.ValueOf(v), map[uintptr]bool{}) }

// All prints v and digs in it.
func (p *Paper) All(v any) {
	p.Print(v)
	p.Dig(v)
}

// Forms are how a secret may look on paper.
func Forms(secret string) []string {
	quoted := fmt.Sprintf("%q", secret)
	bytes := fmt.Sprint([]byte(secret))
	return []string{
		secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), quoted[1 : len(quoted)-1],
		bytes[1 : len(bytes)-1], url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	}
}

// Clean asks that none of the secrets is on the paper.
func (p *Paper) Clean(t *testing.T, secrets map[string]string) {
	t.Helper()
	printed := p.String()
	require.NotEmpty(t, printed)
	for secret, what := range secrets {
		for _, form := range Forms(secret) {
			if i := find(printed, form, secret); i >= 0 {
				t.Errorf("a secret (%s) is shown after %q", what, printed[max(0, i-160):i])
				break
			}
		}
	}
}

// find is where a form of a secret is shown, or -1. The digits of a code may be part
// of a longer number or name by chance.
func find(printed, form, secret string) int {
	for from := 0; ; {
		i := strings.Index(printed[from:], form)
		if i < 0 {
			return -1
		}
		i += from
		if from = i + len(form); len(secret) > 6 || !inWord(printed, i-1) && !inWord(printed, from) {
			return i
		}
	}
}

// inWord reports whether the character there is a letter or digit.
func inWord(s string, i int) bool {
	return i >= 0 && i < len(s) && strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(s[i]))
}

// Loud are all of the SDK's log modes, signatures and bodies included.
const Loud = aws.LogSigning | aws.LogRetries | aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogDeprecatedUsage

// Show prints what a session has to show.
func (*Place) Show(p *Paper, s *awsauth.Session) {
	cfg := s.Config()
	report := s.Explain()
	for _, v := range []any{s, cfg, cfg.Credentials, cfg.ConfigSources, report, report.Steps, report.Steps[0]} {
		p.Print(v)
	}
	p.Dig(cfg.ConfigSources)
	p.Dig(report)
}
