//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
screen, seen, typed = "", 0, b""
def read(until):
    global screen, seen
    end, again = time.time() + 20, time.time() + 1
    while until not in screen[seen:]:
        if typed in (b"\x03", b"\x1a") and time.time() > again:
            again = time.time() + 1
            os.write(fd, typed) # the shell had not handed the terminal over yet
        if time.time() > end:
            sys.exit("no %r on the screen:\\n%s" % (until, screen))
        if select.select([fd], [], [], 0.1)[0]:
            screen += os.read(fd, 4096).decode(errors="replace")
    seen = screen.index(until, seen) + len(until)
args = sys.argv[1:]
while args:
    read(args[0])
    typed = args[1].encode()
    os.write(fd, typed)
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

// TestServeTerminal is about exec --serve, which stays beside its child. Without --serve
// nothing of us is left: see TestExecBecomes. Ctrl-Z gives the prompt back, fg goes on, Ctrl-C ends the child, as
// if awsauth were not there.
func TestServeTerminal(t *testing.T) {
	needs(t, "bash")
	python := needs(t, "python3")
	_, url := fleet(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, mode := range []string{"--serve "} {
		t.Run(mode, func(t *testing.T) {
			run := asCommand + "=1 " + self + " exec " + mode + "--sts-endpoint " + url + " --account " + accountA + " -- "
			c := exec.CommandContext(t.Context(), python, "-c", terminal,
				"bash", "PS1='@''> '\r", "@> ", run+"sh -c 'sleep 0.5; echo sta''rted; sleep 60'\r", "started", "\x1a",
				"Stopped", "echo code=$?; fg\r", "code=14", "",
				"sleep 60'", "\x03", "@> ", "echo code=$?\r",
				"code=130", "exit\r")
			c.Env = append(os.Environ(), "TERM=dumb")
			start := time.Now()
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Less(t, time.Since(start), 30*time.Second)
			plain := regexp.MustCompile(`\x1b\[[?0-9;]*[a-z]`).ReplaceAllString(string(out), "")
			assert.NotContains(t, plain, "awsauth: these keys")
		})
	}
}

// TestTerminalMFA: the code is asked for at the terminal, whatever stdin and stdout
// are: they are the command's, or the JSON's.
func TestTerminalMFA(t *testing.T) {
	needs(t, "bash")
	python := needs(t, "python3")
	const serial = "arn:aws:iam::111111111111:mfa/ana"
	self, err := os.Executable()
	require.NoError(t, err)
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
			line := strings.NewReplacer("RUN", asCommand+"=1 "+self, "OUT", out).Replace(tt.line)
			c := exec.CommandContext(t.Context(), python, "-c", terminal, "bash", "PS1='@''> '\r", "@> ", line+"\r",
				"(profile admin): ", cloud.MFACode(serial)+"\r", "@> ", "echo code=$?\r", "code=0", "exit\r")
			c.Env = append(os.Environ(), "TERM=dumb")
			screen, err := c.CombinedOutput()
			require.NoError(t, err, "%s", screen)
			text, err := os.ReadFile(out)
			require.NoError(t, err)
			assert.Contains(t, string(text), tt.want)
		})
	}
}
