//go:build unix

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const somePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`

// pipe makes a named pipe.
func pipe(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

// writeEnd opens a pipe once somebody reads it.
func writeEnd(t *testing.T, path string) *os.File {
	t.Helper()
	var f *os.File
	require.Eventually(t, func() bool {
		var err error
		f, err = os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond, "nobody reads it")
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestPolicyPiped: a policy may come through stdin and through a pipe, as a shell's <(…)
// is one.
func TestPolicyPiped(t *testing.T) {
	cloud, url := fleet(t)
	named := pipe(t)
	for name, path := range map[string]string{"stdin": "/dev/stdin", "pipe": named} {
		t.Run(name, func(t *testing.T) {
			cloud.ResetCalls()
			c, _, stderr := process(t, "whoami", "--account", accountA, "--no-cache", "--sts-endpoint", url, "--policy", "@"+path)
			if path != named {
				c.Stdin = strings.NewReader(somePolicy + "\n")
			}
			require.NoError(t, c.Start())
			if path == named {
				f := writeEnd(t, path)
				_, err := f.WriteString(somePolicy)
				require.NoError(t, err)
				require.NoError(t, f.Close())
			}
			require.NoError(t, c.Wait(), stderr.String())
			require.Len(t, cloud.Calls("AssumeRole"), 1)
			assert.Equal(t, somePolicy, cloud.Calls("AssumeRole")[0].Params.Get("Policy"))
		})
	}
}

// TestPolicyEndless: what never ends is not read to its end, and what never comes is
// waited for until --timeout.
func TestPolicyEndless(t *testing.T) {
	cloud, url := fleet(t)
	waiting := pipe(t)
	for _, tt := range []struct{ path, timeout, says string }{
		{"/dev/zero", "1m", `awsauth: --policy: "/dev/zero" has more than 64 KiB`},
		{waiting, "50ms", "awsauth: --policy: read \"" + waiting + "\": it did not end in time"},
	} {
		for _, line := range []string{"whoami", "env", "process", "console", "accounts", "exec -- true", "exec --serve -- true"} {
			before, after, _ := strings.Cut(line, " -- ")
			args := append(strings.Fields(before), "--account", accountA, "--sts-endpoint", url, "--timeout", tt.timeout, "--policy", "@"+tt.path)
			if after != "" {
				args = append(args, "--", after)
			}
			got := runProcess(t, args...)
			assert.Equal(t, exitFailed, got.code, "%s: %s", line, got.stderr)
			assert.Empty(t, got.stdout, line)
			assert.Contains(t, got.stderr, tt.says, line)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
		}
	}
	assert.Empty(t, cloud.Calls())
}

// TestPolicyInterrupted: Ctrl-C ends the wait for a policy, also in commands that have no
// --timeout.
func TestPolicyInterrupted(t *testing.T) {
	if signal.Ignored(os.Interrupt) {
		t.Skip("this test was started to ignore it, as by nohup, and so are its children")
	}
	sh := shell(t)
	_, url := fleet(t)
	for _, args := range [][]string{{"explain", "--account", accountA}, {"each", "--accounts", accountA}} {
		path := pipe(t)
		args = append(args, "--sts-endpoint", url, "--policy", "@"+path)
		if args[0] == "each" {
			args = append(args, "--", sh, "-c", "true")
		}
		c, stdout, stderr := process(t, args...)
		require.NoError(t, c.Start())
		writeEnd(t, path)
		require.NoError(t, c.Process.Signal(os.Interrupt))
		require.Error(t, c.Wait())
		assert.Equal(t, exitInterrupted, c.ProcessState.ExitCode(), args)
		assert.Empty(t, stdout.String())
		assert.Equal(t, "awsauth: interrupted\n", stderr.String())
	}
}

// TestEachAccountsPipe: a list that nobody writes is waited for until somebody
// interrupts.
func TestEachAccountsPipe(t *testing.T) {
	if signal.Ignored(os.Interrupt) {
		t.Skip("this test was started to ignore it, as by nohup, and so are its children")
	}
	_, url := fleet(t)
	path := pipe(t)
	c, stdout, stderr := process(t, "each", "--accounts", path, "--sts-endpoint", url, "--", shell(t), "-c", "true")
	require.NoError(t, c.Start())
	writeEnd(t, path)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.Error(t, c.Wait())
	assert.Equal(t, exitInterrupted, c.ProcessState.ExitCode(), stderr.String())
	assert.Empty(t, stdout.String())
}
