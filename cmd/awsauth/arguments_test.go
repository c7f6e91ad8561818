package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// arranged is what the parser gets to read of a line.
func arranged(line string) (string, error) {
	var none bytes.Buffer
	args, err := arrange(newCommand(&none, &none), strings.Split("awsauth "+line, " "))
	return strings.TrimPrefix(strings.Join(args, " "), "awsauth "), err
}

// TestArrange: flags stand before or after the command, and what follows -- stays as
// it is.
func TestArrange(t *testing.T) {
	tests := []struct{ line, want string }{
		{"whoami", "whoami"},
		{"whoami --profile ops", "whoami --profile=ops"},
		{"--profile ops whoami", "whoami --profile=ops"},
		{"--profile=ops --json whoami --region eu-west-1", "whoami --profile=ops --json --region=eu-west-1"},
		{"-profile ops whoami", "whoami --profile=ops"},
		{"--profile  whoami", "whoami --profile="},
		{"whoami --external-id -x", "whoami --external-id=-x"},
		{"whoami --external-id=--x", "whoami --external-id=--x"},
		{"whoami --session-name=a=b", "whoami --session-name=a=b"},
		{"--help", "--help"},
		{"--version", "--version"},
		{"whoami -h", "whoami -h"},
		{"help whoami", "help whoami"},
		{"--profile ops help whoami", "help whoami"},
		{"each --accounts - -- ls --flag --profile", "each --accounts=- -- ls --flag --profile"},
		{"--region us-east-1 each --accounts a -- -- x", "each --region=us-east-1 --accounts=a -- -- x"},
		{"each --accounts a ls", "each --accounts=a ls"},
		{"each --accounts a -- x --generate-shell-completion", "each --accounts=a -- x --generate-shell-completion"},
	}
	for _, tt := range tests {
		got, err := arranged(tt.line)
		require.NoError(t, err, tt.line)
		assert.Equal(t, tt.want, got, tt.line)
	}
}

// TestArrangeMistakes: a line that is wrong is told what is wrong with it.
func TestArrangeMistakes(t *testing.T) {
	awsauthtest.Isolate(t)
	tests := []struct{ line, says string }{
		{"whomai", `there is no command "whomai"; did you mean whoami?; see awsauth --help`},
		{"nonsense --profile ops", `there is no command "nonsense"; see awsauth --help`},
		{"--profile ops nonsense", `there is no command "nonsense"; see`},
		{"--profile ops", `there is no command beside --profile`},
		{"whoami --profil ops", `there is no flag --profil; did you mean --profile?; see awsauth whoami --help`},
		{"--profil ops whoami", `there is no flag --profil; did you mean --profile?; see awsauth --help`},
		{"whoami --zzz", `there is no flag --zzz; see awsauth whoami --help`},
		{"whoami --accounts a", `there is no flag --accounts for whoami; did you mean --account?; see`},
		{"--accounts a whoami", `whoami does not take --accounts; see awsauth whoami --help`},
		{"each --account 222222222222 -- ls", `there is no flag --account for each; did you mean --accounts?; see`},
		{"whoami --region --profile ops", `--region needs a value, and --profile is a flag; see`},
		{"--region --profile=ops whoami", `--region needs a value, and --profile is a flag; see`},
		{"whoami --region", `--region needs a value; see`},
		{"whoami --region --regon", `--region needs a value; write --region=--regon if that is it; see`},
		{"each --accounts -- ls", `--accounts needs a value in front of --; see`},
		{"each --accounts a ls --flag", `--flag stands behind "ls", which is not a flag: write -- in front of the command to run, like awsauth each -- ls --flag; see awsauth each --help`},
		{"each --accounts a ls --token=hush", `--token=… stands behind "ls"`},
		{"each ls --region x", `write -- in front of the command to run`},
		{"each --accounts a ls -- -l", `"ls" stands in front of --: the command to run comes after it; see`},
		{"-- ls", `there is no command of awsauth in front of --; see awsauth --help`},
	}
	for _, tt := range tests {
		code, out, stderr := command(t, strings.Split(tt.line, " ")...)
		assert.Equal(t, exitUsage, code, tt.line)
		assert.Empty(t, out, tt.line)
		assert.Contains(t, stderr, "awsauth: ", tt.line)
		assert.Contains(t, stderr, tt.says, tt.line)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), tt.line)
		assert.NotContains(t, stderr, "hush")
	}
}

// TestFlagsBeforeTheCommand: they reach the library wherever they stand.
func TestFlagsBeforeTheCommand(t *testing.T) {
	_, _, url := served(t, ana)
	for _, args := range [][]string{
		{"--region", "eu-west-1", "--sts-endpoint", url, "--json", "whoami"},
		{"--region", "eu-west-1", "whoami", "--json", "--sts-endpoint=" + url},
		{"--region", "us-east-2", "whoami", "--json", "--sts-endpoint=" + url, "--region", "eu-west-1"},
	} {
		code, out, stderr := command(t, args...)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, out, `"region": "eu-west-1"`)
	}
}
