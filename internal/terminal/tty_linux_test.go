package terminal_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/chaoxiaodi/awsauth/internal/ptytest"
)

func TestTTYAnswer(t *testing.T) {
	p := ptytest.New(t)
	former := p.Mode(t)
	p.Press(t, "999\n") // before anybody asks: shown, but not taken
	p.Screen.Await(t, "999\r\n")
	c := p.Start(t, role+"=ask")
	p.Asked(t, "999\r\nCode: ")
	p.Press(t, "124\x7f3\r")
	c.End(t)
	assert.Equal(t, "answer: 123\n", c.Tells.String())
	p.Screen.Await(t, "999\r\nCode: \r\n")
	assert.Equal(t, former, p.Mode(t))
}

// A key that sends a signal has its effect once, and leaves no terminal without
// an echo. So has a signal from elsewhere.
func TestTTYSignals(t *testing.T) {
	const left = "error: interrupted while asking on the terminal\nsignals: 1\n"
	for name, test := range map[string]struct {
		role  string
		send  func(*ptytest.PTY, *ptytest.Process)
		ended syscall.Signal
		tells string
	}{
		"Ctrl-C":           {"ask", pressing("\x03"), syscall.SIGINT, ""},
		"Ctrl-C, handled":  {"ask, handlers", pressing("\x03"), -1, left},
		"SIGTERM":          {"ask", sending(syscall.SIGTERM), syscall.SIGTERM, ""},
		"SIGTERM, handled": {"ask, handlers", sending(syscall.SIGTERM), -1, left},
		"SIGHUP":           {"ask", sending(syscall.SIGHUP), syscall.SIGHUP, ""},
		"SIGTERM, ignored": {"ask, ignoring", func(p *ptytest.PTY, c *ptytest.Process) {
			sending(syscall.SIGTERM)(p, c)
			pressing("1\n")(p, c)
		}, -1, "answer: 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := ptytest.New(t)
			former := p.Mode(t)
			c := p.Start(t, role+"="+test.role)
			p.Asked(t, "Code: ")
			test.send(p, c)
			assert.Equal(t, test.ended, c.End(t))
			assert.Equal(t, test.tells, c.Tells.String())
			assert.Equal(t, former, p.Mode(t))
			p.Screen.Await(t, "Code: \r\n")
		})
	}
}

func pressing(s string) func(*ptytest.PTY, *ptytest.Process) {
	return func(p *ptytest.PTY, _ *ptytest.Process) { _, _ = p.Master.WriteString(s) }
}

func sending(s syscall.Signal) func(*ptytest.PTY, *ptytest.Process) {
	return func(_ *ptytest.PTY, c *ptytest.Process) { _ = c.Cmd.Process.Signal(s) }
}

// A caller who leaves finds the terminal as it was, and what was typed halfway is
// not part of the next answer.
func TestTTYContextEnds(t *testing.T) {
	p := ptytest.New(t)
	former := p.Mode(t)
	c := p.Start(t, role+"=ask, twice")
	p.Asked(t, "Code: ")
	p.Press(t, "99")
	c.Order(t, "leave")
	c.Tells.Await(t, "error: left\n")
	assert.Equal(t, former, p.Mode(t))
	p.Screen.Await(t, "Code: \r\n")

	c.Order(t, "again")
	p.Asked(t, "Code: \r\nCode: ")
	p.Press(t, "1\n")
	c.End(t)
	assert.Equal(t, "error: left\nanswer: 1\n", c.Tells.String())
	assert.Equal(t, former, p.Mode(t))
}

// A process that continues after a stop asks again. It does not take its own mode
// for the one that it must leave behind.
func TestTTYContinues(t *testing.T) {
	p := ptytest.New(t)
	former := p.Mode(t)
	c := p.Start(t, role+"=ask")
	p.Asked(t, "Code: ")
	p.Press(t, "12")
	sending(syscall.SIGCONT)(p, c)
	p.Asked(t, "Code: Code: ")
	p.Press(t, "3\n")
	c.End(t)
	assert.Equal(t, "answer: 3\n", c.Tells.String())
	assert.Equal(t, former, p.Mode(t))
}

// Ctrl-S stops the output: a question that cannot be shown can still be left.
func TestTTYOutputStopped(t *testing.T) {
	p := ptytest.New(t)
	former := p.Mode(t)
	conn, err := p.Slave.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Control(func(fd uintptr) {
		require.NoError(t, unix.IoctlSetInt(int(fd), unix.TCXONC, unix.TCOOFF))
	}))
	c := p.Start(t, role+"=ask, twice")
	assert.Eventually(t, func() bool { return p.Mode(t) != former }, ptytest.Patience, time.Millisecond)
	c.Order(t, "leave")
	c.Tells.Await(t, "error: left\n")
	assert.Equal(t, former, p.Mode(t))
	assert.Empty(t, p.Screen.String())
}

func TestTTYNone(t *testing.T) {
	c := ptytest.Launch(t, &syscall.SysProcAttr{Setsid: true}, nil, []string{role + "=ask"})
	c.End(t)
	assert.Equal(t, "error: the process has no terminal to ask on (open /dev/tty: no such device or address)\n", c.Tells.String())
}

const background = "error: the process is in the background of its terminal and cannot ask; bring it to the foreground\n"

// A job in the background is told so, and not stopped.
func TestTTYBackground(t *testing.T) {
	p := ptytest.New(t)
	c := p.Start(t, role+"=shell, bg", jobRole+"=ask")
	c.End(t)
	assert.Equal(t, background+"ended\n", c.Tells.String())
	assert.Empty(t, p.Screen.String())
}

// Ctrl-Z stops the job, with the terminal restored.
func TestTTYStopped(t *testing.T) {
	for _, test := range []struct{ order, tells, screen string }{
		{"fg", "answer: 3\n", "Code: \r\nCode: \r\n"},
		{"bg", background, "Code: \r\n"},
	} {
		t.Run(test.order, func(t *testing.T) {
			t.Parallel()
			p := ptytest.New(t)
			former := p.Mode(t)
			c := p.Start(t, role+"=shell", jobRole+"=ask")
			p.Asked(t, "Code: ")
			p.Press(t, "12\x1a")
			c.Tells.Await(t, "stopped\n")
			assert.Equal(t, former, p.Mode(t))
			c.Order(t, test.order)
			if test.order == "fg" {
				p.Asked(t, "Code: \r\nCode: ")
				p.Press(t, "3\n")
			}
			c.End(t)
			assert.Equal(t, "stopped\n"+test.tells+"ended\n", c.Tells.String())
			assert.Equal(t, former, p.Mode(t))
			p.Screen.Await(t, test.screen)
		})
	}
}
