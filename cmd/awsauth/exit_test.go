package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exitLines are calls by their exit code. bad is a file with an account that is none.
func exitLines(dir, bad string) map[int][]string {
	return map[int][]string{
		exitUsage: {
			"nonsense", "--nonsense", "help nonsense", "completion nonsense", "--profile ops", "-- true",
			"whoami --nonsense", "whoami extra", "whoami --account", "whoami --region --account", "cache", "cache nonsense", "cache list extra",
			"login extra", "logout extra", "login --account 222222222222", "explain extra", "env extra", "process extra", "console extra", "accounts extra", "demo extra",
			"whoami --account 12345678901", "explain --account 12345678901", "env --account 12345678901", "exec --account 12345678901 -- true",
			"process --account 12345678901", "console --account 12345678901", "accounts --account 12345678901",
			"whoami --role ops", "whoami --role-arn arn:x", "whoami --account 222222222222 --role-arn arn:aws:iam::222222222222:role/x",
			"whoami --partition mars", "whoami --region mars", "whoami --region us-east-1 --partition aws-cn", "whoami --role-arn arn:aws-cn:iam::555555555555:role/x --region us-east-1",
			"whoami --duration soon", "whoami --account 222222222222 --duration 20h", "whoami --timeout soon", "whoami --timeout -1s",
			"whoami --account 222222222222 --session-name ?", "whoami --account 222222222222 --source-identity ?", "whoami --account 222222222222 --external-id ?",
			"whoami --account 222222222222 --tag team", "whoami --account 222222222222 --tag team=a,b", "whoami --account 222222222222 --policy {", "whoami --account 222222222222 --policy-arn x",
			"whoami --allowed-account 12", "whoami --cache-dir ~/x", "cache list --cache-dir ~/x", "whoami --sts-endpoint ftp://x", "whoami --sts-endpoint http://example.com",
			"whoami --mfa-serial x", "whoami --mfa-process true", "whoami --read-only", "whoami --web-identity-token-file x",
			"env --format csh", "accounts --ou x", "console --logout --service ec2", "console --account 222222222222 --service https://evil.example.com/",
			"each -- true", "each --accounts 222222222222", "each --accounts 12345678901 -- true", "each --accounts 222222222222 --concurrency 0 -- true",
			"each --accounts 222222222222 --output xml -- true", "each --accounts 222222222222 --regions mars -- true", "each --accounts 222222222222 --regions cn-north-1 -- true",
			"each --accounts 222222222222 --role-arn arn:aws:iam::222222222222:role/x -- true", "each --accounts 222222222222 --web-identity-token-file x -- true",
			"each --accounts " + bad + " --duration 20h -- true", "exec --timeout -1s -- true", "exec true -l",
		},
		exitFailed: {
			"whoami --profile with-role", "whoami --profile nobody", "explain --profile nobody", "login --profile nobody", "logout --profile nobody", "login --profile no-sso", "login --profile sso",
			"whoami --account 222222222222 --policy @" + dir + "/missing", "whoami --account 999999999999", "whoami --allowed-account 999999999999",
			"each --accounts " + dir + "/missing -- true", "each --accounts " + bad + " -- true", "each --accounts 222222222222 -- no-such-program", "each --accounts 222222222222 -- false",
			"whoami --role-arn arn:aws:iam::222222222222:role/x --web-identity-token-file " + dir + "/missing", "exec --serve -- true", "console",
		},
		exitNotFound: {"exec -- no-such-program"},
		exitOK:       {"--help", "help whoami", "--version", "whoami", "explain", "completion bash"},
	}
}

// TestExitCodes: 2 is for a call whose words are wrong, whatever the machine and AWS
// say. What the words name may be missing or wrong: that is 1, as all that fails later.
func TestExitCodes(t *testing.T) {
	cloud, url := fleet(t)
	dir := t.TempDir()
	t.Setenv(processDepth, "") // which process counts up
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	t.Setenv("AWS_CONFIG_FILE", file("config", "[profile no-sso]\nregion = eu-west-1\n[profile sso]\nsso_session = none\n"+
		"[profile far]\nrole_arn = arn:aws:iam::222222222222:role/x\ncredential_source = Environment\n"+
		"[profile with-role]\nrole_arn = arn:aws-cn:iam::222222222222:role/OpsWithAdmin\nsource_profile = far\n"))
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	bad := file("bad", "222222222222\n12345678901\n")
	for code, lines := range exitLines(dir, bad) {
		for _, line := range lines {
			got, out, stderr := command(t, strings.Fields(line)...)
			assert.Equal(t, code, got, "%s: %s", line, stderr)
			if code != exitOK {
				assert.NotEmpty(t, stderr, line)
				assert.NotRegexp(t, goWords, stderr, line)
			}
			if code == exitUsage && !strings.HasPrefix(line, "explain") {
				assert.Empty(t, out, line)
			}
		}
	}
	// The variable and the profile are not the call's words.
	for name, value := range map[string]string{"AWS_REGION": "mars", "AWS_PROFILE": "nobody"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			t.Setenv(name, value)
			got := runProcess(t, "whoami")
			assert.Equal(t, exitFailed, got.code, got.stderr)
		})
	}
	for _, line := range []string{"whoami --account 12345678901", "process --account 12345678901", "each --accounts 1 -- true"} {
		assert.Equal(t, exitUsage, runProcess(t, strings.Fields(line)...).code, line)
	}
	for _, call := range cloud.Calls() {
		assert.NotContains(t, call.Params.Get("RoleArn"), ":12345678901:")
	}
}
