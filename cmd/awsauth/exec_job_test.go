//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestServeStopped: without a terminal nobody would continue awsauth, so it does not
// stop with its child.
func TestServeStopped(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	got := runProcess(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--",
		sh, "-c", `(while sleep 0.3; kill -CONT $$; do :; done) 2>/dev/null & kill -STOP $$; exit 5`)
	assert.Equal(t, 5, got.code, got.stderr)
}

// terminal runs bash at a terminal of its own, types what the arguments say, and
// prints what the screen shows. Before it types, it waits for a text on the screen.
const terminal = `
import os, pty, select, signal, sys, time
pid, fd = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL) # a test that was started in the background ignores it
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
screen, seen, typed = "", 0, b""
def handed(): # to a job: what is pressed now is not for the shell
    return os.tcgetpgrp(fd) != pid
def read(until):
    global screen, seen
    end, again = time.time() + 60, time.time() + 1
    while until not in screen[seen:]:
        if typed in (b"\x03", b"\x1a") and time.time() > again and handed():
            again = time.time() + 1
            os.write(fd, typed) # it came while the job was being made
        if time.time() > end:
            sys.exit("no %r on the screen:\\n%s" % (until, screen))
        if select.select([fd], [], [], 0.1)[0]:
            screen += os.read(fd, 4096).decode(errors="replace")
    seen = screen.index(until, seen) + len(until)
args = sys.argv[1:]
while args:
    read(args[0])
    typed, end = args[1].encode(), time.time() + 60
    while typed[-1:] in (b"\x03", b"\x1a") and not handed() and time.time() < end:
        time.sleep(0.01)
    os.write(fd, typed)
    args = args[2:]
end = time.time() + 60
try:
    while True:
        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
            os.kill(pid, signal.SIGKILL)
            sys.exit("the shell does not end:\\n%s" % screen)
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        screen += chunk.decode(errors="replace")
except OSError:
    pass
print(screen)
`

// atTerminal has bash at a terminal run a line, in which RUN is the command, and types
// keys when the screen shows the texts before them. It returns the screen.
func atTerminal(t *testing.T, line string, keys ...string) string {
	t.Helper()
	needs(t, "bash")
	self, err := os.Executable()
	require.NoError(t, err)
	args := append([]string{"-c", terminal, "bash", "PS1='@''> '\r", "@> ", strings.ReplaceAll(line, "RUN", asCommand+"=1 "+self) + "\r"}, keys...)
	c := exec.CommandContext(t.Context(), needs(t, "python3"), args...)
	c.Env = append(os.Environ(), "TERM=dumb")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return regexp.MustCompile(`\x1b\[[?0-9;]*[a-z]`).ReplaceAllString(string(out), "")
}

// TestExecTerminal: Ctrl-Z gives the prompt back, fg goes on, Ctrl-C ends the child, as
// if awsauth were not there. Without --serve it is not.
//
// The child of this test becomes sleep. A shell that starts it with vfork, as dash does,
// cannot stop where Ctrl-Z comes between the two: the kernel has it wait for its child,
// which has stopped. bash waits on then, with awsauth and without.
func TestExecTerminal(t *testing.T) {
	_, url := fleet(t)
	for _, mode := range []string{"", "--serve "} {
		t.Run(mode, func(t *testing.T) {
			screen := atTerminal(t, "RUN exec "+mode+"--sts-endpoint "+url+" --account "+accountA+" -- sh -c 'sleep 0.5; echo sta''rted; exec sleep 60'",
				"started", "\x1a",
				"Stopped", "echo code=$?; fg\r", "code=14", "",
				"sleep 60'", "\x03", "@> ", "echo code=$?\r",
				"code=130", "exit\r")
			if mode == "" {
				assert.Contains(t, screen, "awsauth: these keys end at ")
			} else {
				assert.NotContains(t, screen, "awsauth: these keys")
			}
		})
	}
}

// countINT counts SIGINT. The first one it sends to awsauth itself, as somebody
// elsewhere would; the second one is Ctrl-C, for which it waits in the foreground.
const countINT = `
n=0
trap 'n=$((n+1))' INT
echo "be""gun"
while [ ! -e "$1" ]; do sleep 0.05; done
kill -INT $PPID
while [ $n -lt 1 ]; do sleep 0.05; done
touch "$1.heard"
while ! ps -o stat= -p $$ | grep -q +; do sleep 0.05; done
echo "press"" now"
while [ $n -lt 2 ]; do sleep 0.05; done
sleep 0.5
echo "total"" $n"
`

// TestServeTerminalSignals: in the background of a terminal an interrupt that is sent to
// awsauth reaches the child. In the foreground Ctrl-C reaches it once.
func TestServeTerminalSignals(t *testing.T) {
	needs(t, "ps")
	_, url := fleet(t)
	dir := t.TempDir()
	script, gone := filepath.Join(dir, "count"), filepath.Join(dir, "go")
	require.NoError(t, os.WriteFile(script, []byte(countINT), 0o600))
	atTerminal(t, "RUN exec --serve --sts-endpoint "+url+" --account "+accountA+" -- sh "+script+" "+gone+" &",
		"begun", "touch "+gone+"; until [ -e "+gone+".heard ]; do sleep 0.1; done; fg\r",
		"press now", " \x03", "total 2", "", "@> ", "echo code=$?\r", "code=0", "exit\r") // with a blank: ^C once
}

// TestServeTerminalReads: a child in the background that reads from the terminal stops,
// and the shell is told, so that fg goes on with it. (Only the shell knows when: ps shows
// a program as stopped when its first thread is, and fg of a job that the shell takes for
// running continues nothing.)
func TestServeTerminalReads(t *testing.T) {
	_, url := fleet(t)
	atTerminal(t, "RUN exec --serve --sts-endpoint "+url+" --account "+accountA+" -- sh -c 'echo be''gun; exec cat' &",
		"begun", "until [ -n \"$(jobs -s)\" ]; do sleep 0.1; done; echo go''ing; fg\r",
		"going", "", "exec cat'", "\x03", "@> ", "echo code=$?\r", "code=130", "exit\r")
}

// TestTerminalMFA: the code is asked for at the terminal, whatever stdin and stdout
// are: they are the command's, or the JSON's.
func TestTerminalMFA(t *testing.T) {
	const serial = "arn:aws:iam::111111111111:mfa/ana"
	for name, tt := range map[string]struct{ line, want string }{
		"exec":         {"echo da''ta | RUN exec --profile admin -- sh -c 'cat; echo $AWS_ACCOUNT_ID' > OUT", "data\n222222222222\n"},
		"exec --serve": {"echo da''ta | RUN exec --serve --profile admin -- sh -c 'cat; echo $AWS_REGION' > OUT", "data\neu-west-1\n"},
		"process":      {"RUN process --profile admin < /dev/null 2> /dev/null > OUT", `"AccountId":"222222222222"`},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := awsauthtest.New(t)
			url, err := cloud.Serve()
			require.NoError(t, err)
			keys := cloud.AddUser(awsauthtest.User{ARN: ana, MFASerial: serial})
			cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/admin", Trust: []string{ana}, RequireMFA: true})
			dir := t.TempDir()
			config, out := filepath.Join(dir, "config"), filepath.Join(dir, "out")
			require.NoError(t, os.WriteFile(config, []byte("[profile admin]\nregion = eu-west-1\nrole_arn = arn:aws:iam::222222222222:role/admin\nsource_profile = ana\nmfa_serial = "+serial+
				"\n[profile ana]\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+"\n"), 0o600))
			t.Setenv("AWS_CONFIG_FILE", config)
			t.Setenv("AWS_ENDPOINT_URL_STS", url)
			atTerminal(t, strings.ReplaceAll(tt.line, "OUT", out),
				"(profile admin): ", cloud.MFACode(serial)+"\r", "@> ", "echo code=$?\r", "code=0", "exit\r")
			text, err := os.ReadFile(out)
			require.NoError(t, err)
			assert.Contains(t, string(text), tt.want)
		})
	}
}
