package refresh

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Errors of this package, which Config.Classify puts into words.
var (
	// ErrUnasked: a person would have to be asked, and the refresh is one in
	// the background.
	ErrUnasked = errors.New("a person has to be asked, which is not done in the background")
	// ErrUnanswered is in the chain of an AbandonedError while a person was asked.
	ErrUnanswered = errors.New("the person who was asked did not answer")
	// ErrRefused: a service refused the keys, and the source returned them again.
	ErrRefused = errors.New("a service refused the keys, and there are no newer ones")
	// ErrSame: the source returned the keys at hand again.
	ErrSame = errors.New("the source returned the same keys again")
	// ErrSooner: the keys that the source returned end before those at hand.
	ErrSooner = errors.New("the source returned keys that end sooner than those at hand")
	// ErrLoop: Fetch waits for the refresh that it is a part of.
	ErrLoop = errors.New("the source of the keys asks for these very keys")
)

// ExpiredError is the error of keys that had expired when they came.
type ExpiredError struct {
	Ago time.Duration
	// Unset is true where the source seems to have set no expiry: CanExpire is
	// true, and Expires is zero, years ago, or the very present.
	Unset bool
}

func (e *ExpiredError) Error() string {
	if e.Unset {
		return "the keys that were returned can expire, but their expiry is not set"
	}
	return fmt.Sprintf("the keys that were returned had already expired %v ago", e.Ago.Round(time.Second))
}

const (
	longAgo = 10 * 365 * 24 * time.Hour // no clock is that far ahead
	present = time.Second               // nor do keys live so exactly that long
)

func newExpiredError(left time.Duration, zero bool) error {
	return &ExpiredError{Ago: -max(left, -math.MaxInt64), Unset: zero || -left < present || -left > longAgo}
}

// NoReturnError is the error of a Fetch that panicked or ended its goroutine.
type NoReturnError struct {
	Panic string // of a runtime error its text, of any other value its type, for it may hold a secret; "": no panic
	Stack []byte // of a panic; not in the text
}

func (e *NoReturnError) Error() string {
	if e.Panic == "" {
		return "the source of the keys ended its goroutine"
	}
	return "the source of the keys panicked: " + e.Panic
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }

// AbandonedError is the error of a refresh whose time was up, or of a caller
// whose context ended while it waited. It is also the error of its causes:
// errors.Is finds context.DeadlineExceeded or context.Canceled, and Last.
type AbandonedError struct {
	Caller bool          // it was the caller's context that ended
	After  time.Duration // so long had the refresh run, or the caller waited
	Prompt bool          // a person was being asked; ErrUnanswered is among the causes
	Last   error         // what the last of Fetch's attempts met, as told by Note; nil: not known
	Err    error         // of the context, or what Fetch returned at its end
}

// Error leaves out Last, whose text is not this package's to show.
func (e *AbandonedError) Error() string {
	what := "the refresh was abandoned"
	if e.Caller {
		what = "the caller left"
	}
	if e.Prompt {
		what += ", the person who was asked had not answered"
	}
	return fmt.Sprintf("%s after %v: %v", what, e.After.Round(time.Millisecond), e.cause())
}

// cause is the context's error in Err.
func (e *AbandonedError) cause() error {
	if errors.Is(e.Err, context.Canceled) {
		return context.Canceled
	}
	return context.DeadlineExceeded
}

func (e *AbandonedError) Unwrap() []error {
	all := []error{e.Err}
	if e.Prompt {
		all = append(all, ErrUnanswered)
	}
	if e.Last != nil {
		all = append(all, e.Last)
	}
	return all
}

// outlook judges a failure: this package's own errors itself, others by what
// Classify made of them.
func (c *Cache) outlook(cause, classified error) Outlook {
	var expired *ExpiredError
	var noReturn *NoReturnError
	var abandoned *AbandonedError
	switch {
	case errors.As(cause, &abandoned):
		if abandoned.Prompt {
			return Upstream // the next caller is asked at once
		}
		return Mends
	case errors.As(cause, &expired), errors.As(cause, &noReturn), cause == ErrLoop, cause == ErrUnasked:
		return Stays
	case cause == ErrRefused, cause == ErrSame, cause == ErrSooner:
		return Mends
	}
	return c.Outlook(classified)
}
