package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// An address for a browser, signed in as the role. A user cannot be signed in so: the
// role comes first.
func ExampleSession_ConsoleURL() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::111111111111:user/ana"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws-cn:iam::222222222222:role/reader",
		Trust: []string{"111111111111"},
	})

	user, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithPartition(awsauth.China),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := user.Assume(
		awsauth.WithAccount("222222222222"),
		awsauth.WithRole("reader"),
		awsauth.WithSessionName("ana"),
	)
	if err != nil {
		log.Fatal(err)
	}
	// The address is as secret as the credentials, for 15 minutes.
	address, err := reader.ConsoleURL(context.Background(), "ec2")
	if err != nil {
		log.Fatal(err)
	}
	who, ok := cloud.SignedIn(address) // what the browser would do
	fmt.Println(who.ARN, ok)
	fmt.Println(cloud.Calls("getSigninToken")[0].Host)

	_, err = user.ConsoleURL(context.Background(), "")
	fmt.Println(errors.Is(err, awsauth.LongTermCredentials))
	// Output:
	// arn:aws-cn:sts::222222222222:assumed-role/reader/ana true
	// cn-north-1.signin.amazonaws.cn
	// true
}
