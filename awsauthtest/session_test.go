package awsauthtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestChain hops over two roles and carries tags and source identity.
func TestChain(t *testing.T) {
	c, user := world(t)
	hub, spoke := "arn:aws:iam::111111111111:role/hub", "arn:aws:iam::222222222222:role/spoke"
	c.AddRole(awsauthtest.Role{ARN: hub, Trust: []string{alice}, AllowTags: true, AllowSourceIdentity: true})
	c.AddRole(awsauthtest.Role{ARN: spoke, Trust: []string{hub}, MaxSession: 12 * time.Hour, RequireSourceIdentity: true, AllowTags: true})
	first := role(hub)
	first.SourceIdentity = aws.String("alice")
	first.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}, {Key: aws.String("once"), Value: aws.String("1")}}
	first.TransitiveTagKeys = []string{"team"}
	keys := assume(t, c, user, first)
	require.Equal(t, map[string]string{"team": "red", "once": "1"}, c.SessionTags(keys.AccessKeyID))

	second := role(spoke)
	second.Tags = []types.Tag{{Key: aws.String("job"), Value: aws.String("x")}}
	got := assume(t, c, keys, second)
	require.Equal(t, map[string]string{"team": "red", "job": "x"}, c.SessionTags(got.AccessKeyID))
	require.Nil(t, c.SessionTags(user.AccessKeyID))

	sts := client(c, "us-east-1", keys)
	second.Tags[0].Key = aws.String("TEAM")
	_, err := sts.AssumeRole(t.Context(), second)
	requireRefused(t, err, 400, "InvalidParameterValue", "transitive")
	second.Tags = nil
	second.SourceIdentity = aws.String("mallory")
	_, err = sts.AssumeRole(t.Context(), second)
	requireRefused(t, err, 403, "AccessDenied", "assumed-role/hub/test is not authorized")
	second.SourceIdentity = aws.String("alice")
	second.DurationSeconds = aws.Int32(3601)
	_, err = sts.AssumeRole(t.Context(), second)
	requireRefused(t, err, 400, "ValidationError", "1 hour session limit for roles assumed by role chaining")
	second.DurationSeconds = aws.Int32(3600)
	out, err := sts.AssumeRole(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, "alice", *out.SourceIdentity)
}

// TestClock lets keys expire and codes roll by a fake clock.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, user := world(t)
		keys := assume(t, c, user, role(manage))
		sts1 := client(c, "us-east-1", keys)
		require.WithinDuration(t, time.Now().Add(time.Hour), keys.Expires, time.Second)
		time.Sleep(time.Hour - time.Second)
		_, err := sts1.GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		time.Sleep(time.Second)
		_, err = sts1.GetCallerIdentity(t.Context(), nil)
		requireRefused(t, err, 403, "ExpiredToken", "The security token included in the request is expired")

		from := client(c, "us-east-1", user)
		session := func(code string) error {
			_, err := from.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{SerialNumber: aws.String(phone), TokenCode: &code})
			return err
		}
		invalid := "MultiFactorAuthentication failed with invalid MFA one time pass code. "
		code := c.MFACode(phone)
		require.Regexp(t, `^\d{6}$`, code)
		require.NoError(t, session(code))
		requireRefused(t, session(code), 403, "AccessDenied", invalid)
		time.Sleep(30 * time.Second)
		next := c.MFACode(phone)
		require.NotEqual(t, code, next)
		time.Sleep(30 * time.Second)
		require.NoError(t, session(next), "the period before")
		requireRefused(t, session(next), 403, "AccessDenied", invalid)
		old := c.MFACode(phone)
		time.Sleep(60 * time.Second)
		requireRefused(t, session(old), 403, "AccessDenied", invalid)
	})
}

// TestSessionToken covers GetSessionToken and what its sessions may do.
func TestSessionToken(t *testing.T) {
	c, user := world(t)
	guarded := "arn:aws:iam::222222222222:role/guarded"
	c.AddRole(awsauthtest.Role{ARN: guarded, Trust: []string{"111111111111"}, RequireMFA: true, MaxSession: 2 * time.Hour})
	from := client(c, "us-east-1", user)
	for _, seconds := range []int32{899, 129601} {
		_, err := from.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: &seconds})
		requireRefused(t, err, 400, "ValidationError", "'durationSeconds'")
	}
	out, err := from.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{
		SerialNumber: aws.String(phone), TokenCode: aws.String(c.MFACode(phone)),
	})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(12*time.Hour), *out.Credentials.Expiration, 5*time.Second)
	k := out.Credentials
	session := client(c, "us-east-1", awsauthtest.Keys{
		AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken,
	})
	me, err := session.GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, alice, *me.Arn)
	_, err = session.AssumeRole(t.Context(), role(guarded))
	require.NoError(t, err, "the session carries MFA")
	long := role(guarded)
	long.DurationSeconds = aws.Int32(7200)
	_, err = session.AssumeRole(t.Context(), long)
	requireRefused(t, err, 400, "ValidationError", "role chaining")
	_, err = session.GetSessionToken(t.Context(), nil)
	requireRefused(t, err, 403, "AccessDenied", "session credentials")
	for _, call := range c.Calls() {
		require.NotContains(t, call.Params, "TokenCode")
	}
}
