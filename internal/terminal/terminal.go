// Package terminal asks the person at the terminal of the process for one line
// that must not be seen, as a code of an MFA device.
//
// The terminal itself is opened (/dev/tty, on Windows the console), never
// standard input or output: those may be pipes, and their content is the
// program's. While a question is open nothing that is typed is echoed. Before
// [Terminal.Ask] returns, the terminal is back in the mode it was found in.
//
// # Keys
//
// The keys that usually send a signal (Ctrl-C, Ctrl-\, Ctrl-Z, or what stty
// says) are read as characters while a question is open, because a signal may
// end the process at once, and a terminal without echo would be left behind.
// Ask restores the terminal first. Then it sends the signal to the process group,
// as the terminal would have done: each process and each handler gets it
// once, and where nobody handles it, it has its usual effect. If the process
// is still there after Ctrl-C or Ctrl-\, Ask returns [ErrInterrupted]. After
// Ctrl-Z, and whenever the process continues after a stop, the question is asked
// again.
//
// # Signals from elsewhere
//
// SIGINT, SIGTERM, SIGHUP and SIGQUIT from another process are noticed while a
// question is open, unless the process ignores them. The terminal is restored
// and the question ends. A program that uses os/signal has been notified by
// then and decides what follows. In a program that never did, the signal is
// sent again, now with its usual effect: the process ends.
//
// # Jobs in the background
//
// A process in the background of its terminal would be stopped by its first
// touch of the terminal, without a word. Ask looks first and returns
// [ErrBackground].
package terminal

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// Errors of Ask. Errors of the terminal itself are wrapped.
var (
	// ErrNone says that the process has no terminal, as under cron, in a
	// service and in most containers.
	ErrNone = errors.New("the process has no terminal to ask on")
	// ErrBackground says that a terminal is there, but that another job has it.
	ErrBackground = errors.New("the process is in the background of its terminal and cannot ask; bring it to the foreground")
	// ErrNothing says that the input ended (Ctrl-D) before anything was typed.
	ErrNothing = errors.New("nothing was typed: the input ended")
	// ErrTooLong says that the line has more than 256 bytes.
	ErrTooLong = errors.New("the line that was typed is longer than 256 bytes")
	// ErrInterrupted says that Ctrl-C or a signal ended the question.
	ErrInterrupted = errors.New("interrupted while asking on the terminal")
)

// A device is an opened terminal.
type device interface {
	// prepare turns the echo off and discards what was typed before. It may be
	// called again, after restore or when the process continues after a stop.
	// Reads that start after it are not interrupted by what came before.
	prepare() (keys, error)
	// restore brings back the mode that prepare found. It does nothing before
	// prepare.
	restore()
	// flush discards what was typed and not read.
	flush()
	// write shows s, for as long as ctx lasts.
	write(ctx context.Context, s string) error
	// read waits for one byte.
	read() (byte, error)
	// interrupt ends a pending read and reports whether it could.
	interrupt() bool
	// press does what a key that sends a signal does in the usual mode.
	press(event)
	// again sends a signal that was noticed to the process once more, if
	// nobody but the device can have noticed it.
	again(os.Signal)
	// watch notices signals until its stop is called.
	watch() signals
	close()
}

// signals are those that concern an open question. The channels may be nil.
type signals struct {
	resumed <-chan os.Signal // the process continues after a stop
	ended   <-chan os.Signal // the process is asked to end
	stop    func()           // may be called twice
}

// A Terminal asks questions on the terminal of the process. A process has one
// terminal and should have one Terminal: questions of two would take each
// other's answers. It is safe for concurrent use, and nothing is open while
// nobody asks.
type Terminal struct {
	open func() (device, error)
	turn chan struct{} // holds one element while a question is open

	mu        sync.Mutex
	abandoned *reading // of a caller who left; nil: nobody reads
}

// New is a Terminal for the terminal of the process. The terminal is opened by
// Ask, each time.
func New() *Terminal {
	s := new(system)
	return newTerminal(s.open)
}

func newTerminal(open func() (device, error)) *Terminal {
	return &Terminal{open: open, turn: make(chan struct{}, 1)}
}

// Ask shows text and reads one line, without its end. Nothing that is typed is
// echoed, and what was typed before text was shown is discarded. An empty line
// is an answer.
//
// In text, white space is folded and characters that act on a terminal are
// replaced; a space follows it.
//
// Questions are asked one after the other. When ctx ends, Ask returns its cause
// at once, whether its question is open or still to come. A read that the
// system cannot interrupt (on Windows and macOS) is left to the next question;
// a key that is pressed before there is one is lost.
func (t *Terminal) Ask(ctx context.Context, text string) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if ctx.Err() != nil { // select chooses at random where both are ready
		return "", context.Cause(ctx)
	}
	q := question{t: t, text: text}
	if err := q.open(); err != nil {
		return "", err
	}
	defer q.close(ctx)
	return q.ask(ctx)
}

// Time limits of a question.
const (
	// signalTime is how long a signal may take to have its effect, before Ask
	// goes on as if it had none.
	signalTime = 250 * time.Millisecond
	// stopTime is the same for Ctrl-Z, whose effect a program may delay to
	// clean up.
	stopTime = time.Second
	// lastTime is how long the last write of a question may take. A terminal
	// whose output was stopped with Ctrl-S takes nothing.
	lastTime = 100 * time.Millisecond
)
