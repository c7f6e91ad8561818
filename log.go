package awsauth

import (
	"context"
	"log/slog"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// The log records of a session. The attributes have the same names in all:
//
//	source        where a base identity comes from
//	role          ARN of an assumed role
//	region, region_from, partition
//	profile       the one of WithProfile, where it beats keys that were given too
//	expires_in    time until the keys expire; negative past it
//	next_try      time until the next try
//	err           one line, never with a secret
//
// Levels: Debug for what was chosen, Info for keys that came, Warn for trouble
// that no caller feels, Error for what callers get as an error too.

// observer writes what happens to the keys of one session into the log.
type observer struct {
	log  *slog.Logger
	role string // ARN; "" for a base identity, which comes from
	from string // this source
}

// attr names the session in a record.
func (o observer) attr() slog.Attr {
	if o.role != "" {
		return slog.String("role", o.role)
	}
	return slog.String("source", o.from)
}

// Refreshed implements refresh.Observer.
func (o observer) Refreshed(r refresh.Refreshed) {
	if !o.log.Enabled(context.Background(), slog.LevelWarn) {
		return // the default discards all
	}
	left := r.Left.Round(time.Second)
	switch {
	case !r.Keys.CanExpire:
		o.log.Debug("awsauth: credentials found", o.attr())
	case r.Left <= 0:
		o.log.Warn("awsauth: the instance answers with expired credentials, using them", o.attr(), "expires_in", left)
	case o.role != "":
		o.log.Info("awsauth: role assumed", o.attr(), "expires_in", left)
	default:
		o.log.Info("awsauth: credentials refreshed", o.attr(), "expires_in", left)
	}
}

// Kept implements refresh.Observer.
func (o observer) Kept(k refresh.Kept) {
	attrs := []any{o.attr()}
	if k.Keys.CanExpire {
		attrs = append(attrs, "expires_in", k.Left.Round(time.Second))
	}
	message := "awsauth: refresh failed, using current credentials"
	if e := deepest(k.Err); e != nil && e.abandoned {
		message = "awsauth: refresh abandoned, using current credentials"
	}
	o.log.Warn(message, append(attrs, "next_try", k.NextTry.Round(time.Millisecond), "err", k.Err)...)
}

// Failed implements refresh.Observer.
func (o observer) Failed(err error) {
	o.log.Error("awsauth: no credentials", o.attr(), "err", err)
}

// Refused implements refresh.Observer.
func (o observer) Refused(string, refresh.Refusal) {
	o.log.Warn("awsauth: a service refused the credentials before their time, getting new ones", o.attr())
}
