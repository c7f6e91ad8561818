package awsauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestInstanceRegion: on EC2 nothing needs to be configured at all.
func TestInstanceRegion(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud, awsauth.ISOB} {
		t.Run(string(p), func(t *testing.T) {
			w := lab.New(t, p)
			w.OnInstance()
			region := lab.OtherRegion(p)
			s := w.Open(awsauth.WithAccount(lab.Target))
			assert.Equal(t, []string{"GetToken 169.254.169.254 unsigned", "GetRegion 169.254.169.254 unsigned"}, w.Said(), "calls in New")
			assert.Equal(t, region, s.Config().Region)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
			assert.Equal(t, []string{"AssumeRole/manage-role " + lab.STSHost(region) + " " + region + " session"}, w.Said("AssumeRole"))
		})
	}
}

// TestInstanceRegionIsBounded: off EC2, or where the metadata is silent, New
// does not keep a person waiting.
func TestInstanceRegionIsBounded(t *testing.T) {
	for _, kind := range []awsauthtest.FaultKind{awsauthtest.Hang, awsauthtest.ServerError, awsauthtest.Reset, awsauthtest.Malformed} {
		w := lab.New(t, awsauth.AWS)
		w.OnInstance()
		w.Inject(awsauthtest.Fault{Match: func(c awsauthtest.Call) bool { return c.Service == "ec2metadata" }, Kind: kind})
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s, err := w.Try()
			require.NoError(t, err)
			assert.LessOrEqual(t, time.Since(start), time.Second)
			assert.NotEmpty(t, w.Said(), "the metadata was asked")
			assert.Equal(t, "us-east-1", s.Config().Region)
		})
	}
}

// TestRegionOfInstanceOnRequest: what config.WithEC2IMDSRegion asks for counts.
func TestRegionOfInstanceOnRequest(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.OnInstance()
	s := w.Open(w.Static(), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-3", s.Config().Region)
	require.Equal(t, []string{"GetToken 169.254.169.254 unsigned", "GetRegion 169.254.169.254 unsigned"}, w.Said())
	require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))

	w.ResetCalls()
	w.Env("AWS_DEFAULTS_MODE=auto", "AWS_EXECUTION_ENV=AWS_EC2")
	s = w.Open(w.Static(), awsauth.WithRegion("eu-west-1"), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-1", s.Config().Region)
	require.Empty(t, w.Said(), "a region was given")
}

// TestInstanceInChina: the region comes from the metadata even where the role's
// ARN says the partition first.
func TestInstanceInChina(t *testing.T) {
	w := lab.New(t, awsauth.China)
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Region: "cn-northwest-1"})
	s := w.Open(awsauth.WithRoleARN(w.ARN(lab.Target, "role/manage-role")))
	assert.Equal(t, "cn-northwest-1", s.Config().Region)
	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
}
