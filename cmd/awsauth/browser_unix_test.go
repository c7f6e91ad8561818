//go:build unix

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConsoleOpener: an opener that fails is told, and so is one that is not there. A
// person at a terminal has the address then; a log has not.
func TestConsoleOpener(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the browser of this test is named xdg-open")
	}
	_, url := fleet(t)
	t.Setenv("AWS_ENDPOINT_URL_SIGNIN", url)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\necho no display >&2\nexit 3\n"), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	args := []string{"console", "--open", "--sts-endpoint", url, "--account", accountA}
	got := runProcess(t, args...)
	assert.Equal(t, exitFailed, got.code)
	assert.Empty(t, got.stdout)
	assert.Equal(t, "awsauth: console: no browser was opened: xdg-open: exit status 3; leave out --open to see the address\n", got.stderr)

	screen := atTerminal(t, "RUN "+strings.Join(args, " "), "SigninToken=", "", "open the address above", "", "@> ", "echo code=$?\r", "code=1", "exit\r")
	assert.Contains(t, screen, "no browser was opened: xdg-open: exit status 3; open the address above by hand, and show it to nobody")

	t.Setenv("PATH", t.TempDir())
	got = runProcess(t, args...)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "not found")
	assert.NotContains(t, got.stdout+got.stderr, "SigninToken")
}
