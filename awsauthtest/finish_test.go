package awsauthtest_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/signin/types"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestEndInBubble: a bubble may end while requests of the background wait for an
// answer or for their next try. Without the end that New makes it panics.
func TestEndInBubble(t *testing.T) {
	for name, fault := range map[string]awsauthtest.Fault{
		"tries again": {Kind: awsauthtest.ServerError},
		"throttled":   {Kind: awsauthtest.Throttle, Delay: time.Second},
		"hangs":       {Kind: awsauthtest.Hang},
		"is slow":     {Delay: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			left := make(chan error, 1)
			synctest.Test(t, func(t *testing.T) {
				c := awsauthtest.New(t)
				c.Inject(fault)
				from := sts.New(sts.Options{
					Region: "us-east-1", HTTPClient: c.Client(), Credentials: c.AddUser(awsauthtest.User{ARN: alice}).Provider(),
				})
				go func() {
					_, err := from.GetCallerIdentity(context.Background(), nil)
					left <- err
				}()
				synctest.Wait()
				require.Len(t, c.Calls(), 1, "on its way")
			})
			require.Error(t, <-left)
		})
	}
}

// TestEnd: after the test nothing is answered, and nobody tries again.
func TestEnd(t *testing.T) {
	var c *awsauthtest.Cloud
	t.Run("inside", func(t *testing.T) { c = awsauthtest.New(t) })
	from := sts.New(sts.Options{Region: "us-east-1", HTTPClient: c.Client(), Credentials: c.AddUser(awsauthtest.User{ARN: alice}).Provider()})
	_, err := from.GetCallerIdentity(t.Context(), nil)
	require.ErrorContains(t, err, "has ended")
	require.Len(t, c.Calls(), 1)
}

// TestNewInParallel says what to do instead.
func TestNewInParallel(t *testing.T) {
	said := make(chan string, 2)
	t.Run("group", func(t *testing.T) { // which waits for what is parallel in it
		t.Run("parallel", func(t *testing.T) {
			t.Parallel()
			for _, do := range []func(){func() { awsauthtest.New(t) }, func() { awsauthtest.Isolate(t) }} {
				func() {
					defer func() { said <- fmt.Sprint(recover()) }()
					do()
				}()
			}
		})
	})
	require.Contains(t, <-said, "use awsauthtest.Start")
	require.Contains(t, <-said, "use awsauthtest.Start")
}

// TestIsolate checks that the machine's AWS is out of sight during a test only.
func TestIsolate(t *testing.T) {
	t.Setenv("AWS_PROFILE", "prod")
	t.Setenv("https_proxy", "http://proxy")
	t.Setenv("AWS_NEW_RETRIES_2026", "true")
	t.Run("inside", func(t *testing.T) {
		awsauthtest.Isolate(t)
		for _, name := range []string{"AWS_PROFILE", "AWS_CA_BUNDLE", "https_proxy"} {
			_, set := os.LookupEnv(name)
			require.False(t, set, name)
		}
		require.Equal(t, "true", os.Getenv("AWS_NEW_RETRIES_2026"), "the retryer is the run's")
		require.NoFileExists(t, os.Getenv("AWS_CONFIG_FILE"))
		require.NotEmpty(t, os.Getenv("AWS_SHARED_CREDENTIALS_FILE"))
	})
	require.Equal(t, "prod", os.Getenv("AWS_PROFILE"))
	require.Equal(t, "http://proxy", os.Getenv("https_proxy"))
	_, set := os.LookupEnv("AWS_ENDPOINT_URL_STS")
	require.False(t, set)
}

// TestForgotten: a configuration without LoadOptions leads nowhere, and says why;
// one with them, or with the Cloud's client, leads to the Cloud, by AWS's own host names.
func TestForgotten(t *testing.T) {
	c := awsauthtest.New(t)
	keys := c.AddUser(awsauthtest.User{ARN: alice})
	ask := func(opts ...func(*config.LoadOptions) error) error {
		cfg, err := config.LoadDefaultConfig(t.Context(), append(opts, config.WithRegion("eu-west-1"), config.WithCredentialsProvider(keys.Provider()),
			config.WithRetryMaxAttempts(1))...)
		require.NoError(t, err)
		_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		return err
	}
	err := ask()
	require.ErrorContains(t, err, "127.0.0.1")
	require.ErrorContains(t, err, "LoadOptions")
	require.Empty(t, c.Calls())

	require.NoError(t, ask(c.LoadOptions()))
	require.Equal(t, "sts.eu-west-1.amazonaws.com", c.Calls()[0].Host)

	t.Setenv("AWS_ENDPOINT_URL_STS", "https://sts.us-east-1.amazonaws.com")
	require.Error(t, ask(c.LoadOptions()), "what the test itself has set stays")
	require.Equal(t, "sts.us-east-1.amazonaws.com", c.Calls()[1].Host)
	require.Equal(t, http.StatusForbidden, c.Calls()[1].Status)
}

// TestForgottenElsewhere: SSO, its token service, the sign-in service and Roles
// Anywhere of the real AWS are out of reach, too.
func TestForgottenElsewhere(t *testing.T) {
	c := awsauthtest.New(t)
	calls := map[string]func(aws.Config) error{
		"sso": func(cfg aws.Config) error {
			_, err := sso.NewFromConfig(cfg).ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: aws.String("token")})
			return err
		},
		"ssooidc": func(cfg aws.Config) error {
			_, err := ssooidc.NewFromConfig(cfg).RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: aws.String("ours"), ClientType: aws.String("public")})
			return err
		},
		"signin": func(cfg aws.Config) error {
			_, err := signin.NewFromConfig(cfg).CreateOAuth2Token(t.Context(), &signin.CreateOAuth2TokenInput{
				TokenInput: &types.CreateOAuth2TokenRequestBody{ClientId: aws.String("arn:aws:signin:::devtools/same-device"), GrantType: aws.String("refresh_token")},
			})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-west-1"), config.WithRetryMaxAttempts(1))
			require.NoError(t, err)
			err = call(cfg)
			require.ErrorContains(t, err, "127.0.0.1")
			require.ErrorContains(t, err, "LoadOptions")
		})
	}
	require.True(t, strings.HasPrefix(os.Getenv("AWS_ENDPOINT_URL_ROLESANYWHERE"), "http://127.0.0.1:1/"))
	c.Client()
	for _, pair := range os.Environ() {
		require.NotContains(t, pair, "AWS_ENDPOINT_URL_")
	}
}

// TestIsolatedTransport: a configuration that was loaded before anything asked for
// the Cloud's client reaches the Cloud through it all the same.
func TestIsolatedTransport(t *testing.T) {
	c := awsauthtest.New(t)
	keys := c.AddUser(awsauthtest.User{ARN: alice})
	late := roundTripper(func(r *http.Request) (*http.Response, error) { return c.Client().Transport.RoundTrip(r) })
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-west-1"), config.WithCredentialsProvider(keys.Provider()),
		config.WithHTTPClient(&http.Client{Transport: late}))
	require.NoError(t, err)
	require.Equal(t, alice, identity(t, cfg))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
