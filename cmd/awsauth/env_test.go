package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFormats: each language reads the value that was meant.
func TestFormats(t *testing.T) {
	unset, set := []string{"AWS_PROFILE", "AWS_ROLE_ARN"}, []variable{{"A", `a'b\c`}, {"B", "x+/="}}
	for format, want := range map[string]string{
		"":           "unset AWS_PROFILE AWS_ROLE_ARN\nexport A='a'\\''b\\c'\nexport B='x+/='\n",
		"sh":         "unset AWS_PROFILE AWS_ROLE_ARN\nexport A='a'\\''b\\c'\nexport B='x+/='\n",
		"fish":       "set -e AWS_PROFILE\nset -e AWS_ROLE_ARN\nset -gx A 'a\\'b\\\\c'\nset -gx B 'x+/='\n",
		"powershell": "Remove-Item -ErrorAction SilentlyContinue Env:AWS_PROFILE\nRemove-Item -ErrorAction SilentlyContinue Env:AWS_ROLE_ARN\n$env:A = 'a''b\\c'\n$env:B = 'x+/='\n",
		"cmd":        "set \"AWS_PROFILE=\"\r\nset \"AWS_ROLE_ARN=\"\r\nset \"A=a'b\\c\"\r\nset \"B=x+/=\"\r\n",
		"json":       "{\n  \"A\": \"a'b\\\\c\",\n  \"B\": \"x+/=\"\n}\n",
	} {
		got, err := assignments(format, unset, set)
		require.NoError(t, err)
		assert.Equal(t, want, got, format)
	}
	got, err := assignments("dotenv", unset, set[1:])
	require.NoError(t, err)
	assert.Equal(t, "B=x+/=\n", got)
	for format, value := range map[string]string{"sh": "a\nb", "fish": "a\rb", "cmd": "100%", "dotenv": "a b"} {
		_, err := assignments(format, nil, []variable{{"A", value}})
		require.ErrorContains(t, err, "A has ", format)
		assert.NotContains(t, err.Error(), value)
	}
	got, err = assignments("powershell", nil, []variable{{"A", "a’b"}})
	require.NoError(t, err)
	assert.Equal(t, "$env:A = 'a’’b'\n", got)
}

// TestEnv: sh that has read the output is the role, and nobody else.
func TestEnv(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	shadows(t)
	t.Setenv("AWS_BEARER_TOKEN_x;echo bad", "1")
	code, out, stderr := command(t, "env", "--sts-endpoint", url, "--account", accountA, "--region", "eu-west-1")
	require.Equal(t, exitOK, code, stderr)
	assert.Empty(t, stderr)
	c := exec.CommandContext(t.Context(), sh, "-c", `eval "$1"; env`, "sh", out)
	c.Env = os.Environ()
	got, err := c.Output()
	require.NoError(t, err)
	env := environOf(strings.ReplaceAll(string(got), "AWS_BEARER_TOKEN_x", ""))
	assert.Equal(t, []string{"AWS_ACCESS_KEY_ID", "AWS_ACCOUNT_ID", "AWS_CONFIG_FILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_DEFAULT_REGION",
		"AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL_STS", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE"}, namesWith(env, "AWS_"))
	assert.Equal(t, accountA, env["AWS_ACCOUNT_ID"])
	assert.NotContains(t, out, "echo bad")

	code, out, _ = command(t, "env", "--sts-endpoint", url, "--account", accountA, "--format", "json")
	require.Equal(t, exitOK, code)
	var all map[string]string
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	assert.Len(t, all, 7)

	code, out, stderr = command(t, "env", "--format", "csh")
	assert.Equal(t, exitUsage, code)
	assert.Empty(t, out)
	assert.Contains(t, stderr, "write sh, fish")
	code, _, stderr = command(t, "env", "--sts-endpoint", url, "--account", "999999999999")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "access denied")
}

// TestEnvLongLived: keys without a token take away the one that is there.
func TestEnvLongLived(t *testing.T) {
	assert.Equal(t, []string{"AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID", "AWS_SECURITY_TOKEN"},
		unsetsBeside([]variable{{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}}, nil)[:4])
	served(t, ana)
	got := runProcess(t, "env")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Regexp(t, `(?m)^unset .*\bAWS_SESSION_TOKEN\b`, got.stdout)
}
