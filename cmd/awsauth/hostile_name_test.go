package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// assertOneLine asks that a text is one line in which nothing moves the cursor.
func assertOneLine(t *testing.T, text string, args ...any) {
	t.Helper()
	line, ok := strings.CutSuffix(text, "\n")
	assert.True(t, ok, args...)
	assert.NotEmpty(t, line, args...)
	assert.Equal(t, printable(line), line, args...)
}

// TestHostileNames: a word of the command line and the name of a file may hold anything.
// An error that shows them is one line, and does nothing to a terminal.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file has such a name there")
	}
	_, url := fleet(t)
	const name = "a\x1b[2J\nb\u202ec\u009bd"
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Mkdir(dir, 0o755))
	write := func(base, text string) string {
		path := filepath.Join(dir, base)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	list, binary, empty := write("list", "shop\n"), write("binary", "\x00"), write("empty", "")
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{name}, exitUsage},
		{[]string{"whoami", name}, exitUsage},
		{[]string{"whoami", "--" + name}, exitUsage},
		{[]string{"whoami", "--region", "--" + name}, exitUsage},
		{[]string{"each", "--accounts", "a", name, "--" + name}, exitUsage},
		{[]string{"whoami", "--profile", name}, exitFailed},
		{[]string{"login", "--profile", name}, exitFailed},
		{[]string{"whoami", "--account", accountA, "--policy", "@" + name}, exitFailed},
		{[]string{"whoami", "--account", accountA, "--policy", "@" + dir}, exitFailed},
		{[]string{"whoami", "--account", accountA, "--policy", "@" + binary}, exitFailed},
		{[]string{"whoami", "--account", accountA, "--policy", "@" + empty}, exitFailed},
		{[]string{"each", "--accounts", name, "--", "true"}, exitFailed},
		{[]string{"each", "--accounts", dir, "--", "true"}, exitFailed},
		{[]string{"each", "--accounts", binary, "--", "true"}, exitFailed},
		{[]string{"each", "--accounts", list, "--", "true"}, exitFailed},
		{[]string{"each", "--accounts", empty, "--", "true"}, exitOK},
		{[]string{"each", "--accounts", accountA, "--", "./" + name}, exitFailed},
		{[]string{"each", "--accounts", accountA, "--", dir}, exitFailed},
		{[]string{"exec", "--", "./" + name}, exitNotFound},
		{[]string{"exec", "--", dir}, exitNotRun},
		{[]string{"cache", "list", "--cache-dir", dir}, exitFailed},
		{[]string{"cache", "clear", "--cache-dir", list}, exitFailed},
	} {
		args := tt.args
		if cmd := args[0]; cmd == "whoami" && len(args) > 3 || cmd == "each" || cmd == "exec" {
			args = append([]string{"--sts-endpoint", url}, args...)
		}
		code, out, stderr := command(t, args...)
		assert.Equal(t, tt.code, code, "%q: %s", tt.args, stderr)
		assert.Empty(t, out, "%q", tt.args)
		assertOneLine(t, stderr, "%q", tt.args)
	}
	code, out, stderr := command(t, "env", "--account", accountA, "--sts-endpoint", url, "--cache-dir", list)
	assert.Equal(t, exitOK, code)
	assert.Contains(t, out, "AWS_ACCESS_KEY_ID")
	assertOneLine(t, stderr, "a warning")
}

// TestPolicyUnnamed: an @ with nothing behind it is a wrong call.
func TestPolicyUnnamed(t *testing.T) {
	_, url := fleet(t)
	code, _, stderr := command(t, "whoami", "--account", accountA, "--sts-endpoint", url, "--policy", "@")
	assert.Equal(t, exitUsage, code)
	assert.Equal(t, "awsauth: --policy: write the name of a file behind @\n", stderr)
}

// TestEachLineEnds: a comment ends with its line, whatever ends lines in the file.
func TestEachLineEnds(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	path := filepath.Join(t.TempDir(), "list")
	for _, end := range []string{"\n", "\r\n", "\r"} {
		text := strings.Join([]string{"# shops", accountA + " # the first", accountB, "shop"}, end)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		code, _, stderr := command(t, "each", "--accounts", path, "--sts-endpoint", url, "--", sh, "-c", "echo ran")
		assert.Equal(t, exitFailed, code)
		assert.Equal(t, "awsauth: "+path+":4: shop: an account id has 12 digits and nothing else\n", stderr, "%q", end)
		text = strings.TrimSuffix(text, "shop")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		code, out, stderr := command(t, "each", "--accounts", path, "--sts-endpoint", url, "--", sh, "-c", "echo ran")
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, []string{accountA + " | ran", accountB + " | ran"}, sortedLines(out), "%q", end)
	}
}

// TestEachNoList: of a file that is no list not every line is told.
func TestEachNoList(t *testing.T) {
	_, url := fleet(t)
	path := filepath.Join(t.TempDir(), "list")
	for lines, last := range map[int]string{
		mostFaults:     path + ":20: x20: an account id has 12 digits and nothing else",
		mostFaults + 1: "and 1 more",
		5000:           "and 4980 more",
	} {
		var text strings.Builder
		for i := range lines {
			text.WriteString("x" + strconv.Itoa(i+1) + "\n")
		}
		require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
		code, _, stderr := command(t, "each", "--accounts", path, "--sts-endpoint", url, "--", shell(t), "-c", "true")
		assert.Equal(t, exitFailed, code)
		got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		assert.Len(t, got, min(lines, mostFaults+1))
		assert.Equal(t, "awsauth: "+last, got[len(got)-1])
	}
}
