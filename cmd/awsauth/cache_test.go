package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCacheList: what is on disk, whose, and until when; never a secret. What is
// cleared is gone.
func TestCacheList(t *testing.T) {
	cloud, url := fleet(t)
	got := runProcess(t, "process", "--account", accountA, "--session-name", "me", "--sts-endpoint", url)
	require.Equal(t, exitOK, got.code, got.stderr)
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &keys))
	damaged := filepath.Join(os.Getenv(cacheVariable), strings.Repeat("0", 64)+".json")
	require.NoError(t, os.WriteFile(damaged, []byte("{"), 0o600))

	list := runProcess(t, "cache", "list")
	require.Equal(t, exitOK, list.code, list.stderr)
	assert.Contains(t, list.stdout, "role arn:aws:iam::"+accountA+":role/manage-role\n    as    arn:aws:sts::"+accountA+":assumed-role/manage-role/me\n    from  environment")
	assert.Regexp(t, `    until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, in 59m\d+s\n`, list.stdout)
	listed := runProcess(t, "cache", "list", "--json")
	require.Equal(t, exitOK, listed.code, listed.stderr)
	var all []kept
	require.NoError(t, json.Unmarshal([]byte(listed.stdout), &all))
	for _, k := range all {
		if k.What == "" {
			assert.Equal(t, damaged, k.File)
			assert.Contains(t, list.stdout, damaged+"\n    damaged")
			continue
		}
		assert.Equal(t, accountA, k.Account)
		assert.WithinDuration(t, time.Now().Add(time.Hour), *k.Expires, time.Minute)
		assert.False(t, k.Expired)
		assert.FileExists(t, k.File)
	}
	assert.Len(t, all, 2)
	for _, secret := range []string{"SecretAccessKey", "SessionToken"} {
		assert.NotContains(t, list.stdout+listed.stdout, keys[secret].(string))
	}

	removed := runProcess(t, "cache", "clear", "--json")
	require.Equal(t, exitOK, removed.code, removed.stderr)
	assert.JSONEq(t, `{"removed": 2}`, removed.stdout)
	empty := runProcess(t, "cache", "list", "--json")
	assert.Equal(t, "[]\n", empty.stdout)
	assert.Contains(t, empty.stderr, "nothing is kept")
	require.Equal(t, exitOK, runProcess(t, "process", "--account", accountA, "--session-name", "me", "--sts-endpoint", url).code)
	assert.Len(t, cloud.Calls("AssumeRole"), 2)
}

// TestCacheHome: ~ in the variable is the home directory.
func TestCacheHome(t *testing.T) {
	_, url := fleet(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv(cacheVariable, "~/kept")
	code, _, stderr := command(t, "env", "--account", accountA, "--sts-endpoint", url)
	require.Equal(t, exitOK, code, stderr)
	assert.DirExists(t, filepath.Join(home, "kept"))
}

// TestCacheTilde: a ~ that is not expanded is no directory, for no command.
func TestCacheTilde(t *testing.T) {
	_, url := fleet(t)
	t.Chdir(t.TempDir())
	t.Setenv(processDepth, "") // which process counts up
	for _, line := range []string{"cache list", "cache clear", "whoami", "explain", "env", "process", "each --accounts " + accountA, "exec"} {
		args := strings.Fields(line)
		if args[0] != "cache" {
			args = append(args, "--sts-endpoint", url)
		}
		rest := []string{}
		if args[0] == "each" || args[0] == "exec" {
			rest = []string{"--", shell(t), "-c", "true"}
		}
		code, _, stderr := command(t, slices.Concat(args, []string{"--cache-dir", "~nobody-here/x"}, rest)...)
		assert.Equal(t, exitUsage, code, line)
		assert.Contains(t, stderr, `awsauth: --cache-dir "~nobody-here/x": ~ is not expanded; write the whole path; see awsauth `, line)
		t.Setenv(cacheVariable, "~nobody-here/x")
		code, _, stderr = command(t, slices.Concat(args, rest)...)
		assert.Equal(t, exitFailed, code, line)
		assert.Equal(t, "awsauth: AWSAUTH_CACHE_DIR \"~nobody-here/x\": this ~ is not expanded; write the whole path\n", stderr, line)
		left, err := os.ReadDir(".")
		require.NoError(t, err)
		assert.Empty(t, left, line)
	}
}

func TestCacheUsage(t *testing.T) {
	t.Setenv(cacheVariable, t.TempDir())
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"cache"}, "list or clear"},
		{[]string{"cache", "lst"}, "did you mean list?"},
		{[]string{"cache", "list", "x"}, `not "x"`},
		{[]string{"cache", "list", "--jsn"}, "did you mean --json?"},
		{[]string{"cache", "clear", "--cache-dir", "~/x"}, "~ is not expanded"},
	} {
		code, out, stderr := command(t, tt.args...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Empty(t, out)
		assert.Contains(t, stderr, tt.says)
	}
	code, _, stderr := command(t, "cache", "clear")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "awsauth: removed 0 entries\n", stderr)
	assert.Equal(t, "1 entry", entries(1))
	assert.Equal(t, "2 entries", entries(2))
	now := time.Now()
	past := now.Add(-time.Hour)
	assert.Contains(t, kept{Expires: &past, Expired: true}.until(now), "which is over")
	assert.Contains(t, kept{Encrypted: true}.unreadable(), "encrypted")
}
