package awsauth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// tokenFunc is a token of the caller's own.
type tokenFunc func() ([]byte, error)

func (f tokenFunc) GetIdentityToken() ([]byte, error) { return f() }

// web starts from tokens of that kind.
func (c *cast) web(token func() string, opts ...awsauth.Option) []awsauth.Option {
	return append(opts, awsauth.WithWebIdentity(c.arn(home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(token()), nil })))
}

func (c *cast) goodToken() string { return c.WebIdentityToken(issuer, "repo:corp/app", time.Hour) }

// TestWebIdentityOption: the role is opened by the token, by one unsigned call at
// the STS of the role's partition, whoever else is there.
func TestWebIdentityOption(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud} {
		c := newCast(t, p)
		c.env(environmentUser...)
		sharedFiles(t, c.dir, c.text("[default]\n$OTHER\n"), "")
		s := c.open(c.web(c.goodToken)...)
		assert.Empty(t, c.said())
		assert.Equal(t, c.arnOf("role/base"), c.identity(s))
		assert.Equal(t, []string{"AssumeRoleWithWebIdentity/base " + stsHost(regionsOf[p].main) + " unsigned"}, c.said())
		assert.Equal(t, regionsOf[p].main, s.Config().Region)
		child := c.open(c.web(c.goodToken, awsauth.WithRoleARN(c.arn(target, "role/manage-role")))...)
		assert.Equal(t, c.arnOf("target/manage-role"), c.identity(child))
		c.left()
	}
}

// TestWebIdentityAnew: each refresh asks for a new token.
func TestWebIdentityAnew(t *testing.T) {
	inBubble(t, "", func(t *testing.T) {
		c := newCast(t, awsauth.AWS)
		var mu sync.Mutex
		asked := 0
		s := c.open(c.web(func() string {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return c.WebIdentityToken(issuer, "repo:corp/app", time.Minute)
		})...)
		first := get(t, s)
		get(t, s)
		assert.Equal(t, 1, asked)
		time.Sleep(2 * time.Hour)
		assert.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
		assert.Equal(t, 2, asked)
	})
}

// TestWebIdentityRoleOptions: those that the call has a place for apply to the
// role; the others are refused, unless there is a next role to which all belong.
func TestWebIdentityRoleOptions(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.AddRole(awsauthtest.Role{ARN: c.arn(home, "role/base"), Trust: []string{home, issuer}, MaxSession: maxSession})
	policy := `{"Version":"2012-10-17","Statement":[]}`
	get(t, c.open(c.web(c.goodToken, awsauth.WithSessionName("me"), awsauth.WithDuration(maxSession), awsauth.WithPolicy(policy),
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
		_, err := c.try(c.web(c.goodToken, opt)...)
		requireBad(t, err, awsauth.InvalidOption, name)
		assert.Empty(t, c.said())
	}
	_, err := c.try(c.web(c.goodToken, awsauth.WithRoleARN(manageRole), awsauth.WithDuration(2*time.Hour))...)
	requireBad(t, err, awsauth.InvalidDuration)
	get(t, c.open(c.web(c.goodToken, awsauth.WithRoleARN(manageRole), awsauth.WithExternalID("x1"), awsauth.WithSessionName("next"))...))
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
		{"expired", func(c *cast) string { return c.WebIdentityToken(issuer, "repo:corp/app", -time.Hour) }, awsauth.Expired, []string{"Token expired"}},
		{"empty", func(*cast) string { return "" }, awsauth.NoCredentials, []string{"empty"}},
		{"blank", func(*cast) string { return " \n" }, awsauth.NoCredentials, []string{"empty"}},
		{"no token at all", func(*cast) string { return "not-a-token" }, awsauth.InvalidKey, []string{"not a valid JWT"}},
		{"wrong audience", func(c *cast) string { return c.WebIdentityToken(issuer, "repo:corp/app", 0, "other") }, awsauth.AccessDenied, []string{"audience", "subject"}},
		{"wrong subject", func(c *cast) string { return c.WebIdentityToken(issuer, "repo:fork/app", 0) }, awsauth.AccessDenied, []string{"audience", "subject"}},
		{"unknown issuer", func(c *cast) string { return c.WebIdentityToken("stranger.example.com", "repo:corp/app", 0) }, awsauth.InvalidKey, []string{"No OpenIDConnect provider"}},
		{"of another Cloud", func(*cast) string { return awsauthtest.Start().WebIdentityToken(issuer, "repo:corp/app", 0) }, awsauth.InvalidKey, []string{"verification key"}},
	} {
		for _, more := range [][]awsauth.Option{nil, {awsauth.WithAccount(target)}} {
			t.Run(tt.name, func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				c.AddOIDC(home, issuer)
				c.AddRole(awsauthtest.Role{ARN: c.arn(home, "role/base"), Trust: []string{c.arn(home, "oidc-provider/"+issuer)}, Subject: "repo:corp/*", Audience: "sts.amazonaws.com"})
				token := tt.token(c)
				s := c.open(c.web(func() string { return token }, more...)...)
				start := time.Now()
				_, err := s.Retrieve(t.Context())
				requireBad(t, err, tt.kind, tt.text...)
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
				assert.Empty(t, c.said("AssumeRole"))
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
		"nil": awsauth.WithWebIdentity(manageRole, nil), "typed nil": awsauth.WithWebIdentity(manageRole, nilFunc),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.env(environmentUser...)
			_, err := c.try(opt)
			requireBad(t, err, awsauth.InvalidOption, "WithWebIdentity")
			assert.Empty(t, c.said())
		})
	}
	c := newCast(t, awsauth.AWS)
	_, err := c.try(c.web(c.goodToken, awsauth.WithRegion("cn-north-1"))...)
	requireBad(t, err, awsauth.WrongPartition)
	_, err = c.try(c.web(c.goodToken, awsauth.WithPartition(awsauth.China))...)
	requireBad(t, err, awsauth.WrongPartition)
	assert.Empty(t, c.said())
}

// TestWebIdentityPrecedence: a profile, static keys and a provider come before it,
// the environment after it.
func TestWebIdentityPrecedence(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.env("AWS_ACCESS_KEY_ID="+c.third.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.third.SecretAccessKey)
	sharedFiles(t, c.dir, c.text("[profile ops]\n$OTHER\n"), "")
	for want, opts := range map[string][]awsauth.Option{
		"user/other": {awsauth.WithProfile("ops")}, "user/ci": {c.static()}, "role/base": nil,
	} {
		assert.Equal(t, c.arnOf(want), c.identity(c.open(c.web(c.goodToken, opts...)...)))
	}
	assert.Equal(t, c.arnOf("user/ci"), c.identity(c.open(c.web(c.goodToken, providerUser(c)...)...)))
}

// TestWebIdentityFails: an error of the token's own is passed on, and another call
// asks again.
func TestWebIdentityFails(t *testing.T) {
	inBubble(t, "", func(t *testing.T) {
		c := newCast(t, awsauth.AWS)
		boom := errors.New("the runner has no id-token permission")
		fail := true
		s := c.open(awsauth.WithWebIdentity(c.arn(home, "role/base"), tokenFunc(func() ([]byte, error) {
			if fail {
				return nil, boom
			}
			return []byte(c.goodToken()), nil
		})))
		_, err := s.Retrieve(context.Background())
		requireBad(t, err, awsauth.NoCredentials, boom.Error())
		require.ErrorIs(t, err, boom)
		assert.Empty(t, c.said())
		fail = false
		time.Sleep(time.Minute)
		assert.Equal(t, c.arnOf("role/base"), c.identity(s))
	})
}
