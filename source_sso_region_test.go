package awsauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSSORegionThatIsNone: sso_region is held against the rules of regions in New,
// with file and line. The token goes nowhere, and a login would not help.
func TestSSORegionThatIsNone(t *testing.T) {
	for _, region := range []string{"us-east-1a", "useast1", "US-EAST-1", "evil.example/x", "corp"} {
		for _, form := range []string{
			"[profile ops]\n" + lab.SSOSession + "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = " + region + "\n",
			"[profile ops]\nsso_account_id = " + lab.Home + "\nsso_role_name = base\nsso_start_url = https://corp.awsapps.com/start\n\n\nsso_region = " + region + "\n",
		} {
			t.Run(region, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.SSOLogin("corp")
				w.SSOLogin("https://corp.awsapps.com/start")
				w.Files(form, "")
				_, err := w.Try(awsauth.WithProfile("ops"))
				lab.RequireBad(t, err, awsauth.InvalidOption, "/config:7", "sso_region")
				assert.Empty(t, w.Said())
			})
		}
	}
}
