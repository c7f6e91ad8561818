package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	accountA = "222222222222"
	accountB = "333333333333"
	accountC = "444444444444"
)

// shell skips where there is none.
func shell(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh: ", err)
	}
	return path
}

// fleet is a Cloud on a socket with three accounts whose role audit, and
// manage-role, trust ana.
func fleet(t *testing.T) (cloud *awsauthtest.Cloud, url string) {
	t.Helper()
	cloud, _, url = served(t, ana)
	for _, id := range []string{accountA, accountB, accountC} {
		for _, role := range []string{"audit", awsauth.DefaultRole} {
			cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + id + ":role/" + role, Trust: []string{ana}})
		}
	}
	return cloud, url
}

// sortedLines are the lines of text in order: accounts end as they like.
func sortedLines(text string) []string {
	return slices.Sorted(strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n"))
}

func TestEach(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	// What the caller is may not reach the command.
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		t.Setenv(name, "default")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(config, []byte("[default]\nregion = us-west-2\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "caller")
	t.Setenv("AWS_MAX_ATTEMPTS", "3")
	script := `echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN $AWS_REGION $AWS_DEFAULT_REGION $AWSAUTH_ACCOUNT" \
		"[$AWS_PROFILE$AWS_DEFAULT_PROFILE$AWS_CONTAINER_AUTHORIZATION_TOKEN]" "$AWS_MAX_ATTEMPTS $1"; echo to stderr >&2`
	code, out, stderr := command(t, "each", "--accounts", accountA+", "+accountB+",arn:aws:iam::"+accountC+":role/audit,"+accountA, "--role", "audit",
		"--sts-endpoint", url, "--region", "eu-west-1", "--session-name", "nightly", "--duration", "15m", "--", sh, "-c", script, "sh", "--flag")
	require.Equal(t, exitOK, code, stderr)
	got := sortedLines(out)
	require.Len(t, got, 3)
	keys := map[string]bool{}
	for i, id := range []string{accountA, accountB, accountC} {
		rest, ok := strings.CutPrefix(got[i], id+" | ASIA")
		require.True(t, ok, got[i])
		words := strings.Fields(rest)
		require.Len(t, words, 9, got[i])
		assert.Len(t, words[1], 40)
		assert.NotEmpty(t, words[2])
		assert.Equal(t, []string{"eu-west-1", "eu-west-1", id, "[]", "3", "--flag"}, words[3:])
		keys[words[0]] = true
		assert.Contains(t, stderr, id+" | to stderr\n")
	}
	assert.Len(t, keys, 3)
	for i, want := range []string{"[1/3] ", "[2/3] ", "[3/3] "} {
		assert.Equal(t, 1, strings.Count(stderr, want), "%d", i)
	}
	assert.True(t, strings.HasSuffix(stderr, "\nawsauth: 3 accounts, all went well\n"), stderr)
	require.Len(t, cloud.Calls("AssumeRole"), 3)
	for _, c := range cloud.Calls() {
		assert.Equal(t, "AssumeRole", c.Action)
		assert.True(t, strings.HasSuffix(c.Params.Get("RoleArn"), ":role/audit"))
		assert.Equal(t, "nightly", c.Params.Get("RoleSessionName"))
		assert.Equal(t, "900", c.Params.Get("DurationSeconds"))
	}
}

// The accounts that failed are named, with the exit code or the reason, in the
// order of the list.
func TestEachFails(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	code, out, stderr := command(t, "each", "--accounts", accountA+",999999999999,"+accountB+","+accountC, "--sts-endpoint", url, "--concurrency", "1",
		"--", sh, "-c", `case $AWSAUTH_ACCOUNT in `+accountA+`) sleep 0.1; exit 7;; `+accountC+`) kill -9 $$;; esac; printf 'no newline'`)
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, accountB+" | no newline\n", out)
	got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	require.Len(t, got, 8, stderr)
	assert.Equal(t, "awsauth: [1/4] "+accountA+" failed", got[0])
	assert.Equal(t, "awsauth: [3/4] "+accountB+" done", got[2])
	assert.Equal(t, "  "+accountA+": exit status 7", got[4])
	assert.True(t, strings.HasPrefix(got[5], "  999999999999: assume role arn:aws:iam::999999999999:role/manage-role as "+ana+": access denied"), got[5])
	assert.Equal(t, "  "+accountC+": signal: killed", got[6])
	assert.Equal(t, "awsauth: 3 of 4 accounts failed", got[7])
}

func TestEachFile(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	text := "\ufeff# production\r\n\r\n" + accountA + "\r\n  " + accountB + "\t# the shop\n#" + accountC + "\n\narn:aws:iam::" + accountC + ":role/audit # last, no newline"
	want := []string{accountA + " | " + accountA, accountB + " | " + accountB, accountC + " | " + accountC}
	path := filepath.Join(t.TempDir(), "2026-accounts.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	for _, from := range []string{path, "-"} {
		in, err := os.Open(path)
		require.NoError(t, err)
		defer in.Close()
		old := os.Stdin
		os.Stdin = in
		code, out, stderr := command(t, "each", "--accounts", from, "--sts-endpoint", url, "--", sh, "-c", "echo $AWSAUTH_ACCOUNT; cat")
		os.Stdin = old
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, want, sortedLines(out))
	}
}

// What is wrong with a list is told at once, with its lines, before any call.
func TestEachBadFile(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	path := filepath.Join(t.TempDir(), "accounts")
	require.NoError(t, os.WriteFile(path, []byte(accountA+"\n12345678901\n\n# ok\nshop\n"+accountB+"\narn:aws-cn:iam::"+accountC+":role/x\n12345678901\n"), 0o600))
	code, out, stderr := command(t, "each", "--accounts", path, "--sts-endpoint", url, "--region", "us-east-1", "--session-name", "?", "--", sh, "-c", "echo ran")
	assert.Equal(t, exitUsage, code)
	assert.Empty(t, out)
	got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	require.Len(t, got, 4, stderr)
	assert.True(t, strings.HasPrefix(got[0], `awsauth: --session-name "?": must be`), got[0])
	assert.True(t, strings.HasPrefix(got[1], "awsauth: "+path+":2: 12345678901: an account id has 12 digits, this has 11"), got[1])
	assert.True(t, strings.HasPrefix(got[2], "awsauth: "+path+":5: shop: an account id has 12 digits"), got[2])
	assert.True(t, strings.HasPrefix(got[3], "awsauth: "+path+":7: arn:aws-cn:iam::"+accountC+":role/x: role "), got[3])
	assert.Empty(t, cloud.Calls())
}

func TestEachUsage(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no command":     {[]string{"--accounts", accountA}, exitUsage, "there is no command to run; write it after --; see awsauth each --help"},
		"no program":     {[]string{"--accounts", accountA, "--", "no-such-program"}, exitFailed, `"no-such-program"`},
		"no accounts":    {[]string{"--", sh}, exitUsage, "pass --accounts"},
		"empty accounts": {[]string{"--accounts", "", "--", sh}, exitUsage, "pass --accounts"},
		"no file":        {[]string{"--accounts", missing, "--", sh}, exitFailed, "nor a file that can be read: no such file"},
		"a name":         {[]string{"--accounts", accountA + ",prod", "--", sh}, exitFailed, "neither a list"},
		"short id":       {[]string{"--accounts", "12345678901," + accountA + ",7", "--", sh}, exitUsage, "\nawsauth: 7: an account id has 12 digits, this has 1\n"},
		"concurrency":    {[]string{"--accounts", accountA, "--concurrency", "0", "--", sh}, exitUsage, "not a number from 1 on"},
		"role":           {[]string{"--accounts", accountA, "--role", "/x", "--", sh}, exitUsage, `--role "/x": a leading slash`},
		"duration":       {[]string{"--accounts", accountA + "," + accountB, "--duration", "13h", "--", sh}, exitUsage, `--duration 13h0m0s`},
		"account":        {[]string{"--account", accountA, "--", sh}, exitUsage, "--account"},
		"region":         {[]string{"--accounts", accountA, "--region", "mars", "--", sh}, exitUsage, `--region "mars"`},
		"empty values": {
			[]string{"--accounts", accountA, "--concurrency", "", "--role", "", "--duration", "", "--", sh, "-c", "true"}, exitOK,
			"awsauth: 1 account, all went well",
		},
		"empty list": {[]string{"--accounts", os.DevNull, "--", sh, "-c", "echo ran"}, exitOK, "awsauth: no accounts in " + os.DevNull},
	} {
		t.Run(name, func(t *testing.T) {
			cloud.ResetCalls()
			code, out, stderr := command(t, append([]string{"each", "--sts-endpoint", url}, c.args...)...)
			assert.Equal(t, c.code, code, stderr)
			assert.Empty(t, out)
			assert.Contains(t, stderr, c.says)
			assert.True(t, strings.HasPrefix(stderr, "awsauth: "), stderr)
			if name != "empty values" {
				assert.Empty(t, cloud.Calls())
			}
		})
	}
}

// Ctrl-C ends the commands that run and starts no more.
func TestEachInterrupted(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &trigger{on: "started", then: interrupt}
	var stderr bytes.Buffer
	start := time.Now()
	code := run(ctx, []string{"awsauth", "each", "--accounts", accountA + "," + accountB + "," + accountC, "--concurrency", "1", "--sts-endpoint", url,
		"--", sh, "-c", "echo started; exec sleep 60"}, out, &stderr)
	assert.Equal(t, exitInterrupted, code)
	assert.Less(t, time.Since(start), 20*time.Second)
	assert.Equal(t, 1, strings.Count(out.String(), "started"))
	assert.Contains(t, stderr.String(), "  "+accountA+": signal: terminated\n")
	assert.True(t, strings.HasSuffix(stderr.String(), "awsauth: 1 of 3 accounts failed, 2 not started\nawsauth: interrupted\n"), stderr.String())
}

// trigger calls then when it is written on.
type trigger struct {
	bytes.Buffer
	on   string
	then func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.on)) {
		w.then()
	}
	return w.Buffer.Write(p)
}

func TestCallersEnviron(t *testing.T) {
	assert.Equal(t, []string{"PATH=/bin", "AWS_CONFIG_FILE=x", "AWS_ENDPOINT_URL_STS=y"}, callersEnviron([]string{
		"PATH=/bin", "AWS_ACCESS_KEY_ID=1", "AWS_SECRET_ACCESS_KEY=2", "AWS_SESSION_TOKEN=", "AWS_CONFIG_FILE=x", "Aws_Profile=4", "AWS_ENDPOINT_URL_STS=y",
		"AWS_WEB_IDENTITY_TOKEN_FILE=5", "AWS_ROLE_ARN=6", "AWS_REGION=7", "AWSAUTH_ACCOUNT=8", "AWS_CONTAINER_CREDENTIALS_FULL_URI=9",
	}))
}
