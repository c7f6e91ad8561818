package awsauth_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRoleSaysThePartition: nothing says the partition of the first session, so
// a role of any partition may be assumed from it. The role's own session knows
// its partition, and stays there.
func TestRoleSaysThePartition(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	anywhere := w.Open(w.Static())
	for arn, other := range map[string]string{lab.ManageRole: lab.ChinaRole, lab.ChinaRole: lab.ManageRole} {
		child, err := anywhere.Assume(awsauth.WithRoleARN(arn))
		require.NoError(t, err)
		_, err = child.Assume(awsauth.WithRoleARN(other))
		lab.RequireBad(t, err, awsauth.WrongPartition, other)
	}
	assert.Empty(t, w.Said())
}

// TestDisagreements: two options say different partitions. The error shows both,
// the role first, and what would mend it.
func TestDisagreements(t *testing.T) {
	const drop, oneWorld = "drop one of the two, or correct it", "credentials work in one partition only"
	token := stscreds.IdentityTokenRetriever(noToken{})
	role, china := awsauth.WithRoleARN(lab.ManageRole), awsauth.WithPartition(awsauth.China)
	for name, tt := range map[string]struct {
		opts []awsauth.Option
		want []string
	}{
		"partition, role": {[]awsauth.Option{china, role},
			[]string{"role " + lab.ManageRole + ` is in partition aws, but WithPartition("aws-cn") is in aws-cn`, drop}},
		"role, region": {[]awsauth.Option{role, awsauth.WithRegion("cn-north-1")},
			[]string{"role " + lab.ManageRole + " is in partition aws, but region cn-north-1 (from WithRegion) is in aws-cn", `use WithRegion("us-east-1") or correct the ARN`}},
		"role, endpoint": {[]awsauth.Option{role, awsauth.WithRegion("us-east-1"), awsauth.WithSTSEndpoint("https://sts.cn-north-1.amazonaws.com.cn")},
			[]string{"role " + lab.ManageRole + " is in partition aws, but WithSTSEndpoint (host sts.cn-north-1.amazonaws.com.cn) is in aws-cn", drop}},
		"role, web identity": {[]awsauth.Option{role, awsauth.WithWebIdentity(lab.ChinaRole, token)},
			[]string{"role " + lab.ManageRole + " is in partition aws, but role " + lab.ChinaRole + " of WithWebIdentity is in aws-cn", oneWorld}},
		"web identity, region": {[]awsauth.Option{awsauth.WithWebIdentity(lab.ChinaRole, token), awsauth.WithRegion("us-east-1")},
			[]string{"role " + lab.ChinaRole + " of WithWebIdentity is in partition aws-cn, but region us-east-1 (from WithRegion) is in aws"}},
		"partition, region": {[]awsauth.Option{china, awsauth.WithRegion("us-east-1")},
			[]string{`WithPartition("aws-cn") and region us-east-1 (from WithRegion), which is in aws, disagree`, drop}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, awsauth.WrongPartition, tt.want...)
			assert.Empty(t, w.Said())
		})
	}
}

// noToken is for sessions that are never used.
type noToken struct{}

func (noToken) GetIdentityToken() ([]byte, error) { return nil, errors.New("no token") }

// TestInstanceOfAnotherPartition: the region of the instance says the partition
// only where nothing else does.
func TestInstanceOfAnotherPartition(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.OnInstance()
	s := w.Open(awsauth.WithPartition(awsauth.China))
	assert.Equal(t, "cn-north-1", s.Config().Region)
	w.Env("AWS_REGION=aws-cn-global")
	s = w.Open()
	assert.Equal(t, "cn-north-1", s.Config().Region)
	assert.Equal(t, awsauth.China, s.Explain().Partition)
}

// TestWhatSaidThePartition: keys that STS does not know may be of another
// partition. The error names what put the session into this one.
func TestWhatSaidThePartition(t *testing.T) {
	unknown := awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
	for name, tt := range map[string]struct {
		env  string
		opts []awsauth.Option
		want string
	}{
		"variable": {"AWS_DEFAULT_REGION=us-west-2", nil, "AWS_DEFAULT_REGION=us-west-2"},
		"instance": {"", []awsauth.Option{awsauth.WithLoadOptions(config.WithEC2IMDSRegion())}, "the instance's region eu-west-3"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()

			if tt.env != "" {
				w.Env(tt.env)
			}
			lab.RequireBad(t, w.Who(append(tt.opts, unknown)...), awsauth.InvalidKey, tt.want)
		})
	}
}
