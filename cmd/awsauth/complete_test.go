package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// hostileProfiles is a config file whose profiles have names that a shell would run.
func hostileProfiles(t *testing.T) {
	t.Helper()
	awsauthtest.Isolate(t)
	var text strings.Builder
	for _, name := range []string{"ops", "ops-2", "$(touch ran)", "`touch ran`", "a;touch ran", "*", "-x", "a:b", "q'uo\"te", `back\slash`, "two words", "@team", "a,b", "büro"} {
		text.WriteString("[profile " + name + "]\nregion = eu-west-1\n")
	}
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
}

// TestCompleteHostile: only names that every shell takes as they are are proposed.
func TestCompleteHostile(t *testing.T) {
	hostileProfiles(t)
	code, out, _ := command(t, "whoami", "--profile", completionRequest)
	require.Equal(t, exitOK, code)
	assert.Equal(t, []string{"büro", "ops", "ops-2"}, sortedLines(out))
}

// TestCompleteBash: the script for bash finds the words. It runs nothing of the line, nor
// of a profile's name, and opens no file that the line names.
func TestCompleteBash(t *testing.T) {
	bash := needs(t, "bash")
	program := asProgram(t)
	hostileProfiles(t)
	dir := t.TempDir()
	for _, tt := range []struct{ name, words, want string }{
		{"command", `awsauth who`, "whoami"},
		{"flag", `awsauth whoami --pro`, "--profile"},
		{"no other flag", `awsauth whoami --accounts`, ""},
		{"profile", `awsauth whoami --profile o`, "ops ops-2"},
		{"profile behind a sign", `awsauth whoami --profile = o`, "ops ops-2"},
		{"all profiles behind a sign", `awsauth whoami --profile =`, "büro ops ops-2"},
		{"no flag for a value", `awsauth whoami --region =`, ""},
		{"no flag for a word", `awsauth whoami --json ''`, ""},
		{"flag behind a value behind a sign", `awsauth whoami --profile = ops --js`, "--json"},
		{"all profiles", `awsauth whoami --profile ''`, "büro ops ops-2"},
		{"a substitution", `awsauth --profile '$(touch ran)' --js`, "--json"},
		{"a redirection", `awsauth whoami '>' kept --js`, "--json"},
		{"flags", `awsauth cache list --`, "--cache-dir --help --json"},
		{"another command", `awsauth exec -- ''`, ""},
		{"of another command", `awsauth exec -- ls --`, ""},
		{"nothing", `awsauth ''`, "accounts cache console demo each env exec explain login logout process whoami"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "kept"), []byte("kept"), 0o600))
			c := exec.CommandContext(t.Context(), bash, "--norc", "-c", `eval "$("$1" completion bash)"
COMP_WORDS=(`+tt.words+`) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_awsauth "$1"; printf '%s\n' "${COMPREPLY[@]}" | sort`, "bash", program)
			c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C")
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Equal(t, tt.want, strings.Join(strings.Fields(string(out)), " "))
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, left, 1, "nothing was run")
			kept, err := os.ReadFile(filepath.Join(dir, "kept"))
			require.NoError(t, err)
			assert.Equal(t, "kept", string(kept))
		})
	}
}

// TestCompleteBashListing: where bash only lists the words, it also says what they are.
func TestCompleteBashListing(t *testing.T) {
	bash := needs(t, "bash")
	program := asProgram(t)
	awsauthtest.Isolate(t)
	out, err := exec.CommandContext(t.Context(), bash, "--norc", "-c", `eval "$("$1" completion bash)"
COMP_TYPE=63 COMP_WORDS=(awsauth cache '') COMP_CWORD=2
_awsauth "$1"; printf '%s\n' "${COMPREPLY[@]}"`, "bash", program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "list   -- show what is kept, whose it is, and until when\nclear  -- remove all that is kept\n", string(out))
}

// TestCompletionUsage: a shell that reads the output of a wrong call reads nothing.
func TestCompletionUsage(t *testing.T) {
	for line, says := range map[string]string{
		"completion --bash":     "flag provided but not defined: --bash; see awsauth completion --help",
		"completion bash --new": "flag provided but not defined: --new; see awsauth completion bash --help",
		"completion tcsh":       `there is no script for "tcsh": write bash, zsh, fish or pwsh; see awsauth completion --help`,
		"completion bash zsh":   `bash takes flags only, not "zsh"; see awsauth completion bash --help`,
	} {
		code, out, stderr := command(t, strings.Fields(line)...)
		assert.Equal(t, exitUsage, code, line)
		assert.Empty(t, out, line)
		assert.Equal(t, "awsauth: "+says+"\n", stderr, line)
	}
	code, out, stderr := command(t, "completion")
	assert.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, "fish  Output fish completion script")
}

// TestCompleteRunsNothing: behind -- a TAB proposes nothing, and does not run what stands
// there.
func TestCompleteRunsNothing(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	dir := t.TempDir()
	for _, args := range [][]string{
		{"exec", "--account", accountA, "--sts-endpoint", url, "--"},
		{"exec", "--serve", "--account", accountA, "--sts-endpoint", url, "--"},
		{"each", "--accounts", accountA, "--sts-endpoint", url, "--"},
	} {
		got := runProcess(t, append(args, sh, "-c", `: >"$1/ran"`, "sh", dir, completionRequest)...)
		assert.Equal(t, exitOK, got.code, "%q", args)
		assert.Empty(t, got.stdout+got.stderr, "%q", args)
		assert.NoFileExists(t, filepath.Join(dir, "ran"), "%q", args)
	}
	assert.Empty(t, cloud.Calls())
}
