package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestEachRegionsOfTheRole: --regions is held against the partition of the roles in the
// list, which decide it where neither --partition nor --region does.
func TestEachRegionsOfTheRole(t *testing.T) {
	cloud, _, url := served(t, ana)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::111111111111:user/ana"})
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	const role = "arn:aws-cn:iam::" + accountA + ":role/audit"
	cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"111111111111"}})
	each := func(regions string) ran {
		return runProcess(t, "each", "--accounts", role, "--no-cache", "--sts-endpoint", url, "--regions", regions, "--", shell(t), "-c", "echo ran in $AWS_REGION")
	}
	right := each("cn-north-1,cn-northwest-1")
	assert.Equal(t, exitOK, right.code, right.stderr)
	wrong := each("us-east-1")
	assert.NotEqual(t, exitOK, wrong.code)
	assert.NotContains(t, wrong.stdout, "ran in us-east-1")
}
