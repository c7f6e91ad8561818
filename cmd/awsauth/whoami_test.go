package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// command runs awsauth with args, as main does, and looks over all it prints
// for keys of the environment.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	secrets := []string{os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")}
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"awsauth"}, args...), &out, &errs)
	for _, secret := range secrets {
		if secret != "" {
			assert.NotContains(t, out.String()+errs.String(), secret)
		}
	}
	return code, out.String(), errs.String()
}

// served is a Cloud on a socket, with a user whose keys are in the environment.
func served(t *testing.T, user string) (cloud *awsauthtest.Cloud, keys awsauthtest.Keys, url string) {
	t.Helper()
	cloud = awsauthtest.New(t)
	url, err := cloud.Serve()
	require.NoError(t, err)
	keys = cloud.AddUser(awsauthtest.User{ARN: user})
	t.Setenv(cacheVariable, t.TempDir())
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	return cloud, keys, url
}

// fields reads aligned lines of keys and values.
func fields(t *testing.T, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(out) {
		require.Greater(t, len(line), 12)
		all[strings.TrimSpace(line[:12])] = strings.TrimSpace(line[12:])
	}
	return all
}

func TestWhoamiUser(t *testing.T) {
	_, keys, url := served(t, ana)
	code, out, stderr := command(t, "whoami", "--sts-endpoint", url, "--profile", "", "--account", "", "--role", "",
		"--role-arn", "", "--partition", "", "--region", "", "--session-name", "", "--external-id", "", "--duration", "", "--timeout", "")
	require.Equal(t, exitOK, code, stderr)
	assert.Empty(t, stderr)
	got := fields(t, out)
	assert.NotEmpty(t, got["user id"])
	delete(got, "user id")
	assert.Equal(t, map[string]string{
		"account": "111111111111", "arn": ana, "partition": "aws", "region": "us-east-1, default of aws",
		"source": "environment", "access key": shortKey(keys.AccessKeyID), "expires": "never: the long-lived key of a user",
	}, got)
}

func TestWhoamiRole(t *testing.T) {
	cloud, _, url := served(t, anaCN)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::555555555555:role/team/ops", Trust: []string{"444444444444"}, ExternalID: "x-1"})
	t.Setenv("AWS_REGION", "cn-northwest-1")
	code, out, stderr := command(t, "whoami", "--sts-endpoint", url, "--account", "555555555555", "--role", "team/ops",
		"--partition", "aws-cn", "--session-name", "ana", "--external-id", "x-1", "--duration", "30m")
	require.Equal(t, exitOK, code, stderr)
	got := fields(t, out)
	assert.Equal(t, "555555555555", got["account"])
	assert.Equal(t, "arn:aws-cn:sts::555555555555:assumed-role/ops/ana", got["arn"])
	assert.Equal(t, "aws-cn", got["partition"])
	assert.Equal(t, "cn-northwest-1, from AWS_REGION", got["region"])
	assert.Equal(t, "environment → arn:aws-cn:iam::555555555555:role/team/ops", got["source"])
	assert.Regexp(t, `^ASIA….{4}$`, got["access key"])
	assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, in (29m\d+s|30m0s)$`, got["expires"])

	call := cloud.Calls("AssumeRole")
	require.Len(t, call, 1)
	assert.Equal(t, "1800", call[0].Params.Get("DurationSeconds"))
	assert.Equal(t, "cn-northwest-1", call[0].Region)
}

func TestWhoamiJSON(t *testing.T) {
	cloud, keys, url := served(t, ana)
	code, out, stderr := command(t, "whoami", "--json", "--sts-endpoint", url, "--region", "eu-west-1")
	require.Equal(t, exitOK, code, stderr)
	var user answer
	require.NoError(t, json.Unmarshal([]byte(out), &user))
	assert.NotEmpty(t, user.UserID)
	user.UserID = ""
	assert.Equal(t, answer{
		Account: "111111111111", ARN: ana, Partition: "aws", Region: "eu-west-1", RegionFrom: "--region",
		Source: "environment", AccessKeyID: shortKey(keys.AccessKeyID),
	}, user)

	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/manage-role", Trust: []string{ana}})
	code, out, stderr = command(t, "whoami", "--json", "--sts-endpoint", url, "--role-arn", "arn:aws:iam::222222222222:role/manage-role")
	require.Equal(t, exitOK, code, stderr)
	var role answer
	require.NoError(t, json.Unmarshal([]byte(out), &role))
	assert.True(t, role.Temporary)
	require.NotNil(t, role.Expires)
	assert.WithinDuration(t, time.Now().Add(time.Hour), *role.Expires, time.Minute)
}

func TestWhoamiProfile(t *testing.T) {
	_, keys, url := served(t, ana)
	path := filepath.Join(t.TempDir(), "credentials")
	text := "[ops]\naws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey + "\nregion = eu-north-1\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	code, out, stderr := command(t, "whoami", "--profile", "ops", "--sts-endpoint", url)
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, `profile "ops"`, fields(t, out)["source"])
	assert.Equal(t, `eu-north-1, from profile "ops"`, fields(t, out)["region"])
}

// A failure is one line on stderr, in the words of the command line. Where the
// session could be made, the table of Explain follows.
func TestWhoamiFails(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
		row  string // what a row of the table says; "" for no table

		wrong bool // the call is
	}{
		"account": {[]string{"--account", "12345678901"}, nil, `awsauth: --account "12345678901": an account id has 12 digits`, "", true},
		"role":    {[]string{"--role", "ops"}, nil, "pass --account too, or leave out --role", "", true},
		"region": {
			[]string{"--role-arn", "arn:aws-cn:iam::555555555555:role/ops", "--region", "us-east-1"}, nil,
			`use --region "cn-north-1" or correct the ARN`, "", true,
		},
		"duration":  {[]string{"--account", "222222222222", "--duration", "20h"}, nil, "--duration 20h0m0s: a role session lasts at most 12h", "", true},
		"profile":   {[]string{"--profile", "missing"}, nil, `profile "missing" is not in`, "", false},
		"half keys": {nil, map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not", "", false},
		"bad key":   {nil, map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong/wrong/wrong"}, "does not accept the signature", "USED environment access key ", false},
		"no trust":  {[]string{"--account", "222222222222"}, nil, "access denied", "FAILED assume role arn:aws:iam::222222222222:role/manage-role at 127.0.0.1:", false},
		"json":      {[]string{"--account", "222222222222", "--json"}, nil, "access denied", "SKIPPED profile (option) --profile not given", false},
		"endpoint":  {[]string{"--sts-endpoint", "http://sts.example.com"}, nil, "plain http to a host that may be on the internet; use https", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, url := served(t, ana)
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			code, out, stderr := command(t, append([]string{"whoami", "--sts-endpoint", url}, c.args...)...)
			want := exitFailed
			if c.wrong {
				want = exitUsage
			}
			assert.Equal(t, want, code)
			assert.Empty(t, out)
			assert.True(t, strings.HasPrefix(stderr, "awsauth: "), stderr)
			line, table, found := strings.Cut(stderr, "\n")
			assert.Contains(t, line, c.says)
			if c.row == "" {
				assert.Empty(t, table)
				return
			}
			assert.True(t, found && strings.HasPrefix(table, "\nSKIPPED "), stderr)
			assert.Contains(t, "\n"+strings.Join(rows(table), "\n"), "\n"+c.row)
			assert.False(t, strings.HasSuffix(table, "\n\n"))
		})
	}
}

func TestWhoamiEveryFaultAtOnce(t *testing.T) {
	awsauthtest.Isolate(t)
	code, _, stderr := command(t, "whoami", "--account", "1", "--region", "mars", "--session-name", "?")
	assert.Equal(t, exitUsage, code)
	for _, flag := range []string{"--account", "--region", "--session-name"} {
		assert.Contains(t, stderr, "awsauth: "+flag+" ")
	}
}

func TestWhoamiTimeout(t *testing.T) {
	cloud, _, url := served(t, ana)
	cloud.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
	code, out, stderr := command(t, "whoami", "--sts-endpoint", url, "--timeout", "20ms")
	assert.Equal(t, exitFailed, code)
	assert.Empty(t, out)
	assert.Contains(t, stderr, "no answer in time")
}

// Ctrl-C while STS is being asked, and does not answer.
func TestWhoamiInterrupted(t *testing.T) {
	cloud, _, url := served(t, ana)
	ctx, interrupt := context.WithCancel(t.Context())
	cloud.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang, Match: func(awsauthtest.Call) bool {
		interrupt()
		return true
	}})
	var out, stderr bytes.Buffer
	code := run(ctx, []string{"awsauth", "whoami", "--sts-endpoint", url, "--timeout", "0"}, &out, &stderr)
	assert.Equal(t, exitInterrupted, code)
	assert.Empty(t, out.String())
	assert.Equal(t, "awsauth: interrupted\n", stderr.String())
}

func TestUsage(t *testing.T) {
	awsauthtest.Isolate(t)
	for line, says := range map[string]string{
		"nonsense":               `there is no command "nonsense"; see awsauth --help`,
		"--bogus":                "--bogus; see awsauth --help",
		"whoami --bogus":         "--bogus; see awsauth whoami --help",
		"whoami ops":             `not "ops"`,
		"demo now":               `not "now"`,
		"whoami --duration soon": "write it like 90s, 15m or 2h",
		"whoami --timeout -1s":   "--timeout -1s is negative",
		"whoami --profile":       "--profile needs a value",
		"help nonsense":          "nonsense",
	} {
		code, out, stderr := command(t, strings.Fields(line)...)
		assert.Equal(t, exitUsage, code, line)
		assert.Empty(t, out, line)
		assert.True(t, strings.HasPrefix(stderr, "awsauth: "), stderr)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		assert.Contains(t, stderr, says, line)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, line := range []string{"", "--help", "help", "help whoami", "whoami --help", "demo -h"} {
		code, out, stderr := command(t, strings.Fields(line)...)
		assert.Equal(t, exitOK, code, line)
		assert.Contains(t, out, "USAGE:", line)
		assert.Empty(t, stderr, line)
	}
	code, out, _ := command(t, "--version")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "awsauth version "+version()+"\n", out)
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { e := now.Add(d); return &e }
	for want, a := range map[string]answer{
		"never: the long-lived key of a user":                                           {},
		"not known: these keys are temporary, but their source does not say until when": {Temporary: true},
		"2026-03-01 13:00:00 UTC, in 1h0m0s":                                            {Expires: at(time.Hour), Temporary: true},
		"2026-03-01 11:58:00 UTC, 2m0s ago":                                             {Expires: at(-2 * time.Minute), Temporary: true},
	} {
		assert.Equal(t, want, a.expiry(now))
	}
}

func TestShortKey(t *testing.T) {
	assert.Equal(t, "AKIA…MPLE", shortKey("AKIAIOSFODNN7EXAMPLE"))
	assert.Equal(t, "…", shortKey("short"))
}
