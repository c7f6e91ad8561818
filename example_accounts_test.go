package awsauth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A func runs in every account, and what fails is told at the end.
func ExampleSession_ForEachAccount() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	for _, account := range []string{"222222222222", "333333333333"} {
		cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + account + ":role/audit", Trust: []string{"111111111111"}})
	}

	s, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithRegion("eu-west-1"),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	accounts := []string{"222222222222", "333333333333", "444444444444"}
	err = s.ForEachAccount(context.Background(), accounts, func(ctx context.Context, s *awsauth.Session) error {
		id, err := s.Identity(ctx) // ec2.NewFromConfig(s.Config()) lists the account's instances
		if err != nil {
			return err
		}
		fmt.Println("in", id.Account)
		return nil
	}, awsauth.WithRole("audit"))

	fmt.Println("denied:", errors.Is(err, awsauth.AccessDenied))
	var failed *awsauth.AccountError
	if errors.As(err, &failed) {
		fmt.Println("failed:", failed.Account)
	}
	// Unordered output:
	// in 222222222222
	// in 333333333333
	// denied: true
	// failed: 444444444444
}
