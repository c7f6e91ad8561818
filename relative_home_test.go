package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRelativeHomeToken: with a HOME that is no whole path, a login that lies in the
// working directory is nobody's: shared files are not read from there either.
func TestRelativeHomeToken(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	w.SSOLogin("corp")
	token := w.SSOCache("corp")
	text, err := os.ReadFile(token)
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	planted := filepath.Join("home", ".aws", "sso", "cache", filepath.Base(token))
	require.NoError(t, os.MkdirAll(filepath.Dir(planted), 0o700))
	require.NoError(t, os.WriteFile(planted, text, 0o600))
	w.Env("HOME=home")
	s, err := w.Try(awsauth.WithProfile("dev"))
	if err == nil {
		_, err = s.Retrieve(t.Context())
	}
	require.Error(t, err)
	assert.Empty(t, w.Calls("GetRoleCredentials"))
}
