//go:build unix

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServeStopped: without a terminal nobody would continue awsauth, so it does not
// stop with its child.
func TestServeStopped(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	got := runProcess(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--",
		sh, "-c", `(sleep 0.3; kill -CONT $$) & kill -STOP $$; exit 5`)
	assert.Equal(t, 5, got.code, got.stderr)
}

// terminal runs bash at a terminal of its own, types what the arguments say, and
// prints what the screen shows. Before it types, it waits for a text on the screen.
const terminal = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
screen, seen = "", 0
def read(until):
    global screen, seen
    end = time.time() + 20
    while until not in screen[seen:]:
        if time.time() > end:
            sys.exit("no %r on the screen:\\n%s" % (until, screen))
        if select.select([fd], [], [], 0.1)[0]:
            screen += os.read(fd, 4096).decode(errors="replace")
    seen = screen.index(until, seen) + len(until)
args = sys.argv[1:]
while args:
    read(args[0])
    os.write(fd, args[1].encode())
    args = args[2:]
try:
    while True:
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        screen += chunk.decode(errors="replace")
except OSError:
    pass
print(screen)
`

// TestServeTerminal: Ctrl-Z gives the prompt back, fg goes on, Ctrl-C ends the child,
// and a loop of the shell with it, as if awsauth were not there.
func TestServeTerminal(t *testing.T) {
	needs(t, "bash")
	python := needs(t, "python3")
	_, url := fleet(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, mode := range []string{"", "--serve "} {
		t.Run(mode, func(t *testing.T) {
			run := asCommand + "=1 " + self + " exec " + mode + "--sts-endpoint " + url + " --account " + accountA + " -- "
			c := exec.CommandContext(t.Context(), python, "-c", terminal,
				"bash", "PS1='@''> '\r", "@> ", run+"sh -c 'echo sta''rted; sleep 60'\r", "started", "\x1a",
				"Stopped", "echo code=$?; fg\r", "code=14", "",
				"sleep 60'", "\x03", "@> ", "echo code=$?\r",
				"code=130", "for i in 1 2 3; do "+run+"sh -c 'echo lo''op; sleep 60'; done\r", "loop", "\x03",
				"@> ", "echo last=$?\r", "last=130", "exit\r")
			c.Env = append(os.Environ(), "TERM=dumb")
			start := time.Now()
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Less(t, time.Since(start), 30*time.Second)
			plain := regexp.MustCompile(`\x1b\[[?0-9;]*[a-z]`).ReplaceAllString(string(out), "")
			assert.Equal(t, 1, strings.Count(plain, "\nloop"), plain)
			if mode == "" {
				assert.Contains(t, plain, "awsauth: these keys end at ")
			} else {
				assert.NotContains(t, plain, "awsauth: these keys")
			}
		})
	}
}
