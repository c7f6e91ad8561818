package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBounded: what is kept of an output ends where it was cut, and says so; an output
// that just fits is whole.
func TestBounded(t *testing.T) {
	for extra, want := range map[string]string{"": "", "z": "\n(cut off)\n"} {
		var b bounded
		for _, part := range []string{strings.Repeat("x", mostOutput-1), "y", extra, ""} {
			n, err := io.WriteString(&b, part)
			require.NoError(t, err)
			assert.Equal(t, len(part), n)
		}
		text := b.text()
		assert.Len(t, text, mostOutput+len(want))
		assert.True(t, strings.HasSuffix(text, "y"+want))
	}
}

// TestRegionErrors: the errors of all regions are found in their sum.
func TestRegionErrors(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	all := regionErrors{{"eu-west-1", one}, {"us-east-1", two}}
	require.ErrorIs(t, all, one)
	require.ErrorIs(t, all, two)
	assert.EqualError(t, all, "eu-west-1: one; us-east-1: two")
}

// TestEachFirstLine: a wrong account on the first line of a file is named by its line,
// as on every other.
func TestEachFirstLine(t *testing.T) {
	_, url := fleet(t)
	path := filepath.Join(t.TempDir(), "accounts.txt")
	for text, want := range map[string]string{"12\n" + accountA + "\n": ":1: ", accountA + "\n12\n": ":2: "} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		code, _, stderr := command(t, "each", "--accounts", path, "--sts-endpoint", url, "--", "true")
		assert.NotEqual(t, exitOK, code)
		assert.Contains(t, stderr, path+want)
	}
}

// TestEachForms: no form and the form text are the same, and --fail-fast stops nothing
// where all goes well.
func TestEachForms(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	for _, form := range []string{"", "text"} {
		code, out, stderr := command(t, "each", "--accounts", accountA+","+accountB, "--output", form, "--fail-fast", "--concurrency", "1", "--sts-endpoint", url, "--", sh, "-c", "echo ran")
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, accountA+" | ran\n"+accountB+" | ran\n", out)
	}
}

// TestEachLastLine: a last line without an end is a line, also of what goes to stderr. In
// JSON it stands as it is.
func TestEachLastLine(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	each := []string{"each", "--accounts", accountA, "--sts-endpoint", url}
	said := []string{"--", sh, "-c", "printf '<a&b>'; printf 'c>d' >&2"}
	code, out, stderr := command(t, slices.Concat(each, said)...)
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, accountA+" | <a&b>\n", out)
	assert.Contains(t, stderr, accountA+" | c>d\n")
	code, out, stderr = command(t, slices.Concat(each, []string{"--output", "json"}, said)...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, `"output":"<a&b>","stderr":"c>d"`)
}

// TestEachInterruptedFirst: an interrupt before anything has begun is told as one, and the
// list is not blamed.
func TestEachInterruptedFirst(t *testing.T) {
	_, url := fleet(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"awsauth", "each", "--accounts", accountA + "," + accountB, "--sts-endpoint", url, "--", "true"}, &stdout, &stderr)
	assert.Equal(t, exitInterrupted, code)
	assert.Empty(t, stdout.String())
	assert.Equal(t, "awsauth: 0 of 2 accounts failed, 2 not started\nawsauth: interrupted\n", stderr.String())
}

// TestEachOptionInFile: an option that no account takes is told once, and no line of the
// file is blamed for it.
func TestEachOptionInFile(t *testing.T) {
	_, url := fleet(t)
	path := filepath.Join(t.TempDir(), "accounts.txt")
	require.NoError(t, os.WriteFile(path, []byte(accountA+"\n"+accountB+"\n"), 0o600))
	code, _, stderr := command(t, "each", "--accounts", path, "--duration", "2h", "--sts-endpoint", url,
		"--role-arn", "arn:aws:iam::111111111111:role/ci", "--web-identity-token-file", path, "--", "true") // from a role an hour is the most
	assert.NotEqual(t, exitOK, code)
	assert.Equal(t, 1, strings.Count(stderr, "--duration 2h0m0s"), stderr)
	assert.NotContains(t, stderr, path)
}

// TestDescend: one process of ours may ask another one; a third is a circle.
func TestDescend(t *testing.T) {
	t.Setenv(processDepth, "")
	for depth, fails := range []bool{false, false, true, true} {
		err := descend()
		assert.Equal(t, fails, err != nil, "%d", depth)
	}
	assert.Equal(t, "2", os.Getenv(processDepth))
}
