package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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

// TestDescend: one process of ours may ask another one; a third is a circle.
func TestDescend(t *testing.T) {
	t.Setenv(processDepth, "")
	for depth, fails := range []bool{false, false, true, true} {
		err := descend()
		assert.Equal(t, fails, err != nil, "%d", depth)
	}
	assert.Equal(t, "2", os.Getenv(processDepth))
}
