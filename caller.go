package awsauth

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// callTimeout bounds a call to STS that may outlive the caller who started it.
const callTimeout = 30 * time.Second

// who is whom a key was issued to, in AWS's words.
type who struct{ arn, userID, account string }

// whoami remembers what GetCallerIdentity said, and of which key.
type whoami struct {
	answer atomic.Pointer[callerAnswer]
	flight singleflight.Group
}

type callerAnswer struct {
	keyID string
	who   who
}

// find returns the answer for a key, from memory or by ask. Callers at the same
// time share one call, which no single one of them ends; each leaves when its
// own ctx does.
func (w *whoami) find(ctx context.Context, keyID string, ask func(context.Context) (who, error)) (who, error) {
	known := func() *callerAnswer {
		if a := w.answer.Load(); a != nil && a.keyID == keyID {
			return a
		}
		return nil
	}
	if a := known(); a != nil {
		return a.who, nil
	}
	answer := w.flight.DoChan(keyID, func() (any, error) {
		if a := known(); a != nil {
			return a.who, nil // the flight before this one had just ended
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		found, err := ask(ctx)
		if err == nil {
			w.answer.Store(&callerAnswer{keyID, found})
		}
		return found, err
	})
	select {
	case got := <-answer:
		found, _ := got.Val.(who)
		return found, got.Err
	case <-ctx.Done():
		return who{}, ctx.Err()
	}
}
