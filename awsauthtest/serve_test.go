package awsauthtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// at sends an STS call elsewhere.
func at(endpoint string, client *http.Client) func(*sts.Options) {
	return func(o *sts.Options) { o.BaseEndpoint, o.HTTPClient = &endpoint, client }
}

// TestServe asks over the socket, where only the scope says the region.
func TestServe(t *testing.T) {
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	url, err := c.Serve()
	require.NoError(t, err)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, url)
	again, err := c.Serve()
	require.NoError(t, err)
	require.Equal(t, url, again)
	socket := &http.Client{Transport: &http.Transport{}}
	defer socket.CloseIdleConnections()
	for _, tt := range []struct {
		region string
		keys   awsauthtest.Keys
		want   string
	}{
		{"us-east-1", keys, ""},
		{"cn-north-1", cn, ""},
		{"cn-north-1", keys, "InvalidClientTokenId"},
		{"us-east-1", cn, "InvalidClientTokenId"},
		{"mars-east-1", keys, "SignatureDoesNotMatch"},
	} {
		for _, through := range []*http.Client{socket, c.Client()} {
			_, err := client(c, tt.region, tt.keys).GetCallerIdentity(t.Context(), nil, at(url, through))
			require.Equal(t, tt.want, refusal(err), "%v", err)
		}
	}
	got, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), role(manage), at(url, socket))
	require.NoError(t, err)
	require.NotEmpty(t, *got.Credentials.SessionToken)

	_, err = imds.New(imds.Options{Endpoint: url, HTTPClient: socket, ClientEnableState: imds.ClientEnabled, Retryer: aws.NopRetryer{}}).
		GetRegion(t.Context(), nil)
	require.Error(t, err, "no instance")
	c.SetInstance(&awsauthtest.Instance{Region: "eu-west-1"})
	region, err := imds.New(imds.Options{Endpoint: url, HTTPClient: socket, ClientEnableState: imds.ClientEnabled}).GetRegion(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "eu-west-1", region.Region)
	resp, err := socket.Get(url + c.SetContainer(&awsauthtest.Container{RoleARN: manage}))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(body), `"Token"`)
	resp, err = socket.Post(url, "", strings.NewReader(strings.Repeat("x", 2<<20)))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}

// TestClose ends what hangs on the socket, and leaves memory be.
func TestClose(t *testing.T) {
	c, keys := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	arrived := make(chan struct{})
	c.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang, Times: 1, Match: func(awsauthtest.Call) bool { close(arrived); return true }})
	hung := make(chan error, 1)
	go func() {
		_, err := client(c, "us-east-1", keys).GetCallerIdentity(context.Background(), nil, at(url, &http.Client{Transport: &http.Transport{}}))
		hung <- err
	}()
	<-arrived
	require.NoError(t, c.Close())
	require.Error(t, <-hung)
	require.NoError(t, c.Close())
	_, err = c.Serve()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = client(c, "us-east-1", keys).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
}

// run executes a program as an outsider would: with nothing of AWS in the
// environment but these keys.
func run(t *testing.T, keys awsauthtest.Keys, region string, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	none := t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + none, "AWS_CONFIG_FILE=" + none + "/config",
		"AWS_SHARED_CREDENTIALS_FILE=" + none + "/credentials", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"AWS_DEFAULT_REGION=" + region, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
	}
	for _, name := range []string{"PYENV_ROOT", "PYENV_VERSION", "SYSTEMROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAWSCLI lets the real AWS CLI sign, read every answer and name every
// refusal.
func TestAWSCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: no aws on PATH")
	}
	if out, err := run(t, awsauthtest.Keys{}, "", "aws", "--version"); err != nil {
		t.Skipf("the AWS CLI does not start: %v: %s", err, out)
	}
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	c.AddRole(awsauthtest.Role{ARN: managCN, Trust: []string{wang}})
	url, err := c.Serve()
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		keys    awsauthtest.Keys
		region  string
		command string
		want    string
		fails   bool
	}{
		"identity":          {keys, "us-east-1", "get-caller-identity", `"Arn": "` + alice + `"`, false},
		"identity in China": {cn, "cn-north-1", "get-caller-identity", `"Arn": "` + wang + `"`, false},
		"role":              {keys, "us-east-1", "assume-role --role-session-name cli --role-arn " + manage, "assumed-role/manage-role/cli", false},
		"role in China":     {cn, "cn-north-1", "assume-role --role-session-name cli --role-arn " + managCN, `"Arn": "arn:aws-cn:sts::444444444444:assumed-role/manage-role/cli"`, false},
		"refused":           {keys, "us-east-1", "assume-role --role-session-name cli --role-arn " + managCN, "An error occurred (AccessDenied) when calling the AssumeRole operation: User: " + alice, true},
		"refused in China":  {keys, "cn-north-1", "get-caller-identity", "An error occurred (InvalidClientTokenId)", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each starts a Python
			command := append([]string{"aws", "sts"}, strings.Fields(tt.command)...)
			out, err := run(t, tt.keys, tt.region, append(command, "--endpoint-url", url, "--output", "json")...)
			require.Contains(t, out, tt.want)
			var exit *exec.ExitError
			require.Equal(t, tt.fails, errors.As(err, &exit), "%v: %s", err, out)
		})
	}
}

const boto = `
import boto3, botocore.exceptions, sys
sts = boto3.client("sts", endpoint_url=sys.argv[1])
print(sts.get_caller_identity()["Arn"])
got = sts.assume_role(RoleArn=sys.argv[2], RoleSessionName="boto", Tags=[{"Key": "a b", "Value": "ü/+=@"}])
c = got["Credentials"]
print(c["Expiration"].tzinfo is not None, got["ResponseMetadata"]["RequestId"] != "")
session = boto3.client("sts", endpoint_url=sys.argv[1], aws_access_key_id=c["AccessKeyId"],
    aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
print(session.get_caller_identity()["Arn"])
def refused(do, **args):
    try:
        do(**args)
        print("not refused")
    except botocore.exceptions.ClientError as e:
        print(e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
refused(session.get_session_token)
refused(sts.assume_role, RoleArn=sys.argv[2], RoleSessionName="boto", DurationSeconds=43201)
refused(sts.assume_role, RoleArn=sys.argv[2], RoleSessionName="boto", Policy="{")
`

// TestBoto3 lets boto3 do the same.
func TestBoto3(t *testing.T) {
	if out, err := run(t, awsauthtest.Keys{}, "", "python3", "-c", "import boto3"); err != nil {
		t.Skipf("boto3 is not to be had: python3 -c 'import boto3': %v: %s", err, out)
	}
	c, keys := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	out, err := run(t, keys, "us-east-1", "python3", "-c", boto, url, manage)
	require.NoError(t, err, out)
	require.Equal(t, []string{
		alice, "True True", "arn:aws:sts::222222222222:assumed-role/manage-role/boto",
		"AccessDenied 403", "ValidationError 400", "MalformedPolicyDocument 400",
	}, strings.Split(strings.TrimSpace(out), "\n"))
	require.Equal(t, "ü/+=@", c.Calls("AssumeRole")[0].Params.Get("Tags.member.1.Value"))
	require.Contains(t, c.Calls()[0].UserAgent, "Boto3")
}
