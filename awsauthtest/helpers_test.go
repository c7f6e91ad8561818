package awsauthtest_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	alice   = "arn:aws:iam::111111111111:user/alice"
	phone   = "arn:aws:iam::111111111111:mfa/alice"
	bob     = "arn:aws:iam::111111111111:user/ops/bob"
	wang    = "arn:aws-cn:iam::333333333333:user/wang"
	manage  = "arn:aws:iam::222222222222:role/manage-role"
	managCN = "arn:aws-cn:iam::444444444444:role/manage-role"
)

// world is a Cloud with one user and one role that trusts the user's account.
func world(t *testing.T) (*awsauthtest.Cloud, awsauthtest.Keys) {
	t.Helper()
	c := awsauthtest.Start()
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	keys := c.AddUser(awsauthtest.User{ARN: alice, MFASerial: phone})
	c.AddRole(awsauthtest.Role{ARN: manage, Trust: []string{"111111111111"}, MaxSession: 12 * time.Hour, AllowTags: true, AllowSourceIdentity: true})
	return c, keys
}

// client is a real STS client that asks once.
func client(c *awsauthtest.Cloud, region string, keys awsauthtest.Keys) *sts.Client {
	return sts.New(sts.Options{
		Region: region, HTTPClient: c.Client(), Credentials: keys.Provider(), Retryer: aws.NopRetryer{},
	})
}

// assume takes a role and returns its keys.
func assume(t *testing.T, c *awsauthtest.Cloud, keys awsauthtest.Keys, in *sts.AssumeRoleInput) awsauthtest.Keys {
	t.Helper()
	out, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
	require.NoError(t, err)
	return awsauthtest.Keys{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey,
		SessionToken: *out.Credentials.SessionToken, Expires: *out.Credentials.Expiration,
	}
}

func role(arn string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("test")}
}

// requireRefused checks the code, the status and a part of the message.
func requireRefused(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode())
	require.Contains(t, api.ErrorMessage(), message)
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	require.Equal(t, status, response.HTTPStatusCode())
	require.NotEmpty(t, response.ServiceRequestID())
}

// refusal is the code of an error, "" for nil and "?" for one that is not AWS's.
func refusal(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return "?"
}

func form(pairs ...string) url.Values {
	out := url.Values{"Version": {"2011-06-15"}}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}
