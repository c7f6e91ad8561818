package awsauthtest_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// accountOf is the code under test: it takes the role audit in an account and
// says where it has arrived.
func accountOf(ctx context.Context, cfg aws.Config, account string) (string, error) {
	role := "arn:aws:iam::" + account + ":role/audit"
	audit := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role)
	cfg.Credentials = aws.NewCredentialsCache(audit)
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", err
	}
	return aws.ToString(me.Account), nil
}

// Cross-account code is tested against an AWS that has the accounts. In a test,
// awsauthtest.New(t) takes the place of Start and Close, and keeps the
// machine's own AWS settings out.
func Example() {
	cloud := awsauthtest.Start()
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::222222222222:role/audit",
		Trust: []string{"arn:aws:iam::111111111111:root"},
	})
	cfg := aws.Config{Region: "us-east-1", HTTPClient: cloud.Client(), Credentials: keys.Provider()}

	account, err := accountOf(context.Background(), cfg, "222222222222")
	fmt.Println(account, err)
	for _, call := range cloud.Calls() {
		fmt.Println(call.Host, call.Action, call.Status)
	}
	// Output:
	// 222222222222 <nil>
	// sts.us-east-1.amazonaws.com AssumeRole 200
	// sts.us-east-1.amazonaws.com GetCallerIdentity 200
}
