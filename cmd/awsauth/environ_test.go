package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asTheRole puts the output of env for a role into the environment, as a shell does that
// evaluates it.
func asTheRole(t *testing.T, url string) map[string]string {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	got := runProcess(t, "env", "--account", accountA, "--format", "json")
	require.Equal(t, exitOK, got.code, got.stderr)
	var all map[string]string
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &all))
	for name, value := range all {
		t.Setenv(name, value)
	}
	return all
}

// endsOf are the ends of the keys that each command hands on, "" for none.
func endsOf(t *testing.T, more ...string) map[string]string {
	t.Helper()
	ran := func(args ...string) string {
		got := runProcess(t, args...)
		require.Equal(t, exitOK, got.code, got.stderr)
		return got.stdout
	}
	var answer processJSON
	require.NoError(t, json.Unmarshal([]byte(ran(append([]string{"process"}, more...)...)), &answer))
	var all map[string]string
	require.NoError(t, json.Unmarshal([]byte(ran(append([]string{"env", "--format", "json"}, more...)...)), &all))
	child := ran(slices.Concat([]string{"exec"}, more, []string{"--", needs(t, "env")})...)
	return map[string]string{"process": answer.Expiration, "env": all["AWS_CREDENTIAL_EXPIRATION"], "exec": environOf(child)["AWS_CREDENTIAL_EXPIRATION"]}
}

// TestEnvironmentEnd: temporary keys of the environment are handed on with the end that
// stands beside them.
func TestEnvironmentEnd(t *testing.T) {
	_, url := fleet(t)
	end := asTheRole(t, url)["AWS_CREDENTIAL_EXPIRATION"]
	require.NotEmpty(t, end)
	inHalfAnHour := time.Now().Add(30 * time.Minute).UTC().Truncate(time.Second)
	for value, want := range map[string]string{
		end: end,
		inHalfAnHour.In(time.FixedZone("", 2*60*60)).Format("2006-01-02T15:04:05.999-07:00"): inHalfAnHour.Format("2006-01-02T15:04:05Z"),
		"": "", "soon": "", inHalfAnHour.Format("2006-01-02T15:04:05"): "",
	} {
		t.Setenv("AWS_CREDENTIAL_EXPIRATION", value)
		assert.Equal(t, map[string]string{"process": want, "env": want, "exec": want}, endsOf(t), "%q", value)
	}
}

// TestEnvironmentEnded: keys of the environment that have ended are handed to nobody.
func TestEnvironmentEnded(t *testing.T) {
	_, url := fleet(t)
	asTheRole(t, url)
	t.Setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
	for _, line := range []string{"process", "env", "exec -- " + needs(t, "true"), "exec --serve -- " + needs(t, "true")} {
		got := runProcess(t, strings.Fields(line)...)
		name := strings.Fields(line)[0]
		assert.Equal(t, exitFailed, got.code, line)
		assert.Empty(t, got.stdout, line)
		assert.Equal(t, "awsauth: "+name+": the keys in the environment ended at 2020-01-01T00:00:00Z, as AWS_CREDENTIAL_EXPIRATION says; "+
			"get new ones, or unset that variable if it was left from other keys\n", got.stderr, line)
	}
}

// TestEnvironmentEndOfOthers: the variable says nothing of long-lived keys, nor of those
// of a role or a profile.
func TestEnvironmentEndOfOthers(t *testing.T) {
	_, url := fleet(t)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	t.Setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
	none := map[string]string{"process": "", "env": "", "exec": ""}
	assert.Equal(t, none, endsOf(t), "long-lived keys")
	for name, end := range endsOf(t, "--account", accountA) {
		at, err := time.Parse(time.RFC3339, end)
		require.NoError(t, err, name)
		assert.WithinDuration(t, time.Now().Add(time.Hour), at, time.Minute, name)
	}
	path := t.TempDir() + "/config"
	require.NoError(t, os.WriteFile(path, []byte("[profile temporary]\nregion = eu-west-1\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\n"+
		"aws_secret_access_key = made-up\naws_session_token = made-up\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	assert.Equal(t, none, endsOf(t, "--profile", "temporary"), "keys of a profile")
}

// TestEndNote: --serve is named where it renews the keys.
func TestEndNote(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	keys := aws.Credentials{CanExpire: true, Expires: now.Add(90 * time.Second)}
	assert.Equal(t, "awsauth: these keys end at 15:05, in 1m30s; what runs longer needs exec --serve", endNote(keys, now))
	keys.Source = config.CredentialsSourceName
	assert.Equal(t, "awsauth: these keys end at 15:05, in 1m30s", endNote(keys, now))
}

// TestEnvironmentEndBoto: boto3 sees the end of keys that it gets from process.
func TestEnvironmentEndBoto(t *testing.T) {
	program, python := asProgram(t), needsBoto(t)
	_, url := fleet(t)
	end := asTheRole(t, url)["AWS_CREDENTIAL_EXPIRATION"]
	path := t.TempDir() + "/config"
	require.NoError(t, os.WriteFile(path, []byte("[profile self]\nregion = eu-west-1\ncredential_process = "+program+" process\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	out, err := exec.CommandContext(t.Context(), python, "-c",
		"import boto3; c = boto3.Session(profile_name='self').get_credentials(); print(c.method, c._expiry_time.strftime('%Y-%m-%dT%H:%M:%SZ'))").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "custom-process "+end+"\n", string(out))
}
