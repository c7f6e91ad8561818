package awsauth_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// refuseOnce makes a service refuse the next call's key.
func (c *cast) refuseOnce(code string) {
	c.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: code, Times: 1, Message: "The security token included in the request is expired"})
}

// inBubble is t.Run on a clock of its own: a second try of a request waits.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// TestRewrittenKeys: another tool writes new keys into the profile. When a service
// refuses the old ones, the file is read again.
func TestRewrittenKeys(t *testing.T) {
	texts := []struct{ name, config, credentials, newConfig, newCredentials string }{
		{"credentials", "", "[ops]\n$KEYS\n", "", "[ops]\n$OTHER\n"},
		{"config", "[profile ops]\n$KEYS\n", "", "[profile ops]\n$OTHER\n", ""},
		{"from config to credentials", "[profile ops]\n$KEYS\n", "", "[profile ops]\n$KEYS\n", "[ops]\n$OTHER\n"},
		{"lines between", "[profile ops]\nregion = $REGION\n", "[ops]\n$KEYS\n", "[profile ops]\nregion = us-east-1\n", "# new\n[dev]\n$THIRD\n[ops]\n$OTHER\n"},
		{"quoted profile of another", "", "[ops]\n$KEYS\n", "[profile 'x y']\n$THIRD\n", "[ops]\n$OTHER\n"},
	}
	for _, tt := range texts {
		for way := range ways {
			for _, code := range []string{"ExpiredToken", "InvalidClientTokenId"} {
				inBubble(t, tt.name+"/"+way+"/"+code, func(t *testing.T) {
					c := newCast(t, awsauth.AWS)
					before := identityCase{config: tt.config, credentials: tt.credentials}
					after := identityCase{config: tt.newConfig, credentials: tt.newCredentials}
					opts := ways[way](c, &before)
					_ = ways[way](c, &after)
					c.Files(c.text(before.config), c.text(before.credentials))
					s := c.Open(opts...)
					if code == "ExpiredToken" { // what a service knew just now is not unknown
						require.NoError(t, lab.Whoami(s))
					}
					c.Files(c.text(after.config), c.text(after.credentials))
					assert.Equal(t, c.Keys.AccessKeyID, lab.Get(t, s).AccessKeyID, "good keys are kept")
					c.refuseOnce(code)
					require.NoError(t, lab.Whoami(s))
					assert.Equal(t, c.other.AccessKeyID, lab.Get(t, s).AccessKeyID)
					c.left()
				})
			}
		}
	}
}

// TestRewrittenToAnotherSource: what stands there by now must be keys. Another
// source would be another identity.
func TestRewrittenToAnotherSource(t *testing.T) {
	for name, config := range map[string]string{
		"process":           "[profile ops]\ncredential_process = /bin/false\n",
		"SSO":               "[profile ops]\nsso_session = x\nsso_account_id = 111111111111\nsso_role_name = base\n[sso-session x]\nsso_region = us-east-1\nsso_start_url = https://x\n",
		"login":             "[profile ops]\nlogin_session = x\n",
		"nothing":           "[profile ops]\nregion = us-east-1\n",
		"no profile":        "[profile dev]\n$OTHER\n",
		"half a pair":       "[profile ops]\naws_access_key_id = $OTHERID\n",
		"a role":            "[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\n$OTHER\n",
		"a malformed line":  "[profile ops]\n$OTHER\n= x\n",
		"a broken encoding": "\xff\xfe[\x00",
	} {
		inBubble(t, name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.Files(c.text("[profile ops]\n$KEYS\n"), "")
			s := c.Open(awsauth.WithProfile("ops"))
			require.NoError(t, lab.Whoami(s))
			c.Files(c.text(config), "")
			c.refuseOnce("ExpiredToken")
			err := lab.Whoami(s)
			require.Error(t, err)
			c.ResetCalls()
			_, err = s.Retrieve(t.Context())
			if err == nil {
				assert.Equal(t, c.Keys.AccessKeyID, lab.Get(t, s).AccessKeyID, "if any, the keys of before")
			} else {
				lab.RequireBad(t, err, awsauth.InvalidOption)
			}
			assert.Empty(t, c.Said())
		})
	}
}

// TestRewrittenKeysOfSource: the keys that a profile's role is assumed with may be
// rotated, too.
func TestRewrittenKeysOfSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast(t, awsauth.AWS)
		const config = "[profile ops]\nrole_arn = $BASE\nsource_profile = b\n[profile b]\n"
		c.Files(c.text(config+"$KEYS\n"), "")
		s := c.Open(awsauth.WithProfile("ops"))
		old := lab.Get(t, s)
		c.Files(c.text(config+"$OTHER\n"), "")
		c.Deactivate(c.Keys.AccessKeyID)
		c.Expire(old.AccessKeyID)
		time.Sleep(2 * time.Minute) // the keys were accepted until then
		require.NoError(t, lab.Whoami(s))
		calls := c.Calls("AssumeRole")
		require.NotEmpty(t, calls)
		assert.Equal(t, c.other.AccessKeyID, calls[len(calls)-1].AccessKeyID)
	})
}

// TestAnonymous: nobody is no provider.
func TestAnonymous(t *testing.T) {
	for name, p := range map[string]aws.CredentialsProvider{
		"value": aws.AnonymousCredentials{}, "pointer": &aws.AnonymousCredentials{},
		"cached": aws.NewCredentialsCache(aws.AnonymousCredentials{}), "cached pointer": aws.NewCredentialsCache(&aws.AnonymousCredentials{}),
	} {
		for option, opt := range map[string]awsauth.Option{
			"WithCredentialsProvider":        awsauth.WithCredentialsProvider(p),
			"config.WithCredentialsProvider": awsauth.WithLoadOptions(config.WithCredentialsProvider(p)),
		} {
			for _, more := range [][]awsauth.Option{nil, {awsauth.WithAccount(lab.Target)}, {awsauth.WithPartition(awsauth.China)}, {awsauth.WithProfile("ops")}} {
				c := newCast(t, awsauth.AWS)
				c.Files(c.text("[profile ops]\n$KEYS\n[default]\n$OTHER\n"), "")
				_, err := c.Try(append([]awsauth.Option{opt}, more...)...)
				lab.RequireBad(t, err, awsauth.InvalidOption, option, "AnonymousCredentials")
				assert.Empty(t, c.Said(), name)
			}
		}
	}
}

// TestNilProviders: a nil provider is not left out.
func TestNilProviders(t *testing.T) {
	var nilPointer *aws.CredentialsCache
	var nilFunc aws.CredentialsProviderFunc
	for name, p := range map[string]aws.CredentialsProvider{"nil": nil, "typed": nilPointer, "func": nilFunc, "static": (*credentials.StaticCredentialsProvider)(nil)} {
		for _, more := range [][]awsauth.Option{nil, {awsauth.WithAccount(lab.Target)}, {awsauth.WithProfile("ops")}} {
			c := newCast(t, awsauth.AWS)
			c.Env(environmentUser...)
			c.Files(c.text("[profile ops]\n$KEYS\n[default]\n$OTHER\n"), "")
			_, err := c.Try(append([]awsauth.Option{awsauth.WithCredentialsProvider(p)}, more...)...)
			lab.RequireBad(t, err, awsauth.InvalidOption, "WithCredentialsProvider", "nil")
			assert.Empty(t, c.Said(), name)
		}
	}
}

// TestEmptyRows: a row of a database that has no keys, or half of them, is said to
// be so.
func TestEmptyRows(t *testing.T) {
	for want, row := range map[string]aws.Credentials{
		"have no keys":             {},
		"no secret access key":     {AccessKeyID: lab.SomeID},
		"but no access key id":     {SecretAccessKey: lab.SomeSecret},
		"have no keys ":            {SessionToken: "token"},
		"no secret access key ":    {AccessKeyID: lab.SomeID, SessionToken: "token"},
		"but no access key id (2)": {SecretAccessKey: lab.SomeSecret, SessionToken: "token"},
	} {
		want = want[:min(len(want), len("but no access key id"))]
		for _, opts := range [][]awsauth.Option{nil, {awsauth.WithAccount(lab.Target)}, {awsauth.WithPartition(awsauth.China)}} {
			c := newCast(t, awsauth.AWS)
			c.Env(environmentUser...)
			p := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return row, nil })
			_, err := c.Open(append(opts, awsauth.WithCredentialsProvider(p))...).Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.NoCredentials, trimRight(want))
			assert.Empty(t, c.Said())
		}
	}
}

func trimRight(s string) string {
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// apiError is what a service said, in the form of the SDK.
func apiError(code string) error {
	return &smithy.OperationError{ServiceID: "Vault", OperationName: "GetSecretValue", Err: &smithy.GenericAPIError{Code: code, Message: "words of the service"}}
}

// TestErrorsOfProviders: whatever the provider, an error of a service is known by
// its code.
func TestErrorsOfProviders(t *testing.T) {
	for code, kind := range map[string]awsauth.Kind{
		"ExpiredToken": awsauth.Expired, "ExpiredTokenException": awsauth.Expired, "AccessDenied": awsauth.AccessDenied, "AccessDeniedException": awsauth.AccessDenied,
		"InvalidClientTokenId": awsauth.InvalidKey, "InvalidIdentityToken": awsauth.InvalidKey, "Throttling": awsauth.Throttled, "ThrottlingException": awsauth.Throttled,
		"UnrecognizedClientException": awsauth.InvalidKey,
	} {
		for _, option := range []func(aws.CredentialsProvider) awsauth.Option{
			awsauth.WithCredentialsProvider,
			func(p aws.CredentialsProvider) awsauth.Option {
				return awsauth.WithLoadOptions(config.WithCredentialsProvider(p))
			},
			func(p aws.CredentialsProvider) awsauth.Option {
				return awsauth.WithCredentialsProvider(aws.NewCredentialsCache(p))
			},
		} {
			c := newCast(t, awsauth.AWS)
			p := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, apiError(code) })
			_, err := c.Open(option(p)).Retrieve(t.Context())
			lab.RequireBad(t, err, kind, "words of the service")
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, code, api.ErrorCode())
			var e *awsauth.Error
			require.True(t, errors.As(err, &e))
			assert.NotEmpty(t, e.Hint)
			assert.Empty(t, c.Said())
		}
	}
}

// TestExpiredTokenOfProvider is the SDK's own provider with a token that has
// expired.
func TestExpiredTokenOfProvider(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		c := newCast(t, p)
		c.Write("token", c.WebIdentityToken(lab.Issuer, "repo:corp/app", -time.Hour))
		cfg, err := config.LoadDefaultConfig(t.Context(), c.LoadOptions(), config.WithRegion(lab.DefaultRegion(p)))
		require.NoError(t, err)
		web := stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(cfg), c.ARN(lab.Home, "role/base"), stscreds.IdentityTokenFile(c.Dir+"/token"))
		_, err = c.Open(awsauth.WithCredentialsProvider(web), awsauth.WithPartition(p)).Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.Expired, "Token expired")
		c.left()
	}
}

// TestKeysThatBecameARole: a profile that has become a role by the time its keys are
// read again is another identity, and refused.
func TestKeysThatBecameARole(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Files("[profile ops]\n"+lab.KeyLines, "")
		s := w.Open(awsauth.WithProfile("ops"))
		lab.Get(t, s)
		other := w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/other")})
		w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = ops\naws_access_key_id = "+other.AccessKeyID+"\naws_secret_access_key = "+other.SecretAccessKey+"\n", "")
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken"})
		require.Error(t, lab.Whoami(s))
		require.NotEqual(t, other.AccessKeyID, lab.Get(t, s).AccessKeyID)
	})
}
