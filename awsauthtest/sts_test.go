package awsauthtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestIdentity asks who one is, as a user and as a role, in every partition.
func TestIdentity(t *testing.T) {
	for _, tt := range []struct{ partition, region, host string }{
		{"aws", "eu-central-1", "sts.eu-central-1.amazonaws.com"},
		{"aws-cn", "cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"},
		{"aws-us-gov", "us-gov-east-1", "sts.us-gov-east-1.amazonaws.com"},
		{"aws-eusc", "eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"},
		{"aws-iso", "us-iso-west-1", "sts.us-iso-west-1.c2s.ic.gov"},
		{"aws-iso-b", "us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"},
		{"aws-iso-e", "eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk"},
		{"aws-iso-f", "us-isof-south-1", "sts.us-isof-south-1.csp.hci.ic.gov"},
	} {
		t.Run(tt.partition, func(t *testing.T) {
			c := awsauthtest.Start()
			user := "arn:" + tt.partition + ":iam::111111111111:user/team/alice"
			target := "arn:" + tt.partition + ":iam::222222222222:role/team/ops"
			keys := c.AddUser(awsauthtest.User{ARN: user})
			c.AddRole(awsauthtest.Role{ARN: target, Trust: []string{user}})
			from := client(c, tt.region, keys)

			me, err := from.GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, user, *me.Arn)
			require.Equal(t, "111111111111", *me.Account)
			require.Regexp(t, `^AIDA[A-Z2-7]{17}$`, *me.UserId)

			got, err := from.AssumeRole(t.Context(), role(target))
			require.NoError(t, err)
			session := "arn:" + tt.partition + ":sts::222222222222:assumed-role/ops/test"
			require.Equal(t, session, *got.AssumedRoleUser.Arn)

			k := got.Credentials
			me, err = client(c, tt.region, awsauthtest.Keys{
				AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken,
			}).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, session, *me.Arn)
			require.Regexp(t, `^AROA[A-Z2-7]{17}:test$`, *me.UserId)
			require.Equal(t, *got.AssumedRoleUser.AssumedRoleId, *me.UserId)
			for _, call := range c.Calls() {
				require.Equal(t, tt.host, call.Host)
				require.Equal(t, tt.region, call.Region)
				require.Equal(t, 200, call.Status)
			}
		})
	}
}

// refusalOf is one thing to ask of AssumeRole and how it is refused.
type refusalOf struct {
	role          string // default manage
	edit          func(*sts.AssumeRoleInput)
	status        int
	code, message string
}

func requireRefusals(t *testing.T, c *awsauthtest.Cloud, keys awsauthtest.Keys, table map[string]refusalOf) {
	t.Helper()
	for name, tt := range table {
		t.Run(name, func(t *testing.T) {
			in := role(manage)
			if tt.role != "" {
				in.RoleArn = &tt.role
			}
			if tt.edit != nil {
				tt.edit(in)
			}
			_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
			requireRefused(t, err, tt.status, tt.code, tt.message)
			calls := c.Calls("AssumeRole")
			require.Equal(t, tt.code, calls[len(calls)-1].ErrorCode)
			require.Equal(t, tt.status, calls[len(calls)-1].Status)
		})
	}
}

// TestAssumeRoleDenied goes through those whom a role does not want.
func TestAssumeRoleDenied(t *testing.T) {
	c, keys := world(t)
	vault := "arn:aws:iam::222222222222:role/vault"
	c.AddRole(awsauthtest.Role{ARN: vault, Trust: []string{"*"}, ExternalID: "shibboleth"})
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/mfa", Trust: []string{alice}, RequireMFA: true})
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/source", Trust: []string{alice}, RequireSourceIdentity: true})
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/nobody"})
	c.AddRole(awsauthtest.Role{ARN: managCN, Trust: []string{"*"}})
	denied := "User: " + alice + " is not authorized to perform: sts:AssumeRole on resource: "
	requireRefusals(t, c, keys, map[string]refusalOf{
		"unknown role":       {"arn:aws:iam::222222222222:role/none", nil, 403, "AccessDenied", denied + "arn:aws:iam::222222222222:role/none"},
		"nobody trusted":     {"arn:aws:iam::222222222222:role/nobody", nil, 403, "AccessDenied", denied},
		"another partition":  {managCN, nil, 403, "AccessDenied", denied + managCN},
		"no external id":     {vault, nil, 403, "AccessDenied", denied + vault},
		"wrong external id":  {vault, func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("Shibboleth") }, 403, "AccessDenied", denied},
		"no MFA":             {"arn:aws:iam::222222222222:role/mfa", nil, 403, "AccessDenied", denied},
		"no source identity": {"arn:aws:iam::222222222222:role/source", nil, 403, "AccessDenied", denied},
		"wrong MFA code": {"", func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String(phone), aws.String(wrongCode(c))
		},
			403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "},
		"another's device": {"", func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::111111111111:mfa/bob"), aws.String("123456")
		}, 403, "AccessDenied", "unable to validate MFA code"},
		"MFA code alone": {"", func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("123456") }, 403, "AccessDenied", "must provide both"},
	})
	in := role(vault)
	in.ExternalId = aws.String("shibboleth")
	_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
	require.NoError(t, err)
}

func long(n int) *string { s := strings.Repeat("x", n); return &s }

func tags(n int) (out []types.Tag) {
	for i := range n {
		out = append(out, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("v")})
	}
	return out
}

// TestAssumeRoleInvalid goes through what breaks a rule of form, and one request
// in which everything is at its limit.
func TestAssumeRoleInvalid(t *testing.T) {
	c, keys := world(t)
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/hour", Trust: []string{alice}})
	one := func(key, value string) []types.Tag { return []types.Tag{{Key: &key, Value: &value}} }
	requireRefusals(t, c, keys, map[string]refusalOf{
		"MFA code too short": {"", func(in *sts.AssumeRoleInput) { in.SerialNumber, in.TokenCode = aws.String(phone), aws.String("12345") }, 400, "ValidationError", "'tokenCode'"},
		"899 s":              {"", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, 400, "ValidationError", "greater than or equal to 900"},
		"43201 s":            {"", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, 400, "ValidationError", "less than or equal to 43200"},
		"over MaxSession": {"arn:aws:iam::222222222222:role/hour", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) },
			400, "ValidationError", "exceeds the MaxSessionDuration set for this role."},
		"session name empty": {"", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("") }, 400, "ValidationError",
			"1 validation error detected: Value '' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2"},
		"session name of 1":  {"", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }, 400, "ValidationError", "'roleSessionName'"},
		"session name of 65": {"", func(in *sts.AssumeRoleInput) { in.RoleSessionName = long(65) }, 400, "ValidationError", "less than or equal to 64"},
		"session name spaced": {"", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, 400, "ValidationError",
			`Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		"two faults":             {"", func(in *sts.AssumeRoleInput) { in.RoleSessionName, in.ExternalId = aws.String("x"), aws.String("y") }, 400, "ValidationError", "2 validation errors detected: "},
		"external id of 1":       {"", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("x") }, 400, "ValidationError", "'externalId'"},
		"source identity spaced": {"", func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("a b") }, 400, "ValidationError", "'sourceIdentity'"},
		"role ARN too short":     {"manage-role", nil, 400, "ValidationError", "'roleArn'"},
		"role ARN of 11 digits":  {"arn:aws:iam::22222222222:role/manage-role", nil, 400, "ValidationError", "Request ARN is invalid"},
		"role ARN of a user":     {"arn:aws:iam::222222222222:user/manage-role", nil, 400, "ValidationError", "Request ARN is invalid"},
		"policy not JSON":        {"", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, 400, "MalformedPolicyDocument", "invalid Json"},
		"policy too large": {"", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(`{"Statement":[],"Id":"` + *long(2048) + `"}`) },
			400, "PackedPolicyTooLarge", "Packed policy consumes"},
		"policy ARN malformed": {"", func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:role/x")}}
		}, 400, "ValidationError", "policyArns"},
		"51 tags":          {"", func(in *sts.AssumeRoleInput) { in.Tags = tags(51) }, 400, "ValidationError", "'tags'"},
		"tag key empty":    {"", func(in *sts.AssumeRoleInput) { in.Tags = one("", "v") }, 400, "ValidationError", "'tags.key'"},
		"tag key of 129":   {"", func(in *sts.AssumeRoleInput) { in.Tags = one(*long(129), "v") }, 400, "ValidationError", "'tags.key'"},
		"tag value of 257": {"", func(in *sts.AssumeRoleInput) { in.Tags = one("k", *long(257)) }, 400, "ValidationError", "'tags.value'"},
		"tag key reserved": {"", func(in *sts.AssumeRoleInput) { in.Tags = one("aws:k", "v") }, 400, "ValidationError", "aws:"},
		"tag key twice":    {"", func(in *sts.AssumeRoleInput) { in.Tags = append(one("k", "v"), one("K", "v")...) }, 400, "ValidationError", "Duplicate"},
		"transitive key unknown": {"", func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"k"} },
			400, "ValidationError", "must be included in the requested tags"},
	})
	in := role(manage)
	in.Tags, in.DurationSeconds, in.Policy = tags(50), aws.Int32(43200), aws.String(`{"Version":"2012-10-17","Statement":[]}`)
	in.RoleSessionName, in.SourceIdentity, in.ExternalId = long(64), aws.String("al"), aws.String("ex:/1")
	out, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "al", *out.SourceIdentity)
}

// wrongCode is a code that the device shows neither now nor in the period before.
func wrongCode(c *awsauthtest.Cloud) string {
	right := c.MFACode(phone)
	if right == "000000" {
		return "111111"
	}
	return "000000"
}

// TestTrust goes through the forms of a trust policy.
func TestTrust(t *testing.T) {
	c, user := world(t)
	other := c.AddUser(awsauthtest.User{ARN: bob})
	hub := "arn:aws:iam::111111111111:role/path/hub"
	c.AddRole(awsauthtest.Role{ARN: hub, Trust: []string{"111111111111"}})
	session := assume(t, c, user, role(hub))
	for _, tt := range []struct {
		trust             string
		user, bob, theHub bool
	}{
		{"*", true, true, true},
		{"111111111111", true, true, true},
		{"arn:aws:iam::111111111111:root", true, true, true},
		{"222222222222", false, false, false},
		{alice, true, false, false},
		{bob, false, true, false},
		{hub, false, false, true},
		{"arn:aws:sts::111111111111:assumed-role/hub/test", false, false, true},
		{"arn:aws:sts::111111111111:assumed-role/hub/other", false, false, false},
		{"arn:aws:iam::111111111111:oidc-provider/example.com", false, false, false},
		{"ec2.amazonaws.com", false, false, false},
	} {
		t.Run(tt.trust, func(t *testing.T) {
			target := "arn:aws:iam::999999999999:role/target"
			c.AddRole(awsauthtest.Role{ARN: target, Trust: []string{tt.trust}})
			for keys, want := range map[awsauthtest.Keys]bool{user: tt.user, other: tt.bob, session: tt.theHub} {
				_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), role(target))
				require.Equal(t, want, err == nil, "%v", err)
			}
		})
	}
}
