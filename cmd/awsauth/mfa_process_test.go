//go:build !windows

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCodeFrom(t *testing.T) {
	t.Setenv("DEVICE", "my key")
	for name, test := range map[string]struct{ command, code, stderr, err string }{
		"a code":                {"echo 123456", "123456", "", ""},
		"without a newline":     {"printf 123456", "123456", "", ""},
		"space around it":       {`printf ' \t123456 \r\n\n  \n'`, "123456", "", ""},
		"the last line":         {"echo touch; echo; echo 123456", "123456", "", ""},
		"lines of Windows":      {`printf 'touch\r\n123456\r\n'`, "123456", "", ""},
		"a carriage return":     {`printf 'wait\r123456'`, "123456", "", ""},
		"shell and environment": {`echo "$DEVICE:654321" | cut -d: -f2`, "654321", "", ""},
		"standard error":        {"echo 'touch your key' >&2; echo 123456", "123456", "touch your key\n", ""},
		"standard input":        {"cat; echo 123456", "123456", "", ""},
		"it fails":              {"echo 123456; exit 3", "", "", "the command of --mfa-process failed: exit status 3"},
		"it fails, with a word": {"echo 123456; echo no key >&2; exit 1", "", "no key\n", "the command of --mfa-process failed: exit status 1"},
		"killed":                {"echo 123456; kill -9 $$", "", "", "the command of --mfa-process failed: signal: killed"},
		"nothing":               {"true", "", "", "the command of --mfa-process printed no code"},
		"blank lines":           {"echo; echo ' '", "", "", "the command of --mfa-process printed no code"},
		"4 KiB":                 {"printf '%4090s' x; echo 12345", "x12345", "", ""},
		"more than 4 KiB":       {"printf '%4091s' x; echo 12345", "", "", "the command of --mfa-process printed more than 4096 bytes, which is no code"},
		"without an end":        {"yes 123456", "", "", "the command of --mfa-process printed more than 4096 bytes, which is no code"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			code, err := codeFrom(test.command, &stderr)(t.Context())
			assert.Equal(t, test.code, code)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, test.err)
			}
			assert.Equal(t, test.stderr, strings.ReplaceAll(stderr.String(), "yes: standard output: Broken pipe\n", ""))
		})
	}
}

// A command that ends, but leaves something running, has printed its code.
func TestCodeFromDaemon(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	code, err := codeFrom("sleep 60 & echo $! >"+pid+"; echo 123456", nil)(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "123456", code)
	number, err := os.ReadFile(pid)
	require.NoError(t, err)
	_, err = codeFrom("kill "+strings.TrimSpace(string(number))+" && echo ended", nil)(t.Context())
	assert.NoError(t, err, "it was still running")
}

// The command is told when nobody waits for its code, and ends in its own way.
func TestCodeFromContext(t *testing.T) {
	gone := errors.New("gone")
	for name, command := range map[string]string{
		"it cleans up":   `trap 'echo cleaned >"$MARK"; exit 1' TERM; : >"$MARK"; echo 123456; while :; do sleep 0.01; done`,
		"it never ends":  `trap '' TERM; : >"$MARK"; echo 123456; while :; do sleep 0.01; done`,
		"it just sleeps": `: >"$MARK"; echo 123456; exec sleep 60`,
	} {
		t.Run(name, func(t *testing.T) {
			mark := filepath.Join(t.TempDir(), "mark")
			t.Setenv("MARK", mark)
			ctx, cancel := context.WithCancelCause(t.Context())
			result := make(chan error, 1)
			go func() {
				_, err := codeFrom(command, nil)(ctx)
				result <- err
			}()
			require.Eventually(t, func() bool { _, err := os.Stat(mark); return err == nil }, 10*time.Second, time.Millisecond)
			cancel(gone)
			select {
			case err := <-result:
				require.ErrorIs(t, err, gone)
				assert.EqualError(t, err, "the command of --mfa-process was ended: gone")
			case <-time.After(10 * time.Second):
				t.Fatal("it is still waiting")
			}
			if name == "it cleans up" {
				text, err := os.ReadFile(mark)
				require.NoError(t, err)
				assert.Equal(t, "cleaned\n", string(text))
			}
		})
	}
}
