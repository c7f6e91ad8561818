package awsauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Kind says what sort of trouble an Error is. Kinds are stable, for errors.Is;
// the texts of errors may change.
type Kind string

// Error makes a Kind a target of errors.Is.
func (k Kind) Error() string { return "awsauth: " + string(k) }

// The kinds of Error.
const (
	InvalidOption       Kind = "invalid option"        // an option, variable or file says something that cannot be
	NoCredentials       Kind = "no credentials"        // every source was looked at and none has any
	ProfileNotFound     Kind = "profile not found"     // the named profile is in neither shared file
	Expired             Kind = "expired"               // a session or token is over, and only a person can renew it
	MFARequired         Kind = "MFA required"          // a code is needed, or the one given was refused
	LongTermCredentials Kind = "long-term credentials" // WithTemporaryOnly refuses the keys of a user
	AccessDenied        Kind = "access denied"         // AWS knows the caller and says no
	InvalidKey          Kind = "invalid key"           // AWS does not know the access key, or not this secret
	WrongPartition      Kind = "wrong partition"       // role, region and partition are not of one world
	WrongAccount        Kind = "wrong account"         // WithAllowedAccounts does not name the account of the credentials
	InvalidDuration     Kind = "invalid duration"      // out of bounds, or longer than the role allows
	Throttled           Kind = "throttled"             // AWS asked to slow down for longer than the retries lasted
	Unreachable         Kind = "unreachable"           // no answer: network, proxy, DNS, metadata, a service that fails
)

// Error is every error of this package. Its text is one line that names the
// option, variable, file or command that mends it and holds no secret;
// errors.Is matches its Kind, errors.As finds the SDK's errors under it.
type Error struct {
	Kind      Kind   // empty where the caller canceled the call
	Op        string // what was tried: "assume role", "WithAccount"; may be empty
	Target    string // on what: a role ARN, the option's value; may be empty
	Hint      string // what to change; empty where nothing true can be said
	RequestID string // AWS's id of the refused request, for support cases; %+v appends it
	Err       error  // the cause; may be nil

	as         string  // the ARN that tried, where AWS told it
	detail     string  // what happened, without what a Report says elsewhere
	what       string  // what happened, in our words; where empty, Err's
	tries      string  // of a call: "4 attempts in 2s"; "" for one
	then       string  // what ended the tries, where it was not their number
	also       []Kind  // other kinds that match too
	abandoned  bool    // a refresh that did not answer in its time
	unanswered bool    // nothing at all was answered in time
	elsewhere  bool    // another process is at it
	unsent     bool    // of an MFA code: STS has not been asked
	report     *Report // of New: what was decided before the fault; else nil
}

// Report returns what New had decided when it failed: the sources it looked at
// and, last, the one with the fault. It reports false for every other error.
// Where New found several faults, each of them has the same report.
func (e *Error) Report() (Report, bool) {
	if e == nil || e.report == nil {
		return Report{}, false
	}
	return *e.report, true
}

// Error returns "awsauth: <op> <target>: <what happened>; <what to do>".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("awsauth: ")
	switch {
	case e.Op != "" && e.Target != "" && e.as != "":
		b.WriteString(e.Op + " " + e.Target + " as " + e.as + ": ")
	case e.Op != "" && e.Target != "":
		b.WriteString(e.Op + " " + e.Target + ": ")
	case e.Op != "" || e.Target != "":
		b.WriteString(e.Op + e.Target + ": ")
	}
	what := e.what
	if what == "" && e.Err != nil {
		what = redact.OneLine(e.Err.Error())
	}
	b.WriteString(cmp.Or(what, string(e.Kind), noWords))
	b.WriteString(e.effort())
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// noWords is said of a failure whose error has no text.
const noWords = "it failed without saying why"

// effort tells how often the call was tried and what ended it: ", gave up after 8
// attempts in 21s", " (4 attempts in 2s, then the caller's deadline)".
func (e *Error) effort() string {
	switch {
	case e.tries != "" && e.then != "":
		return " (" + e.tries + ", then " + e.then + ")"
	case e.then != "":
		return " (then " + e.then + ")"
	case e.tries != "":
		return ", gave up after " + e.tries
	}
	return ""
}

// of reports whether the error speaks of this operation on this target.
func (e *Error) of(op, target string) bool { return e.Op == op && e.Target == target }

// Unwrap makes errors.Is and errors.As see the Kind and the cause.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2+len(e.also))
	if e.Kind != "" {
		errs = append(errs, e.Kind)
	}
	for _, k := range e.also {
		errs = append(errs, k)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// Format prints Error(), and with %+v the request id behind it. It never
// prints the fields, whose causes may hold what AWS or the SDK echoed.
func (e *Error) Format(f fmt.State, verb rune) {
	text := e.Error()
	if verb == 'v' && f.Flag('+') && e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	if verb == 'q' {
		text = fmt.Sprintf("%q", text)
	}
	fmt.Fprint(f, text)
}

// RetryableError is false: what can be tried again has been by now. A service
// client whose call needed the credentials therefore does not repeat the call.
func (e *Error) RetryableError() bool { return false }

// LogValue makes slog print what Error() says.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON gives kind, text and request id.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind      Kind   `json:"kind"`
		Error     string `json:"error"`
		RequestID string `json:"request_id,omitempty"`
	}{e.Kind, e.Error(), e.RequestID})
}

// invalid is the error for an option, variable or file that says what cannot be.
func invalid(op, what string, args ...any) *Error {
	return &Error{Kind: InvalidOption, Op: op, what: fmt.Sprintf(what, args...)}
}

// mend sets what to do about e.
func (e *Error) mend(hint string, args ...any) *Error {
	e.Hint = fmt.Sprintf(hint, args...)
	return e
}

// deepest is the innermost *Error: what went wrong first.
func deepest(err error) (found *Error) {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return found
		}
		found, err = e, e.Err
	}
	return found
}

// detailOf is an error as one cell of the table. What to do about it stands in the
// error itself.
func detailOf(e *Error) string {
	if e == nil {
		return ""
	}
	if e.detail != "" {
		return e.detail
	}
	text := strings.TrimSuffix(strings.TrimPrefix(e.Error(), "awsauth: "), "; "+e.Hint)
	where := strings.TrimSpace(e.Op + " " + e.Target)
	if e.as != "" {
		return strings.TrimPrefix(text, where+" ")
	}
	return strings.TrimPrefix(text, where+": ")
}

// about is what an error of New is about, as the name of a row.
func (e *Error) about() string {
	switch about := strings.TrimSpace(e.Op + " " + e.Target); {
	case about != "":
		return about
	case e.Kind == WrongPartition:
		return "partition"
	}
	return "options"
}

// faults collects everything that is wrong, so that one run tells it all.
type faults []error

func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

// err is the one fault, or all of them joined.
func (f faults) err() error {
	if len(f) == 1 {
		return f[0]
	}
	return errors.Join(f...)
}

// bad adds the fault of one option, shown as its call.
func (f *faults) bad(option, value, what string, args ...any) {
	f.add(invalid(fmt.Sprintf("%s(%q)", option, redact.Clip(value)), what, args...))
}

// quiet is an error whose text is cleaned. The original is reached by errors.Is alone.
type quiet struct {
	text string
	is   func(error) bool
}

func (q *quiet) Error() string { return q.text }

// Is makes errors.Is find the cause.
func (q *quiet) Is(target error) bool { return q.is(target) }
