package refresh

import (
	"context"
	"sync"
	"time"
)

// limited is the context of a refresh. It ends with DeadlineExceeded when its
// time is up, which does not run while the context is held. The contexts of
// package context have deadlines that cannot be moved.
type limited struct {
	context.Context        // has the values, and no end of its own
	timeUp          func() // called when the time is up

	done chan struct{}

	mu    sync.Mutex // guards what follows
	err   error
	limit time.Duration // the whole of the time
	end   time.Time     // when the time is up, while not held
	holds int
	timer *time.Timer
}

func newLimited(values context.Context, limit time.Duration, timeUp func()) *limited {
	l := &limited{Context: values, limit: limit, timeUp: timeUp, done: make(chan struct{}), end: time.Now().Add(limit)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(limit, l.expire)
	return l
}

// Deadline is when the time is up; while held, the earliest time that it can be.
func (l *limited) Deadline() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds > 0 {
		return time.Now().Add(l.limit), true
	}
	return l.end, true
}

func (l *limited) Done() <-chan struct{} { return l.done }

func (l *limited) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// hold stops the time until release has been called as often.
func (l *limited) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds++
	l.timer.Stop()
}

// release starts the time anew, with the whole of it left.
func (l *limited) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds--
	l.run()
}

// restart gives the context another limit, from now on.
func (l *limited) restart(limit time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = limit
	l.run()
}

// run starts the time, unless the context is held or has ended. l.mu is held.
func (l *limited) run() {
	if l.holds == 0 && l.err == nil {
		l.end = time.Now().Add(l.limit)
		l.timer.Reset(l.limit)
	}
}

func (l *limited) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds > 0
}

// expire is the timer's. The timer may have fired just before it was stopped.
func (l *limited) expire() {
	l.mu.Lock()
	up := l.err == nil && l.holds == 0 && !time.Now().Before(l.end)
	if up {
		l.finish(context.DeadlineExceeded)
	}
	l.mu.Unlock()
	if up {
		l.timeUp()
	}
}

// cancel ends the context.
func (l *limited) cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.finish(context.Canceled)
	}
}

// finish ends the context with err. l.mu is held.
func (l *limited) finish(err error) {
	l.err = err
	l.timer.Stop()
	close(l.done)
}
