package ptytest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Patience is how long a test waits for another process.
const Patience = 20 * time.Second

// PTY is a terminal whose keyboard and screen are the test's.
type PTY struct {
	Master, Slave *os.File
	Screen        Text // what is shown
}

// New makes a terminal. The test is skipped where that cannot be.
func New(t *testing.T) *PTY {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	conn, err := master.SyscallConn()
	require.NoError(t, err)
	var number uint32
	require.NoError(t, conn.Control(func(fd uintptr) {
		require.NoError(t, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
		number, err = unix.IoctlGetUint32(int(fd), unix.TIOCGPTN)
		require.NoError(t, err)
	}))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	p := &PTY{Master: master, Slave: slave}
	go func() { _, _ = io.Copy(&p.Screen, master) }()
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
	})
	return p
}

// Press presses keys.
func (p *PTY) Press(t *testing.T, s string) {
	t.Helper()
	_, err := p.Master.WriteString(s)
	require.NoError(t, err)
}

// Mode is the terminal's mode.
func (p *PTY) Mode(t *testing.T) unix.Termios {
	t.Helper()
	conn, err := p.Slave.SyscallConn()
	require.NoError(t, err)
	var mode unix.Termios
	require.NoError(t, conn.Control(func(fd uintptr) {
		m, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		require.NoError(t, err)
		mode = *m
	}))
	return mode
}

// Asked waits until the terminal shows want, and asserts that the echo is off.
func (p *PTY) Asked(t *testing.T, want string) {
	t.Helper()
	p.Screen.Await(t, want)
	assert.Zero(t, p.Mode(t).Lflag&unix.ECHO, "the echo is on")
}

// Process is a process of the test binary.
type Process struct {
	Cmd   *exec.Cmd
	Tells Text // its standard output
	stdin io.WriteCloser
	done  chan struct{} // closed when it has ended
}

// Start starts this test binary in a role, as the leader of a session on the
// terminal.
func (p *PTY) Start(t *testing.T, env ...string) *Process {
	t.Helper()
	return Launch(t, &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}, []*os.File{p.Slave}, env)
}

// Launch starts this test binary with files beside its standard ones.
func Launch(t *testing.T, attr *syscall.SysProcAttr, files []*os.File, env []string) *Process {
	t.Helper()
	c := &Process{Cmd: exec.Command(os.Args[0]), done: make(chan struct{})}
	c.Cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), env...)
	c.Cmd.SysProcAttr, c.Cmd.ExtraFiles, c.Cmd.Stdout = attr, files, &c.Tells
	var err error
	c.stdin, err = c.Cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.Cmd.Start())
	go func() {
		_ = c.Cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = c.Cmd.Process.Kill()
		<-c.done
	})
	return c
}

// End is the signal that ended the process, or -1.
func (c *Process) End(t *testing.T) syscall.Signal {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(Patience):
		require.FailNow(t, "the process does not end", c.Tells.String())
	}
	return c.Cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}

// Order writes a line to the process's standard input.
func (c *Process) Order(t *testing.T, s string) {
	t.Helper()
	_, err := io.WriteString(c.stdin, s+"\n")
	require.NoError(t, err)
}

// Text is a text that grows in another goroutine.
type Text struct {
	mu  sync.Mutex
	all strings.Builder
}

// Write adds to the text.
func (s *Text) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

// String is the text so far.
func (s *Text) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// Await waits until the text is want.
func (s *Text) Await(t *testing.T, want string) {
	t.Helper()
	if !assert.Eventually(t, func() bool { return s.String() == want }, Patience, time.Millisecond) {
		require.Equal(t, want, s.String())
	}
}
