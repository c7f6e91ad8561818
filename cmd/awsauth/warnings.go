package main

import (
	"context"
	"log/slog"
	"strings"
)

// warningLines is a log that tells warnings, each on one line. What the library logs
// as an error its caller gets as one too, and tells. The records hold no secret.
type warningLines struct {
	tell  func(string)
	attrs []slog.Attr
}

func (w warningLines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && level < slog.LevelError
}

func (w warningLines) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		if a.Key == "err" {
			b.WriteString(": " + a.Value.Resolve().String())
		} else {
			b.WriteString(" " + a.Key + "=" + a.Value.Resolve().String())
		}
		return true
	}
	for _, a := range w.attrs {
		add(a)
	}
	r.Attrs(add)
	w.tell(inFlags(oneLine(b.String())))
	return nil
}

func (w warningLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	w.attrs = append(w.attrs[:len(w.attrs):len(w.attrs)], attrs...)
	return w
}

// WithGroup leaves groups out: the library's records have none.
func (w warningLines) WithGroup(string) slog.Handler { return w }
