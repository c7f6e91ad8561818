package lab

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

// Role is the variable that makes the test program play a role in a test, instead
// of running the tests. TestMain looks at it.
const Role = "AWSAUTH_TEST_ROLE"

// Process is a process of the test program that plays a role. Its requests end in
// the place's Cloud.
type Process struct {
	Name string // what its requests are signed with, see Of

	cmd   *exec.Cmd
	in    io.WriteCloser
	mu    sync.Mutex
	dead  bool
	ended chan struct{}
}

// Process starts a process. hear is called with each line of its output.
func (w *Place) Process(role, name string, hear func(*Process, string), env ...string) *Process {
	w.T.Helper()
	url, err := w.Serve()
	require.NoError(w.T, err)
	p := &Process{Name: name, cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool { // where Isolate leads nowhere
		return strings.HasPrefix(pair, "AWS_ENDPOINT_URL")
	})
	p.cmd.Env = append(p.cmd.Env, Role+"="+role, "AWS_SDK_UA_APP_ID="+name, "AWS_ENDPOINT_URL="+url, "AWS_ENDPOINT_URL_STS="+url, "GORACE=atexit_sleep_ms=0")
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = os.Stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(w.T, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(w.T, err)
	require.NoError(w.T, p.cmd.Start())
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			hear(p, lines.Text())
		}
		_ = p.cmd.Wait()
	}()
	w.T.Cleanup(p.End)
	return p
}

// Say writes a line to the process's standard input: v as JSON.
func (p *Process) Say(v any) {
	text, _ := json.Marshal(v)
	fmt.Fprintln(p.in, string(text)) // one that is dead does not hear it
}

// Kill ends the process as kill -9 does. It counts as dead before it is.
func (p *Process) Kill() (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = !p.dead
	p.dead = true
	_ = p.cmd.Process.Kill()
	return first
}

// Dead reports whether Kill was called.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// End closes the process's input, which ends it, and waits until it has ended.
func (p *Process) End() {
	_ = p.in.Close()
	<-p.ended
}
