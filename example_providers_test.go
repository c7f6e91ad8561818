package awsauth_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A Session is a provider, so another Session can start from it: here one for another
// region, with a retry mode and a logger of its own. What a service says of the keys
// reaches the first session, which gets new ones for both.
func ExampleWithCredentialsProvider_session() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::123456789012:role/manage-role",
		Trust: []string{"111111111111"},
	})
	ctx := context.Background()

	first, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithAccount("123456789012"),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	second, err := awsauth.New(
		awsauth.WithCredentialsProvider(first),
		awsauth.WithRegion("eu-west-1"),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	before, err := second.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cloud.Expire(before.AccessKeyID) // AWS ends the role's session before its time
	who, err := sts.NewFromConfig(second.Config()).GetCallerIdentity(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	after, err := first.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	renewed := after.AccessKeyID != before.AccessKeyID
	fmt.Println(*who.Account, renewed, len(cloud.Calls("AssumeRole")))
	// Output: 123456789012 true 2
}

// A provider of the SDK, here one of stscreds. It is given as it is: the session is the
// cache. An aws.CredentialsCache round it would do no harm, and no good.
func ExampleWithCredentialsProvider_stscreds() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::123456789012:role/audit",
		Trust: []string{"111111111111"},
	})
	client := sts.NewFromConfig(aws.Config{
		Region: "us-east-1", HTTPClient: cloud.Client(), Credentials: keys.Provider(),
	})
	provider := stscreds.NewAssumeRoleProvider(client, "arn:aws:iam::123456789012:role/audit")
	ctx := context.Background()

	s, err := awsauth.New(
		awsauth.WithCredentialsProvider(provider),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	before, err := s.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cloud.Expire(before.AccessKeyID) // AWS ends the role's session before its time
	who, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*who.Account, before.AccountID, len(cloud.Calls("AssumeRole")))
	// Output: 123456789012 123456789012 2
}

// A logger for trouble alone. Without WithLogger nothing is written. docs/logging.md
// has all records.
func ExampleWithLogger_trouble() {
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::123456789012:role/manage-role",
		Trust: []string{"111111111111"},
	})
	ctx := context.Background()

	trouble := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // for the example's output
			}
			return a
		},
	}))
	s, err := awsauth.New(
		awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithAccount("123456789012"),
		awsauth.WithDuration(15*time.Minute),
		awsauth.WithLogger(trouble),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	creds, err := s.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cloud.Expire(creds.AccessKeyID)
	if _, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil); err != nil {
		log.Fatal(err) // not so: the SDK tries again, with new keys
	}
	// Output: level=WARN msg="awsauth: a service refused the credentials before their time, getting new ones" role=arn:aws:iam::123456789012:role/manage-role
}
