package awsauth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSSOFileBroken: of a token file that holds no token, the error says that it is
// broken, with its path, and not that the login has ended.
func TestSSOFileBroken(t *testing.T) {
	for name, text := range map[string]string{
		"half written": `{"accessToken": "an-sso`,
		"empty":        ``,
		"no object":    `[]`,
		"no token":     `{"expiresAt": "2030-01-01T00:00:00Z"}`,
		"no time":      `{"accessToken": "an-sso-token", "expiresAt": "tomorrow"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.SSOProfile()
			w.SSOToken("corp", time.Hour)
			path := w.SSOCache("corp")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			err := w.Fetch(awsauth.WithProfile("dev"))
			require.ErrorIs(t, err, awsauth.Expired)
			assert.Equal(t, `awsauth: profile "dev": the login's file `+path+` of SSO session "corp" is broken; run: aws sso login --profile dev`, err.Error())
			assert.NotContains(t, err.Error(), "an-sso-token")
		})
	}
}

// TestLoginKeyUnused: while the token of `aws login` lives, nothing is signed with the key
// beside it, which may be damaged.
func TestLoginKeyUnused(t *testing.T) {
	for name, key := range map[string]string{"damaged": "-----BEGIN", "of another kind": "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.LoggedIn()
			w.Files("[profile dev]\nregion = us-east-1\nlogin_session = "+lab.LoginSession+"\n", "")
			files, err := filepath.Glob(filepath.Join(w.Dir, "*.json"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			text, err := os.ReadFile(files[0])
			require.NoError(t, err)
			var token map[string]any
			require.NoError(t, json.Unmarshal(text, &token))
			require.NotEmpty(t, token["dpopKey"])
			token["dpopKey"] = key
			text, err = json.Marshal(token)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(files[0], text, 0o600))
			lab.Get(t, w.Open(awsauth.WithProfile("dev")))
		})
	}
}
