package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestOrderInSourceProfiles sees at the wire who assumes the role: inside a source
// profile the order is that of every profile, as boto3 and the AWS CLI have it. Its
// keys come before its role, and not before its web identity, its SSO session, or a
// process beside keys of the config file.
func TestOrderInSourceProfiles(t *testing.T) {
	const ops = "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\n"
	base, third := "arn:aws:sts::"+lab.Home+":assumed-role/base/*", "arn:aws:iam::"+lab.Home+":user/third"
	for _, tt := range []struct{ name, config, credentials, who string }{
		{"SSO, keys of the config file", ops + lab.SSOSession + "$OTHER\n" + lab.CorpSection, "", base},
		{"SSO, keys of the credentials file", ops + lab.SSOSession + lab.CorpSection, "[b]\n$OTHER\n", base},
		{"web identity, keys", ops + "role_arn = $BASE\nweb_identity_token_file = $DIR/token\n$OTHER\n", "", base},
		{"login, keys of the config file", ops + "login_session = " + lab.LoginSession + "\n$OTHER\n", "", base},
		{"process, keys of the config file", ops + "credential_process = $DIR/process\n$OTHER\n", "", third},
		{"process, keys of the credentials file", ops + "credential_process = $DIR/process\n", "[b]\n$THIRD\n", third},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.SSOLogin("corp")
			c.WebToken()
			c.LoggedIn()
			script := "#!/bin/sh\necho '" + `{"Version": 1, "AccessKeyId": "$THIRDID", "SecretAccessKey": "$THIRDSECRET"}` + "'\n"
			require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "process"), []byte(c.text(script)), 0o700))
			c.Files(c.text(tt.config), c.text(tt.credentials))
			lab.Get(t, c.Open(awsauth.WithProfile("ops")))
			c.AssertCalled(t, tt.who, "AssumeRole", c.ARN(lab.Home, "role/middle"))
		})
	}
}
