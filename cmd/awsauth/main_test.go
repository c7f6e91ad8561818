package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes the test binary the command itself: a process of its own, with
// its signals, exit code and environment.
const asCommand = "AWSAUTH_TEST_AS_COMMAND"

// commandArgs are the arguments, a line each, where they cannot be given to the process.
const commandArgs = "AWSAUTH_TEST_ARGS"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		_ = os.Unsetenv(asCommand)
		if args := os.Getenv(commandArgs); args != "" {
			_ = os.Unsetenv(commandArgs)
			os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		}
		main()
	}
	dir, err := os.MkdirTemp("", "awsauth-test")
	if err == nil {
		err = os.Setenv(cacheVariable, dir) // not the user's own; tests that are about it have one each
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// heard is what a process writes. It may be read while the process runs.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

// String is the text so far.
func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// process is the command as a process that has not been started.
func process(t *testing.T, args ...string) (c *exec.Cmd, stdout, stderr *heard) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c = exec.CommandContext(ctx, self, args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	c.WaitDelay = 5 * time.Second
	stdout, stderr = &heard{}, &heard{}
	c.Stdout, c.Stderr = stdout, stderr
	return c, stdout, stderr
}

// ran is what a process did.
type ran struct {
	code           int
	stdout, stderr string
}

// runProcess runs the command as a process.
func runProcess(t *testing.T, args ...string) ran {
	t.Helper()
	c, stdout, stderr := process(t, args...)
	_ = c.Run()
	require.NotNil(t, c.ProcessState, "it was started")
	return ran{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// needs skips the test where a program is not installed.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: this test needs it on PATH", name)
	}
	return path
}

// needsBoto skips the test where Python has no boto3.
func needsBoto(t *testing.T) string {
	t.Helper()
	python := needs(t, "python3")
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("python3 has no boto3: %s", out)
	}
	return python
}

// environOf reads what env(1) printed.
func environOf(out string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			all[name] = value
		}
	}
	return all
}

// namesWith are the names in env that begin so, in order.
func namesWith(env map[string]string, prefix string) (names []string) {
	for name := range env {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// shadows sets every variable that would lead a child to another identity.
func shadows(t *testing.T) {
	t.Helper()
	for _, name := range append([]string{"AWS_BEARER_TOKEN_BEDROCK", "AWS_BEARER_TOKEN_OTHER"}, shadowing...) {
		switch name {
		case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN":
		default:
			t.Setenv(name, "the-callers")
		}
	}
}
