package awsauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// supplier is what gives the keys, or the code for them, where that is not AWS.
type supplier string

const (
	byProvider supplier = "the credentials provider"
	byProcess  supplier = "credential_process"
	byCode     supplier = "the code func of WithMFA"
	bySDK      supplier = "the SDK, or what an option gave it,"
)

// cacheError puts what went wrong between a source and its callers into words.
// What the source said itself is an *Error already. from is "" where AWS supplies all.
func cacheError(err error, op string, from supplier) error {
	var gone *refresh.AbandonedError
	if errors.As(err, &gone) {
		return abandoned(gone, op, from)
	}
	if e := deepest(err); e != nil {
		return e
	}
	var expired *refresh.ExpiredError
	var noReturn *refresh.NoReturnError
	e := &Error{Op: op, Err: err}
	switch {
	case errors.As(err, &expired):
		e.expired(expired, from)
	case errors.As(err, &noReturn):
		who := string(cmp.Or(from, bySDK))
		e.Kind, e.what, e.Err = NoCredentials, who+" did not return", nil
		if noReturn.Panic != "" {
			e.what = who + " panicked"
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
func (e *Error) expired(x *refresh.ExpiredError, from supplier) {
	e.Kind = Expired
	if x.Unset && from == byProvider {
		e.what = "the keys that were returned can expire (CanExpire), but no expiry was set"
		e.Hint = "set Expires to when the keys end, or CanExpire to false"
		return
	}
	if x.Unset && x.Ago > time.Minute {
		e.what = "the keys that were returned have an Expiration that is years ago, as if none was set"
		e.Hint = "correct it where the keys come from, or leave it out for keys that do not expire"
		return
	}
	e.what = fmt.Sprintf("the keys that were returned had already expired %s ago", x.Ago.Round(time.Second))
	e.Hint = "the clock of this machine is probably ahead: set it, for example with NTP"
	switch from {
	case byProvider:
		e.Hint = "check that the provider renews them, and that the clock of this machine is right"
	case byProcess:
		e.Hint = "check that credential_process renews them, and that the clock of this machine is right"
	}
}

// abandoned is said where time was up. What the service said last is told with
// it, so that a deadline does not hide throttling or a refusal.
func abandoned(gone *refresh.AbandonedError, op string, from supplier) error {
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
	if last == nil && from == byProcess {
		e := &Error{Kind: NoCredentials, Op: op, Err: context.DeadlineExceeded, abandoned: !gone.Caller}
		e.what = fmt.Sprintf("credential_process did not end in %v", gone.After.Round(100*time.Millisecond))
		return e.mend("run it by hand: it may ask a question, or leave a program behind that holds its output")
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
