package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A deployment that may touch one account only. The credentials of any other are
// refused before they sign anything.
func ExampleWithAllowedAccounts() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})

	s, err := awsauth.New(
		awsauth.WithAllowedAccounts("222222222222"),
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = sts.NewFromConfig(s.Config()).GetSessionToken(context.Background(), nil)
	fmt.Println(errors.Is(err, awsauth.WrongAccount), len(cloud.Calls("GetSessionToken")))

	_, err = s.Assume(awsauth.WithAccount("333333333333"))
	fmt.Println(errors.Is(err, awsauth.WrongAccount))
	// Output:
	// true 0
	// true
}

// Collect keeps what the others returned when an account fails.
func ExampleCollect_failures() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	for _, account := range []string{"222222222222", "333333333333"} {
		cloud.AddRole(awsauthtest.Role{
			ARN:   "arn:aws:iam::" + account + ":role/audit",
			Trust: []string{"111111111111"},
		})
	}

	s, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	accounts := []string{"222222222222", "333333333333", "444444444444"}
	arns, err := awsauth.Collect(context.Background(), s, accounts,
		func(ctx context.Context, s *awsauth.Session) (string, error) {
			id, err := s.Identity(ctx) // iam.NewFromConfig(s.Config()) lists the account's users
			return id.ARN, err
		}, awsauth.WithRole("audit"), awsauth.WithSessionName("nightly"))

	fmt.Println(len(arns), "of", len(accounts))
	fmt.Println(arns["333333333333"])
	for _, failed := range awsauth.AccountErrors(err) {
		fmt.Println(failed.Account, errors.Is(failed, awsauth.AccessDenied))
	}
	// Output:
	// 2 of 3
	// arn:aws:sts::333333333333:assumed-role/audit/nightly
	// 444444444444 true
}

// Every account in every region: the credentials of an account are good in all its
// regions, so the region is set in the copy that Config returns. This asks for three
// accounts' credentials, six times for their identity.
//
// Which regions an account has enabled, the account itself says: ListRegions of the
// account service (RegionOptStatusContains: ENABLED, ENABLED_BY_DEFAULT), or
// DescribeRegions of EC2, which leaves out those that are not enabled.
func ExampleCollect_regions() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	accounts := []string{"222222222222", "333333333333", "444444444444"}
	for _, account := range accounts {
		cloud.AddRole(awsauthtest.Role{
			ARN:   "arn:aws:iam::" + account + ":role/audit",
			Trust: []string{"111111111111"},
		})
	}

	s, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	regions := []string{"us-east-1", "eu-west-1"}
	found, err := awsauth.Collect(context.Background(), s, accounts,
		func(ctx context.Context, s *awsauth.Session) ([]string, error) {
			var here []string
			for _, region := range regions {
				cfg := s.Config()
				cfg.Region = region
				client := sts.NewFromConfig(cfg) // or ec2.NewFromConfig(cfg), …
				out, err := client.GetCallerIdentity(ctx, nil)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", region, err)
				}
				here = append(here, *out.Account+" in "+region)
			}
			return here, nil
		}, awsauth.WithRole("audit"))
	fmt.Println(err)
	for _, account := range accounts {
		fmt.Println(found[account])
	}
	roles, identities := cloud.Calls("AssumeRole"), cloud.Calls("GetCallerIdentity")
	fmt.Println(len(roles), "AssumeRole,", len(identities), "GetCallerIdentity")
	// Output:
	// <nil>
	// [222222222222 in us-east-1 222222222222 in eu-west-1]
	// [333333333333 in us-east-1 333333333333 in eu-west-1]
	// [444444444444 in us-east-1 444444444444 in eu-west-1]
	// 3 AssumeRole, 6 GetCallerIdentity
}

// AccountErrors takes an error of many accounts apart, for what is to be told of each.
func ExampleAccountErrors() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::222222222222:role/manage-role",
		Trust: []string{"111111111111"},
	})

	s, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	accounts := []string{"222222222222", "333333333333"}
	err = s.ForEachAccount(context.Background(), accounts,
		func(ctx context.Context, s *awsauth.Session) error {
			if _, err := s.Identity(ctx); err != nil {
				return err
			}
			return errors.New("the audit trail is switched off")
		})
	for _, failed := range awsauth.AccountErrors(fmt.Errorf("audit: %w", err)) {
		if errors.Is(failed, awsauth.AccessDenied) {
			fmt.Println(failed.Account, "cannot be entered")
			continue
		}
		fmt.Println(failed)
	}
	// Output:
	// 222222222222: the audit trail is switched off
	// 333333333333 cannot be entered
}
