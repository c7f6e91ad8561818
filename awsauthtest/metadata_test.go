package awsauthtest_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

func metadata(c *awsauthtest.Cloud) *imds.Client {
	return imds.New(imds.Options{HTTPClient: c.Client(), ClientEnableState: imds.ClientEnabled, Retryer: aws.NopRetryer{}})
}

// identity is the ARN that a config's credentials belong to.
func identity(t *testing.T, cfg aws.Config) string {
	t.Helper()
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	return *out.Arn
}

// TestDefaultChain ends at the instance without any configuration.
func TestDefaultChain(t *testing.T) {
	c := awsauthtest.New(t)
	c.SetInstance(&awsauthtest.Instance{RoleARN: "arn:aws-cn:iam::444444444444:role/web/app", Region: "cn-northwest-1"})
	cfg, err := config.LoadDefaultConfig(t.Context(), c.LoadOptions())
	require.NoError(t, err)
	here, err := imds.NewFromConfig(cfg).GetRegion(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "cn-northwest-1", here.Region)
	cfg.Region = here.Region
	require.Equal(t, "arn:aws-cn:sts::444444444444:assumed-role/app/i-0a1b2c3d4e5f60718", identity(t, cfg))
	require.Len(t, c.Calls("GetRegion"), 1)
	require.Len(t, c.Calls("GetRole"), 1)
	require.Len(t, c.Calls("GetCredentials"), 1)
	require.Equal(t, "ec2metadata", c.Calls("GetToken")[0].Service)
	for _, call := range c.Calls("GetRole", "GetCredentials", "GetToken", "GetRegion") {
		require.Empty(t, call.AccessKeyID)
		require.Equal(t, "169.254.169.254", call.Host)
	}
}

// TestMetadata asks the metadata service by hand.
func TestMetadata(t *testing.T) {
	c, _ := world(t)
	do := func(method, path string, header ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://169.254.169.254"+path, nil)
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := c.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	const tokenHeader, ttlHeader = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
	_, err := metadata(c).GetRegion(t.Context(), nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.Equal(t, "ConnectionFailed", c.Calls()[0].ErrorCode)

	c.SetInstance(&awsauthtest.Instance{RoleARN: manage, Region: "eu-west-3"})
	for _, ttl := range []string{"", "0", "21601", "x"} {
		status, _ := do("PUT", "/latest/api/token", ttlHeader, ttl)
		require.Equal(t, 400, status, ttl)
	}
	status, _ := do("PUT", "/latest/api/token", ttlHeader, "60", "X-Forwarded-For", "10.0.0.1")
	require.Equal(t, 403, status)
	status, _ = do("GET", "/latest/api/token")
	require.Equal(t, 405, status)
	status, token := do("PUT", "/latest/api/token", ttlHeader, "60")
	require.Equal(t, 200, status)

	const region, document = "/latest/meta-data/placement/region", "/latest/meta-data/iam/security-credentials/manage-role"
	status, _ = do("GET", region)
	require.Equal(t, 401, status, "IMDSv2 only")
	status, body := do("GET", region, tokenHeader, token)
	require.Equal(t, 200, status)
	require.Equal(t, "eu-west-3", body)
	status, _ = do("GET", document+"x", tokenHeader, token)
	require.Equal(t, 404, status)
	_, body = do("GET", document, tokenHeader, token)
	require.Contains(t, body, `"Code":"Success"`)
	_, again := do("GET", document, tokenHeader, token)
	require.Equal(t, body, again)

	c.SetInstance(&awsauthtest.Instance{RoleARN: manage, Region: "eu-west-3", IMDSv1: true})
	status, again = do("GET", document)
	require.Equal(t, 200, status)
	require.Equal(t, body, again, "the credentials stay")
	status, _ = do("GET", region, tokenHeader, "wrong")
	require.Equal(t, 401, status)

	c.SetInstance(&awsauthtest.Instance{IMDSv1: true})
	status, _ = do("GET", "/latest/meta-data/iam/security-credentials/")
	require.Equal(t, 404, status, "no role")
}

// TestRotation follows an instance's credentials through a day, and through an
// outage.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awsauthtest.Start()
		i := awsauthtest.Instance{RoleARN: manage, Lifetime: time.Hour}
		c.SetInstance(&i)
		provider := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = metadata(c) })
		get := func() aws.Credentials {
			k, err := provider.Retrieve(t.Context())
			require.NoError(t, err)
			return k
		}
		works := func(k aws.Credentials) string {
			_, err := client(c, "us-east-1", awsauthtest.Keys{
				AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken,
			}).GetCallerIdentity(t.Context(), nil)
			return refusal(err)
		}
		first := get()
		require.Equal(t, time.Now().Add(time.Hour).UTC(), first.Expires)
		time.Sleep(44 * time.Minute)
		require.Equal(t, first, get())
		time.Sleep(time.Minute)
		second := get()
		require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
		require.Empty(t, works(first), "the old ones live on")
		time.Sleep(15 * time.Minute)
		require.Equal(t, "ExpiredToken", works(first))

		i.Stale = true
		c.SetInstance(&i)
		time.Sleep(2 * time.Hour)
		stale := get()
		require.Equal(t, second.AccessKeyID, stale.AccessKeyID)
		require.Empty(t, works(stale), "honoured in an outage")
		i.Stale = false
		c.SetInstance(&i)
		require.Equal(t, "ExpiredToken", works(stale))
		require.NotEqual(t, second.AccessKeyID, get().AccessKeyID)

		c.SetInstance(nil)
		c.SetInstance(&awsauthtest.Instance{RoleARN: manage, Stale: true})
		provider = ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = metadata(c) }) // a new boot: old tokens are void
		require.Empty(t, works(get()), "stale from the start")
	})
}

// TestContainer covers the ECS and EKS endpoint.
func TestContainer(t *testing.T) {
	c := awsauthtest.New(t)
	relative := c.SetContainer(&awsauthtest.Container{RoleARN: manage, Token: "Bearer of-the-task"})
	fetch := func(url, token string) (aws.Credentials, error) {
		return endpointcreds.New(url, func(o *endpointcreds.Options) {
			o.HTTPClient, o.AuthorizationToken, o.Retryer = c.Client(), token, aws.NopRetryer{}
		}).Retrieve(t.Context())
	}
	first, err := fetch("http://169.254.170.2"+relative, "Bearer of-the-task")
	require.NoError(t, err)
	again, err := fetch("http://169.254.170.23/v1/credentials", "Bearer of-the-task")
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = fetch("http://169.254.170.2"+relative, "")
	require.Equal(t, "AccessDenied", refusal(err))
	_, err = fetch("http://169.254.170.2/v2/credentials/other", "Bearer of-the-task")
	require.Equal(t, "NotFound", refusal(err))
	require.Equal(t, "container", c.Calls("GetCredentials")[0].Service)
	require.Empty(t, c.Calls("GetCredentials")[0].AccessKeyID)

	relative = c.SetContainer(&awsauthtest.Container{RoleARN: manage})
	t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", relative)
	cfg, err := config.LoadDefaultConfig(t.Context(), c.LoadOptions(), config.WithRegion("us-east-1"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(identity(t, cfg), "arn:aws:sts::222222222222:assumed-role/manage-role/"))

	require.Empty(t, c.SetContainer(nil))
	_, err = fetch("http://169.254.170.2"+relative, "")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}
