package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
)

// A profile and an account: the role manage-role of that account.
func Example() {
	s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Partition, id.Account, s.Config().Region)
	// Output: aws 123456789012 us-east-1
}

// Without options: whoever the environment, the shared files, the container or
// the instance says.
func ExampleNew() {
	s, err := awsauth.New()
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
	// Output: arn:aws:iam::111111111111:user/ana
}

// Keys that came from somewhere else.
func ExampleWithStaticCredentials() {
	s, err := awsauth.New(
		awsauth.WithStaticCredentials(os.Getenv("VAULT_KEY_ID"), os.Getenv("VAULT_SECRET_KEY"), ""),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)

	_, err = awsauth.New(awsauth.WithStaticCredentials(os.Getenv("VAULT_KEY_ID"), "", ""))
	fmt.Println(errors.Is(err, awsauth.InvalidOption))
	// Output:
	// arn:aws:iam::111111111111:user/ops
	// true
}

// The same line in China. Keys do not tell their partition, so it is said once;
// region, endpoint and ARN follow.
func ExampleWithPartition() {
	s, err := awsauth.New(
		awsauth.WithProfile("china"),
		awsauth.WithPartition(awsauth.China),
		awsauth.WithAccount("123456789012"),
		awsauth.WithSessionName("deploy"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
	fmt.Println(s.Config().Region)
	// Output:
	// arn:aws-cn:sts::123456789012:assumed-role/manage-role/deploy
	// cn-north-1
}

// A whole role ARN says account, role and partition in one; the region that the
// environment holds gives way if it is in another partition.
func ExampleWithRoleARN() {
	s, err := awsauth.New(
		awsauth.WithProfile("china"),
		awsauth.WithRoleARN("arn:aws-cn:iam::123456789012:role/manage-role"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Partition, id.Account, s.Config().Region)
	// Output: aws-cn 123456789012 cn-north-1
}

// A hop over two roles. Every session stays usable.
func ExampleSession_Assume() {
	ctx := context.Background()

	hub, err := awsauth.New(
		awsauth.WithAccount("222222222222"),
		awsauth.WithRole("hub"),
		awsauth.WithSessionName("deploy"),
	)
	if err != nil {
		log.Fatal(err)
	}
	prod, err := hub.Assume(awsauth.WithAccount("123456789012"), awsauth.WithSessionName("deploy"))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range []*awsauth.Session{hub, prod} {
		id, err := s.Identity(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(id.ARN)
	}
	// Output:
	// arn:aws:sts::222222222222:assumed-role/hub/deploy
	// arn:aws:sts::123456789012:assumed-role/manage-role/deploy
}

// Config is for the client of any service.
func ExampleSession_Config() {
	s, err := awsauth.New(awsauth.WithAccount("123456789012"), awsauth.WithRegion("eu-west-1"))
	if err != nil {
		log.Fatal(err)
	}
	client := sts.NewFromConfig(s.Config())
	out, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*out.Account, s.Config().Region)
	// Output: 123456789012 eu-west-1
}

func ExampleSession_Identity() {
	s, err := awsauth.New(
		awsauth.WithAccount("123456789012"),
		awsauth.WithRole("team/reader"),
		awsauth.WithSessionName("nightly"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Account)
	fmt.Println(id.ARN)
	fmt.Println(id.Partition == awsauth.AWS)
	// Output:
	// 123456789012
	// arn:aws:sts::123456789012:assumed-role/reader/nightly
	// true
}

// Retrieve hands the keys to what is no AWS client; ask again whenever they are
// needed, they are renewed in time.
func ExampleSession_Retrieve() {
	s, err := awsauth.New(awsauth.WithAccount("123456789012"), awsauth.WithDuration(2*time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	creds, err := s.Retrieve(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(creds.AccessKeyID[:4], time.Until(creds.Expires).Round(time.Hour))
	// Output: ASIA 2h0m0s
}

func ExampleSession_String() {
	s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s)
	// Output: awsauth.Session(profile "ops" → arn:aws:iam::123456789012:role/manage-role, aws, us-east-1)
}

func ExamplePartitionOf() {
	for _, region := range []string{"eu-west-1", "cn-northwest-1", "us-gov-west-1", "mars-east-1"} {
		p, ok := awsauth.PartitionOf(region)
		fmt.Println(region, p, ok)
	}
	// Output:
	// eu-west-1 aws true
	// cn-northwest-1 aws-cn true
	// us-gov-west-1 aws-us-gov true
	// mars-east-1  false
}

// A partner's role that asks for an external id, and the tags that its owner
// wants to see in CloudTrail.
func ExampleWithExternalID() {
	s, err := awsauth.New(
		awsauth.WithRoleARN("arn:aws:iam::999999999999:role/partner"),
		awsauth.WithExternalID("contract-42"),
		awsauth.WithTags(map[string]string{"team": "billing"}),
		awsauth.WithSessionName("billing"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
	// Output: arn:aws:sts::999999999999:assumed-role/partner/billing
}

// Keys that are kept in a database. The function is asked again when they
// expire.
func ExampleWithCredentialsProvider() {
	database := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     os.Getenv("VAULT_KEY_ID"),
			SecretAccessKey: os.Getenv("VAULT_SECRET_KEY"),
		}, nil
	})
	s, err := awsauth.New(
		awsauth.WithCredentialsProvider(database),
		awsauth.WithAccount("123456789012"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Account)
	// Output: 123456789012
}

// Whatever else the SDK's configuration takes.
func ExampleWithLoadOptions() {
	s, err := awsauth.New(
		awsauth.WithLoadOptions(
			config.WithAppID("billing"),
			config.WithRetryMode(aws.RetryModeAdaptive),
		),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Config().AppID)
	// Output: billing
}

// An STS of one's own: a VPC endpoint, or a local one.
func ExampleWithSTSEndpoint() {
	s, err := awsauth.New(
		awsauth.WithSTSEndpoint(os.Getenv("AWS_ENDPOINT_URL_STS")),
		awsauth.WithAccount("123456789012"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Account)
	// Output: 123456789012
}

// A program that must never run with the keys of a user.
func ExampleWithTemporaryOnly() {
	_, err := awsauth.New(awsauth.WithTemporaryOnly())
	fmt.Println(errors.Is(err, awsauth.LongTermCredentials))

	_, err = awsauth.New(awsauth.WithTemporaryOnly(), awsauth.WithAccount("123456789012"))
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// The kind is for programs; the text is for people, and says what to do.
func ExampleKind() {
	_, err := awsauth.New(awsauth.WithProfile("opps"))
	if errors.Is(err, awsauth.ProfileNotFound) {
		fmt.Println("no such profile")
	}
	_, err = awsauth.New(awsauth.WithAccount("12345678901"))
	fmt.Println(err)
	// Output:
	// no such profile
	// awsauth: WithAccount("12345678901"): an account id has 12 digits, this has 11; a leading zero may have been lost ("012345678901"?)
}

func ExampleError() {
	s, err := awsauth.New(awsauth.WithRoleARN("arn:aws:iam::999999999999:role/partner"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = s.Retrieve(context.Background())
	var e *awsauth.Error
	if errors.As(err, &e) {
		fmt.Println(e.Kind == awsauth.AccessDenied)
		fmt.Println(e.Target)
		fmt.Println(e.RequestID != "")
	}
	// Output:
	// true
	// arn:aws:iam::999999999999:role/partner
	// true
}

func ExampleWithLogger() {
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime}))
	_, err := awsauth.New(
		awsauth.WithLogger(logger),
		awsauth.WithProfile("ops"),
		awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	)
	if err != nil {
		log.Fatal(err)
	}
	// Output: level=INFO msg="awsauth: WithProfile beats the keys or the provider that were given too" profile=ops
}
