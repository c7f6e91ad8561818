package awsauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSSOHint names the profile that has the SSO settings.
func TestSSOHint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\n"+lab.SSOSession+lab.CorpSection, "")
	err := w.Fetch(awsauth.WithProfile("ops"))
	lab.RequireBad(t, err, awsauth.Expired, "run: aws sso login --profile dev")
}

// TestLoginUnreachable: a host that cannot be reached has ended no session.
func TestLoginUnreachable(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.ExpiredLogin()
		w.Inject(awsauthtest.Fault{Action: "CreateOAuth2Token", Kind: awsauthtest.Reset})
		w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
		err := w.Fetch(awsauth.WithProfile("dev"))
		lab.RequireBad(t, err, awsauth.Unreachable, "signin")
		require.NotErrorIs(t, err, awsauth.Expired)
		require.NotContains(t, err.Error(), "aws login")
	})
}

// TestBrokenLoginFile: the error names the file of which the SDK can make nothing, and
// shows nothing of it.
func TestBrokenLoginFile(t *testing.T) {
	for name, edit := range map[string]func(text string) string{
		"empty":     func(string) string { return "" },
		"null":      func(string) string { return "null" },
		"array":     func(string) string { return "[]" },
		"no object": func(string) string { return "{}" },
		"half":      func(text string) string { return text[:len(text)/2] },
		"no key":    func(text string) string { return strings.Replace(text, "dpopKey", "another", 1) },
		"no PEM":    func(text string) string { return strings.Replace(text, "BEGIN EC", "BEGIN XX", 1) },
		"no key in PEM": func(text string) string {
			return strings.Replace(text, `PRIVATE KEY-----\nM`, `PRIVATE KEY-----\nA`, 1)
		},
		"PEM of another": largerKey,
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.ExpiredLogin()
			path, err := logincreds.StandardCachedTokenFilepath(lab.LoginSession, w.Dir)
			require.NoError(t, err)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			broken := edit(string(text))
			require.NotEqual(t, string(text), broken)
			require.NoError(t, os.WriteFile(path, []byte(broken), 0o600))
			w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
			err = w.Fetch(awsauth.WithProfile("dev"))
			lab.RequireBad(t, err, awsauth.Expired)
			assert.EqualError(t, err, `awsauth: profile "dev" (login): the login's file `+path+` is broken; run: aws login --profile dev`)
			assert.Empty(t, w.Said())
		})
	}
}

// largerKey puts a key of another curve into a login's file.
func largerKey(text string) string {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		panic(err)
	}
	block, _ := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	return regexp.MustCompile(`"dpopKey":"[^"]*"`).ReplaceAllLiteralString(text, `"dpopKey":`+string(block))
}
