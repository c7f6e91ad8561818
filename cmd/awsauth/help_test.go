package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestHelpFits: the help of every command fits 80 columns, and shows an example and
// what the exit codes are.
func TestHelpFits(t *testing.T) {
	awsauthtest.Isolate(t)
	lines := [][]string{{"--help"}, {}}
	for _, cmd := range commands() {
		lines = append(lines, []string{cmd.Name, "--help"}, []string{"help", cmd.Name})
		for _, sub := range cmd.Commands {
			lines = append(lines, []string{cmd.Name, sub.Name, "--help"})
		}
	}
	for _, line := range lines {
		code, out, stderr := command(t, line...)
		require.Equal(t, exitOK, code, stderr)
		for text := range strings.Lines(out) {
			if !strings.HasPrefix(text, "       ") || strings.Contains(text, "--help") { // an example is as long as it is
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(text, "\n")), 80, "%v: %s", line, text)
			}
		}
		assert.NotRegexp(t, goWords, out)
		if len(line) == 2 && line[0] != "help" {
			assert.Regexp(t, "\n       .*awsauth "+line[0]+"\\b", out, "an example")
		}
	}
	_, out, _ := command(t, "--help")
	assert.Contains(t, out, "130 Ctrl-C")
	assert.Contains(t, out, "completion")
	_, out, _ = command(t, "exec", "--help")
	assert.Contains(t, out, "127")
}

func TestFit(t *testing.T) {
	assert.Equal(t, `COMMANDS:
   demo  a walk through the library, which
         is short
OPTIONS:
   --x FILE                       short
   --tag KEY=VALUE                once for
                                  each
   --a-flag-with-a-name-as-long-as-its-column NAME
                                  its
                                  meaning
`, fit(`COMMANDS:
   demo  a walk through the library, which is short
OPTIONS:
   --x FILE  short
   --tag KEY=VALUE [ --tag KEY=VALUE ]  once for each
   --a-flag-with-a-name-as-long-as-its-column NAME  its meaning
`, 24+18))
}

// TestComplete: what may come next, wherever the flags stand.
func TestComplete(t *testing.T) {
	awsauthtest.Isolate(t)
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[profile ops]\nregion = x\n[profile dev]\nregion = x\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	for _, tt := range []struct {
		line  string
		has   []string
		lacks string
	}{
		{"", []string{"whoami:print who", "exec:", "each:"}, "--"},
		{"--profile ops", []string{"whoami:"}, "--"},
		{"whoami --pro", []string{"--profile:"}, "--json"},
		{"whoami --", []string{"--profile:", "--json:", "--help:"}, "--accounts"},
		{"each --", []string{"--accounts:", "--regions:"}, "--json"},
		{"--re", []string{"--region:", "--read-only:"}, "--json"},
		{"whoami --profile", []string{"ops", "dev"}, "--"},
		{"--region x env --format", []string{"fish", "dotenv"}, "--"},
		{"--partition", []string{"aws-cn"}, "--"},
		{"cache", []string{"list:", "clear:"}, "whoami"},
		{"cache list --", []string{"--json:", "--cache-dir:"}, "--account"},
	} {
		code, out, stderr := command(t, append(strings.Fields(tt.line), completionRequest)...)
		require.Equal(t, exitOK, code)
		assert.Empty(t, stderr)
		for _, has := range tt.has {
			assert.Contains(t, "\n"+out, "\n"+has, tt.line)
		}
		assert.NotContains(t, "\n"+out, "\n"+tt.lacks, tt.line)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "pwsh"} {
		code, out, stderr := command(t, "completion", shell)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, out, completionRequest)
	}
	code, _, stderr := command(t, "complation", "bash")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "did you mean completion?")
}
