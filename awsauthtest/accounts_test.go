package awsauthtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestRefusedRoles: what IAM would not take, AddRole does not.
func TestRefusedRoles(t *testing.T) {
	c := awsauthtest.Start()
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/team/ops"})
	for name, r := range map[string]awsauthtest.Role{
		"root of China":      {ARN: manage, Trust: []string{"arn:aws-cn:iam::111111111111:root"}},
		"user of GovCloud":   {ARN: manage, Trust: []string{"arn:aws-us-gov:iam::111111111111:user/alice"}},
		"root of aws":        {ARN: managCN, Trust: []string{"arn:aws:iam::333333333333:root"}},
		"all roles":          {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:role/*"}},
		"all of a team":      {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:user/team/*"}},
		"all accounts":       {ARN: manage, Trust: []string{"arn:aws:iam::*:root"}},
		"all sessions":       {ARN: manage, Trust: []string{"arn:aws:sts::111111111111:assumed-role/hub/*"}},
		"group":              {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:group/admins"}},
		"policy":             {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:policy/admins"}},
		"typo in the kind":   {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:rolle/hub"}},
		"typo in root":       {ARN: manage, Trust: []string{"arn:aws:iam::111111111111:roots"}},
		"typo in partition":  {ARN: manage, Trust: []string{"arn:asw:iam::111111111111:oidc-provider/example.com"}},
		"11 digits":          {ARN: manage, Trust: []string{"arn:aws:iam::11111111111:root"}},
		"one colon too few":  {ARN: manage, Trust: []string{"arn:aws:iam:111111111111:root"}},
		"session of nobody":  {ARN: manage, Trust: []string{"arn:aws:sts::111111111111:assumed-role/hub"}},
		"the second entry":   {ARN: manage, Trust: []string{"111111111111", "alice"}},
		"empty entry":        {ARN: manage, Trust: []string{""}},
		"space":              {ARN: manage, Trust: []string{alice + " "}},
		"name of 300":        {ARN: "arn:aws:iam::222222222222:role/" + strings.Repeat("r", 300)},
		"name of 65":         {ARN: "arn:aws:iam::222222222222:role/a/" + strings.Repeat("r", 65)},
		"path of 513":        {ARN: "arn:aws:iam::222222222222:role/" + strings.Repeat("p", 511) + "/r"},
		"under another path": {ARN: "arn:aws:iam::222222222222:role/ops"},
		"in other letters":   {ARN: "arn:aws:iam::222222222222:role/team/OPS"},
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, func() { c.AddRole(r) }) })
	}
	for _, r := range []awsauthtest.Role{
		{ARN: "arn:aws:iam::222222222222:role/" + strings.Repeat("p", 510) + "/" + strings.Repeat("r", 64)},
		{ARN: "arn:aws:iam::333333333333:role/ops"}, // another account
		{ARN: "arn:aws-cn:iam::222222222222:role/ops"},
		{ARN: "arn:aws:iam::222222222222:role/team/ops", Trust: []string{"arn:aws:iam::111111111111:saml-provider/adfs", "ec2.amazonaws.com"}}, // again
	} {
		require.NotPanics(t, func() { c.AddRole(r) })
	}
}

// TestRefusedUsers: nor does AddUser.
func TestRefusedUsers(t *testing.T) {
	c, _ := world(t)
	for name, u := range map[string]awsauthtest.User{
		"device of alice":    {ARN: bob, MFASerial: phone},
		"under another path": {ARN: "arn:aws:iam::111111111111:user/team/Alice"},
		"name of 65":         {ARN: "arn:aws:iam::111111111111:user/" + strings.Repeat("u", 65)},
		"may what":           {ARN: bob, MayAssume: []string{"manage-role"}},
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, func() { c.AddUser(u) }) })
	}
	c.RemoveUser(alice)
	require.NotPanics(t, func() { c.AddUser(awsauthtest.User{ARN: bob, MFASerial: phone}) }, "the device is free")
}

// TestMayAssume: the user's own policies are the other half of a trust.
func TestMayAssume(t *testing.T) {
	c := awsauthtest.Start()
	byAccount, byName := manage, "arn:aws:iam::222222222222:role/team/ops"
	ownByAccount, ownByName := "arn:aws:iam::111111111111:role/own", "arn:aws:iam::111111111111:role/mine"
	c.AddRole(awsauthtest.Role{ARN: byAccount, Trust: []string{"111111111111"}})
	c.AddRole(awsauthtest.Role{ARN: byName, Trust: []string{alice}})
	c.AddRole(awsauthtest.Role{ARN: ownByAccount, Trust: []string{"arn:aws:iam::111111111111:root"}})
	c.AddRole(awsauthtest.Role{ARN: ownByName, Trust: []string{alice}})
	all := []string{byAccount, byName, ownByAccount, ownByName}
	for name, tt := range map[string]struct {
		may  []string
		want []string
	}{
		"everything":         {[]string{"*"}, all},
		"one":                {[]string{byName}, []string{byName, ownByName}},
		"an account":         {[]string{"arn:aws:iam::222222222222:role/*"}, []string{byAccount, byName, ownByName}},
		"a name everywhere":  {[]string{"arn:aws:iam::*:role/manage-role"}, []string{byAccount, ownByName}},
		"two":                {[]string{ownByAccount, byAccount}, []string{byAccount, ownByAccount, ownByName}},
		"nothing":            {[]string{}, []string{ownByName}},
		"one that is no one": {[]string{"arn:aws:iam::222222222222:role/manage"}, []string{ownByName}},
	} {
		t.Run(name, func(t *testing.T) {
			keys := c.AddUser(awsauthtest.User{ARN: alice, MayAssume: tt.may})
			out, err := client(c, "us-east-1", keys).GetSessionToken(t.Context(), nil)
			require.NoError(t, err)
			k := out.Credentials
			session := awsauthtest.Keys{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken}
			for _, keys := range []awsauthtest.Keys{keys, session, c.AddUser(awsauthtest.User{ARN: alice})} {
				for _, arn := range all {
					_, err := client(c, "us-east-1", keys).AssumeRole(t.Context(), role(arn))
					if slices.Contains(tt.want, arn) {
						require.NoError(t, err)
						continue
					}
					requireRefused(t, err, 403, "AccessDenied", "User: "+alice+" is not authorized to perform: sts:AssumeRole on resource: "+arn)
				}
			}
		})
	}
	fresh := c.AddUser(awsauthtest.User{ARN: bob})
	_, err := client(c, "us-east-1", fresh).AssumeRole(t.Context(), role(byAccount))
	require.NoError(t, err, "nil is everything")
}

// TestRemove deletes a role and a user with everything of theirs.
func TestRemove(t *testing.T) {
	c, user := world(t)
	other := c.AddUser(awsauthtest.User{ARN: bob})
	ask := func(keys awsauthtest.Keys) string {
		_, err := client(c, "us-east-1", keys).GetCallerIdentity(t.Context(), nil)
		return refusal(err)
	}
	inRole := assume(t, c, user, role(manage))
	c.RemoveRole("arn:aws:iam::222222222222:role/none")
	require.Empty(t, ask(inRole))
	c.RemoveRole(manage)
	require.Equal(t, "InvalidClientTokenId", ask(inRole))
	_, err := client(c, "us-east-1", user).AssumeRole(t.Context(), role(manage))
	require.Equal(t, "AccessDenied", refusal(err))
	c.AddRole(awsauthtest.Role{ARN: manage, Trust: []string{"111111111111"}})
	inRole = assume(t, c, user, role(manage))

	out, err := client(c, "us-east-1", user).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.NoError(t, err)
	k := out.Credentials
	session := awsauthtest.Keys{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken}
	c.RemoveUser(alice)
	for _, keys := range []awsauthtest.Keys{user, session} {
		require.Equal(t, "InvalidClientTokenId", ask(keys))
	}
	require.Empty(t, ask(other))
	require.Panics(t, func() { c.MFACode(phone) })
	require.Empty(t, ask(inRole), "a role's session does not end with who assumed it")
	c.RemoveRole(manage)
	require.NotPanics(t, func() { c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/path/manage-role"}) }, "the name is free")
	require.Empty(t, ask(c.AddUser(awsauthtest.User{ARN: alice})))
}
