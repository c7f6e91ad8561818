package awsauthtest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestRevoke: everything is denied to a revoked session but to ask who it is.
func TestRevoke(t *testing.T) {
	c, user := world(t)
	spoke := "arn:aws:iam::333333333333:role/spoke"
	c.AddRole(awsauthtest.Role{ARN: spoke, Trust: []string{manage}})
	first, second := assume(t, c, user, role(manage)), assume(t, c, user, role(manage))
	child := assume(t, c, first, role(spoke))
	c.Revoke(first.AccessKeyID)
	c.Revoke("AKIAIOSFODNN7EXAMPLE")

	revoked := client(c, "us-east-1", first)
	me, err := revoked.GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sts::222222222222:assumed-role/manage-role/test", *me.Arn)
	_, err = revoked.AssumeRole(t.Context(), role(spoke))
	requireRefused(t, err, 403, "AccessDenied", "User: "+*me.Arn+" is not authorized to perform: sts:AssumeRole on resource: "+spoke+
		" with an explicit deny in an identity-based policy")
	_, err = revoked.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &user.AccessKeyID})
	requireRefused(t, err, 403, "AccessDenied", "explicit deny")

	for _, keys := range []awsauthtest.Keys{second, child} {
		_, err = client(c, "us-east-1", keys).GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &user.AccessKeyID})
		require.NoError(t, err, "others live on")
	}
	c.Revoke(user.AccessKeyID)
	_, err = client(c, "us-east-1", user).AssumeRole(t.Context(), role(manage))
	require.NoError(t, err, "there is no such button for users")
}

// TestExpire ends a token early, and nothing else.
func TestExpire(t *testing.T) {
	c, user := world(t)
	first, second := assume(t, c, user, role(manage)), assume(t, c, user, role(manage))
	for _, id := range []string{first.AccessKeyID, user.AccessKeyID, "AKIAIOSFODNN7EXAMPLE"} {
		c.Expire(id)
	}
	_, err := client(c, "us-east-1", first).GetCallerIdentity(t.Context(), nil)
	requireRefused(t, err, 403, "ExpiredToken", "The security token included in the request is expired")
	_, err = client(c, "us-east-1", first).AssumeRole(t.Context(), role(manage))
	requireRefused(t, err, 403, "ExpiredToken", "")
	for _, keys := range []awsauthtest.Keys{second, user} {
		_, err = client(c, "us-east-1", keys).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
	}
	c.Revoke(second.AccessKeyID)
	c.Expire(second.AccessKeyID)
	_, err = client(c, "us-east-1", second).GetCallerIdentity(t.Context(), nil)
	require.Equal(t, "ExpiredToken", refusal(err))
}
