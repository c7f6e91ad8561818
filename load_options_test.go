package awsauth_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

const ssoProfile = "[profile ops]\nsso_session = corp\nsso_account_id = " + lab.Home + "\nsso_role_name = base\n" +
	"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"

// TestSSOOptions: what the SDK's options for SSO say is heeded.
func TestSSOOptions(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.SSOLogin("corp")
	c.AddSSO("sso-token", "us-east-1", c.ARN(lab.Home, "role/middle"))
	c.Files(ssoProfile, "")
	s := c.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithSSOProviderOptions(func(o *ssocreds.Options) { o.RoleName = "middle" })))
	assert.Equal(t, c.arnOf("role/middle"), c.IdentityOf(s))
	c.left()
}

// TestSSOTokenOptions: those of its token service too, for keys and for the
// bearer token, which is renewed in sso_region.
func TestSSOTokenOptions(t *testing.T) {
	for name, ask := range map[string]func(s *awsauth.Session) error{
		"keys": func(s *awsauth.Session) error { _, err := s.Retrieve(context.Background()); return err },
		"bearer": func(s *awsauth.Session) error {
			_, err := s.Config().BearerAuthTokenProvider.RetrieveBearerToken(context.Background())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.ByName()
			c.ssoLogin("corp", true)
			c.Env("AWS_REGION=eu-west-1")
			c.Files(ssoProfile, "")
			e, called := &everyHost{}, 0
			s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithHTTPClient(e), config.WithRetryMaxAttempts(1),
				config.WithSSOTokenProviderOptions(func(*ssocreds.SSOTokenProviderOptions) { called++ })))
			require.NoError(t, err)
			require.Error(t, ask(s))
			assert.Equal(t, map[string]bool{"oidc.us-east-1.amazonaws.com": true}, e.seen())
			assert.Positive(t, called)
		})
	}
}

// TestProcessOptions: a process has the time that the option gives it.
func TestProcessOptions(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.Files("[profile ops]\ncredential_process = exec sleep 20\n", "")
	start := time.Now()
	_, err := c.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(
		config.WithProcessCredentialOptions(func(o *processcreds.Options) { o.Timeout = 50 * time.Millisecond }))).Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials, "did not end in time")
	assert.Less(t, time.Since(start), 10*time.Second)
}

// countingClient passes requests on.
type countingClient struct {
	*http.Client
	n int
}

func (c *countingClient) Do(r *http.Request) (*http.Response, error) { c.n++; return c.Client.Do(r) }

// TestContainerOptions: the client of the option asks the container.
func TestContainerOptions(t *testing.T) {
	for _, config2 := range []string{"", "[default]\nrole_arn = $MIDDLE\ncredential_source = EcsContainer\n"} {
		c := newCast(t, awsauth.AWS)
		c.InContainer()
		c.Files(c.text(config2), "")
		client := &countingClient{Client: c.Client()}
		lab.Get(t, c.Open(awsauth.WithLoadOptions(config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }))))
		assert.Equal(t, 1, client.n)
	}
}

// TestContainerTokenFile: the token is read anew for each request, and trimmed.
func TestContainerTokenFile(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.SetContainer(&awsauthtest.Container{RoleARN: c.ARN(lab.Home, "role/base"), Token: "Bearer one"})
	c.Write("auth", "Bearer wrong\n")
	c.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$DIR/auth", "AWS_CONTAINER_AUTHORIZATION_TOKEN=neither")
	_, err := c.Open().Retrieve(t.Context())
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "wrong\n")
	c.Write("auth", "Bearer one\n")
	assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(c.Open()))
	require.NoError(t, os.Remove(filepath.Join(c.Dir, "auth")))
	_, err = c.Open().Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials, filepath.Join(c.Dir, "auth"))
}

// roleClient is an instance metadata of the caller's own.
type roleClient struct{ keys awsauthtest.Keys }

func (r roleClient) GetMetadata(_ context.Context, in *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	text := "role"
	if !strings.HasSuffix(in.Path, "/") {
		b, err := json.Marshal(map[string]string{"Code": "Success", "AccessKeyId": r.keys.AccessKeyID, "SecretAccessKey": r.keys.SecretAccessKey,
			"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		if err != nil {
			return nil, err
		}
		text = string(b)
	}
	return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(text))}, nil
}

// TestInstanceOptions: the option's client is the one that is asked.
func TestInstanceOptions(t *testing.T) {
	for name, config2 := range map[string]string{"user/other": "", "role/base": "[default]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n"} {
		c := newCast(t, awsauth.AWS)
		c.Env("AWS_REGION=us-east-1")
		c.Files(c.text(config2), "")
		s := c.Open(awsauth.WithLoadOptions(config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = roleClient{c.other} })))
		assert.Equal(t, c.arnOf(name), c.IdentityOf(s))
		c.left()
	}
}

// TestMetadataState: the option beats the variable, both ways.
func TestMetadataState(t *testing.T) {
	for variable, state := range map[string]imds.ClientEnableState{"true": imds.ClientEnabled, "false": imds.ClientDisabled} {
		c := newCast(t, awsauth.AWS)
		c.Env("AWS_EC2_METADATA_DISABLED="+variable, "AWS_REGION=us-east-1")
		s := c.Open(awsauth.WithLoadOptions(config.WithEC2IMDSClientEnableState(state)))
		if state == imds.ClientEnabled {
			assert.Equal(t, c.arnOf("role/"+bystander), c.IdentityOf(s))
			continue
		}
		_, err := s.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.NoCredentials, "config.WithEC2IMDSClientEnableState")
		assert.Empty(t, c.Said())
	}
}

// TestAssumeRoleOptions: they run once for each hop, and win over the profile.
func TestAssumeRoleOptions(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	const config2 = "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\nduration_seconds = 900\nexternal_id = profile\n[profile b]\nrole_arn = $BASE\nsource_profile = c\nrole_session_name = profile\n[profile c]\n$KEYS\n"
	c.Files(c.text(config2), "")
	n := 0
	s := c.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		n++
		o.Duration, o.ExternalID, o.RoleSessionName = 20*time.Minute, aws.String("option"), "option"
	})))
	lab.Get(t, s)
	assert.Equal(t, 2, n)
	calls := c.Calls("AssumeRole")
	require.Len(t, calls, 2)
	for _, call := range calls {
		assert.Equal(t, "1200", call.Params.Get("DurationSeconds"))
		assert.Equal(t, "option", call.Params.Get("ExternalId"))
		assert.Equal(t, "option", call.Params.Get("RoleSessionName"))
	}
	lab.Get(t, c.Open(awsauth.WithProfile("ops")))
	calls = c.Calls("AssumeRole")[2:]
	require.Len(t, calls, 2)
	assert.Equal(t, "profile", calls[0].Params.Get("RoleSessionName"))
	assert.Equal(t, []string{"900", "profile"}, []string{calls[1].Params.Get("DurationSeconds"), calls[1].Params.Get("ExternalId")})
}

// TestRoleIsNotTheOptions: the role and its client are this package's.
func TestRoleIsNotTheOptions(t *testing.T) {
	client := sts.New(sts.Options{Region: "us-east-1"})
	for name, fn := range map[string]func(*stscreds.AssumeRoleOptions){
		"RoleARN": func(o *stscreds.AssumeRoleOptions) { o.RoleARN = lab.ManageRole },
		"Client":  func(o *stscreds.AssumeRoleOptions) { o.Client = client },
	} {
		for _, chain := range []string{"source_profile = b\n", "source_profile = c\n"} {
			t.Run(name+"/"+chain, func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				c.Files(c.text("[profile ops]\nrole_arn = $MIDDLE\n"+chain+"[profile b]\n$KEYS\n[profile c]\nrole_arn = $BASE\nsource_profile = b\n"), "")
				_, err := c.Try(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(fn)))
				lab.RequireBad(t, err, awsauth.InvalidOption, "config.WithAssumeRoleCredentialOptions", name)
				assert.Empty(t, c.Said())
			})
		}
	}
}

// TestWebOptions: session name, duration and policy of the option reach STS, for
// every web identity; the role and the client are this package's.
func TestWebOptions(t *testing.T) {
	sources := map[string]func(c *cast) []awsauth.Option{
		"variables": func(c *cast) []awsauth.Option {
			c.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
			return nil
		},
		"profile": func(c *cast) []awsauth.Option {
			c.Files(c.text("[profile ops]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n"), "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"option": func(c *cast) []awsauth.Option {
			return []awsauth.Option{awsauth.WithWebIdentity(c.ARN(lab.Home, "role/base"), stscreds.IdentityTokenFile(c.Dir+"/token"))}
		},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.WebToken()
			opts := source(c)
			with := func(fn func(*stscreds.WebIdentityRoleOptions)) []awsauth.Option {
				return append(opts[:len(opts):len(opts)], awsauth.WithLoadOptions(config.WithWebIdentityRoleCredentialOptions(fn)))
			}
			s := c.Open(with(func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName, o.Duration, o.Policy = "named", 30*time.Minute, aws.String(`{"Version":"2012-10-17","Statement":[]}`)
			})...)
			lab.Get(t, s)
			calls := c.Calls("AssumeRoleWithWebIdentity")
			require.Len(t, calls, 1)
			assert.Equal(t, []string{"named", "1800", `{"Version":"2012-10-17","Statement":[]}`},
				[]string{calls[0].Params.Get("RoleSessionName"), calls[0].Params.Get("DurationSeconds"), calls[0].Params.Get("Policy")})
			c.ResetCalls()
			for _, fn := range []func(*stscreds.WebIdentityRoleOptions){
				func(o *stscreds.WebIdentityRoleOptions) { o.RoleARN = lab.ManageRole },
				func(o *stscreds.WebIdentityRoleOptions) { o.Client = sts.New(sts.Options{Region: "us-east-1"}) },
			} {
				_, err := c.Try(with(fn)...)
				lab.RequireBad(t, err, awsauth.InvalidOption, "config.WithWebIdentityRoleCredentialOptions")
				assert.Empty(t, c.Said())
			}
		})
	}
}

// TestLoginFilePermissions: a login that is renewed is written for this user only,
// unless the variable says otherwise.
func TestLoginFilePermissions(t *testing.T) {
	for value, want := range map[string]os.FileMode{"": 0o600, "unrestricted": 0o644} {
		t.Run(value, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			file := c.signIn("me", -time.Minute)
			k := lab.Get(t, c.Open(c.Static(), awsauth.WithRoleARN(c.ARN(lab.Home, "role/base"))))
			c.Env("AWS_RESTRICT_FILE_PERMISSIONS="+value, "AWS_REGION=us-east-1")
			c.Files("[profile ops]\nlogin_session = me\n", "")
			c.Handle("*.signin.aws.amazon.com", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				_ = os.Remove(file) // the SDK keeps the permissions of a file that is there
				rw.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(rw).Encode(map[string]any{"accessToken": map[string]string{"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken},
					"tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4", "expiresIn": 900, "refreshToken": "next"})
			}))
			assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(c.Open(awsauth.WithProfile("ops"))))
			info, err := os.Stat(file)
			require.NoError(t, err)
			if want == 0o600 {
				assert.Equal(t, want, info.Mode().Perm())
			} else {
				assert.NotEqual(t, os.FileMode(0o600), info.Mode().Perm())
			}
		})
	}
}

// TestBearerCacheOptions reach the cache of the bearer tokens of a profile's SSO
// session.
func TestBearerCacheOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOLogin("corp")
	w.Files("[profile ops]\nsso_session = corp\n"+lab.CorpSection, "")
	calls := 0
	s := w.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithBearerAuthTokenCacheOptions(func(o *bearer.TokenCacheOptions) {
		calls++
		assert.Equal(t, 5*time.Minute, o.RefreshBeforeExpires, "the SDK's own settings come first")
	})))
	assert.Equal(t, 1, calls)
	token, err := s.Config().BearerAuthTokenProvider.RetrieveBearerToken(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "sso-token", token.Value)
}

// TestBaseEndpointRule: the SDK's option for all addresses is held to their one rule.
func TestBaseEndpointRule(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, address := range []string{"http://sts.example.com", "localhost:4566"} {
		_, err := w.Try(w.Static(), awsauth.WithLoadOptions(config.WithBaseEndpoint(address)))
		lab.RequireBad(t, err, awsauth.InvalidOption, "config.WithBaseEndpoint", address)
	}
}
