package terminal_test

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

// pty is a terminal whose keyboard and screen are the test's.
type pty struct {
	master, slave *os.File
	screen        text
}

func newPTY(t *testing.T) *pty {
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
	p := &pty{master: master, slave: slave}
	go func() { _, _ = io.Copy(&p.screen, master) }()
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
	})
	return p
}

func (p *pty) press(t *testing.T, s string) {
	t.Helper()
	_, err := p.master.WriteString(s)
	require.NoError(t, err)
}

// mode is the terminal's mode.
func (p *pty) mode(t *testing.T) unix.Termios {
	t.Helper()
	conn, err := p.slave.SyscallConn()
	require.NoError(t, err)
	var mode unix.Termios
	require.NoError(t, conn.Control(func(fd uintptr) {
		m, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		require.NoError(t, err)
		mode = *m
	}))
	return mode
}

// process is one that has a pty as its terminal.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	tells text
	done  chan struct{} // closed when it has ended
}

// start starts this test binary in a role, as the leader of a session on the
// terminal.
func (p *pty) start(t *testing.T, env ...string) *process {
	t.Helper()
	return launch(t, &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}, []*os.File{p.slave}, env)
}

func launch(t *testing.T, attr *syscall.SysProcAttr, files []*os.File, env []string) *process {
	t.Helper()
	c := &process{cmd: exec.Command(os.Args[0]), done: make(chan struct{})}
	c.cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), env...)
	c.cmd.SysProcAttr, c.cmd.ExtraFiles, c.cmd.Stdout = attr, files, &c.tells
	var err error
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	go func() {
		_ = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.done
	})
	return c
}

// end is the signal that ended the process, or -1.
func (c *process) end(t *testing.T) syscall.Signal {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		require.FailNow(t, "the process does not end", c.tells.String())
	}
	return c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}

func (c *process) order(t *testing.T, s string) {
	t.Helper()
	_, err := io.WriteString(c.stdin, s+"\n")
	require.NoError(t, err)
}

// text grows in another goroutine.
type text struct {
	mu  sync.Mutex
	all strings.Builder
}

func (s *text) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *text) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// await waits until the text is want.
func (s *text) await(t *testing.T, want string) {
	t.Helper()
	if !assert.Eventually(t, func() bool { return s.String() == want }, patience, time.Millisecond) {
		require.Equal(t, want, s.String())
	}
}
