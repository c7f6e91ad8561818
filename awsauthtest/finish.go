package awsauthtest

import (
	"context"
	"errors"
	"sync"
	"testing/synctest"
	"time"
)

// pending are the requests that wait for an answer, so that the end of a test can
// let them go. Each waits on a context of its own, made in its own goroutine: a
// channel that all share would belong to one synctest bubble only.
type pending struct {
	mu      sync.Mutex
	ended   bool
	serial  int
	cancels map[int]context.CancelCauseFunc
}

// begin lets a request wait; call done when it has its answer. It is an error
// after the end.
func (p *pending) begin(ctx context.Context) (waiting context.Context, done func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, nil, errEnded
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if p.cancels == nil {
		p.cancels = map[int]context.CancelCauseFunc{}
	}
	p.serial++
	id := p.serial
	p.cancels[id] = cancel
	return ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.cancels, id)
		cancel(nil)
	}, nil
}

// end lets all go that wait, and lets none wait any more.
func (p *pending) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for _, cancel := range p.cancels {
		cancel(errEnded)
	}
}

// endedError is the failure of requests after the end of the test. Its method
// tells the SDK not to try again.
type endedError struct{ error }

func (endedError) RetryableError() bool { return false }

var errEnded = endedError{errors.New("awsauthtest: the test that called New has ended")}

// drain is longer than a request with all its retries takes.
const drain = 2 * time.Minute

// finish is the end of a test that called New.
func (c *Cloud) finish() {
	c.pending.end()
	_ = c.Close()
	if inBubble() {
		time.Sleep(drain)
	}
}

// inBubble reports whether the goroutine is in a synctest bubble. Wait panics
// where it is not.
func inBubble() (inside bool) {
	defer func() { _ = recover() }()
	synctest.Wait()
	return true
}
