package rolesanywhere_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

const (
	anchor  = "arn:aws:rolesanywhere:us-east-1:222222222222:trust-anchor/0a1b2c3d-0000-4000-8000-0123456789ab"
	profile = "arn:aws:rolesanywhere:us-east-1:222222222222:profile/1a1b2c3d-0000-4000-8000-0123456789ab"
	role    = "arn:aws:iam::222222222222:role/fleet/device"
)

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct {
		anchor, profile, role string
		want                  rolesanywhere.Target
	}{
		"aws":   {anchor, profile, role, rolesanywhere.Target{Partition: "aws", Region: "us-east-1", Account: "222222222222"}},
		"China": {china(anchor), china(profile), china(role), rolesanywhere.Target{Partition: "aws-cn", Region: "cn-north-1", Account: "222222222222"}},
		"anchor of another account": {
			strings.Replace(anchor, "222222222222", "333333333333", 1), profile, role,
			rolesanywhere.Target{Partition: "aws", Region: "us-east-1", Account: "222222222222"},
		},
	} {
		got, err := rolesanywhere.Parse(tt.anchor, tt.profile, tt.role)
		require.NoError(t, err, name)
		tt.want.TrustAnchorARN, tt.want.ProfileARN, tt.want.RoleARN = tt.anchor, tt.profile, tt.role
		assert.Equal(t, tt.want, got, name)
	}
}

// TestParseBounds has the shortest and the longest of what is counted.
func TestParseBounds(t *testing.T) {
	const account = ":222222222222:"
	for _, n := range []int{1, 20} {
		partition := "arn:" + strings.Repeat("a", n)
		for _, m := range []int{1, 64} {
			name := strings.Repeat("b", m)
			got, err := rolesanywhere.Parse(partition+":rolesanywhere:us-east-1"+account+"trust-anchor/"+name,
				partition+":rolesanywhere:us-east-1"+account+"profile/"+name, partition+":iam:"+account+"role/"+name)
			require.NoError(t, err, "%d, %d", n, m)
			assert.Len(t, got.Partition, n)
		}
	}
}

func china(arn string) string {
	return strings.NewReplacer("arn:aws:", "arn:aws-cn:", "us-east-1", "cn-north-1").Replace(arn)
}

func TestParseRefuses(t *testing.T) {
	west := strings.Replace(profile, "us-east-1", "us-west-2", 1)
	for name, tt := range map[string]struct {
		anchor, profile, role string
		want                  []string
	}{
		"anchor and profile swapped": {profile, anchor, role, []string{"of a profile, where that of the trust anchor belongs", "order is trust anchor, profile, role"}},
		"profile and role swapped":   {anchor, role, profile, []string{"of a role, where that of the profile belongs"}},
		"the anchor twice":           {anchor, anchor, role, []string{"of a trust anchor, where that of the profile belongs"}},
		"role first":                 {role, anchor, profile, []string{"of a role, where that of the trust anchor belongs"}},
		"profile as role":            {anchor, profile, profile, []string{"of a profile, where that of the role belongs"}},
		"regions":                    {anchor, west, role, []string{"trust anchor is in region us-east-1, the profile in us-west-2"}},
		"accounts":                   {anchor, profile, strings.Replace(role, "222222222222", "333333333333", 1), []string{"profile is of account 222222222222, the role of 333333333333"}},
		"profile's partition":        {anchor, china(profile), role, []string{"trust anchor is in partition aws, the profile in aws-cn"}},
		"role's partition":           {china(anchor), china(profile), role, []string{"trust anchor is in partition aws-cn, the role in aws"}},
		"no anchor":                  {"", profile, role, []string{"ARN of the trust anchor is empty"}},
		"no profile":                 {anchor, "", role, []string{"ARN of the profile is empty"}},
		"no role":                    {anchor, profile, "", []string{"ARN of the role is empty"}},
		"an id alone":                {"0a1b2c3d-0000-4000-8000-0123456789ab", profile, role, []string{"is no ARN of a trust anchor", "arn:<partition>:rolesanywhere:"}},
		"another service":            {anchor, profile, "arn:aws:s3:::bucket", []string{"is no ARN of a role"}},
		"a user":                     {anchor, profile, "arn:aws:iam::222222222222:user/ci", []string{"is no ARN of a role"}},
		"no region":                  {strings.Replace(anchor, "us-east-1", "", 1), profile, role, []string{"trust anchor is malformed: it has no region"}},
		"11 digits":                  {anchor, strings.Replace(profile, "222222222222", "22222222222", 1), role, []string{"profile is malformed: its account is not 12 digits"}},
		"no id":                      {anchor, "arn:aws:rolesanywhere:us-east-1:222222222222:profile/", role, []string{"profile is malformed: its id"}},
		"a role's region":            {anchor, profile, strings.Replace(role, "::", ":us-east-1:", 1), []string{"a role has no region"}},
		"a role's name":              {anchor, profile, role + "/", []string{"it has no name of a role"}},
		"a role's path":              {anchor, profile, strings.Replace(role, "fleet", "/fleet", 1), []string{"it has no name of a role"}},
		"an anchor of no service":    {strings.Replace(anchor, "rolesanywhere", "iam", 1), profile, role, []string{"is no ARN of a trust anchor", "; it has the form arn:<partition>:rolesanywhere:"}},
		"a profile of no service":    {anchor, strings.Replace(profile, "rolesanywhere", "ec2", 1), role, []string{"is no ARN of a profile"}},
		"a role of no service":       {anchor, profile, strings.Replace(role, "iam", "sts", 1), []string{"is no ARN of a role"}},
		"21 letters":                 {strings.Replace(anchor, "aws", strings.Repeat("a", 21), 1), profile, role, []string{"it has no partition; it has the form arn:<partition>:rolesanywhere:"}},
		"a long id":                  {anchor, profile[:strings.LastIndexByte(profile, '/')+1] + strings.Repeat("a", 65), role, []string{"its id is malformed; it has the form arn:<partition>:rolesanywhere:"}},
		"a role's long name":         {anchor, profile, "arn:aws:iam::222222222222:role/" + strings.Repeat("a", 65), []string{"it has no name of a role; it has the form arn:<partition>:iam:"}},
		"no partition":               {anchor, profile, strings.Replace(role, ":aws:", "::", 1), []string{"it has no partition"}},
	} {
		_, err := rolesanywhere.Parse(tt.anchor, tt.profile, tt.role)
		var e *rolesanywhere.ARNError
		require.ErrorAs(t, err, &e, name)
		for _, part := range tt.want {
			assert.Contains(t, err.Error(), part, name)
		}
		assert.Equal(t, strings.Contains(name, "partition") && name != "no partition", e.WrongPartition, name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
}

func TestEndpoint(t *testing.T) {
	assert.Equal(t, "https://rolesanywhere.cn-north-1.amazonaws.com.cn", rolesanywhere.Endpoint("cn-north-1", "amazonaws.com.cn", false))
	assert.Equal(t, "https://rolesanywhere-fips.us-gov-west-1.amazonaws.com", rolesanywhere.Endpoint("us-gov-west-1", "amazonaws.com", true))
}

func FuzzParse(f *testing.F) {
	f.Add(anchor, profile, role)
	f.Add(china(anchor), china(profile), china(role))
	f.Add("arn:::::", "arn:aws:rolesanywhere:::profile/", "")
	f.Fuzz(func(t *testing.T, a, p, r string) {
		target, err := rolesanywhere.Parse(a, p, r)
		if err != nil {
			var e *rolesanywhere.ARNError
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Mend)
			return
		}
		for _, part := range []string{target.Partition, target.Region, target.Account} {
			require.NotEmpty(t, part)
			require.Contains(t, a+p+r, part)
		}
		require.NotContains(t, target.Region, "/", "the region becomes part of a host name")
	})
}
