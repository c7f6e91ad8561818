package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

func TestProcess(t *testing.T) {
	cloud, keys, url := served(t, ana)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/manage-role", Trust: []string{ana}})
	answers := map[string]map[string]any{}
	for name, args := range map[string][]string{"user": nil, "role": {"--account", "222222222222"}} {
		got := runProcess(t, append([]string{"process", "--sts-endpoint", url}, args...)...)
		require.Equal(t, exitOK, got.code, got.stderr)
		assert.Empty(t, got.stderr)
		var answer map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &answer))
		answers[name] = answer
	}
	assert.Equal(t, map[string]any{"Version": 1.0, "AccessKeyId": keys.AccessKeyID, "SecretAccessKey": keys.SecretAccessKey}, answers["user"])
	role := answers["role"]
	assert.Equal(t, "222222222222", role["AccountId"])
	assert.Regexp(t, "^ASIA", role["AccessKeyId"])
	end, err := time.Parse("2006-01-02T15:04:05Z", role["Expiration"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Hour), end, time.Minute)
	assert.Len(t, role, 6)
}

// TestProcessFails: nothing on stdout, one line on stderr, in time.
func TestProcessFails(t *testing.T) {
	cloud, url := fleet(t)
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--account", "999999999999"}, exitFailed, "access denied"},
		{[]string{"--account", "1", "--region", "mars", "--session-name", "?"}, exitUsage, `--region "mars"`},
		{[]string{"now"}, exitUsage, `not "now"`},
		{[]string{"--timeout", "-1s"}, exitUsage, "negative"},
	} {
		got := runProcess(t, append([]string{"process", "--sts-endpoint", url}, tt.args...)...)
		assert.Equal(t, tt.code, got.code)
		assert.Empty(t, got.stdout)
		assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
		assert.Contains(t, got.stderr, tt.says)
	}
	cloud.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
	got := runProcess(t, "process", "--sts-endpoint", url, "--account", accountA, "--timeout", "50ms")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "no answer")
	assert.Less(t, processTimeout, time.Minute)
}

// asProgram writes a program that is the command, for a config file: SDKs start it
// with an environment of their own.
func asProgram(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "awsauth")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+asCommand+"=1 exec "+self+" \"$@\"\n"), 0o700))
	return path
}

// TestProcessClients: the AWS CLI, boto3 and we ourselves become the role by a line
// in the config file, in both partitions.
func TestProcessClients(t *testing.T) {
	program := asProgram(t)
	cloud, keys, url := served(t, ana)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/manage-role", Trust: []string{ana}})
	china := cloud.AddUser(awsauthtest.User{ARN: anaCN})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::555555555555:role/manage-role", Trust: []string{anaCN}})
	config := filepath.Join(t.TempDir(), "config")
	text := "[profile ops]\naws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey + "\nregion = eu-west-1\n" +
		"[profile ops-cn]\naws_access_key_id = " + china.AccessKeyID + "\naws_secret_access_key = " + china.SecretAccessKey + "\nregion = cn-north-1\n" +
		"[profile prod]\nregion = eu-west-1\ncredential_process = " + program + " process --profile ops --account 222222222222 --session-name me --sts-endpoint " + url + "\n" +
		"[profile prod-cn]\nregion = cn-north-1\ncredential_process = " + program + " process --profile ops-cn --account 555555555555 --session-name me --sts-endpoint " + url + "\n" +
		"[profile circle]\nregion = eu-west-1\ncredential_process = " + program + " process --account 222222222222\n"
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		require.NoError(t, os.Unsetenv(name))
	}
	clients := map[string]func(*testing.T, string) *exec.Cmd{
		"aws": func(t *testing.T, profile string) *exec.Cmd {
			return exec.CommandContext(t.Context(), needs(t, "aws"), "sts", "get-caller-identity", "--query", "Arn", "--output", "text", "--profile", profile)
		},
		"boto3": func(t *testing.T, profile string) *exec.Cmd {
			return exec.CommandContext(t.Context(), needsBoto(t), "-c",
				"import boto3, sys; print(boto3.Session(profile_name=sys.argv[1]).client('sts').get_caller_identity()['Arn'])", profile)
		},
		"awsauth": func(t *testing.T, profile string) *exec.Cmd {
			return exec.CommandContext(t.Context(), program, "whoami", "--profile", profile)
		},
	}
	for name, client := range clients {
		for profile, arn := range map[string]string{
			"prod":    "arn:aws:sts::222222222222:assumed-role/manage-role/me",
			"prod-cn": "arn:aws-cn:sts::555555555555:assumed-role/manage-role/me",
		} {
			t.Run(name+" "+profile, func(t *testing.T) {
				out, err := client(t, profile).CombinedOutput()
				require.NoError(t, err, "%s", out)
				assert.Contains(t, string(out), arn)
			})
		}
	}
	for _, depth := range []string{"", "-5", "-99999999999999999999", "no number"} {
		t.Run("circle "+depth, func(t *testing.T) {
			t.Setenv("AWS_PROFILE", "circle")
			t.Setenv(processDepth, depth)
			got := runProcess(t, "process", "--account", "222222222222")
			assert.Equal(t, exitFailed, got.code)
			assert.Contains(t, got.stderr, "starts from that same profile")
			assert.LessOrEqual(t, strings.Count(got.stderr, "\n"), 3, got.stderr)
		})
	}
}
