package awsauthtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	issuer    = "token.actions.githubusercontent.com"
	otherTok  = "gitlab.example.com/oidc"
	repo      = "repo:corp/app:ref:refs/heads/main"
	notForYou = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
)

// bearer takes a role of the account 222222222222 (or any, by its ARN) with a
// token.
func bearer(t *testing.T, c *awsauthtest.Cloud, region, role, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	t.Helper()
	if !strings.HasPrefix(role, "arn:") {
		role = "arn:aws:iam::222222222222:role/" + role
	}
	out, err := client(c, region, awsauthtest.Keys{}).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &role, RoleSessionName: aws.String("job"), WebIdentityToken: &token,
	})
	calls := c.Calls("AssumeRoleWithWebIdentity")
	require.NotContains(t, calls[len(calls)-1].Params, "WebIdentityToken")
	return out, err
}

// TestWebIdentity covers the tokens of an OIDC provider.
func TestWebIdentity(t *testing.T) {
	c, _ := world(t)
	elsewhere := awsauthtest.Start()
	add := func(name string, r awsauthtest.Role) {
		r.ARN = "arn:aws:iam::222222222222:role/" + name
		if r.Trust == nil {
			r.Trust = []string{issuer}
		}
		c.AddRole(r)
	}
	add("deploy", awsauthtest.Role{})
	add("mfa", awsauthtest.Role{RequireMFA: true})
	add("external", awsauthtest.Role{ExternalID: "x-1"})
	add("source", awsauthtest.Role{RequireSourceIdentity: true})
	c.AddRole(awsauthtest.Role{ARN: managCN, Trust: []string{issuer}})
	c.DisableRegion("ap-east-1")
	good := c.WebIdentityToken("https://"+issuer, repo, 0)
	for name, tt := range map[string]struct {
		role, token, region string
		status              int
		code, message       string
	}{
		"right":                {"deploy", good, "us-east-1", 200, "", ""},
		"without https":        {"deploy", c.WebIdentityToken(issuer, repo, time.Minute), "us-east-1", 200, "", ""},
		"in China":             {managCN, good, "cn-north-1", 200, "", ""},
		"subject of 6":         {"deploy", c.WebIdentityToken(issuer, "üüüüüü", 0), "us-east-1", 200, "", ""},
		"subject of 255":       {"deploy", c.WebIdentityToken(issuer, *long(255), 0), "us-east-1", 200, "", ""},
		"subject of 5":         {"deploy", c.WebIdentityToken(issuer, "alice", 0), "us-east-1", 400, "InvalidIdentityToken", "6 to 255"},
		"subject of 256":       {"deploy", c.WebIdentityToken(issuer, *long(256), 0), "us-east-1", 400, "InvalidIdentityToken", "6 to 255"},
		"MFA wanted":           {"mfa", good, "us-east-1", 403, "AccessDenied", notForYou},
		"external id wanted":   {"external", good, "us-east-1", 403, "AccessDenied", notForYou},
		"identity wanted":      {"source", good, "us-east-1", 403, "AccessDenied", notForYou},
		"a role of users":      {"manage-role", good, "us-east-1", 403, "AccessDenied", notForYou},
		"no such role":         {"none", good, "us-east-1", 403, "AccessDenied", notForYou},
		"another partition":    {"deploy", good, "cn-north-1", 403, "AccessDenied", notForYou},
		"another issuer":       {"deploy", c.WebIdentityToken("example.com", repo, 0), "us-east-1", 403, "AccessDenied", notForYou},
		"an account without":   {"arn:aws:iam::333333333333:role/x", good, "us-east-1", 403, "AccessDenied", notForYou},
		"of another Cloud":     {"deploy", elsewhere.WebIdentityToken(issuer, repo, 0), "us-east-1", 400, "InvalidIdentityToken", "signature"},
		"in a disabled region": {"deploy", good, "ap-east-1", 403, "RegionDisabledException", "account:222222222222"},
		"expired":              {"deploy", c.WebIdentityToken(issuer, "x", -time.Minute), "us-east-1", 400, "ExpiredTokenException", "Token expired"},
		"forged":               {"deploy", good[:len(good)-4] + "AAAA", "us-east-1", 400, "InvalidIdentityToken", ""},
		"no JWT":               {"deploy", "hello", "us-east-1", 400, "InvalidIdentityToken", "JWT"},
		"too short":            {"deploy", "abc", "us-east-1", 400, "ValidationError", "webIdentityToken"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := bearer(t, c, tt.region, tt.role, tt.token)
			if tt.status != 200 {
				requireRefused(t, err, tt.status, tt.code, tt.message)
				return
			}
			require.NoError(t, err)
			require.NotEmpty(t, *out.Credentials.SessionToken)
			require.Contains(t, *out.Provider, ":oidc-provider/"+issuer)
			require.Equal(t, "sts.amazonaws.com", *out.Audience)
		})
	}
}

// TestProvider: a provider of another account or partition is not the one that
// signed, and one that is named by its ARN must have been added.
func TestProvider(t *testing.T) {
	for name, tt := range map[string]struct {
		trust string
		added string // account
		code  string
	}{
		"own":                    {"arn:aws:iam::222222222222:oidc-provider/" + otherTok, "222222222222", ""},
		"bare":                   {otherTok, "", ""},
		"bare and added":         {otherTok, "222222222222", ""},
		"own, not added":         {"arn:aws:iam::222222222222:oidc-provider/" + otherTok, "", "InvalidIdentityToken"},
		"own, added elsewhere":   {"arn:aws:iam::222222222222:oidc-provider/" + otherTok, "333333333333", "InvalidIdentityToken"},
		"of another account":     {"arn:aws:iam::333333333333:oidc-provider/" + otherTok, "333333333333", "AccessDenied"},
		"of another, but there":  {"arn:aws:iam::333333333333:oidc-provider/" + otherTok, "222222222222", "AccessDenied"},
		"of another partition":   {"arn:aws-cn:iam::222222222222:oidc-provider/" + otherTok, "222222222222", "AccessDenied"},
		"host without its path":  {"gitlab.example.com", "222222222222", "AccessDenied"},
		"everybody is not a web": {"*", "222222222222", "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			c := awsauthtest.Start()
			c.AddRole(awsauthtest.Role{ARN: manage, Trust: []string{tt.trust}})
			if tt.added != "" {
				c.AddOIDC(tt.added, "https://"+otherTok)
			}
			_, err := bearer(t, c, "eu-west-1", manage, c.WebIdentityToken(otherTok, "project:7", 0))
			require.Equal(t, tt.code, refusal(err), "%v", err)
			if tt.added == "222222222222" {
				_, err = bearer(t, c, "eu-west-1", manage, c.WebIdentityToken("unknown.example.com", "project:7", 0))
				requireRefused(t, err, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://unknown.example.com")
			}
		})
	}
}

// TestTokenConditions lets roles look at the subject and the audience.
func TestTokenConditions(t *testing.T) {
	c := awsauthtest.Start()
	for name, tt := range map[string]struct {
		subject, audience string   // of the role
		sub               string   // of the token; default repo
		aud               []string // likewise
		ok                bool
	}{
		"any":                      {"", "", "", nil, true},
		"the branch":               {repo, "", "", nil, true},
		"a fork":                   {"repo:corp/app:*", "", "repo:mallory/app:ref:refs/heads/main", nil, false},
		"a longer repository":      {"repo:corp/app:*", "", "repo:corp/app2:ref:refs/heads/main", nil, false},
		"a prefix before it":       {"repo:corp/app:*", "", "xrepo:corp/app:ref:refs/heads/main", nil, false},
		"a pull request":           {"repo:*/app:ref:refs/heads/*", "", "repo:corp/app:pull_request", nil, false},
		"two stars":                {"repo:*:ref:refs/*", "", "", nil, true},
		"star for nothing":         {"*" + repo + "*", "", "", nil, true},
		"end not met":              {"repo:*/mai", "", "", nil, false},
		"overlap":                  {"repo:corp*corp/app*", "", "repo:corp/app", nil, false},
		"case":                     {"REPO:*", "", "", nil, false},
		"question mark is literal": {"repo:corp/ap?:*", "", "", nil, false},
		"audience":                 {"", "sts.amazonaws.com", "", nil, true},
		"audience of China":        {"", "sts.amazonaws.com.cn", "", nil, false},
		"chosen audience":          {"", "sts.amazonaws.com.cn", "", []string{"sts.amazonaws.com.cn"}, true},
		"one of two audiences":     {"", "aws-*", "", []string{"vault", "aws-prod"}, true},
		"none of two audiences":    {"", "aws", "", []string{"vault", "aws-prod"}, false},
		"subject right, not aud":   {repo, "x", "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.AddRole(awsauthtest.Role{ARN: manage, Trust: []string{issuer}, Subject: tt.subject, Audience: tt.audience})
			sub := tt.sub
			if sub == "" {
				sub = repo
			}
			out, err := bearer(t, c, "us-east-1", manage, c.WebIdentityToken(issuer, sub, 0, tt.aud...))
			if !tt.ok {
				requireRefused(t, err, 403, "AccessDenied", notForYou)
				return
			}
			require.NoError(t, err)
			require.Equal(t, sub, *out.SubjectFromWebIdentityToken)
		})
	}
}
