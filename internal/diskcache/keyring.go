package diskcache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

const (
	// keyPause is how long a failure of the key func lasts. A keychain that is
	// locked is not asked again for every call.
	keyPause = time.Minute

	// keyWait is how long a caller waits for the key func. It leaves time for a
	// keychain to ask a person. After it the caller goes on without the cache.
	keyWait = 20 * time.Second

	// keyLimit ends the context of the key func. It is longer than keyWait: who
	// is slow to unlock a keychain has the cache from the next call on.
	keyLimit = 5 * time.Minute
)

// What is wrong with the key func. The value of a panic may be a secret, and is
// not shown.
var (
	errKeyPanic = errors.New("the key func has panicked")
	errKeyExit  = errors.New("the key func has ended its goroutine")
	errKeySlow  = errors.New("the key func has not answered in time")
)

// keyring asks the key func once for all concurrent callers, and keeps what came
// of it.
type keyring struct {
	ask func(context.Context) ([]byte, error)

	mu      sync.Mutex // never held while the key func runs
	known   *box       // of the first success, for good
	err     error      // of the last failure
	failed  time.Time  // when that was
	running chan struct{}
}

// box returns what encrypts with the key. It waits at most keyWait, and no longer
// than ctx.
func (r *keyring) box(ctx context.Context) (*box, error) {
	running, known, err := r.begin(ctx)
	if running == nil {
		return known, err
	}
	slow := time.NewTimer(keyWait)
	defer slow.Stop()
	select {
	case <-running:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.known, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-slow.C:
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.known == nil { // the next callers do not wait as long again
			r.err, r.failed = errKeySlow, time.Now()
		}
		return r.known, r.err
	}
}

// begin returns what is known, or else the end of the call to wait for, which it
// starts if none runs.
func (r *keyring) begin(ctx context.Context) (running chan struct{}, known *box, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.known != nil:
		return nil, r.known, nil
	case r.err != nil && time.Since(r.failed) < keyPause:
		return nil, nil, r.err
	case r.running == nil:
		r.running = make(chan struct{})
		// Who started the call may leave; the others still want its answer.
		go r.call(context.WithoutCancel(ctx))
	}
	return r.running, nil, nil
}

// call calls the key func and keeps the outcome.
func (r *keyring) call(ctx context.Context) {
	var known *box
	err := errKeyExit
	defer func() {
		if recover() != nil {
			err = errKeyPanic
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.known, r.err, r.failed = known, err, time.Now()
		close(r.running)
		r.running = nil
	}()
	ctx, cancel := context.WithTimeout(ctx, keyLimit)
	defer cancel()
	secret, failure := r.ask(ctx)
	if failure != nil {
		err = errors.New(redact.Message(redact.Error(failure).Error())) // it may quote what a service or a command said
		return
	}
	known, err = newBox(secret)
}
