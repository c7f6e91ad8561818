package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestConsole: the address is the only thing on stdout, nothing is on stderr, and it
// signs in as the role in the console of the role's partition.
func TestConsole(t *testing.T) {
	for partition, tt := range map[string]struct{ user, role, region, console string }{
		"aws":    {ana, "arn:aws:iam::" + accountA + ":role/manage-role", "eu-west-1", "eu-west-1.console.aws.amazon.com"},
		"aws-cn": {anaCN, "arn:aws-cn:iam::" + accountA + ":role/manage-role", "cn-north-1", "cn-north-1.console.amazonaws.cn"},
	} {
		t.Run(partition, func(t *testing.T) {
			cloud, keys, url := served(t, tt.user)
			cloud.AddRole(awsauthtest.Role{ARN: tt.role, Trust: []string{tt.user}})
			t.Setenv("AWS_ENDPOINT_URL_SIGNIN", url)
			got := runProcess(t, "console", "--sts-endpoint", url, "--region", tt.region, "--account", accountA, "--service", "ec2")
			require.Equal(t, exitOK, got.code, got.stderr)
			assert.Empty(t, got.stderr)
			assert.Equal(t, 1, strings.Count(got.stdout, "\n"))
			assert.NotContains(t, got.stdout, keys.SecretAccessKey)
			assert.Contains(t, got.stdout, "https%3A%2F%2F"+tt.console+"%2Fec2")
			who, ok := cloud.SignedIn(strings.TrimSpace(got.stdout))
			require.True(t, ok)
			assert.Contains(t, who.ARN, ":assumed-role/manage-role/")
		})
	}
}

// TestConsoleOpen: the browser gets the address, and nothing is printed.
func TestConsoleOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the browser of this test is named xdg-open")
	}
	cloud, url := fleet(t)
	t.Setenv("AWS_ENDPOINT_URL_SIGNIN", url)
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" > "+seen+".new; mv "+seen+".new "+seen+"\n"), 0o700))
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+":"+path)
	got := runProcess(t, "console", "--open", "--sts-endpoint", url, "--account", accountA)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Empty(t, got.stdout+got.stderr)
	require.Eventually(t, func() bool { _, err := os.Stat(seen); return err == nil }, 10*time.Second, 10*time.Millisecond)
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	_, ok := cloud.SignedIn(strings.TrimSpace(string(text)))
	assert.True(t, ok)

	t.Setenv("PATH", t.TempDir())
	got = runProcess(t, "console", "--open", "--sts-endpoint", url, "--account", accountA)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "leave out --open")
	assert.NotContains(t, got.stdout+got.stderr, "SigninToken")
}

// TestConsoleLogout: each partition's own, without any call or role.
func TestConsoleLogout(t *testing.T) {
	cloud, url := fleet(t)
	for region, host := range map[string]string{
		"eu-west-1": "eu-west-1.signin.aws.amazon.com", "cn-north-1": "cn-north-1.signin.amazonaws.cn", "us-gov-west-1": "us-gov-west-1.signin.amazonaws-us-gov.com",
		"eusc-de-east-1": "eusc-de-east-1.signin.amazonaws-eusc.eu",
	} {
		code, out, stderr := command(t, "console", "--logout", "--region", region, "--sts-endpoint", url)
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, "https://"+host+"/oauth?Action=logout\n", out)
	}
	code, out, stderr := command(t, "console", "--logout", "--partition", "aws-cn")
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, ".signin.amazonaws.cn/")
	assert.Empty(t, cloud.Calls())
}

// TestConsoleFails: nothing is on stdout, and the words are those of the command line.
func TestConsoleFails(t *testing.T) {
	_, url := fleet(t)
	t.Setenv("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitFailed, "assume a role first, with --account or --role-arn"},
		{[]string{"--account", accountA, "--service", "https://evil.example.com/"}, exitUsage, "evil.example.com"},
		{[]string{"--account", accountA}, exitFailed, "no answer"},
		{[]string{"--logout", "--service", "ec2"}, exitUsage, "leave out --service"},
		{[]string{"ec2"}, exitUsage, "takes flags only"},
	} {
		code, out, stderr := command(t, append([]string{"console", "--sts-endpoint", url}, tt.args...)...)
		assert.Equal(t, tt.code, code, stderr)
		assert.Empty(t, out)
		assert.Contains(t, stderr, tt.says)
		assert.NotRegexp(t, goWords, stderr)
	}
}
