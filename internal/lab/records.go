package lab

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing/synctest"

	"github.com/chaoxiaodi/awsauth"
)

// Records is a slog handler that keeps what it gets.
type Records struct {
	mu  sync.Mutex
	all []slog.Record
}

// Option makes a session log here.
func (r *Records) Option() awsauth.Option { return awsauth.WithLogger(slog.New(r)) }

// Enabled implements slog.Handler, as do WithAttrs, WithGroup and Handle.
func (r *Records) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs drops them: the library does not use it.
func (r *Records) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup drops it: the library does not use it.
func (r *Records) WithGroup(string) slog.Handler { return r }

// Handle keeps a record.
func (r *Records) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rec.Clone())
	return nil
}

// Record is one record, its attributes by name.
type Record struct {
	slog.Record
	Attrs map[string]slog.Value
}

// Lines are all records since the last All or At, each with its level first and
// without the quoting that slog's own handlers add.
func (r *Records) Lines() (lines []string) {
	settle()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		parts := []string{rec.Level.String(), rec.Message}
		rec.Attrs(func(a slog.Attr) bool {
			parts = append(parts, a.Key+"="+a.Value.Resolve().String())
			return true
		})
		lines = append(lines, strings.Join(parts, " "))
	}
	return lines
}

// String is Lines in one text.
func (r *Records) String() string { return strings.Join(r.Lines(), "\n") }

// Has reports whether there is a record of that level with all the parts.
func (r *Records) Has(level string, parts ...string) bool {
	return slices.ContainsFunc(r.Lines(), func(line string) bool {
		missing := slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) })
		return strings.HasPrefix(line, level+" ") && !missing
	})
}

// All returns the records since the last time.
func (r *Records) All() (found []Record) {
	settle()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		one := Record{rec, map[string]slog.Value{}}
		rec.Attrs(func(a slog.Attr) bool { one.Attrs[a.Key] = a.Value.Resolve(); return true })
		found = append(found, one)
	}
	r.all = nil
	return found
}

// At returns those of one level since the last time, and forgets all.
func (r *Records) At(level slog.Level) (found []Record) {
	for _, rec := range r.All() {
		if rec.Level == level {
			found = append(found, rec)
		}
	}
	return found
}

// settle waits, on a clock of testing/synctest, for what still runs behind the callers:
// they get credentials before the log hears of it.
func settle() {
	defer func() { _ = recover() }() // on no such clock, or another goroutine waits already
	synctest.Wait()
}
