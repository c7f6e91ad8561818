package awsauth_test

import (
	"os"
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
