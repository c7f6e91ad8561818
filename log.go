package awsauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// The log records of a session. The attributes have the same names in all:
//
//	source        where a base identity comes from
//	role          ARN of an assumed role
//	mfa           serial of the device of an MFA session
//	region, region_from, partition
//	profile       the one of WithProfile, where it beats keys that were given too
//	expires_in    time until the keys expire; negative past it
//	took          how long the refresh took
//	waiting       how many callers, and refreshes of roles behind, waited for it
//	host          of the service that throttles
//	next_try      time until the next try
//	err           one line, never with a secret
//
// Levels: Debug for what was chosen, Info for keys that came, Warn for trouble
// that no caller feels, Error for what callers get as an error too.

// voice is what a session is called in log records and errors. It hears what
// happens to the session's keys.
type voice struct {
	log    *slog.Logger
	source *source
	role   *roleSpec  // nil for a base identity
	gate   *mfaDevice // of an MFA session
	wire   *wire
	at     *place
}

// asked is who is asked for the keys: a host of STS, "" for other sources.
func (v *voice) asked() string {
	if v.role != nil || v.gate != nil || v.source.opens != nil {
		if v.role == nil && v.gate == nil && v.source.host != "" {
			return v.source.host
		}
		return v.wire.host(v.at)
	}
	return ""
}

// op is what fetching the session's keys is called in errors.
func (v *voice) op() string {
	if v.role != nil {
		return "assume role " + v.role.arn.String()
	}
	if v.gate != nil {
		return startMFA
	}
	return v.source.String()
}

// supplier is what of the program or the machine has to do with the session's keys.
func (v *voice) supplier() supplier {
	switch {
	case v.gate != nil, v.role != nil && v.role.mfa.serial != "":
		return byCode
	case v.role != nil:
		return ""
	case v.source.kind == sourceProvider:
		return byProvider
	case v.source.kind == sourceProcess:
		return byProcess
	}
	return ""
}

// classify makes every failure an *Error.
func (v *voice) classify(err error) error {
	e := cacheError(err, v.op(), v.supplier())
	var gone *refresh.AbandonedError
	if silent := deepest(e); errors.As(err, &gone) && silent != nil && silent.unanswered {
		if host := v.asked(); host != "" {
			silent.what = fmt.Sprintf("no answer from %s in %v", host, gone.After.Round(time.Second))
		}
	}
	return e
}

// outlook says what is to be expected after a failure: a role whose parent has no
// keys waits for the parent's next try.
func (v *voice) outlook(err error) refresh.Outlook {
	e := deepest(err)
	switch {
	case e == nil:
	case e.unsent: // the next caller is asked again at once
		return refresh.Upstream
	case v.role != nil && !e.of("assume role", v.role.arn.String()), v.gate != nil && !e.of(startMFA, ""):
		return refresh.Upstream
	}
	return outlook(err)
}

// attr names the session in a record.
func (v *voice) attr() slog.Attr {
	if v.role != nil {
		return slog.String("role", v.role.arn.String())
	}
	if v.gate != nil {
		return slog.String("mfa", v.gate.serial)
	}
	return slog.String("source", v.source.String())
}

// Refreshed implements refresh.Observer.
func (v *voice) Refreshed(r refresh.Refreshed) {
	if !v.log.Enabled(context.Background(), slog.LevelWarn) {
		return // the default discards all
	}
	attrs := append([]any{v.attr()}, costs(r.Effort)...)
	if !r.Keys.CanExpire {
		v.log.Debug("awsauth: credentials found", attrs...)
		return
	}
	attrs = append(attrs, "expires_in", r.Left.Round(time.Second))
	switch {
	case r.Left <= 0:
		v.log.Warn("awsauth: the instance answers with expired credentials, using them", attrs...)
	case r.Keys.FromDisk:
		v.log.Info("awsauth: credentials read from the disk cache", attrs...)
	case v.role != nil:
		v.log.Info("awsauth: role assumed", attrs...)
	case v.gate != nil:
		v.log.Info("awsauth: MFA session started", attrs...)
	default:
		v.log.Info("awsauth: credentials refreshed", attrs...)
	}
}

// costs are what a refresh cost, as attributes.
func costs(e refresh.Effort) []any {
	return []any{"took", e.Took.Round(time.Millisecond), "waiting", e.Waiting}
}

// Kept implements refresh.Observer.
func (v *voice) Kept(k refresh.Kept) {
	attrs := append([]any{v.attr()}, costs(k.Effort)...)
	if k.Keys.CanExpire {
		attrs = append(attrs, "expires_in", k.Left.Round(time.Second))
	}
	if errors.Is(k.Err, refresh.ErrUnasked) { // the next caller who needs them is asked
		v.log.Debug("awsauth: a code is needed to renew them, and nobody is waiting", attrs...)
		return
	}
	if errors.Is(k.Err, refresh.ErrSame) { // an agent that has no newer ones yet
		v.log.Debug("awsauth: the source has no newer credentials yet", append(attrs, "next_try", k.NextTry.Round(time.Millisecond))...)
		return
	}
	message := "awsauth: refresh failed, using current credentials"
	if e := deepest(k.Err); e != nil && e.abandoned {
		message = "awsauth: refresh abandoned, using current credentials"
	}
	v.log.Warn(message, append(attrs, "next_try", k.NextTry.Round(time.Millisecond), "err", k.Err)...)
}

// Failed implements refresh.Observer.
func (v *voice) Failed(f refresh.Failed) {
	attrs := append([]any{v.attr()}, costs(f.Effort)...)
	v.log.Error("awsauth: no credentials", append(attrs, "err", f.Err)...)
}

// Refused implements refresh.Observer.
func (v *voice) Refused(string, refresh.Refusal) {
	v.log.Warn("awsauth: a service refused the credentials before their time, getting new ones", v.attr())
}
