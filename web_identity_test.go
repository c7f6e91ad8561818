package awsauth_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// tokenFunc is a token of the caller's own.
type tokenFunc func() ([]byte, error)

func (f tokenFunc) GetIdentityToken() ([]byte, error) { return f() }

// web starts from tokens of that kind.
func (c *cast) web(token func() string, opts ...awsauth.Option) []awsauth.Option {
	return append(opts, awsauth.WithWebIdentity(c.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(token()), nil })))
}

func (c *cast) goodToken() string { return c.WebIdentityToken(lab.Issuer, "repo:corp/app", time.Hour) }

// TestWebIdentityOption: the role is opened by the token, by one unsigned call at
// the STS of the role's partition, whoever else is there.
func TestWebIdentityOption(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud} {
		c := newCast(t, p)
		c.Env(environmentUser...)
		c.Files(c.text("[default]\n$OTHER\n"), "")
		s := c.Open(c.web(c.goodToken)...)
		assert.Empty(t, c.Said())
		assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(s))
		assert.Equal(t, []string{"AssumeRoleWithWebIdentity/base " + lab.STSHost(lab.DefaultRegion(p)) + " unsigned"}, c.Said())
		assert.Equal(t, lab.DefaultRegion(p), s.Config().Region)
		child := c.Open(c.web(c.goodToken, awsauth.WithRoleARN(c.ARN(lab.Target, "role/manage-role")))...)
		assert.Equal(t, c.arnOf("target/manage-role"), c.IdentityOf(child))
		c.left()
	}
}

// TestWebIdentityAnew: each refresh asks for a new token.
func TestWebIdentityAnew(t *testing.T) {
	inBubble(t, "", func(t *testing.T) {
		c := newCast(t, awsauth.AWS)
		var mu sync.Mutex
		asked := 0
		s := c.Open(c.web(func() string {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return c.WebIdentityToken(lab.Issuer, "repo:corp/app", time.Minute)
		})...)
		first := lab.Get(t, s)
		lab.Get(t, s)
		assert.Equal(t, 1, asked)
		time.Sleep(2 * time.Hour)
		assert.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
		assert.Equal(t, 2, asked)
	})
}

// TestWebIdentityRoleOptions: those that the call has a place for apply to the
// role; the others are refused, unless there is a next role to which all belong.
func TestWebIdentityRoleOptions(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.AddRole(awsauthtest.Role{ARN: c.ARN(lab.Home, "role/base"), Trust: []string{lab.Home, lab.Issuer}, MaxSession: maxSession})
	policy := `{"Version":"2012-10-17","Statement":[]}`
	lab.Get(t, c.Open(c.web(c.goodToken, awsauth.WithSessionName("me"), awsauth.WithDuration(maxSession), awsauth.WithPolicy(policy),
		awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess"))...))
	calls := c.Calls("AssumeRoleWithWebIdentity")
	require.Len(t, calls, 1)
	for name, want := range map[string]string{"RoleSessionName": "me", "DurationSeconds": "43200", "Policy": policy, "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"} {
		assert.Equal(t, want, calls[0].Params.Get(name), name)
	}
	c.ResetCalls()
	for name, opt := range map[string]awsauth.Option{
		"WithExternalID": awsauth.WithExternalID("x1"), "WithSourceIdentity": awsauth.WithSourceIdentity("ana"),
		"WithTags": awsauth.WithTags(map[string]string{"a": "b"}), "WithTransitiveTags": awsauth.WithTransitiveTags(map[string]string{"a": "b"}),
	} {
		_, err := c.Try(c.web(c.goodToken, opt)...)
		lab.RequireBad(t, err, awsauth.InvalidOption, name)
		assert.Empty(t, c.Said())
	}
	_, err := c.Try(c.web(c.goodToken, awsauth.WithRoleARN(lab.ManageRole), awsauth.WithDuration(2*time.Hour))...)
	lab.RequireBad(t, err, awsauth.InvalidDuration)
	lab.Get(t, c.Open(c.web(c.goodToken, awsauth.WithRoleARN(lab.ManageRole), awsauth.WithExternalID("x1"), awsauth.WithSessionName("next"))...))
	assert.NotEqual(t, "next", c.Calls("AssumeRoleWithWebIdentity")[0].Params.Get("RoleSessionName"))
	assert.Equal(t, "next", c.Calls("AssumeRole")[0].Params.Get("RoleSessionName"))
}

// TestWebIdentityRefused: STS's own words, and what to change.
func TestWebIdentityRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token func(c *cast) string
		kind  awsauth.Kind
		text  []string
	}{
		{"expired", func(c *cast) string { return c.WebIdentityToken(lab.Issuer, "repo:corp/app", -time.Hour) }, awsauth.Expired, []string{"Token expired"}},
		{"empty", func(*cast) string { return "" }, awsauth.NoCredentials, []string{"empty"}},
		{"blank", func(*cast) string { return " \n" }, awsauth.NoCredentials, []string{"empty"}},
		{"no token at all", func(*cast) string { return "not-a-token" }, awsauth.InvalidKey, []string{"not a valid JWT"}},
		{"wrong audience", func(c *cast) string { return c.WebIdentityToken(lab.Issuer, "repo:corp/app", 0, "other") }, awsauth.AccessDenied, []string{"audience", "subject"}},
		{"wrong subject", func(c *cast) string { return c.WebIdentityToken(lab.Issuer, "repo:fork/app", 0) }, awsauth.AccessDenied, []string{"audience", "subject"}},
		{"unknown issuer", func(c *cast) string { return c.WebIdentityToken("stranger.example.com", "repo:corp/app", 0) }, awsauth.InvalidKey, []string{"No OpenIDConnect provider"}},
		{"of another Cloud", func(*cast) string { return awsauthtest.Start().WebIdentityToken(lab.Issuer, "repo:corp/app", 0) }, awsauth.InvalidKey, []string{"verification key"}},
	} {
		for _, more := range [][]awsauth.Option{nil, {awsauth.WithAccount(lab.Target)}} {
			t.Run(tt.name, func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				c.AddOIDC(lab.Home, lab.Issuer)
				c.AddRole(awsauthtest.Role{ARN: c.ARN(lab.Home, "role/base"), Trust: []string{c.ARN(lab.Home, "oidc-provider/"+lab.Issuer)}, Subject: "repo:corp/*", Audience: "sts.amazonaws.com"})
				token := tt.token(c)
				s := c.Open(c.web(func() string { return token }, more...)...)
				start := time.Now()
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, tt.kind, tt.text...)
				assert.Less(t, time.Since(start), 10*time.Second)
				if len(token) > 20 {
					assert.NotContains(t, err.Error(), token)
				}
				var e *awsauth.Error
				require.True(t, errors.As(err, &e))
				assert.NotEmpty(t, e.Hint)
				var api smithy.APIError
				if tt.kind != awsauth.NoCredentials && assert.ErrorAs(t, err, &api) {
					assert.NotEmpty(t, api.ErrorMessage(), "STS's own words")
				}
				c.left()
				assert.Empty(t, c.Said("AssumeRole"))
			})
		}
	}
}

// TestWebIdentityWrongOptions: what names nobody is refused in New.
func TestWebIdentityWrongOptions(t *testing.T) {
	good := tokenFunc(func() ([]byte, error) { return []byte("x"), nil })
	var nilFunc tokenFunc
	for name, opt := range map[string]awsauth.Option{
		"no role": awsauth.WithWebIdentity("", good), "user": awsauth.WithWebIdentity("arn:aws:iam::111111111111:user/x", good),
		"nil": awsauth.WithWebIdentity(lab.ManageRole, nil), "typed nil": awsauth.WithWebIdentity(lab.ManageRole, nilFunc),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.Env(environmentUser...)
			_, err := c.Try(opt)
			lab.RequireBad(t, err, awsauth.InvalidOption, "WithWebIdentity")
			assert.Empty(t, c.Said())
		})
	}
	c := newCast(t, awsauth.AWS)
	_, err := c.Try(c.web(c.goodToken, awsauth.WithRegion("cn-north-1"))...)
	lab.RequireBad(t, err, awsauth.WrongPartition)
	_, err = c.Try(c.web(c.goodToken, awsauth.WithPartition(awsauth.China))...)
	lab.RequireBad(t, err, awsauth.WrongPartition)
	assert.Empty(t, c.Said())
}

// TestWebIdentityPrecedence: a profile, static keys and a provider come before it,
// the environment after it.
func TestWebIdentityPrecedence(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.Env("AWS_ACCESS_KEY_ID="+c.third.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.third.SecretAccessKey)
	c.Files(c.text("[profile ops]\n$OTHER\n"), "")
	for want, opts := range map[string][]awsauth.Option{
		"user/other": {awsauth.WithProfile("ops")}, "user/ci": {c.Static()}, "role/base": nil,
	} {
		assert.Equal(t, c.arnOf(want), c.IdentityOf(c.Open(c.web(c.goodToken, opts...)...)))
	}
	assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(c.Open(c.web(c.goodToken, providerUser(c)...)...)))
}

// TestWebIdentityFails: an error of the token's own is passed on, and another call
// asks again.
func TestWebIdentityFails(t *testing.T) {
	inBubble(t, "", func(t *testing.T) {
		c := newCast(t, awsauth.AWS)
		boom := errors.New("the runner has no id-token permission")
		fail := true
		s := c.Open(awsauth.WithWebIdentity(c.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) {
			if fail {
				return nil, boom
			}
			return []byte(c.goodToken()), nil
		})))
		_, err := s.Retrieve(context.Background())
		lab.RequireBad(t, err, awsauth.NoCredentials, boom.Error())
		require.ErrorIs(t, err, boom)
		assert.Empty(t, c.Said())
		fail = false
		time.Sleep(time.Minute)
		assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(s))
	})
}

// TestOptionsOfALostToken: where another source decides, the options for the token's
// role would be lost, and the session could do more than was asked for.
func TestOptionsOfALostToken(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines, "")
	token := awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), stscreds.IdentityTokenFile("/run/token"))
	for name, other := range map[string]awsauth.Option{"profile": awsauth.WithProfile("ops"), "keys": w.Static()} {
		for option, narrow := range map[string]awsauth.Option{"WithPolicy": awsauth.WithPolicy(lab.Policy), "WithDuration": awsauth.WithDuration(time.Hour)} {
			_, err := w.Try(other, token, narrow)
			lab.RequireBad(t, err, awsauth.InvalidOption, option, "WithAccount")
		}
		_, err := w.Try(other, token)
		require.NoError(t, err, name)
	}
	s := w.Open(w.Static(), awsauth.WithWebIdentity("arn:aws-cn:iam::111111111111:role/base", stscreds.IdentityTokenFile("/run/token")))
	require.Equal(t, "us-east-1", s.Config().Region, "a token that has no turn says nothing of the partition")
}

// TestTokenFileThatMightNeverEnd: a device is not read for a token.
func TestTokenFileThatMightNeverEnd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no /dev/zero")
	}
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=/dev/zero", "AWS_ROLE_ARN=$BASE")
	_, err := w.Open().Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials, "/dev/zero", "not a regular file")
	require.Empty(t, w.Calls())
}
