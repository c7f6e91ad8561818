package awsauth_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/chaoxiaodi/awsauth"
)

// AwsApi stands for a class that many boto3 scripts share:
//
//	AwsApi(access_key, secret_key, profile_name, account_id, role="manage-role", is_global=True)
type AwsApi struct{ *awsauth.Session }

// NewAwsApi is the class's constructor. An empty argument counts as not given.
func NewAwsApi(accessKey, secretKey, profile, account, role string, isGlobal bool) (AwsApi, error) {
	partition := awsauth.China // its region is cn-north-1; the class set none
	if isGlobal {
		partition = awsauth.AWS
	}
	if account == "" {
		role = "" // the class ignored a role without an account; awsauth refuses it
	}
	if accessKey != "" {
		profile = "" // in boto3 the keys win over a profile; in awsauth the profile does
	}
	s, err := awsauth.New(
		awsauth.WithStaticCredentials(accessKey, secretKey, ""), // one alone is an error
		awsauth.WithProfile(profile),
		awsauth.WithPartition(partition),
		awsauth.WithAccount(account), // not 12 digits: an error, before any call
		awsauth.WithRole(role),       // "" is manage-role
	)
	return AwsApi{s}, err
}

// A class of boto3, ported whole, and its four uses: the keys of the machine, keys of
// one's own, a profile, and a role in another account (here in China). Clients are made
// with Config: ec2.NewFromConfig(api.Config()).
func Example_boto3Class() {
	key, secret := os.Getenv("VAULT_KEY_ID"), os.Getenv("VAULT_SECRET_KEY")
	for _, use := range []struct{ key, secret, profile, account, role string }{
		{},
		{key: key, secret: secret},
		{profile: "ops", role: "manage-role"}, // the trap: a role, but no account
		{profile: "china", account: "123456789012"},
	} {
		isGlobal := use.profile != "china"
		api, err := NewAwsApi(use.key, use.secret, use.profile, use.account, use.role, isGlobal)
		if err != nil {
			log.Fatal(err)
		}
		id, err := api.Identity(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(id.Partition, id.Account, api.Config().Region)
	}
	// Output:
	// aws 111111111111 us-east-1
	// aws 111111111111 us-east-1
	// aws 111111111111 us-east-1
	// aws-cn 123456789012 cn-north-1
}
