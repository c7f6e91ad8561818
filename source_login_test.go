package awsauth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSSOHint names the profile that has the SSO settings.
func TestSSOHint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.T.Setenv("HOME", w.Dir)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n"+
		"[profile dev]\nsso_session = corp\nsso_account_id = "+lab.Home+"\nsso_role_name = base\n"+
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", "")
	err := w.Fetch(awsauth.WithProfile("ops"))
	lab.RequireBad(t, err, awsauth.Expired, "run: aws sso login --profile dev")
}

// TestLoginUnreachable: a host that cannot be reached has ended no session.
func TestLoginUnreachable(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.LoggedIn()
		w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		der, err := x509.MarshalECPrivateKey(key)
		require.NoError(t, err)
		inJSON, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
		require.NoError(t, err)
		path, err := logincreds.StandardCachedTokenFilepath(lab.LoginSession, w.Dir)
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"none"`), inJSON, 1), 0o600))
		time.Sleep(time.Hour) // the keys of the login have expired
		err = w.Fetch(awsauth.WithProfile("dev"))
		lab.RequireBad(t, err, awsauth.Unreachable, "signin")
		require.NotErrorIs(t, err, awsauth.Expired)
		require.NotContains(t, err.Error(), "aws login")
	})
}
