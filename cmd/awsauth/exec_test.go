//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestExecEnvironment: a child has the role's keys, and nothing of the caller's.
func TestExecEnvironment(t *testing.T) {
	cloud, url := fleet(t)
	shadows(t)
	t.Setenv("AWS_PROFILE", "default")
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[default]\nregion = us-west-2\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_MAX_ATTEMPTS", "3")
	got := runProcess(t, "exec", "--sts-endpoint", url, "--account", accountA, "--region", "eu-west-1", "--", needs(t, "env"))
	require.Equal(t, exitOK, got.code, got.stderr)
	env := environOf(got.stdout)
	assert.NotContains(t, got.stdout, "the-callers")
	assert.NotContains(t, env, asCommand)
	assert.Regexp(t, "^ASIA", env["AWS_ACCESS_KEY_ID"])
	assert.NotEmpty(t, env["AWS_SESSION_TOKEN"])
	assert.Equal(t, accountA, env["AWS_ACCOUNT_ID"])
	assert.Equal(t, "eu-west-1", env["AWS_REGION"])
	assert.Equal(t, "eu-west-1", env["AWS_DEFAULT_REGION"])
	assert.Equal(t, "3", env["AWS_MAX_ATTEMPTS"])
	assert.Equal(t, path, env["AWS_CONFIG_FILE"])
	end, err := time.Parse("2006-01-02T15:04:05Z", env["AWS_CREDENTIAL_EXPIRATION"])
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Hour), end, time.Minute)
	assert.Empty(t, got.stderr, "no terminal, nothing to say")
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_CREDENTIAL_FILE"} {
		assert.NotContains(t, env, name, "taken away, not emptied")
	}
	assert.Len(t, cloud.Calls(), 1)
}

// TestExecLongLived: a user's own keys have no token and no end.
func TestExecLongLived(t *testing.T) {
	_, keys, url := served(t, ana)
	t.Setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
	t.Setenv("AWS_ACCOUNT_ID", "999999999999")
	got := runProcess(t, "exec", "--sts-endpoint", url, "--", needs(t, "env"))
	require.Equal(t, exitOK, got.code, got.stderr)
	env := environOf(got.stdout)
	assert.Equal(t, keys.AccessKeyID, env["AWS_ACCESS_KEY_ID"])
	assert.Equal(t, "us-east-1", env["AWS_REGION"])
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID"} {
		assert.NotContains(t, env, name)
	}
}

// TestExecBecomes: process id, stdin, exit code and the end by a signal are the
// command's own, with and without an endpoint.
func TestExecBecomes(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	for _, mode := range [][]string{nil, {"--serve"}} {
		base := append([]string{"exec", "--sts-endpoint", url, "--account", accountA}, mode...)
		t.Run(strings.Join(mode, ""), func(t *testing.T) {
			c, stdout, stderr := process(t, append(base, "--", sh, "-c", `read line; echo "$$ $line $0 $*"; echo talk >&2; exit 7`, "--profile", "-x", "")...)
			c.Stdin = strings.NewReader("typed\n")
			require.Error(t, c.Run())
			assert.Equal(t, 7, c.ProcessState.ExitCode(), stderr.String())
			pid, rest, _ := strings.Cut(stdout.String(), " ")
			assert.Equal(t, "typed --profile -x \n", rest)
			assert.Equal(t, "talk\n", stderr.String())
			if mode == nil {
				assert.Equal(t, strconv.Itoa(c.Process.Pid), pid, "the same process")
			}

			for _, name := range []string{"TERM", "KILL", "HUP"} {
				c, _, stderr = process(t, append(base, "--", sh, "-c", "kill -"+name+" $$")...)
				require.Error(t, c.Run())
				status := c.ProcessState.Sys().(syscall.WaitStatus)
				assert.True(t, status.Signaled(), "%s: %v %s", name, c.ProcessState, stderr)
			}
			c, _, _ = process(t, append(base, "--", sh, "-c", "kill -USR1 $$")...)
			require.Error(t, c.Run())
		})
	}
}

// TestExecFails: who cannot be run, and why, by the exit code too.
func TestExecFails(t *testing.T) {
	cloud, url := fleet(t)
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600))
	broken := filepath.Join(t.TempDir(), "broken")
	require.NoError(t, os.WriteFile(broken, []byte("#!/no/such/interpreter\n"), 0o700))
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"not found", []string{"--", "no-such-program"}, exitNotFound, `awsauth: exec: there is no program "no-such-program"`},
		{"not found, a path", []string{"--", "/no/such/program"}, exitNotFound, `"/no/such/program"`},
		{"not executable", []string{"--", plain}, exitNotRun, "permission denied"},
		{"no interpreter", []string{"--", broken}, exitNotRun, broken},
		{"no interpreter, served", []string{"--account", accountA, "--serve", "--", broken}, exitNotRun, broken},
		{"denied", []string{"--account", "999999999999", "--", "true"}, exitFailed, "access denied"},
		{"wrong flag", []string{"--acount", accountA, "--", "true"}, exitUsage, "did you mean --account?"},
		{"wrong value", []string{"--account", "12", "--", "true"}, exitUsage, `--account "12"`},
		{"read-only", []string{"--read-only", "--", "true"}, exitUsage, "--read-only narrows a role"},
		{"without --", []string{"--account", accountA, "ls", "-l"}, exitUsage, "write -- in front"},
		{"nothing to renew", []string{"--serve", "--", "true"}, exitFailed, "leave out --serve"},
		{"timeout", []string{"--timeout", "-1s", "--", "true"}, exitUsage, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := runProcess(t, append([]string{"exec", "--sts-endpoint", url}, tt.args...)...)
			assert.Equal(t, tt.code, got.code, got.stderr)
			assert.Empty(t, got.stdout)
			assert.Contains(t, got.stderr, tt.says)
			assert.True(t, strings.HasPrefix(got.stderr, "awsauth: "), got.stderr)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
		})
	}
	cloud.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
	got := runProcess(t, "exec", "--no-cache", "--sts-endpoint", url, "--account", accountA, "--timeout", "50ms", "--", "true")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "no answer")
}

// TestExecIgnored: what a command was started to ignore it still ignores.
func TestExecIgnored(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, mode := range []string{"", " --serve"} {
		c, stdout, stderr := process(t)
		c.Path, c.Args = sh, []string{sh, "-c", `trap "" INT; exec "$0" exec` + mode + ` --sts-endpoint ` + url + ` --account ` + accountA +
			` -- sh -c 'kill -INT $$; echo alive'`, self}
		require.NoError(t, c.Run(), stderr.String())
		assert.Equal(t, "alive\n", stdout.String())
	}
}

// TestExecShell: without a command the user's shell starts, its prompt marked.
func TestExecShell(t *testing.T) {
	_, url := fleet(t)
	t.Setenv("SHELL", shell(t))
	c, stdout, stderr := process(t, "exec", "--sts-endpoint", url, "--account", accountA)
	c.Stdin = strings.NewReader("echo \"[$PS1] $AWS_ACCOUNT_ID\"\nexit 3\n")
	require.Error(t, c.Run())
	assert.Equal(t, 3, c.ProcessState.ExitCode(), stderr.String())
	assert.Equal(t, "[(awsauth "+accountA+") $ ] "+accountA+"\n", stdout.String())

	t.Setenv("SHELL", needs(t, "bash"))
	t.Setenv("PROMPT_COMMAND", "the callers")
	c, stdout, stderr = process(t, "exec", "--sts-endpoint", url, "--account", accountA)
	c.Stdin = strings.NewReader("PS1='$ '; eval \"$PROMPT_COMMAND\"; echo \"[$PS1] [$PROMPT_COMMAND]\"\n")
	require.NoError(t, c.Run(), stderr.String())
	assert.Equal(t, "[(awsauth "+accountA+") $ ] []\n", stdout.String())
}

// TestExecClients: the AWS CLI and boto3 are who they are meant to be, in both
// partitions, whatever the caller's environment says.
func TestExecClients(t *testing.T) {
	cloud, _, url := served(t, ana)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/manage-role", Trust: []string{ana}})
	china := cloud.AddUser(awsauthtest.User{ARN: anaCN})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::555555555555:role/manage-role", Trust: []string{anaCN}})
	path := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(path, []byte("[china]\naws_access_key_id = "+china.AccessKeyID+"\naws_secret_access_key = "+china.SecretAccessKey+"\n"), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	shadows(t)
	clients := map[string]func(*testing.T) []string{
		"aws": func(t *testing.T) []string {
			return []string{needs(t, "aws"), "sts", "get-caller-identity", "--query", "Arn", "--output", "text"}
		},
		"boto3": func(t *testing.T) []string {
			return []string{needsBoto(t), "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"}
		},
	}
	for name, client := range clients {
		for _, args := range [][]string{
			{"--account", "222222222222", "--session-name", "me"},
			{"--profile", "china", "--partition", "aws-cn", "--account", "555555555555", "--session-name", "me"},
		} {
			t.Run(name+args[1], func(t *testing.T) {
				got := runProcess(t, append(append(append([]string{"exec"}, args...), "--"), client(t)...)...)
				require.Equal(t, exitOK, got.code, got.stderr)
				assert.Regexp(t, `^arn:aws(-cn)?:sts::(222222222222|555555555555):assumed-role/manage-role/me\n$`, got.stdout)
			})
		}
	}
}
