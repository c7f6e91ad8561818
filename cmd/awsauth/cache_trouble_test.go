//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCacheTrouble: a disk cache that cannot be used is told in one line, and the command
// goes on without it. --no-cache leaves it alone, and says nothing.
func TestCacheTrouble(t *testing.T) {
	_, url := fleet(t)
	sh := shell(t)
	dir := t.TempDir()
	shared, file := filepath.Join(dir, "shared"), filepath.Join(dir, "file")
	require.NoError(t, os.Mkdir(shared, 0o700))
	require.NoError(t, os.Chmod(shared, 0o777))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, cache := range []string{shared, file, filepath.Join(file, "below")} {
		for _, line := range []string{
			"whoami --account " + accountA, "env --account " + accountA, "process --account " + accountA,
			"exec --account " + accountA + " -- true", "exec --serve --account " + accountA + " -- true",
			"whoami --read-only --account " + accountA, "each --accounts " + accountA + "," + accountB + " -- " + sh + " -c true",
		} {
			args := strings.Fields(strings.Replace(line, " ", " --sts-endpoint "+url+" --cache-dir "+cache+" ", 1))
			got := runProcess(t, args...)
			assert.Equal(t, exitOK, got.code, "%s: %s", line, got.stderr)
			assert.Equal(t, 1, strings.Count(got.stderr, "awsauth: disk cache: "), got.stderr)
			assert.Regexp(t, `(?m)^awsauth: disk cache: .*credentials are fetched without it: \w+ `+cache, got.stderr)
			if !strings.HasPrefix(line, "each") {
				assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			}
			got = runProcess(t, append([]string{args[0], "--no-cache"}, args[1:]...)...)
			assert.NotContains(t, got.stderr, "cache")
		}
	}
}
