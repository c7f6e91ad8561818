package awsauthtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/signin/types"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// loggedIn writes a login of the user and returns its file and the SDK's own
// provider of it.
func loggedIn(t *testing.T, c *awsauthtest.Cloud, arn, region string, left time.Duration) (file string, p *logincreds.Provider) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "login.json")
	require.NoError(t, os.WriteFile(file, c.Login(arn, left), 0o600))
	return file, signinProvider(c, file, region)
}

func signinProvider(c *awsauthtest.Cloud, file, region string, fns ...func(*signin.Options)) *logincreds.Provider {
	return logincreds.New(signin.New(signin.Options{Region: region, HTTPClient: c.Client(), Retryer: aws.NopRetryer{}}, fns...), file)
}

// works reports who the keys are.
func works(t *testing.T, c *awsauthtest.Cloud, region string, creds aws.Credentials) string {
	t.Helper()
	out, err := client(c, region, awsauthtest.Keys{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey, SessionToken: creds.SessionToken}).
		GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	return *out.Arn
}

// TestLogin: the SDK's provider reads the file, renews the login every 15 minutes,
// and writes the file that the next one reads.
func TestLogin(t *testing.T) {
	for arn, region := range map[string]string{
		alice: "eu-west-1", wang: "cn-north-1", "arn:aws:sts::222222222222:assumed-role/manage-role/ana": "us-east-1",
	} {
		t.Run(arn, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := world(t)
				c.AddUser(awsauthtest.User{ARN: wang})
				file, p := loggedIn(t, c, arn, region, 10*time.Minute)
				first, err := p.Retrieve(t.Context())
				require.NoError(t, err)
				require.Equal(t, arn, works(t, c, region, first))
				require.Equal(t, time.Now().Add(10*time.Minute).UTC(), first.Expires)
				require.Empty(t, c.Calls("CreateOAuth2Token"))
				for n := 1; n <= 4; n++ {
					time.Sleep(15 * time.Minute)
					next, err := signinProvider(c, file, region).Retrieve(t.Context())
					require.NoError(t, err)
					require.NotEqual(t, first.AccessKeyID, next.AccessKeyID)
					require.Equal(t, arn, works(t, c, region, next))
					require.WithinDuration(t, time.Now().Add(15*time.Minute), next.Expires, time.Second)
					require.Len(t, c.Calls("CreateOAuth2Token"), n)
				}
				call := c.Calls("CreateOAuth2Token")[0]
				require.Equal(t, "refresh_token", call.Params.Get("grantType"))
				require.Equal(t, arn, call.Caller)
				require.Len(t, call.Params, 1, "nothing else is recorded")
				time.Sleep(12 * time.Hour)
				_, err = p.Retrieve(t.Context())
				require.ErrorContains(t, err, "login session has expired", "a person signs in again")
			})
		})
	}
	require.Panics(t, func() { awsauthtest.Start().Login(alice, 0) }, "nobody of the Cloud")
}

// TestLoginRotates: a refresh token that was used is refused, and counts as no
// grant.
func TestLoginRotates(t *testing.T) {
	c, _ := world(t)
	file, p := loggedIn(t, c, alice, "eu-west-1", 0)
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	_, err = p.Retrieve(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, old, 0o600))
	_, err = p.Retrieve(t.Context())
	require.ErrorContains(t, err, "login session has expired")
	calls := c.Calls("CreateOAuth2Token")
	require.Equal(t, []int{200, 400}, []int{calls[0].Status, calls[1].Status})
	require.Equal(t, "TOKEN_EXPIRED", calls[1].ErrorCode)

	_, removed := loggedIn(t, c, alice, "eu-west-1", 0)
	_, China := loggedIn(t, c, alice, "cn-north-1", 0)
	_, err = China.Retrieve(t.Context())
	require.ErrorContains(t, err, "login session has expired", "another partition knows nothing of it")
	c.RemoveUser(alice)
	_, err = removed.Retrieve(t.Context())
	require.ErrorContains(t, err, "password has changed")
}

// TestLoginFaults: the codes of OAuth reach the SDK as its own exceptions.
func TestLoginFaults(t *testing.T) {
	c, _ := world(t)
	_, p := loggedIn(t, c, alice, "eu-west-1", 0)
	for name, tt := range map[string]struct {
		fault awsauthtest.Fault
		want  string
	}{
		"permissions": {awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "INSUFFICIENT_PERMISSIONS", Status: 400}, "insufficient permissions"},
		"password":    {awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "USER_CREDENTIALS_CHANGED", Status: 400}, "password has changed"},
		"throttled":   {awsauthtest.Fault{Kind: awsauthtest.Throttle}, "TooManyRequestsError"},
		"down":        {awsauthtest.Fault{Kind: awsauthtest.ServerError}, "InternalServerException"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.fault.Action, tt.fault.Times = "CreateOAuth2Token", 1
			c.Inject(tt.fault)
			_, err := p.Retrieve(t.Context())
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := p.Retrieve(t.Context())
	require.NoError(t, err, "a fault uses no token up")
}

// tampered changes what the SDK sends.
type tampered struct {
	next   http.RoundTripper
	change func(*http.Request)
}

func (d tampered) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(context.WithoutCancel(r.Context()))
	d.change(r)
	return d.next.RoundTrip(r)
}

// TestLoginProof: a refresh token without the proof of the login's key opens
// nothing.
func TestLoginProof(t *testing.T) {
	c, _ := world(t)
	c.AddUser(awsauthtest.User{ARN: bob})
	_, foreign := loggedIn(t, c, bob, "eu-west-1", 0)
	var stolen string
	steal := func(r *http.Request) { stolen = r.Header.Get("Dpop") }
	_, err := signinProvider(c, fileOf(t, c.Login(bob, 0)), "eu-west-1", through(c, steal)).Retrieve(t.Context())
	require.NoError(t, err)
	_, err = foreign.Retrieve(t.Context())
	require.NoError(t, err)
	proof := func(change func([]string)) func(*http.Request) {
		return func(r *http.Request) {
			parts := strings.Split(r.Header.Get("Dpop"), ".")
			change(parts)
			r.Header.Set("Dpop", strings.Join(parts, "."))
		}
	}
	for name, change := range map[string]func(*http.Request){
		"none":          func(r *http.Request) { r.Header.Del("Dpop") },
		"another's":     func(r *http.Request) { r.Header.Set("Dpop", stolen) },
		"other address": func(r *http.Request) { r.Host = "us-east-1.signin.aws.amazon.com" },
		"no header":     proof(func(p []string) { p[0] = "e30" }),
		"no claims":     proof(func(p []string) { p[1] = "e30" }),
		"not base64":    proof(func(p []string) { p[1] = "*" }),
		"signature":     proof(func(p []string) { p[2] = p[2][1:] + "A" }),
		"half of it":    proof(func(p []string) { p[2] = p[2][:43] }),
		"another client": func(r *http.Request) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			changed := strings.Replace(string(body), "same-device", "some-device", 1)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		},
		"another method": func(r *http.Request) { r.Method = http.MethodPut },
	} {
		t.Run(name, func(t *testing.T) {
			file := fileOf(t, c.Login(alice, 0))
			_, err := signinProvider(c, file, "eu-west-1", through(c, change)).Retrieve(t.Context())
			var invalid *types.ValidationException
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, types.OAuth2ErrorCodeInvalidRequest, invalid.Error_)
			_, err = signinProvider(c, file, "eu-west-1").Retrieve(t.Context())
			require.NoError(t, err, "the token is still good")
		})
	}
}

func fileOf(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func through(c *awsauthtest.Cloud, change func(*http.Request)) func(*signin.Options) {
	return func(o *signin.Options) {
		o.HTTPClient = &http.Client{Transport: tampered{c.Client().Transport, change}}
	}
}

// TestLoginUnmodelled: a grant type that the Cloud does not have says so.
func TestLoginUnmodelled(t *testing.T) {
	c, _ := world(t)
	_, err := signin.New(signin.Options{Region: "eu-west-1", HTTPClient: c.Client(), Retryer: aws.NopRetryer{}}).
		CreateOAuth2Token(t.Context(), &signin.CreateOAuth2TokenInput{TokenInput: &types.CreateOAuth2TokenRequestBody{
			ClientId: aws.String("arn:aws:signin:::devtools/same-device"), GrantType: aws.String("authorization_code"),
		}})
	require.ErrorContains(t, err, "awsauthtest does not model")
}

// TestLoginOfProfile: the SDK's chain finds the login, in memory and on the socket.
func TestLoginOfProfile(t *testing.T) {
	for _, socket := range []bool{false, true} {
		c := awsauthtest.New(t)
		c.AddUser(awsauthtest.User{ARN: alice})
		dir := t.TempDir()
		file, err := logincreds.StandardCachedTokenFilepath(alice, dir)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, c.Login(alice, 0), 0o600))
		t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", dir)
		require.NoError(t, os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[profile ana]\nregion = eu-west-1\nlogin_session = "+alice+"\n"), 0o600))
		load := c.LoadOptions()
		if socket {
			url, err := c.Serve()
			require.NoError(t, err)
			t.Setenv("AWS_ENDPOINT_URL_SIGNIN", url)
			load = func(o *config.LoadOptions) error {
				o.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				return nil
			}
		}
		cfg, err := config.LoadDefaultConfig(t.Context(), load, config.WithSharedConfigProfile("ana"))
		require.NoError(t, err)
		creds, err := cfg.Credentials.Retrieve(t.Context())
		require.NoError(t, err)
		require.Equal(t, alice, works(t, c, "eu-west-1", creds))
		require.Equal(t, "111111111111", creds.AccountID)
		require.Len(t, c.Calls("CreateOAuth2Token"), 1)
		text, err := os.ReadFile(file)
		require.NoError(t, errors.Join(err, json.Unmarshal(text, &struct{}{})))
	}
}

// TestLoginProofOnce: a proof is good once, and for a quarter of an hour.
func TestLoginProofOnce(t *testing.T) {
	for wait, want := range map[time.Duration]string{15 * time.Minute: "used", 16 * time.Minute: "old"} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := world(t)
				file := fileOf(t, c.Login(alice, 0))
				var seen string
				change := func(r *http.Request) {
					if seen == "" && want == "old" { // the proof is made, but another one is sent
						seen = r.Header.Get("Dpop")
						r.Header.Set("Dpop", "lost.on.way")
						return
					}
					if seen != "" {
						r.Header.Set("Dpop", seen)
					}
					seen = r.Header.Get("Dpop")
				}
				p := signinProvider(c, file, "eu-west-1", through(c, change))
				_, err := p.Retrieve(t.Context())
				require.Equal(t, want == "used", err == nil)
				time.Sleep(wait)
				_, err = p.Retrieve(t.Context())
				require.ErrorContains(t, err, "DPoP proof is invalid")
			})
		})
	}
}
