package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// demoLines are what the demo must print, in this order: who, where, and what
// mends it. NAME stands for a session's name.
var demoLines = []string{
	" 1 Keys in the environment",
	"who    arn:aws:iam::111111111111:user/ana",
	"called sts.us-east-1.amazonaws.com GetCallerIdentity",
	" 2 The same line on an EC2 instance in eu-central-1",
	"who    arn:aws:sts::111111111111:assumed-role/web/NAME",
	"called 169.254.169.254 GetToken, GetRegion, GetRole, GetCredentials",
	"sts.eu-central-1.amazonaws.com GetCallerIdentity",
	" 3 Keys that the program has",
	"who    arn:aws:iam::111111111111:user/ana",
	"called sts.eu-west-1.amazonaws.com GetCallerIdentity",
	" 4 A profile that jumps to a role",
	"given  ~/.aws: [profile prod] role_arn, source_profile, region; [dev] keys",
	"who    arn:aws:sts::222222222222:assumed-role/manage-role/NAME",
	"called sts.eu-central-1.amazonaws.com AssumeRole manage-role in 222222222222",
	" 5 A role in another account",
	"who    arn:aws:sts::222222222222:assumed-role/deploy/NAME",
	"called sts.us-east-1.amazonaws.com AssumeRole deploy in 222222222222",
	" 6 The same in China",
	"given  export AWS_REGION=us-east-1; ~/.aws: [china] keys",
	"who    arn:aws-cn:sts::555555555555:assumed-role/manage-role/NAME",
	"called sts.cn-north-1.amazonaws.com.cn AssumeRole manage-role in 555555555555",
	" 7 Over a hub role",
	"if err != nil { return nil, err }\n",
	"who    arn:aws:sts::333333333333:assumed-role/manage-role/NAME",
	"called sts.us-east-1.amazonaws.com AssumeRole hub in 222222222222",
	"sts.us-east-1.amazonaws.com AssumeRole manage-role in 333333333333",
	" 8 An account id",
	`error  awsauth: WithAccount("12345678901"): an account id has 12 digits`,
	"kind   awsauth.InvalidOption, before any call",
	" 9 A role in China, a region that is not",
	"kind   awsauth.WrongPartition, before any call",
	"10 Half a key pair",
	"given  export AWS_ACCESS_KEY_ID=AKIA…; ~/.aws: [default] keys",
	"error  awsauth: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not",
	"kind   awsauth.InvalidOption, before any call",
	"11 Keys of AWS, sent to China",
	"kind   awsauth.InvalidKey, after a call to sts.cn-north-1.amazonaws.com.cn",
	"12 A role that does not trust you",
	"kind   awsauth.AccessDenied, after a call to sts.us-east-1.amazonaws.com",
	"13 Three hours, with STS down from 0:10 to 0:50",
	"seen   180 calls, 0 errors, 200ms of waiting in all; the hours took ",
	"STS    gave keys at 0:00, 0:5", ", 2:", "; refused ",
	"14 Five accounts, of which one refuses",
	"found  222222222222, 666666666666, 777777777777, 888888888888",
	"error  333333333333: assume role arn:aws:iam::333333333333:role/manage-role",
	"kind   awsauth.AccessDenied, after 5 calls to sts.us-east-1.amazonaws.com",
	"All 14 steps came out as they should.",
}

var sessionName = regexp.MustCompile(`(:assumed-role/[^/\s]+)/\S+`)

// hostile is an environment in which nothing of AWS would work.
var hostile = map[string]string{
	"AWS_PROFILE": "missing", "AWS_REGION": "mars", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
	"AWS_ROLE_ARN": "nonsense", "AWS_ENDPOINT_URL": "http://192.0.2.1", "AWS_CONFIG_FILE": "/nonexistent/config",
	"AWS_CA_BUNDLE": "/nonexistent/bundle.pem", "HTTPS_PROXY": "http://192.0.2.1:1", "http_proxy": "http://192.0.2.1:1",
	"AWS_USE_FIPS_ENDPOINT": "true", "AWS_EC2_METADATA_DISABLED": "true", "AWS_RETRY_MODE": "nonsense",
}

func TestDemo(t *testing.T) {
	for name, env := range map[string]map[string]string{"empty environment": nil, "hostile environment": hostile} {
		t.Run(name, func(t *testing.T) {
			awsauthtest.Isolate(t)
			for name, value := range env {
				t.Setenv(name, value)
			}
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp) // where os.MkdirTemp goes, but on Windows
			before := os.Environ()

			code, out, stderr := command(t, "demo")

			require.Equal(t, exitOK, code, "%s%s", out, stderr)
			assert.Empty(t, stderr)
			assert.ElementsMatch(t, before, os.Environ(), "the environment is as it was")
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			assert.Empty(t, left, "no file is left behind")
			checkDemo(t, out)
			assert.LessOrEqual(t, strings.Count(out, "\n"), 120, "a visitor reads it to its end")
		})
	}
}

// checkDemo holds the output against demoLines, and against the rules for text.
func checkDemo(t *testing.T, out string) {
	t.Helper()
	text := sessionName.ReplaceAllString(out, "$1/NAME")
	rest := text
	for _, line := range demoLines {
		_, after, found := strings.Cut(rest, line)
		require.True(t, found, "%q is missing, or not in its place, in:\n%s", line, text)
		rest = after
	}
	assert.NotContains(t, out, "\x1b", "no colour where there is no terminal")
	assert.NotContains(t, out, "\t")
	assert.NotRegexp(t, `\b(AKIA|ASIA)[A-Z0-9]{5,}`, out, "access key ids are shortened")
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%q", line)
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}
}

func TestDemoPrintsNoSecret(t *testing.T) {
	w := testWorld(t)
	var out bytes.Buffer
	require.NoError(t, w.walk(t.Context(), &out))
	for number := range allSteps() {
		require.NoError(t, w.show(t.Context(), &out, number+1))
	}
	require.Len(t, w.keys, 2)
	for _, keys := range w.keys {
		assert.NotContains(t, out.String(), keys.SecretAccessKey)
		assert.NotContains(t, out.String(), keys.AccessKeyID)
	}
}

func testWorld(t *testing.T) *world {
	t.Helper()
	awsauthtest.Isolate(t)
	w, err := newWorld()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.close()) })
	return w
}

// The demo notices when something does not come out as it says.
func TestDemoNoticesWhatIsWrong(t *testing.T) {
	good, bad := starts[0], mistakes[0]
	spoil := func(s step, change func(*want)) step { change(&s.want); return s }
	for name, c := range map[string]struct {
		step step
		says string
	}{
		"identity":      {spoil(good, func(w *want) { w.identity = "arn:aws:iam::111111111111:user/an" }), "the identity should be"},
		"region":        {spoil(good, func(w *want) { w.region = "us-west-2" }), "the region should be us-west-2"},
		"calls":         {spoil(good, func(w *want) { w.calls = nil }), "the calls should be"},
		"no error":      {spoil(bad, func(w *want) { w.fails = "" }), "there should be no error"},
		"other kind":    {spoil(bad, func(w *want) { w.fails = awsauth.AccessDenied }), "the error is not awsauth.AccessDenied"},
		"error, not id": {spoil(good, func(w *want) { w.fails = awsauth.AccessDenied }), "the error is not awsauth.AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := testWorld(t)
			r, err := w.perform(t.Context(), c.step)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(r.wrong, "\n"), c.says)

			var out bytes.Buffer
			p := printer{out: &out}
			p.step(1, c.step, r)
			assert.Contains(t, out.String(), "WRONG  ")
		})
	}
}

func TestDemoFails(t *testing.T) {
	awsauthtest.Isolate(t)
	steps := parts[0].steps
	t.Cleanup(func() { parts[0].steps = steps })
	spoiled := steps[0]
	spoiled.want.region = "us-west-2"
	parts[0].steps = []step{spoiled}

	code, out, stderr := command(t, "demo")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, "WRONG  the region should be us-west-2")
	assert.NotContains(t, out, "came out as they should.")
	assert.Equal(t, "awsauth demo: 1 of 11 steps did not come out as they should\n", stderr)
}

func TestDemoInterrupted(t *testing.T) {
	awsauthtest.Isolate(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	assert.Equal(t, exitInterrupted, run(ctx, []string{"awsauth", "demo"}, &out, &stderr))
	assert.Equal(t, "awsauth: interrupted\n", stderr.String())
}

// What step 10 says of the SDK is so.
func TestDemoHalfKeysInTheSDK(t *testing.T) {
	w := testWorld(t)
	require.NoError(t, w.become(mistakes[2].given))
	cfg, err := config.LoadDefaultConfig(t.Context(), w.cloud.LoadOptions())
	require.NoError(t, err)
	creds, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Contains(t, creds.Source, "SharedConfigCredentials")
}

func TestPen(t *testing.T) {
	assert.Equal(t, "x", pen(false).bold("x"))
	assert.Equal(t, "\x1b[31mx\x1b[0m", pen(true).red("x"))
	assert.False(t, bool(penFor(&bytes.Buffer{})))
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = null.Close() })
	t.Setenv("NO_COLOR", "1") // os.DevNull is a device, as a terminal is
	assert.False(t, bool(penFor(null)))
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"aa bb", "cc"}, wrap("aa  bb\ncc", 5))
	assert.Equal(t, []string{"a", "longword", "b"}, wrap("a longword b", 4))
	assert.Equal(t, []string{""}, wrap("", 4))
}
