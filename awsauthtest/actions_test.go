package awsauthtest_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestKeyInfo: the account stands in the key id, whoever the key belongs to.
func TestKeyInfo(t *testing.T) {
	c, keys := world(t)
	gone := c.AddUser(awsauthtest.User{ARN: bob})
	c.Deactivate(gone.AccessKeyID)
	elsewhere := awsauthtest.Start().AddUser(awsauthtest.User{ARN: wang})
	for id, account := range map[string]string{
		keys.AccessKeyID:                             "111111111111",
		gone.AccessKeyID:                             "111111111111",
		elsewhere.AccessKeyID:                        "333333333333", // never issued here, and of another partition
		"ASIAQNZGKIQY56JQ7WML":                       "029608264753", // from a public post; the account is in it
		assume(t, c, keys, role(manage)).AccessKeyID: "222222222222",
	} {
		out, err := client(c, "us-east-1", keys).GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &id})
		require.NoError(t, err, id)
		require.Equal(t, account, *out.Account, id)
	}
	for id, want := range map[string]struct {
		status int
		code   string
	}{
		"AKIAIOSFODNN7EXAMPLE": {501, "NotImplemented"},
		"AKIAI44QH8DHBEXAMPLE": {501, "NotImplemented"},
		"AKIA77777777777777":   {501, "NotImplemented"},
		"AKIA":                 {400, "ValidationError"},
		"AKIA-IOSFODNN7EXAMPL": {400, "ValidationError"},
	} {
		_, err := client(c, "us-east-1", keys).GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &id})
		requireRefused(t, err, want.status, want.code, "")
	}
}

// TestNotModelled: what AWS does and the Cloud does not is said, in the form of a
// refusal, and asked once only.
func TestNotModelled(t *testing.T) {
	c, keys := world(t)
	for _, action := range []string{
		"GetFederationToken", "AssumeRoleWithSAML", "AssumeRoot", "DecodeAuthorizationMessage", "GetWebIdentityToken", "GetDelegatedAccessToken",
	} {
		status, body, code := send(t, c, raw(t, keys, endpoint, form("Action", action), signing{}))
		require.Equal(t, http.StatusNotImplemented, status)
		require.Equal(t, "NotImplemented", code)
		require.Contains(t, body, "awsauthtest does not model "+action)
	}
	c.ResetCalls()
	_, err := sts.New(sts.Options{Region: "us-east-1", HTTPClient: c.Client(), Credentials: keys.Provider()}).
		DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
	requireRefused(t, err, 501, "NotImplemented", "DecodeAuthorizationMessage")
	require.Len(t, c.Calls(), 1)
}

// TestGlobalToken: keys of the global endpoint are for regions that are enabled by
// default.
func TestGlobalToken(t *testing.T) {
	c, user := world(t)
	c.AddRegion("ap-north-9")
	global, regional := "https://sts.amazonaws.com", "https://sts.eu-south-1.amazonaws.com"
	ask := func(keys awsauthtest.Keys, region string) string {
		_, err := client(c, region, keys).GetCallerIdentity(t.Context(), nil)
		return refusal(err)
	}
	keysAt := func(to, region string) awsauthtest.Keys {
		out, err := client(c, region, user).AssumeRole(t.Context(), role(manage), at(to, c.Client()))
		require.NoError(t, err)
		k := out.Credentials
		return awsauthtest.Keys{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken, Expires: *k.Expiration}
	}
	ofGlobal, ofRegion := keysAt(global, "us-east-1"), keysAt(regional, "eu-south-1")
	for region, want := range map[string]string{
		"us-east-1": "", "eu-west-3": "", "ap-southeast-2": "",
		"eu-south-1": "InvalidClientTokenId", "me-central-1": "InvalidClientTokenId", "ap-east-1": "InvalidClientTokenId",
		"ca-west-1": "InvalidClientTokenId", "ap-north-9": "InvalidClientTokenId",
	} {
		require.Equal(t, want, ask(ofGlobal, region), region)
		require.Empty(t, ask(ofRegion, region), region)
		require.Empty(t, ask(user, region), region)
	}
	session, err := client(c, "us-east-1", user).GetSessionToken(t.Context(), nil, at(global, c.Client()))
	require.NoError(t, err)
	k := session.Credentials
	require.Equal(t, "InvalidClientTokenId", ask(awsauthtest.Keys{
		AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken,
	}, "il-central-1"))
}
