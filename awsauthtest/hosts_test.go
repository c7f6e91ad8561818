package awsauthtest_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestResolver asks at whatever host the SDK makes of a region. FIPS hosts exist
// in the United States only.
func TestResolver(t *testing.T) {
	fipsRegions := []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-west-1", "us-gov-east-1"}
	for _, region := range append(fipsRegions,
		"ca-central-1", "eu-west-1", "mx-central-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-east-1",
	) {
		for _, dual := range []aws.DualStackEndpointState{aws.DualStackEndpointStateDisabled, aws.DualStackEndpointStateEnabled} {
			for _, fips := range []aws.FIPSEndpointState{aws.FIPSEndpointStateDisabled, aws.FIPSEndpointStateEnabled} {
				c := awsauthtest.Start()
				_, err := client(c, region, awsauthtest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}).
					GetCallerIdentity(t.Context(), nil, func(o *sts.Options) {
						o.EndpointOptions.UseDualStackEndpoint, o.EndpointOptions.UseFIPSEndpoint = dual, fips
					})
				if fips == aws.FIPSEndpointStateEnabled && !slices.Contains(fipsRegions, region) {
					require.ErrorContains(t, err, "no such host", "%s %v", region, dual)
					continue
				}
				require.Equal(t, "InvalidClientTokenId", refusal(err), "%s %v %v: %v", region, dual, fips, err)
			}
		}
	}
}

// askAt is how STS answers at a URL: an error of the SDK, or nil.
func askAt(t *testing.T, c *awsauthtest.Cloud, url, scope string, keys awsauthtest.Keys) error {
	t.Helper()
	_, err := client(c, scope, keys).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.BaseEndpoint = &url })
	return err
}

// TestHosts asks at every form of STS's host names.
func TestHosts(t *testing.T) {
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	for _, tt := range []struct {
		url, scope string
		keys       awsauthtest.Keys
		want       string // code of the refusal
	}{
		{"https://sts.amazonaws.com", "us-east-1", keys, ""},
		{"https://sts.amazonaws.com", "eu-west-1", keys, "SignatureDoesNotMatch"},
		{"https://sts-fips.us-east-2.amazonaws.com", "us-east-2", keys, ""},
		{"https://sts.eu-west-1.api.aws", "eu-west-1", keys, ""},
		{"https://vpce-0a1b-2c3d.sts.eu-west-1.vpce.amazonaws.com", "eu-west-1", keys, ""},
		{"https://vpce-0a1b-2c3d.sts.cn-north-1.vpce.amazonaws.com.cn", "cn-north-1", cn, ""},
		{"https://sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1", cn, ""},
		{"https://sts.us-east-1.amazonaws.com.", "us-east-1", keys, ""}, // fully qualified
		{"https://STS.us-east-1.amazonaws.com", "us-east-1", keys, ""},  // names have no case
		{"https://sts.us-east-1.amazonaws.com:443", "us-east-1", keys, ""},
	} {
		t.Run(tt.url, func(t *testing.T) {
			err := askAt(t, c, tt.url, tt.scope, tt.keys)
			require.Equal(t, tt.want, refusal(err), "%v", err)
		})
	}
}

// TestHostsUnknown asks at names that look like those of STS, and do not exist.
func TestHostsUnknown(t *testing.T) {
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	for _, tt := range []struct {
		url, scope string
		keys       awsauthtest.Keys
	}{
		{"https://sts.cn-north-1.amazonaws.com", "cn-north-1", cn},      // the wrong suffix
		{"https://sts.mars-east-1.amazonaws.com", "mars-east-1", keys},  // no such region
		{"https://sts.us-east-9.amazonaws.com", "us-east-9", keys},      // nor this, for all its form
		{"https://sts.cn-south-1.amazonaws.com.cn", "cn-south-1", cn},   // nor this
		{"https://sts.eu-north-2.api.aws", "eu-north-2", keys},          // nor this
		{"https://sts.aws-global.amazonaws.com", "us-east-1", keys},     // no region at all
		{"https://sts-fips.eu-west-1.amazonaws.com", "eu-west-1", keys}, // no FIPS there
		{"https://sts-fips.ca-central-1.api.aws", "ca-central-1", keys},
		{"https://sts-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", keys}, // the plain name is FIPS
		{"https://sts-fips.cn-north-1.amazonaws.com.cn", "cn-north-1", cn},
		{"https://sts-fips.amazonaws.com", "us-east-1", keys},
		{"https://vpce-0a1b-2c3d.sts.eu-west-9.vpce.amazonaws.com", "eu-west-9", keys},
		{"https://example.com", "us-east-1", keys},                      // not AWS
		{"https://sts.eu-west-1.vpce.amazonaws.com", "eu-west-1", keys}, // nearly one
		{"https://.sts.eu-west-1.amazonaws.com", "eu-west-1", keys},     // an empty label
	} {
		t.Run(tt.url, func(t *testing.T) {
			var dns *net.DNSError
			require.ErrorAs(t, askAt(t, c, tt.url, tt.scope, tt.keys), &dns)
			require.True(t, dns.IsNotFound)
		})
	}
}

// TestHostsDeaf asks at ports and addresses where nothing listens, although an instance
// and a container are there.
func TestHostsDeaf(t *testing.T) {
	c, keys := world(t)
	c.SetInstance(&awsauthtest.Instance{RoleARN: manage})
	c.SetContainer(&awsauthtest.Container{RoleARN: manage})
	for _, url := range []string{
		"http://sts.us-east-1.amazonaws.com", // not in the clear
		"http://sts.us-east-1.amazonaws.com:443",
		"https://sts.us-east-1.amazonaws.com:8443",
		"https://sts.amazonaws.com:80",
		"https://169.254.169.254",
		"https://169.254.169.254:80",
		"http://169.254.169.254:8080",
		"https://169.254.170.2",
		"http://169.254.170.23:1338",
		"https://192.0.2.1",
	} {
		t.Run(url, func(t *testing.T) {
			require.ErrorIs(t, askAt(t, c, url, "us-east-1", keys), syscall.ECONNREFUSED)
		})
	}
}

// TestPaths: STS has one path, in memory and on the socket.
func TestPaths(t *testing.T) {
	c, keys := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	for _, path := range []string{"/sts", "//", "/index.html"} {
		for _, base := range []string{"https://sts.us-east-1.amazonaws.com", url} {
			status, body, code := send(t, c, raw(t, keys, base+path, whoami(), signing{}))
			require.Equal(t, http.StatusNotFound, status, body)
			require.Equal(t, "UnknownOperationException", code, base+path)
		}
	}
}

// TestAddRegion makes regions exist that the table does not have.
func TestAddRegion(t *testing.T) {
	c, keys := world(t)
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	ask := func(c *awsauthtest.Cloud, region string, keys awsauthtest.Keys) error {
		_, err := client(c, region, keys).GetCallerIdentity(t.Context(), nil)
		return err
	}
	for region, keys := range map[string]awsauthtest.Keys{"eu-east-1": keys, "cn-south-2": cn} {
		var dns *net.DNSError
		require.ErrorAs(t, ask(c, region, keys), &dns)
		require.Panics(t, func() { c.SetInstance(&awsauthtest.Instance{Region: region}) })
		c.AddRegion(region)
		require.NoError(t, ask(c, region, keys))
		c.SetInstance(&awsauthtest.Instance{Region: region})
		url, err := c.Serve()
		require.NoError(t, err)
		_, err = client(c, region, keys).GetCallerIdentity(t.Context(), nil, at(url, c.Client()))
		require.NoError(t, err)
		require.Error(t, ask(awsauthtest.Start(), region, keys), "of this Cloud alone")
	}
	require.Equal(t, "InvalidClientTokenId", refusal(ask(c, "cn-south-2", keys)), "it is of aws-cn")
	c.AddRegion("us-east-1")
	require.NoError(t, ask(c, "us-east-1", keys))
	for _, name := range []string{"", "mars-east-1", "us-east", "aws-global", "us-east-1.amazonaws.com"} {
		require.Panics(t, func() { c.AddRegion(name) }, name)
	}
	require.False(t, errors.Is(ask(c, "us-iso-east-1", keys), syscall.ECONNREFUSED))
}

// TestLocalSTS: a machine whose environment sends STS to a local address; what is to
// end in the Cloud still does.
func TestLocalSTS(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	for endpoint, reached := range map[string]bool{"http://127.0.0.1:4566": true, "http://198.51.100.7:4566": false} {
		t.Setenv("AWS_ENDPOINT_URL_STS", endpoint)
		cfg, err := config.LoadDefaultConfig(t.Context(), cloud.LoadOptions(), config.WithRegion("eu-west-1"),
			config.WithCredentialsProvider(keys.Provider()), config.WithRetryMaxAttempts(1))
		require.NoError(t, err)
		_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		assert.Equal(t, reached, err == nil, "%s: %v", endpoint, err)
	}
}
