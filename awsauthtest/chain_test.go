package awsauthtest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestAllowed: tags and a source identity are for roles whose trust policy allows
// them, whether they are new or come along a chain.
func TestAllowed(t *testing.T) {
	c, user := world(t)
	add := func(name string, r awsauthtest.Role) string {
		r.ARN, r.Trust = "arn:aws:iam::333333333333:role/"+name, []string{"111111111111", "222222222222"}
		c.AddRole(r)
		return r.ARN
	}
	plain, tagged := add("plain", awsauthtest.Role{}), add("tagged", awsauthtest.Role{AllowTags: true})
	named, required := add("named", awsauthtest.Role{AllowSourceIdentity: true}), add("required", awsauthtest.Role{RequireSourceIdentity: true})
	first := role(manage)
	transitive, passing, source := *first, *first, *first
	transitive.Tags, transitive.TransitiveTagKeys = []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}, []string{"team"}
	passing.Tags = transitive.Tags
	source.SourceIdentity = aws.String("alice")
	withTags, withOther := assume(t, c, user, &transitive), assume(t, c, user, &passing)
	withSource, without := assume(t, c, user, &source), assume(t, c, user, first)
	for name, tt := range map[string]struct {
		from   awsauthtest.Keys
		role   string
		tags   bool
		source string
		denied string // the action
	}{
		"nothing to allow":           {without, plain, false, "", ""},
		"tags":                       {user, plain, true, "", "TagSession"},
		"tags allowed":               {user, tagged, true, "", ""},
		"tags inherited":             {withTags, plain, false, "", "TagSession"},
		"tags inherited, allowed":    {withTags, tagged, false, "", ""},
		"tags that stay behind":      {withOther, plain, false, "", ""},
		"tags where names may go":    {user, named, true, "", "TagSession"},
		"name":                       {user, plain, false, "ana", "SetSourceIdentity"},
		"name allowed":               {user, named, false, "ana", ""},
		"name inherited":             {withSource, plain, false, "", "SetSourceIdentity"},
		"the same name again":        {withSource, plain, false, "alice", "SetSourceIdentity"},
		"name inherited, allowed":    {withSource, named, false, "", ""},
		"name where tags may go":     {user, tagged, false, "ana", "SetSourceIdentity"},
		"name required":              {user, required, false, "ana", ""},
		"name required and not sent": {user, required, false, "", "AssumeRole"},
	} {
		t.Run(name, func(t *testing.T) {
			in := role(tt.role)
			if tt.tags {
				in.Tags = []types.Tag{{Key: aws.String("job"), Value: aws.String("")}}
			}
			if tt.source != "" {
				in.SourceIdentity = &tt.source
			}
			_, err := client(c, "us-east-1", tt.from).AssumeRole(t.Context(), in)
			if tt.denied == "" {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, 403, "AccessDenied", " is not authorized to perform: sts:"+tt.denied+" on resource: "+tt.role)
		})
	}
}

// TestClouds share neither keys nor codes, not even for users of one name.
func TestClouds(t *testing.T) {
	one, first := world(t)
	two, second := world(t)
	require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
	require.NotEqual(t, first.SecretAccessKey, second.SecretAccessKey)
	_, err := client(two, "us-east-1", first).GetCallerIdentity(t.Context(), nil)
	requireRefused(t, err, 403, "InvalidClientTokenId", "")
	session := assume(t, one, first, role(manage))
	require.NotEqual(t, session.SessionToken, assume(t, two, second, role(manage)).SessionToken)
	_, err = client(two, "us-east-1", session).GetCallerIdentity(t.Context(), nil)
	requireRefused(t, err, 403, "InvalidClientTokenId", "")
	same := 0
	for range 5 {
		if one.MFACode(phone) == two.MFACode(phone) {
			same++
		}
		two = awsauthtest.Start()
		two.AddUser(awsauthtest.User{ARN: alice, MFASerial: phone})
	}
	require.Less(t, same, 5, "of a million codes")
	relative := one.SetContainer(&awsauthtest.Container{RoleARN: manage})
	require.NotEqual(t, relative, two.SetContainer(&awsauthtest.Container{RoleARN: manage}))
}
