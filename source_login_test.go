package awsauth_test

import (
	"testing"

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
