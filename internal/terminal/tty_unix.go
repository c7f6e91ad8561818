//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package terminal

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// path is the terminal of whoever opens it.
const path = "/dev/tty"

// system opens the terminal of the process.
type system struct {
	once  sync.Once
	alone bool // nobody else used os/signal when the first question was asked
}

func (s *system) open() (device, error) {
	s.once.Do(func() { s.alone = !notified() })
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNone, err)
	}
	t := &tty{file: f, alone: s.alone}
	if _, err := t.mode(); err != nil {
		t.close()
		return nil, fmt.Errorf("%w (%s: %w)", ErrNone, path, err)
	}
	return t, nil
}

// notified reports whether the process has ever called signal.Notify. os/signal
// tells nobody who listens, but from the first call on it has a goroutine.
func notified() bool {
	records := make([]runtime.StackRecord, 64)
	for {
		n, ok := runtime.GoroutineProfile(records)
		if ok {
			records = records[:n]
			break
		}
		records = make([]runtime.StackRecord, 2*n)
	}
	for i := range records {
		frames := runtime.CallersFrames(records[i].Stack())
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if strings.HasPrefix(f.Function, "os/signal.loop") {
				return true
			}
		}
	}
	return false
}

// tty is the terminal of the process.
type tty struct {
	file   *os.File
	alone  bool
	former *unix.Termios // before the first prepare: nil
	asking unix.Termios
}

// prepare makes the terminal hand over each byte as it is typed, keys that send
// a signal included, and show none. Output is processed as before: other
// goroutines may write to it.
func (t *tty) prepare() (keys, error) {
	if !t.inForeground() {
		return keys{}, ErrBackground
	}
	now, err := t.mode()
	if err != nil {
		return keys{}, fmt.Errorf("reading the terminal's mode: %w", err)
	}
	if t.former == nil || *now != t.asking { // a shell changes it while the process is stopped
		t.former = now
	}
	t.asking = *t.former
	t.asking.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.asking.Cc[unix.VMIN], t.asking.Cc[unix.VTIME] = 1, 0
	if err := t.set(&t.asking); err != nil {
		return keys{}, fmt.Errorf("turning the terminal's echo off: %w", err)
	}
	_ = t.file.SetReadDeadline(time.Time{}) // fails only where interrupt does
	t.flush()
	return t.keys(), nil
}

// keys are those that the former mode has.
func (t *tty) keys() keys {
	key := func(i int) byte {
		if c := t.former.Cc[i]; c != disabled {
			return c
		}
		return 0
	}
	k := keys{end: key(unix.VEOF), erase: key(unix.VERASE), word: key(unix.VWERASE), kill: key(unix.VKILL)}
	if t.former.Lflag&unix.ISIG != 0 {
		k.interrupt, k.quit, k.suspend = key(unix.VINTR), key(unix.VQUIT), key(unix.VSUSP)
	}
	return k
}

// restore leaves the terminal alone where another job has it: whoever gave it
// away has set its mode, and to change it would stop the process.
func (t *tty) restore() {
	if t.former != nil && t.inForeground() {
		_ = t.set(t.former) // the terminal may be gone, and there is nobody else to tell
	}
}

func (t *tty) flush() {
	if t.inForeground() {
		_ = t.control(discard)
	}
}

// inForeground reports whether the process may use its terminal.
func (t *tty) inForeground() bool {
	var group int
	err := t.control(func(fd int) (err error) {
		group, err = foreground(fd)
		return err
	})
	return err == nil && group == unix.Getpgrp()
}

func (t *tty) mode() (m *unix.Termios, err error) {
	err = t.control(func(fd int) (err error) {
		m, err = unix.IoctlGetTermios(fd, getMode)
		return err
	})
	return m, err
}

// set does not wait for output: it may be stopped.
func (t *tty) set(m *unix.Termios) error {
	return t.control(func(fd int) error { return unix.IoctlSetTermios(fd, setMode, m) })
}

// control does not use Fd, which would make reads uninterruptible.
func (t *tty) control(do func(fd int) error) error {
	conn, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func (t *tty) write(ctx context.Context, s string) error {
	_ = t.file.SetWriteDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = t.file.SetWriteDeadline(longAgo()) })
	defer stop()
	_, err := t.file.WriteString(s)
	return err
}

func (t *tty) read() (byte, error) {
	var b [1]byte
	_, err := t.file.Read(b[:])
	return b[0], err
}

// interrupt works where the terminal can be polled, as on Linux.
func (t *tty) interrupt() bool { return t.file.SetReadDeadline(longAgo()) == nil }

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }

// press sends the signal to the whole group, as the terminal does.
func (t *tty) press(e event) {
	s, ok := map[event]syscall.Signal{interrupted: unix.SIGINT, quit: unix.SIGQUIT, suspended: unix.SIGTSTP}[e]
	if ok {
		_ = unix.Kill(0, s)
	}
}

func (t *tty) again(s os.Signal) {
	if n, ok := s.(syscall.Signal); ok && t.alone {
		_ = unix.Kill(unix.Getpid(), n)
	}
}

// watch leaves a signal alone that the process ignores: to be notified would end
// that.
func (t *tty) watch() signals {
	resumed, end := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(resumed, unix.SIGCONT)
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(end, s)
		}
	}
	return signals{resumed: resumed, ended: end, stop: func() {
		signal.Stop(resumed)
		signal.Stop(end)
	}}
}

func (t *tty) close() { _ = t.file.Close() }
