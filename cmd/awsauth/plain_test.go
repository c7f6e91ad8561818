package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inUTF16 writes text as Windows PowerShell does with >.
func inUTF16(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestPlainText: text is the same in each encoding with a byte order mark.
func TestPlainText(t *testing.T) {
	const text = "111111111111 # Büro 😀\r\n"
	swapped := []byte(inUTF16(text))
	for i := 0; i < len(swapped); i += 2 {
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	}
	for name, data := range map[string]string{"UTF-8": text, "with a mark": "\ufeff" + text, "little endian": inUTF16(text), "big endian": string(swapped)} {
		got, err := plainText([]byte(data))
		require.NoError(t, err, name)
		assert.Equal(t, text, got, name)
	}
	for name, data := range map[string]string{"NUL": "a\x00b", "odd": "\xff\xfea", "UTF-32": "\xff\xfe\x00\x00a\x00\x00\x00"} {
		_, err := plainText([]byte(data))
		assert.ErrorIs(t, err, errNoText, name)
	}
}

// TestFilesOfPowerShell: a list and a policy in UTF-16 are read as they are meant.
func TestFilesOfPowerShell(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	policy := `{"Version":"2012-10-17","Statement":[]}`
	got := runProcess(t, "each", "--accounts", write(inUTF16(accountA+"\r\n"+accountB+"\r\n")), "--policy", "@"+write(inUTF16(policy+"\r\n")),
		"--sts-endpoint", url, "--", sh, "-c", "echo $AWSAUTH_ACCOUNT")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, []string{accountA + " | " + accountA, accountB + " | " + accountB}, sortedLines(got.stdout))
	calls := cloud.Calls("AssumeRole")
	require.Len(t, calls, 2)
	assert.Equal(t, policy, calls[0].Params.Get("Policy"))

	path := write("a\x00b")
	got = runProcess(t, "each", "--accounts", path, "--sts-endpoint", url, "--", sh, "-c", "echo ran")
	assert.NotEqual(t, exitOK, got.code)
	assert.Equal(t, "awsauth: each: --accounts: read \""+path+"\": it is not text; write it in UTF-8\n", got.stderr)
}
