package awsauth_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// Every error is one line that says what to change. Explain prints the way that
// was taken to the credentials, and to each role.
func Example_whenItDoesNotWork() {
	laptop, restore := bareLaptop()
	defer restore()
	ctx := context.Background()

	// No credentials anywhere.
	s, err := awsauth.New(laptop.opts()...)
	must(err)
	_, err = s.Retrieve(ctx)
	laptop.print(err)

	// An AWS key, and a role in China.
	s, err = awsauth.New(laptop.opts(laptop.keys, awsauth.WithRoleARN("arn:aws-cn:iam::123456789012:role/manage-role"))...)
	must(err)
	_, err = s.Retrieve(ctx)
	laptop.print(err)

	// A role that does not trust its caller, two hops away.
	s, err = awsauth.New(laptop.opts(laptop.keys, awsauth.WithAccount("222222222222"), awsauth.WithRole("hub"))...)
	must(err)
	s, err = s.Assume(awsauth.WithAccount("123456789012"))
	must(err)
	_, err = s.Retrieve(ctx)
	laptop.print(err)
	laptop.print(s.Explain())

	// Output:
	// awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "default" (not in /home/ana/.aws/config or /home/ana/.aws/credentials), container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), EC2 (disabled by AWS_EC2_METADATA_DISABLED); set AWS_PROFILE or use WithProfile
	//
	// awsauth: assume role arn:aws-cn:iam::123456789012:role/manage-role: sts.cn-north-1.amazonaws.com.cn does not know access key AKIA…MHM6 from static keys (InvalidClientTokenId); keys are valid in one partition only: use aws-cn keys, or check that the key is still active
	//
	// awsauth: assume role arn:aws:iam::123456789012:role/manage-role as arn:aws:sts::222222222222:assumed-role/hub/ana@laptop: access denied; check that the role exists, that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: no external id, no MFA)
	//
	// SKIPPED   profile (option)                                         WithProfile not given
	// USED      static keys (option)                                     access key AKIA…MHM6
	// SKIPPED   provider (option)                                        WithCredentialsProvider not given
	// SKIPPED   environment                                              AWS_ACCESS_KEY_ID not set
	// SKIPPED   web identity                                             AWS_WEB_IDENTITY_TOKEN_FILE not set
	// SKIPPED   profile "default"                                        not in /home/ana/.aws/config, /home/ana/.aws/credentials
	// SKIPPED   container                                                AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI not set
	// SKIPPED   EC2                                                      disabled by AWS_EC2_METADATA_DISABLED
	// USED      region us-east-1                                         default of aws
	// USED      assume role arn:aws:iam::222222222222:role/hub           at sts.us-east-1.amazonaws.com as ana@laptop
	// FAILED    assume role arn:aws:iam::123456789012:role/manage-role   at sts.us-east-1.amazonaws.com as arn:aws:sts::222222222222:assumed-role/hub/ana@laptop: access denied
}

// laptop is a machine with no AWS on it but what the examples bring.
type laptop struct {
	cloud *awsauthtest.Cloud
	keys  awsauth.Option
	keyID string // the end of it, which errors show
	files string
}

// bareLaptop makes one. restore puts the environment back.
func bareLaptop() (l *laptop, restore func()) {
	restore = demo()
	l = &laptop{cloud: awsauthtest.Start(), files: filepath.Dir(os.Getenv("AWS_CONFIG_FILE"))}
	must(os.Unsetenv("AWS_ENDPOINT_URL_STS")) // the hosts are to be AWS's own
	must(os.Remove(os.Getenv("AWS_SHARED_CREDENTIALS_FILE")))
	k := l.cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	l.keyID = k.AccessKeyID[16:]
	l.keys = awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, "")
	l.cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/hub", Trust: []string{"111111111111"}})
	return l, restore
}

// opts are opts and the way to the laptop's AWS.
func (l *laptop) opts(opts ...awsauth.Option) []awsauth.Option {
	return append(opts, awsauth.WithLoadOptions(l.cloud.LoadOptions()))
}

// print shows the files where they are on a real laptop, and sessions and the
// access key by names that are the same on all.
func (l *laptop) print(v any) {
	text := strings.NewReplacer(l.files, "/home/ana/.aws", names.DefaultSession(), "ana@laptop", "…"+l.keyID, "…MHM6").Replace(fmt.Sprint(v))
	for line := range strings.Lines(text) {
		fmt.Println(strings.TrimRight(line, " \n"))
	}
	fmt.Println()
}
