package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogoutBroken: where the token's file holds no token, the session at AWS is not ended,
// and logout says so.
func TestLogoutBroken(t *testing.T) {
	o, _, home := signIn(t)
	t.Setenv("AWS_ENDPOINT_URL_SSO", os.Getenv("AWS_ENDPOINT_URL_SSO_OIDC"))
	path := tokenFile(home, "corp")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	for text, says := range map[string]string{
		"": "the token's file cannot be read as one", "{": "the token's file cannot be read as one", `{"accessToken":5}`: "the token's file cannot be read as one",
		"{}": "there is no token in the token's file", `{"accessToken":""}`: "there is no token in the token's file",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got := runProcess(t, "logout", "--profile", "dev")
		assert.Equal(t, exitOK, got.code, text)
		assert.Equal(t, "awsauth: "+says+", so the session is not ended at AWS, only here\n"+
			"awsauth: signed out at https://corp.awsapps.com/start\n", got.stderr, text)
		assert.NoFileExists(t, path, text)
	}
	o.set(func() { assert.Zero(t, o.out) })
}

// TestSignInHostile: what the shared files and the token's file hold moves no cursor.
func TestSignInHostile(t *testing.T) {
	_, _, home := signIn(t)
	config := "[profile dev]\nsso_start_url = https://corp.awsapps.com/\x1b[2J\u202e\nsso_region = us-east-1\n"
	require.NoError(t, os.WriteFile(filepath.Join(home, "config"), []byte(config), 0o600))
	t.Setenv("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1")
	path := tokenFile(home, "https://corp.awsapps.com/\x1b[2J\u202e")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(`{"accessToken":"a","expiresAt":"\u001b[2J\u202e"}`), 0o600))
	for range 2 { // signed out, then nobody there
		got := runProcess(t, "logout", "--profile", "dev")
		for line := range strings.Lines(got.stderr) {
			assertOneLine(t, line)
		}
		assert.Contains(t, got.stderr, "at https://corp.awsapps.com/?[2J?\n")
	}
}

// TestSignInFiles: a file that cannot be read as one is named, and not only the profile
// that is not in it.
func TestSignInFiles(t *testing.T) {
	_, _, home := signIn(t)
	path := filepath.Join(home, "config")
	for text, says := range map[string]string{
		"[profile dev\nsso_region = x\n":              path + ":1: ",
		"sso_region = x\n[profile dev]\nregion = x\n": path + ":1: a line before any [section]",
		"[profile dev]\nsso_session corp\n":           path + ":2: ",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		for _, name := range []string{"login", "logout"} {
			got := runProcess(t, name, "--profile", "dev")
			assert.Equal(t, exitFailed, got.code, text)
			assert.True(t, strings.HasPrefix(got.stderr, "awsauth: "+name+": "+says), "%q: %s", text, got.stderr)
			assertOneLine(t, got.stderr, text)
		}
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	got := runProcess(t, "login", "--profile", "dev")
	assert.Contains(t, got.stderr, "awsauth: login: "+path+": is a directory, not a regular file; ")
}
