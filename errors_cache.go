package awsauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// cacheError puts what went wrong between a source and its callers into words.
// What the source said itself is an *Error already.
func cacheError(err error, op string, provider bool) error {
	var gone *refresh.AbandonedError
	if errors.As(err, &gone) {
		return abandoned(gone, op)
	}
	if e := deepest(err); e != nil {
		return e
	}
	var expired *refresh.ExpiredError
	var noReturn *refresh.NoReturnError
	e := &Error{Op: op, Err: err}
	switch {
	case errors.As(err, &expired):
		e.expired(expired, provider)
	case errors.As(err, &noReturn):
		e.Kind, e.what, e.Err = NoCredentials, "the credentials provider did not return", nil
		if noReturn.Panic != "" {
			e.what = "the credentials provider panicked"
		}
	case errors.Is(err, refresh.ErrUnasked):
		e.Kind, e.what = MFARequired, "an MFA code is needed, which nobody is asked for in the background"
	case errors.Is(err, refresh.ErrRefused):
		e.Kind, e.what = Expired, "a service refused the keys before their time, and there are no newer ones"
	case errors.Is(err, refresh.ErrLoop):
		e.Kind, e.what = InvalidOption, "the credentials provider asks for the credentials that it is to provide"
	case errors.Is(err, refresh.ErrSame), errors.Is(err, refresh.ErrSooner):
		e.Kind, e.what = NoCredentials, err.Error()
	default:
		return asError(err, op)
	}
	return e
}

// expired is said of keys that were over when they came.
func (e *Error) expired(x *refresh.ExpiredError, provider bool) {
	e.Kind = Expired
	if x.Unset && provider {
		e.what = "the keys that were returned can expire (CanExpire), but no expiry was set"
		e.Hint = "set Expires to when the keys end, or CanExpire to false"
		return
	}
	e.what = fmt.Sprintf("the keys that were returned had already expired %s ago", x.Ago.Round(time.Second))
	e.Hint = "the clock of this machine is probably ahead: set it, for example with NTP"
	if provider {
		e.Hint = "check that the provider renews them, and that the clock of this machine is right"
	}
}

// abandoned is said where time was up. What the service said last is told with
// it, so that a deadline does not hide throttling or a refusal.
func abandoned(gone *refresh.AbandonedError, op string) error {
	if errors.Is(gone.Err, context.Canceled) && gone.Caller {
		return &Error{Op: op, what: "canceled", Err: context.Canceled}
	}
	then := "no answer in time"
	if gone.Caller {
		then = "the caller's deadline"
	}
	if last := deepest(gone.Last); gone.Prompt && (last == nil || !last.elsewhere) {
		e := &Error{Kind: MFARequired, Op: op, Err: context.DeadlineExceeded}
		e.what = fmt.Sprintf("no MFA code came in %v", gone.After.Round(time.Second))
		return e.mend("enter the code in time; the next call asks again")
	}
	last := deepest(gone.Last)
	if last == nil {
		last = deepest(gone.Err)
	}
	if last == nil {
		e := &Error{Op: op, Err: context.DeadlineExceeded, abandoned: !gone.Caller, unanswered: true}
		e.network()
		return e
	}
	told := *last
	told.then, told.abandoned = then, !gone.Caller
	told.Err = errors.Join(last.Err, context.DeadlineExceeded)
	return &told
}

// outlook says whether an error mends by itself.
func outlook(err error) refresh.Outlook {
	switch {
	case errors.Is(err, Expired):
		return refresh.Ended
	case hopeless(err):
		return refresh.Stays
	}
	return refresh.Mends
}

// hopeless reports whether an error stays until somebody changes something.
func hopeless(err error) bool {
	for _, k := range []Kind{AccessDenied, InvalidKey, InvalidOption, InvalidDuration, WrongPartition, MFARequired, LongTermCredentials} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
