package awsauth

import (
	"context"
	"errors"
	"log/slog"
	"time"
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

// attr names the session in a record.
func (s *Session) attr() slog.Attr {
	if s.role != nil {
		return slog.String("role", s.role.arn.String())
	}
	return slog.String("source", s.source.String())
}

func (s *Session) logRefreshed(e *entry, now time.Time) {
	if !s.log.Enabled(context.Background(), slog.LevelWarn) {
		return // the default discards all
	}
	if e.lasting {
		s.log.Debug("awsauth: credentials found", s.attr())
		return
	}
	left := e.left(now)
	if left <= 0 {
		s.log.Warn("awsauth: the instance answers with expired credentials, using them", s.attr(), "expires_in", left)
		return
	}
	message := "awsauth: credentials refreshed"
	if s.role != nil {
		message = "awsauth: role assumed"
	}
	s.log.Info(message, s.attr(), "expires_in", left)
}

func (s *Session) logKept(e *entry, now, next time.Time, err error) {
	message := "awsauth: refresh failed, using current credentials"
	if errors.Is(err, errAbandoned) {
		message = "awsauth: refresh abandoned, using current credentials"
	}
	if e.lasting {
		s.log.Warn(message, s.attr(), "next_try", next.Sub(now.Round(0)).Round(time.Millisecond), "err", err)
		return
	}
	s.log.Warn(message, s.attr(), "expires_in", e.left(now), "next_try", next.Sub(now.Round(0)).Round(time.Millisecond), "err", err)
}

func (s *Session) logFailed(err error) {
	s.log.Error("awsauth: no credentials", s.attr(), "err", err)
}

func (s *Session) logRefused() {
	s.log.Warn("awsauth: a service refused the credentials before their time, getting new ones", s.attr())
}

// left is how long the keys last by their true expiry.
func (e *entry) left(now time.Time) time.Duration {
	return e.creds.Expires.Sub(now.Round(0)).Round(time.Second)
}
