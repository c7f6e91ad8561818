package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// A question is one call of Ask that has its turn.
type question struct {
	t       *Terminal
	text    string
	dev     device
	reading *reading // nil: no read is pending
	signals signals
	shown   bool // the terminal is in the mode of a question
}

// open opens the terminal, or takes over that of a caller who left it with a
// pending read.
func (q *question) open() error {
	if r := q.t.takeOver(); r != nil {
		q.dev, q.reading = r.dev, r
	} else {
		dev, err := q.t.open()
		if err != nil {
			return err
		}
		q.dev = dev
	}
	q.signals = q.dev.watch()
	return nil
}

// close leaves the terminal as it was found.
func (q *question) close(ctx context.Context) {
	q.signals.stop()
	q.hide(ctx)
	switch {
	case q.reading == nil:
		q.dev.close()
	case q.dev.interrupt():
		<-q.reading.done
		q.dev.close()
	default:
		q.t.abandon(q.reading)
	}
}

// ask asks until there is an answer.
func (q *question) ask(ctx context.Context) (string, error) {
	for {
		answer, err := q.once(ctx)
		if err != errAgain {
			return answer, err
		}
	}
}

// errAgain says that the process was stopped, so that the question must be
// shown again. It does not leave the package.
var errAgain = errors.New("ask again")

// once shows the question and reads its answer.
func (q *question) once(ctx context.Context) (string, error) {
	keys, err := q.show(ctx)
	if err != nil {
		return "", err
	}
	l := line{keys: keys}
	for {
		if q.reading == nil {
			q.reading = q.t.read(q.dev)
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-q.signals.resumed:
			return "", errAgain
		case s := <-q.signals.ended:
			return "", q.end(ctx, func() { q.dev.again(s) })
		case <-q.reading.done:
		}
		b, err := q.reading.b, q.reading.err
		q.reading = nil
		if errors.Is(err, io.EOF) {
			return "", ErrNothing
		}
		if err != nil {
			return "", fmt.Errorf("reading from the terminal: %w", err)
		}
		switch e := l.typed(b); e {
		case more:
		case answered:
			q.finish(ctx)
			return string(l.text), nil
		case ended:
			return "", ErrNothing
		case tooLong:
			return "", ErrTooLong
		case suspended:
			return "", q.suspend(ctx)
		default:
			return "", q.end(ctx, func() { q.dev.press(e) })
		}
	}
}

// show turns the echo off and shows the text. A byte that was typed before is
// none of the answer, also where a pending read has it already and has not told.
func (q *question) show(ctx context.Context) (keys, error) {
	if q.reading != nil && q.dev.interrupt() {
		<-q.reading.done
		q.reading = nil
	}
	keys, err := q.dev.prepare()
	q.shown = err == nil // else the mode is another's, or the terminal is gone
	if err != nil {
		return keys, err
	}
	if q.reading != nil { // it could not be interrupted
		select {
		case <-q.reading.done:
			q.reading = nil
		default:
		}
	}
	if err := q.dev.write(ctx, redact.OneLine(q.text)+" "); err != nil {
		if ctx.Err() != nil {
			return keys, context.Cause(ctx)
		}
		return keys, fmt.Errorf("writing to the terminal: %w", err)
	}
	return keys, nil
}

// hide ends what show began, for a question without an answer. The rest of a
// line that was typed halfway must not reach who reads the terminal next.
func (q *question) hide(ctx context.Context) {
	if q.shown {
		q.dev.flush()
	}
	q.finish(ctx)
}

// finish ends what show began.
func (q *question) finish(ctx context.Context) {
	if !q.shown {
		return
	}
	q.shown = false
	q.dev.restore()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer cancel()
	_ = q.dev.write(ctx, "\n") // nothing depends on it
}

// end ends the question for a signal. send gives the signal its effect, which
// may be the end of the process or of ctx.
func (q *question) end(ctx context.Context, send func()) error {
	q.signals.stop() // or send would reach only this question
	q.hide(ctx)
	send()
	effect := time.NewTimer(signalTime)
	defer effect.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-effect.C:
		return ErrInterrupted
	}
}

// suspend lets the process be stopped, and returns when it continues.
func (q *question) suspend(ctx context.Context) error {
	q.hide(ctx)
	q.dev.press(suspended)
	effect := time.NewTimer(stopTime)
	defer effect.Stop()
	late := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s := <-q.signals.ended:
			return q.end(ctx, func() { q.dev.again(s) })
		case <-q.signals.resumed:
			return errAgain
		case <-effect.C:
			if late {
				return errAgain
			}
			late = true // the time passed during a stop, of which the news is on its way
			effect.Reset(signalTime)
		}
	}
}

// A reading is a read of one byte, in a goroutine of its own.
type reading struct {
	dev  device
	done chan struct{} // closed when b and err are set
	b    byte
	err  error
}

// read starts to read a byte. There is never a second reading at the same time:
// only the question whose turn it is reads, and takes over what was abandoned.
func (t *Terminal) read(dev device) *reading {
	r := &reading{dev: dev, done: make(chan struct{})}
	go func() {
		r.b, r.err = dev.read()
		close(r.done)
		if t.forget(r) {
			dev.close() // nobody waits
		}
	}()
	return r
}

// abandon leaves a pending reading to the next question, or to itself.
func (t *Terminal) abandon(r *reading) {
	t.mu.Lock()
	t.abandoned = r
	t.mu.Unlock()
	select {
	case <-r.done: // perhaps before it was abandoned
		if t.forget(r) {
			r.dev.close()
		}
	default:
	}
}

// takeOver is the reading that was abandoned, or nil.
func (t *Terminal) takeOver() *reading {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.abandoned
	t.abandoned = nil
	return r
}

// forget reports whether r was abandoned. It says so once.
func (t *Terminal) forget(r *reading) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.abandoned != r {
		return false
	}
	t.abandoned = nil
	return true
}
