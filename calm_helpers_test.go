package awsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
)

// notebook is a log handler that keeps each record as it was written, without the
// quoting that slog's own handlers add.
type notebook struct {
	mu    *sync.Mutex
	lines *[]string
	with  []slog.Attr
}

func newNotebook() *notebook { return &notebook{mu: &sync.Mutex{}, lines: &[]string{}} }

func (r *notebook) option() awsauth.Option { return awsauth.WithLogger(slog.New(r)) }

// Enabled implements slog.Handler.
func (*notebook) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (r *notebook) Handle(_ context.Context, rec slog.Record) error {
	parts := []string{rec.Level.String(), rec.Message}
	note := func(a slog.Attr) bool {
		parts = append(parts, a.Key+"="+a.Value.Resolve().String())
		return true
	}
	for _, a := range r.with {
		note(a)
	}
	rec.Attrs(note)
	r.mu.Lock()
	defer r.mu.Unlock()
	*r.lines = append(*r.lines, strings.Join(parts, " "))
	return nil
}

// WithAttrs implements slog.Handler.
func (r *notebook) WithAttrs(attrs []slog.Attr) slog.Handler {
	cp := *r
	cp.with = append(append([]slog.Attr{}, r.with...), attrs...)
	return &cp
}

// WithGroup implements slog.Handler.
func (r *notebook) WithGroup(string) slog.Handler { return r }

func (r *notebook) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, *r.lines...)
}

func (r *notebook) String() string { return strings.Join(r.all(), "\n") }

// has reports whether there is a record of that level with all the parts.
func (r *notebook) has(level string, parts ...string) bool {
	for _, line := range r.all() {
		found := strings.HasPrefix(line, level+" ")
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return true
		}
	}
	return false
}

// nothingMoves asks that no text holds what moves a cursor, rings, changes colours
// or turns the direction of what is read. A line end is allowed where the text has
// lines of its own.
func nothingMoves(t testing.TB, what, text string, lines bool) {
	t.Helper()
	for i, r := range text {
		if lines && r == '\n' {
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			t.Errorf("%s has %U after %q", what, r, text[max(0, i-120):i])
			return
		}
	}
}

// errorIsCalm holds an error in every form, and each error of the chain.
func errorIsCalm(t testing.TB, err error) {
	t.Helper()
	switch err.(type) {
	case nil, *fs.PathError, config.SharedConfigProfileNotExistError:
		return // causes that hold a name as it is: who asks for their type wants that
	}
	_, joined := err.(interface{ Unwrap() []error })
	var own *awsauth.Error
	lines := joined && !errors.As(err, &own) // errors.Join puts one a line
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if _, ok := err.(*awsauth.Error); ok {
			nothingMoves(t, "an error", fmt.Sprintf(form, err), false)
		}
	}
	nothingMoves(t, "an error", err.Error(), lines || joined)
	if e, ok := err.(*awsauth.Error); ok {
		for name, field := range map[string]string{"Op": e.Op, "Target": e.Target, "Hint": e.Hint, "RequestID": e.RequestID} {
			nothingMoves(t, "an error's "+name, field, false)
		}
		assert.LessOrEqual(t, len([]rune(e.Error())), 1800, "an error of bounded length")
		if report, ok := e.Report(); ok {
			reportIsCalm(t, report)
		}
		text, err := json.Marshal(e)
		assert.NoError(t, err)
		nothingMoves(t, "an error as JSON", string(text), false)
	}
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		errorIsCalm(t, x.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range x.Unwrap() {
			errorIsCalm(t, one)
		}
	}
}

func reportIsCalm(t testing.TB, r awsauth.Report) {
	t.Helper()
	nothingMoves(t, "a report", r.String(), true)
	nothingMoves(t, "a report's source", r.Source+r.Region+r.RegionFrom+string(r.Partition), false)
	for _, step := range r.Steps {
		nothingMoves(t, "a row", step.Source+string(step.Status)+step.Detail, false)
	}
}

// allIsCalm holds everything that a session shows, and its log.
func allIsCalm(t testing.TB, s *awsauth.Session, log *notebook, err error) {
	t.Helper()
	errorIsCalm(t, err)
	for _, line := range log.all() {
		nothingMoves(t, "a log record", line, false)
	}
	if s != nil {
		reportIsCalm(t, s.Explain())
		nothingMoves(t, "a session", fmt.Sprintf("%v %+v %#v", s, s, s), false)
	}
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
