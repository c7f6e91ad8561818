package awsauthtest_test

//lint:file-ignore SA1019 AWS still sends it

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

const allowAll = `{"Effect":"Allow","Action":"*","Resource":"*"}`

// TestPolicies goes through session policies that are policies, and some that
// are none.
func TestPolicies(t *testing.T) {
	c, keys := world(t)
	for policy, want := range map[string]string{
		`{"Version":"2012-10-17","Statement":` + allowAll + `}`:                                                          "",
		`{"Id":"x","Statement":[{"Sid":"A1","Effect":"Deny","NotAction":["s3:Get*"],"NotResource":["arn:aws:s3:::b"]}]}`: "",
		`{"Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:x":true}}}]}`:         "",
		"{\n\t\"Statement\": [" + allowAll + "," + allowAll + "]\n}":                                                     "",
		`{"Statement":5}`:                   "Syntax errors",
		`{"Statement":[5]}`:                 "Syntax errors",
		`{"Statement":"Allow"}`:             "Syntax errors",
		`{"Statement":null}`:                "Syntax errors",
		`{"Statement":[null]}`:              "Syntax errors",
		`{"Version":"2012-10-17"}`:          "Syntax errors",
		`{}`:                                "Syntax errors",
		`{"statement":[` + allowAll + `]}`:  "Syntax errors",
		`{"Statement":[],"Note":"x"}`:       "Syntax errors",
		`[` + allowAll + `]`:                "invalid Json",
		`"policy"`:                          "invalid Json",
		`{"Statement":[]} x`:                "invalid Json",
		`{"Statement":[],}`:                 "invalid Json",
		`{"Version":"2020","Statement":[]}`: "version",
		`{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}`:                                                                     "Syntax errors",
		`{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`:                                                                     "Syntax errors",
		`{"Statement":{"Action":"*","Resource":"*"}}`:                                                                                      "Syntax errors",
		`{"Statement":{"effect":"Allow","Action":"*","Resource":"*"}}`:                                                                     "Syntax errors",
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}`:                                                     "should not specify a principal",
		`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":{"AWS":"*"}}}`:                                           "should not specify a principal",
		`{"Statement":{"Effect":"Allow","Resource":"*"}}`:                                                                                  "must contain actions",
		`{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}`:                                                                      "must contain actions",
		`{"Statement":{"Effect":"Allow","Action":"*"}}`:                                                                                    "must contain resources",
		`{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}`:                                                     "Syntax errors",
		`{"Statement":{"Effect":"Allow","Action":7,"Resource":"*"}}`:                                                                       "Syntax errors",
		`{"Statement":{"Effect":"Allow","Action":"s3","Resource":"*"}}`:                                                                    "prefaced by a vendor",
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"bucket"}}`:                                                                "ARN format",
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":"x"}}`:                                                     "Syntax errors",
		`{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}`: "must be unique",
	} {
		t.Run(policy, func(t *testing.T) {
			in := role(manage)
			in.Policy = &policy
			_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
			if want == "" {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, 400, "MalformedPolicyDocument", want)
			c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/web", Trust: []string{issuer}})
			token := c.WebIdentityToken(issuer, repo, 0)
			_, err = client(c, "us-east-1", keys).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
				RoleArn: aws.String("arn:aws:iam::222222222222:role/web"), RoleSessionName: aws.String("job"), WebIdentityToken: &token, Policy: &policy,
			})
			requireRefused(t, err, 400, "MalformedPolicyDocument", want)
		})
	}
}

// TestPolicyARNs: a session has policies of the role's account and of AWS.
func TestPolicyARNs(t *testing.T) {
	c, keys := world(t)
	for arn, code := range map[string]string{
		"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess": "",
		"arn:aws:iam::222222222222:policy/team/readers":       "",
		"arn:aws:iam::111111111111:policy/readers":            "MalformedPolicyDocument", // the caller's
		"arn:aws-cn:iam::aws:policy/ReadOnlyAccess":           "MalformedPolicyDocument",
		"arn:aws-cn:iam::222222222222:policy/readers":         "MalformedPolicyDocument",
		"arn:aws:iam::222222222222:role/readers":              "ValidationError",
	} {
		in := role(manage)
		in.PolicyArns = []types.PolicyDescriptorType{{Arn: &arn}}
		_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
		require.Equal(t, code, refusal(err), "%s: %v", arn, err)
	}
}

// TestPackedSize: policies and tags share one room.
func TestPackedSize(t *testing.T) {
	c, keys := world(t)
	sized := func(n, length int) (out []types.Tag) {
		for i := range n {
			key, value := fmt.Sprintf("%0128d", i), strings.Repeat("v", length)
			out = append(out, types.Tag{Key: &key, Value: &value})
		}
		return out
	}
	ask := func(policy string, tags []types.Tag) (int, error) {
		in := role(manage)
		in.Tags = tags
		if policy != "" {
			in.Policy = &policy
		}
		out, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), in)
		if err != nil || out.PackedPolicySize == nil {
			return 0, err
		}
		return int(*out.PackedPolicySize), nil
	}
	policy := `{"Statement":` + allowAll + strings.Repeat(" ", 1900) + `}`
	for name, tt := range map[string]struct {
		policy string
		tags   []types.Tag
		code   string
		least  int // per cent
	}{
		"nothing":           {"", nil, "", 0},
		"one tag":           {"", sized(1, 256), "", 1},
		"ten tags":          {"", sized(10, 256), "", 90},
		"50 long tags":      {"", sized(50, 256), "PackedPolicyTooLarge", 0},
		"50 short tags":     {"", tags(50), "", 1},
		"a policy":          {policy, nil, "", 40},
		"both":              {policy, sized(5, 256), "", 90},
		"both, more":        {policy, sized(10, 256), "PackedPolicyTooLarge", 0},
		"a policy too long": {policy + strings.Repeat(" ", 150), nil, "PackedPolicyTooLarge", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(tt.policy, tt.tags)
			require.Equal(t, tt.code, refusal(err), "%v", err)
			require.GreaterOrEqual(t, got, tt.least)
			require.LessOrEqual(t, got, 100)
			require.Equal(t, tt.least > 0, got > 0)
		})
	}
}
