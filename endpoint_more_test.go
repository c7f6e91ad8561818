package awsauth_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRegionOfAddress: the region that an address of STS itself names is the one
// that is signed for, however the address is written.
func TestRegionOfAddress(t *testing.T) {
	for host, want := range map[string]string{
		"sts.eu-west-1.amazonaws.com":               "eu-west-1",
		"STS.EU-West-1.amazonaws.com.":              "eu-west-1",
		"sts-fips.us-west-2.amazonaws.com":          "us-west-2",
		"sts.us-west-2.api.aws":                     "us-west-2",
		"vpce-1-2.sts.eu-west-1.vpce.amazonaws.com": "eu-west-1",
		"sts.amazonaws.com":                         "us-east-1",
		"sts.lab.amazonaws.com":                     "ap-south-1", // of no region: the session's own
		"kms.eu-west-1.amazonaws.com":               "ap-south-1",
		"sts.eu-west-1.example.com":                 "ap-south-1",
		"sts.elsewhere.example.com":                 "ap-south-1",
		"eu-west-1.amazonaws.com":                   "ap-south-1",
	} {
		w := lab.New(t, awsauth.AWS)
		s := w.Open(w.Static(), awsauth.WithRegion("ap-south-1"), awsauth.WithSTSEndpoint("https://"+host))
		signed := ""
		_, _ = sts.NewFromConfig(s.Config(), func(o *sts.Options) { signed = o.Region }).GetCallerIdentity(t.Context(), nil)
		assert.Equal(t, want, signed, host)
	}
}

// TestOptionsOfAProfilesRole: what WithAssumeRoleCredentialOptions sets is held
// against the rules, and named as the one to blame.
func TestOptionsOfAProfilesRole(t *testing.T) {
	const by = "config.WithAssumeRoleCredentialOptions"
	for name, tt := range map[string]struct {
		set  func(*stscreds.AssumeRoleOptions)
		kind awsauth.Kind
		want string
	}{
		"client":          {func(o *stscreds.AssumeRoleOptions) { o.Client = sts.New(sts.Options{}) }, awsauth.InvalidOption, by + ": RoleARN and Client"},
		"role":            {func(o *stscreds.AssumeRoleOptions) { o.RoleARN = lab.ManageRole }, awsauth.InvalidOption, by + ": RoleARN and Client"},
		"duration":        {func(o *stscreds.AssumeRoleOptions) { o.Duration = time.Second }, awsauth.InvalidDuration, by + ", as "},
		"code, no serial": {func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = func() (string, error) { return "1", nil } }, "", ""},
		"serial, no code": {func(o *stscreds.AssumeRoleOptions) { o.SerialNumber = aws.String(lab.MFASerial) }, awsauth.MFARequired, lab.MFASerial},
		"nothing":         {func(*stscreds.AssumeRoleOptions) {}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			_, err := w.Try(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(tt.set)))
			if tt.kind == "" {
				require.NoError(t, err)
				return
			}
			lab.RequireBad(t, err, tt.kind, tt.want)
		})
	}
}

// TestChainedInProfile: a role behind a web identity or SSO is assumed from a
// role session, and lasts an hour at most.
func TestChainedInProfile(t *testing.T) {
	for name, source := range map[string]string{
		"SSO":          lab.SSOSession + lab.CorpSection,
		"web identity": "role_arn = $BASE\nweb_identity_token_file = $DIR/token\n",
	} {
		for seconds, ok := range map[string]bool{"3600": true, "3601": false} {
			t.Run(name+seconds, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.WebToken()
				w.Files("[profile ops]\nrole_arn = $MANAGE\nsource_profile = first\nduration_seconds = "+seconds+"\n[profile first]\n"+source, "")
				_, err := w.Try(awsauth.WithProfile("ops"))
				if ok {
					require.NoError(t, err)
					return
				}
				lab.RequireBad(t, err, awsauth.InvalidDuration, "lower duration_seconds to 3600")
			})
		}
	}
}

// TestClaimsOfTheWay: the address of STS and a web identity's role say the
// partition, where no option does.
func TestClaimsOfTheWay(t *testing.T) {
	w := lab.New(t, awsauth.China)
	s := w.Open(w.Static(), awsauth.WithSTSEndpoint("https://sts.cn-northwest-1.amazonaws.com.cn"))
	assert.Equal(t, awsauth.China, s.Explain().Partition)
	s = w.Open(awsauth.WithWebIdentity(lab.ChinaRole, noToken{}))
	assert.Equal(t, awsauth.China, s.Explain().Partition)
	assert.Empty(t, w.Said())
}

// TestWhatSaidTheRegion: the error for a role of another partition names what
// put the session into its own.
func TestWhatSaidTheRegion(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_DEFAULT_REGION=eu-west-1")
	child, err := w.Open(w.Static()).Assume(awsauth.WithRoleARN(lab.ChinaRole))
	require.NoError(t, err)
	report := child.Explain()
	assert.Equal(t, "cn-north-1", report.Region)
	assert.Contains(t, report.String(), "eu-west-1 (from AWS_DEFAULT_REGION) is not in aws-cn")
}
