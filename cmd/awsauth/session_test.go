package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestSessionFlags: each flag is what STS is asked with.
func TestSessionFlags(t *testing.T) {
	cloud, url := fleet(t)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + accountA + ":role/tagged", Trust: []string{ana}, AllowTags: true, AllowSourceIdentity: true})
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	policy := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(policy, []byte(text+"\n"), 0o600))
	tests := []struct {
		args []string
		want map[string]string
	}{
		{[]string{"--source-identity", "ana"}, map[string]string{"SourceIdentity": "ana"}},
		{[]string{"--tag", "team=shop", "--tag", "url=a=b"}, map[string]string{
			"Tags.member.1.Key": "team", "Tags.member.1.Value": "shop", "Tags.member.2.Key": "url", "Tags.member.2.Value": "a=b",
		}},
		{[]string{"--policy", text}, map[string]string{"Policy": text}},
		{[]string{"--policy", "@" + policy}, map[string]string{"Policy": text}},
		{[]string{"--policy-arn", "arn:aws:iam::aws:policy/A", "--policy-arn", "arn:aws:iam::aws:policy/B"}, map[string]string{
			"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/A", "PolicyArns.member.2.arn": "arn:aws:iam::aws:policy/B",
		}},
		{[]string{"--read-only"}, map[string]string{"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}},
		{[]string{"--tag", "", "--policy", "", "--policy-arn", "", "--source-identity", "", "--web-identity-token-file", ""}, nil},
	}
	for _, tt := range tests {
		for _, command1 := range [][]string{{"whoami", "--account", accountA}, {"each", "--accounts", accountA}} {
			if command1[0] == "each" && len(tt.want) == 0 {
				continue
			}
			cloud.ResetCalls()
			args := append(append(command1, "--role", "tagged", "--no-cache", "--sts-endpoint", url), tt.args...)
			if command1[0] == "each" {
				args = append(args, "--", shell(t), "-c", "true")
			}
			code, _, stderr := command(t, args...)
			require.Equal(t, exitOK, code, stderr)
			calls := cloud.Calls("AssumeRole")
			require.Len(t, calls, 1)
			for name, value := range tt.want {
				assert.Equal(t, value, calls[0].Params.Get(name), "%v: %s", args, name)
			}
			if tt.want == nil {
				for _, name := range []string{"SourceIdentity", "Tags.member.1.Key", "Policy", "PolicyArns.member.1.arn"} {
					assert.Empty(t, calls[0].Params.Get(name))
				}
			}
		}
	}
}

// TestReadOnlyPartition: the policy is that of the partition in which the role is.
func TestReadOnlyPartition(t *testing.T) {
	cloud, _, url := served(t, anaCN)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::555555555555:role/manage-role", Trust: []string{anaCN}})
	for _, args := range [][]string{
		{"--partition", "aws-cn", "--account", "555555555555"},
		{"--region", "cn-north-1", "--account", "555555555555"},
		{"--role-arn", "arn:aws-cn:iam::555555555555:role/manage-role"},
	} {
		cloud.ResetCalls()
		code, _, stderr := command(t, append([]string{"whoami", "--read-only", "--no-cache", "--sts-endpoint", url}, args...)...)
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, "arn:aws-cn:iam::aws:policy/ReadOnlyAccess", cloud.Calls("AssumeRole")[0].Params.Get("PolicyArns.member.1.arn"))
	}
}

// TestReadOnlyToken: with a token it is the partition of the token's role, whatever the
// machine's region.
func TestReadOnlyToken(t *testing.T) {
	cloud := awsauthtest.New(t)
	url, err := cloud.Serve()
	require.NoError(t, err)
	const issuer, first = "token.example.com", "arn:aws-cn:iam::111111111111:role/ci"
	cloud.AddRole(awsauthtest.Role{ARN: first, Trust: []string{issuer}})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::" + accountA + ":role/manage-role", Trust: []string{first}})
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(cloud.WebIdentityToken(issuer, "repo:corp/app", 0)), 0o600))
	for _, region := range []string{"", "us-east-1"} {
		t.Setenv("AWS_REGION", region)
		flags := []string{"--read-only", "--no-cache", "--sts-endpoint", url, "--web-identity-token-file", file, "--role-arn", first}
		for _, args := range [][]string{{"each", "--accounts", accountA, "--", shell(t), "-c", "true"}, {"whoami", "--account", accountA}} {
			cloud.ResetCalls()
			code, _, stderr := command(t, append(append(args[:1:1], flags...), args[1:]...)...)
			require.Equal(t, exitOK, code, stderr)
			assert.Equal(t, "arn:aws-cn:iam::aws:policy/ReadOnlyAccess", cloud.Calls("AssumeRole")[0].Params.Get("PolicyArns.member.1.arn"))
		}
	}
}

// TestWebIdentityFlag: a token in a file opens the role of --role-arn, and --account
// goes on from there.
func TestWebIdentityFlag(t *testing.T) {
	cloud := awsauthtest.New(t)
	url, err := cloud.Serve()
	require.NoError(t, err)
	const issuer, first = "token.example.com", "arn:aws:iam::111111111111:role/ci"
	cloud.AddRole(awsauthtest.Role{ARN: first, Trust: []string{issuer}})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + accountA + ":role/manage-role", Trust: []string{first}})
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(cloud.WebIdentityToken(issuer, "repo:corp/app", 0)), 0o600))
	args := []string{"whoami", "--sts-endpoint", url, "--web-identity-token-file", file, "--role-arn", first}
	code, out, stderr := command(t, args...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, "arn:aws:sts::111111111111:assumed-role/ci/")
	code, out, stderr = command(t, append(args, "--account", accountA)...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, "arn:aws:sts::"+accountA+":assumed-role/manage-role/")
	code, out, stderr = command(t, "each", "--sts-endpoint", url, "--web-identity-token-file", file, "--role-arn", first, "--accounts", accountA, "--", shell(t), "-c", "echo $AWSAUTH_ACCOUNT")
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, accountA+" | "+accountA+"\n", out)
	code, _, stderr = command(t, "whoami", "--web-identity-token-file", file)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "needs --role-arn")
}

// TestSessionFlagMistakes: what cannot be meant is told before anybody is asked.
func TestSessionFlagMistakes(t *testing.T) {
	cloud, url := fleet(t)
	missing := filepath.Join(t.TempDir(), "missing.json")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--tag", "team"}, exitUsage, `--tag "team": write it as key=value`},
		{[]string{"--tag", "team=a,b"}, exitUsage, `--tag "team": tag keys and values are`},
		{[]string{"--tag", "=x"}, exitUsage, "write it as key=value"},
		{[]string{"--tag", "a=1", "--tag", "a=2"}, exitUsage, "two values for this key"},
		{[]string{"--policy", "@" + missing}, exitFailed, "missing.json"},
		{[]string{"--policy", "{"}, exitUsage, "--policy: not a JSON object"},
		{[]string{"--policy-arn", "ReadOnly"}, exitUsage, `--policy-arn "ReadOnly": not the ARN`},
		{[]string{"--allowed-account", "12"}, exitUsage, `--allowed-account "12": an account id has 12 digits`},
		{[]string{"--allowed-account", ""}, exitUsage, "--allowed-account: an account id is empty"},
		{[]string{"--allowed-account", accountB}, exitFailed, "the credentials are of account " + accountA + ", and --allowed-account allows " + accountB},
		{[]string{"--cache-dir", "~/x"}, exitUsage, "--cache-dir \"~/x\": ~ is not expanded; write the whole path"},
		{[]string{"--source-identity", "?"}, exitUsage, `--source-identity "?": must be`},
	} {
		code, out, stderr := command(t, append([]string{"whoami", "--account", accountA, "--sts-endpoint", url}, tt.args...)...)
		assert.Equal(t, tt.code, code, stderr)
		assert.Empty(t, out)
		assert.Contains(t, stderr, tt.says)
	}
	assert.Empty(t, cloud.Calls())
}

// TestAllowedAccounts: an account is let through if any of the flags names it, a
// user's own too; each refuses those of a list that are not.
func TestAllowedAccounts(t *testing.T) {
	cloud, url := fleet(t)
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"whoami", "--account", accountA, "--allowed-account", accountB, "--allowed-account", accountA}, exitOK},
		{[]string{"whoami", "--allowed-account", "111111111111"}, exitOK},
		{[]string{"whoami", "--allowed-account", accountA}, exitFailed},
		{[]string{"each", "--accounts", accountA, "--allowed-account", accountA, "--", shell(t), "-c", "true"}, exitOK},
		{[]string{"each", "--accounts", accountA + "," + accountB, "--allowed-account", accountA, "--", shell(t), "-c", "true"}, exitUsage},
	} {
		code, _, stderr := command(t, append([]string{tt.args[0], "--sts-endpoint", url}, tt.args[1:]...)...)
		assert.Equal(t, tt.code, code, "%v: %s", tt.args, stderr)
		if code != exitOK {
			assert.Contains(t, stderr, "--allowed-account")
		}
	}
	for _, call := range cloud.Calls("AssumeRole") {
		assert.NotContains(t, call.Params.Get("RoleArn"), accountB)
	}
}

// TestCache: the next process takes the role's keys from disk, and with --no-cache
// neither reads nor writes them.
func TestCache(t *testing.T) {
	cloud, url := fleet(t)
	dir := os.Getenv(cacheVariable)
	for i, tt := range []struct {
		more  []string
		calls int
	}{{[]string{"--no-cache"}, 1}, {nil, 1}, {nil, 0}, {[]string{"--no-cache"}, 1}, {[]string{"--cache-dir", t.TempDir()}, 1}, {[]string{"--cache-dir", ""}, 0}} {
		cloud.ResetCalls()
		code, _, stderr := command(t, append([]string{"env", "--account", accountA, "--session-name", "me", "--sts-endpoint", url}, tt.more...)...)
		require.Equal(t, exitOK, code, stderr)
		assert.Len(t, cloud.Calls(), tt.calls, "%d: %v", i, tt.more)
		if i == 0 {
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
		}
	}
}
