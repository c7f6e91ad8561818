// Package metrics turns the log records of awsauth into Prometheus metrics. It is one
// slog handler, which passes every record on:
//
//	handler := metrics.New(slog.Default().Handler(), prometheus.DefaultRegisterer)
//	s, err := awsauth.New(awsauth.WithLogger(slog.New(handler)))
//
// The records are a contract: docs/logging.md has them.
package metrics

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chaoxiaodi/awsauth"
)

// Handler counts records and passes them on.
type Handler struct {
	slog.Handler
	counts *counts
}

type counts struct {
	refreshes, failures, throttled, refused *prometheus.CounterVec
	waits                                   prometheus.Counter
	took                                    prometheus.Histogram
}

// New makes a handler in front of next, and registers its metrics.
func New(next slog.Handler, to prometheus.Registerer) *Handler {
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "awsauth_" + name + "_total", Help: help}, labels)
	}
	c := &counts{
		refreshes: vector("refreshes", "New credentials, by identity.", "identity"),
		failures:  vector("failures", "Refreshes that failed, by kind; felt: a caller got the error.", "kind", "felt"),
		throttled: vector("throttled_calls", "Calls that a service throttled, by host.", "host"),
		refused:   vector("refused", "Credentials that a service refused before their time.", "identity"),
		waits:     prometheus.NewCounter(prometheus.CounterOpts{Name: "awsauth_waits_total", Help: "Callers who waited for a refresh."}),
		took:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "awsauth_refresh_seconds", Help: "How long refreshes took."}),
	}
	to.MustRegister(c.refreshes, c.failures, c.throttled, c.refused, c.waits, c.took)
	return &Handler{next, c}
}

// Enabled makes awsauth write INFO, where next may want less.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.Handler.WithAttrs(attrs), h.counts}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.Handler.WithGroup(name), h.counts}
}

// Handle counts a record, and passes it on if next wants it.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	h.counts.record(r)
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// record counts what a record tells.
func (c *counts) record(r slog.Record) {
	attrs := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value; return true })
	identity := ""
	for _, name := range []string{"role", "mfa", "source"} {
		if v, ok := attrs[name]; ok {
			identity = v.String()
		}
	}
	if took, ok := attrs["took"]; ok && took.Kind() == slog.KindDuration {
		c.took.Observe(took.Duration().Seconds())
		c.waits.Add(float64(attrs["waiting"].Int64()))
	}
	switch r.Message {
	case "awsauth: role assumed", "awsauth: MFA session started", "awsauth: credentials refreshed":
		c.refreshes.WithLabelValues(identity).Inc()
	case "awsauth: refresh failed, using current credentials", "awsauth: refresh abandoned, using current credentials":
		c.failures.WithLabelValues(kind(attrs["err"]), "no").Inc()
	case "awsauth: no credentials":
		c.failures.WithLabelValues(kind(attrs["err"]), "yes").Inc()
	case "awsauth: a call is throttled, trying again more slowly":
		c.throttled.WithLabelValues(attrs["host"].String()).Inc()
	case "awsauth: a service refused the credentials before their time, getting new ones":
		c.refused.WithLabelValues(identity).Inc()
	}
}

// kind is the Kind of an error in a record.
func kind(v slog.Value) string {
	err, _ := v.Any().(error)
	var e *awsauth.Error
	if errors.As(err, &e) {
		return string(e.Kind)
	}
	return ""
}
