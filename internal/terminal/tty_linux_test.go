package terminal_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// asked waits for the question and asserts that the echo is off.
func (p *pty) asked(t *testing.T, screen string) {
	t.Helper()
	p.screen.await(t, screen)
	assert.Zero(t, p.mode(t).Lflag&unix.ECHO, "the echo is on")
}

func TestTTYAnswer(t *testing.T) {
	p := newPTY(t)
	former := p.mode(t)
	p.press(t, "999\n") // before anybody asks: shown, but not taken
	p.screen.await(t, "999\r\n")
	c := p.start(t, role+"=ask")
	p.asked(t, "999\r\nCode: ")
	p.press(t, "124\x7f3\r")
	c.end(t)
	assert.Equal(t, "answer: 123\n", c.tells.String())
	p.screen.await(t, "999\r\nCode: \r\n")
	assert.Equal(t, former, p.mode(t))
}

// A key that sends a signal has its effect once, and leaves no terminal without
// an echo. So has a signal from elsewhere.
func TestTTYSignals(t *testing.T) {
	const left = "error: interrupted while asking on the terminal\nsignals: 1\n"
	for name, test := range map[string]struct {
		role  string
		send  func(*pty, *process)
		ended syscall.Signal
		tells string
	}{
		"Ctrl-C":           {"ask", pressing("\x03"), syscall.SIGINT, ""},
		"Ctrl-C, handled":  {"ask, handlers", pressing("\x03"), -1, left},
		"SIGTERM":          {"ask", sending(syscall.SIGTERM), syscall.SIGTERM, ""},
		"SIGTERM, handled": {"ask, handlers", sending(syscall.SIGTERM), -1, left},
		"SIGHUP":           {"ask", sending(syscall.SIGHUP), syscall.SIGHUP, ""},
		"SIGTERM, ignored": {"ask, ignoring", func(p *pty, c *process) {
			sending(syscall.SIGTERM)(p, c)
			pressing("1\n")(p, c)
		}, -1, "answer: 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPTY(t)
			former := p.mode(t)
			c := p.start(t, role+"="+test.role)
			p.asked(t, "Code: ")
			test.send(p, c)
			assert.Equal(t, test.ended, c.end(t))
			assert.Equal(t, test.tells, c.tells.String())
			assert.Equal(t, former, p.mode(t))
			p.screen.await(t, "Code: \r\n")
		})
	}
}

func pressing(s string) func(*pty, *process) {
	return func(p *pty, _ *process) { _, _ = p.master.WriteString(s) }
}

func sending(s syscall.Signal) func(*pty, *process) {
	return func(_ *pty, c *process) { _ = c.cmd.Process.Signal(s) }
}

// A caller who leaves finds the terminal as it was, and what was typed halfway is
// not part of the next answer.
func TestTTYContextEnds(t *testing.T) {
	p := newPTY(t)
	former := p.mode(t)
	c := p.start(t, role+"=ask, twice")
	p.asked(t, "Code: ")
	p.press(t, "99")
	c.order(t, "leave")
	c.tells.await(t, "error: left\n")
	assert.Equal(t, former, p.mode(t))
	p.screen.await(t, "Code: \r\n")

	c.order(t, "again")
	p.asked(t, "Code: \r\nCode: ")
	p.press(t, "1\n")
	c.end(t)
	assert.Equal(t, "error: left\nanswer: 1\n", c.tells.String())
	assert.Equal(t, former, p.mode(t))
}

// A process that continues after a stop asks again. It does not take its own mode
// for the one that it must leave behind.
func TestTTYContinues(t *testing.T) {
	p := newPTY(t)
	former := p.mode(t)
	c := p.start(t, role+"=ask")
	p.asked(t, "Code: ")
	p.press(t, "12")
	sending(syscall.SIGCONT)(p, c)
	p.asked(t, "Code: Code: ")
	p.press(t, "3\n")
	c.end(t)
	assert.Equal(t, "answer: 3\n", c.tells.String())
	assert.Equal(t, former, p.mode(t))
}

// Ctrl-S stops the output: a question that cannot be shown can still be left.
func TestTTYOutputStopped(t *testing.T) {
	p := newPTY(t)
	former := p.mode(t)
	conn, err := p.slave.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Control(func(fd uintptr) {
		require.NoError(t, unix.IoctlSetInt(int(fd), unix.TCXONC, unix.TCOOFF))
	}))
	c := p.start(t, role+"=ask, twice")
	assert.Eventually(t, func() bool { return p.mode(t) != former }, patience, time.Millisecond)
	c.order(t, "leave")
	c.tells.await(t, "error: left\n")
	assert.Equal(t, former, p.mode(t))
	assert.Empty(t, p.screen.String())
}

func TestTTYNone(t *testing.T) {
	c := launch(t, &syscall.SysProcAttr{Setsid: true}, nil, []string{role + "=ask"})
	c.end(t)
	assert.Equal(t, "error: the process has no terminal to ask on (open /dev/tty: no such device or address)\n", c.tells.String())
}

const background = "error: the process is in the background of its terminal and cannot ask; bring it to the foreground\n"

// A job in the background is told so, and not stopped.
func TestTTYBackground(t *testing.T) {
	p := newPTY(t)
	c := p.start(t, role+"=shell, bg", jobRole+"=ask")
	c.end(t)
	assert.Equal(t, background+"ended\n", c.tells.String())
	assert.Empty(t, p.screen.String())
}

// Ctrl-Z stops the job, with the terminal restored.
func TestTTYStopped(t *testing.T) {
	for _, test := range []struct{ order, tells, screen string }{
		{"fg", "answer: 3\n", "Code: \r\nCode: \r\n"},
		{"bg", background, "Code: \r\n"},
	} {
		t.Run(test.order, func(t *testing.T) {
			t.Parallel()
			p := newPTY(t)
			former := p.mode(t)
			c := p.start(t, role+"=shell", jobRole+"=ask")
			p.asked(t, "Code: ")
			p.press(t, "12\x1a")
			c.tells.await(t, "stopped\n")
			assert.Equal(t, former, p.mode(t))
			c.order(t, test.order)
			if test.order == "fg" {
				p.asked(t, "Code: \r\nCode: ")
				p.press(t, "3\n")
			}
			c.end(t)
			assert.Equal(t, "stopped\n"+test.tells+"ended\n", c.tells.String())
			assert.Equal(t, former, p.mode(t))
			p.screen.await(t, test.screen)
		})
	}
}
