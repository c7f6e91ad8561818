package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// TestEachTwoRoles: where a list has several roles of one account, the lines of output
// say which, and so does the JSON of each role that the list has, run or not.
func TestEachTwoRoles(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	audit, missing := "arn:aws:iam::"+accountC+":role/audit", "arn:aws:iam::"+accountC+":role/away"
	list := accountA + "," + audit + "," + accountC + "," + audit
	code, out, stderr := command(t, "each", "--accounts", list, "--sts-endpoint", url, "--", sh, "-c", "echo ran")
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, []string{accountA + " | ran", accountC + " audit | ran", accountC + " manage-role | ran"}, sortedLines(out))
	code, out, _ = command(t, "each", "--accounts", list, "--regions", "eu-west-1,us-east-1", "--sts-endpoint", url, "--", sh, "-c", "echo ran")
	require.Equal(t, exitOK, code)
	assert.Equal(t, []string{
		accountA + " eu-west-1 | ran", accountA + " us-east-1 | ran",
		accountC + " audit eu-west-1 | ran", accountC + " audit us-east-1 | ran",
		accountC + " manage-role eu-west-1 | ran", accountC + " manage-role us-east-1 | ran",
	}, sortedLines(out))

	code, out, _ = command(t, "each", "--accounts", list+","+missing, "--output", "json", "--sts-endpoint", url, "--", sh, "-c", "echo ran")
	assert.Equal(t, exitFailed, code)
	var got []string
	for _, line := range sortedLines(out) {
		var r runResult
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		got = append(got, r.Account+" "+r.Role+" "+r.Output)
	}
	assert.ElementsMatch(t, []string{accountA + "  ran\n", accountC + " " + audit + " ran\n", accountC + "  ran\n", accountC + " " + missing + " "}, got)
}
