package awsauth_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	chinaRole = "arn:aws-cn:iam::123456789012:role/manage-role"
	govRole   = "arn:aws-us-gov:iam::123456789012:role/manage-role"
)

// TestPartitionConflicts: what was said must agree, and is held together before
// any call.
func TestPartitionConflicts(t *testing.T) {
	keys := awsauth.WithStaticCredentials(someID, someSecret, "")
	ops := awsauth.WithProfile("ops")
	profileRole := "[profile ops]\nrole_arn = " + chinaRole + "\nsource_profile = keys\n[profile keys]\n" + keyLines
	tests := []struct {
		name   string
		config string
		opts   []awsauth.Option
		text   []string
	}{
		{"ARN and WithRegion", "", []awsauth.Option{keys, awsauth.WithRoleARN(chinaRole), awsauth.WithRegion("us-east-1")},
			[]string{chinaRole, "aws-cn", "us-east-1", `WithRegion("cn-north-1")`}},
		{"ARN and WithPartition", "", []awsauth.Option{keys, awsauth.WithRoleARN(chinaRole), awsauth.WithPartition(awsauth.AWS)},
			[]string{chinaRole, `WithPartition("aws")`}},
		{"WithRegion and WithPartition", "", []awsauth.Option{keys, awsauth.WithRegion("us-gov-west-1"), awsauth.WithPartition(awsauth.AWS)},
			[]string{"us-gov-west-1", `WithPartition("aws")`, "aws-us-gov"}},
		{"GovCloud ARN and a commercial region", "", []awsauth.Option{keys, awsauth.WithRoleARN(govRole), awsauth.WithRegion("us-west-2")},
			[]string{govRole, "us-west-2"}},
		{"profile role and WithRegion", profileRole, []awsauth.Option{ops, awsauth.WithRegion("eu-west-1")},
			[]string{chinaRole, "eu-west-1", `profile "ops"`}},
		{"profile role and WithPartition", profileRole, []awsauth.Option{ops, awsauth.WithPartition(awsauth.GovCloud)},
			[]string{chinaRole, `WithPartition("aws-us-gov")`}},
		{"profile role and ARN", profileRole, []awsauth.Option{ops, awsauth.WithRoleARN(manageRole)},
			[]string{chinaRole, manageRole}},
		{"two roles of a profile", "[profile ops]\nrole_arn = " + manageRole + "\nsource_profile = first\n" +
			"[profile first]\nrole_arn = " + chinaRole + "\nsource_profile = keys\n[profile keys]\n" + keyLines,
			[]awsauth.Option{ops}, []string{chinaRole, manageRole}},
		{"policy of another partition", "", []awsauth.Option{
			keys, awsauth.WithRoleARN(chinaRole), awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess"),
		}, []string{`WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess")`, "aws-cn"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlace(t, awsauth.China)
			w.instance() // would be asked for the region, were anything right
			w.files(tt.config, "")
			_, err := w.try(tt.opts...)
			requireBad(t, err, awsauth.WrongPartition, tt.text...)
			assert.Empty(t, w.said())
		})
	}
}

// TestAssumeInAnotherPartition is refused offline where the parent's partition
// is settled.
func TestAssumeInAnotherPartition(t *testing.T) {
	w := newPlace(t, awsauth.China)
	hub := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")))
	for _, s := range []*awsauth.Session{
		hub,
		w.open(w.static(), awsauth.WithRegion("cn-north-1")),
		w.open(w.static(), awsauth.WithPartition(awsauth.China)),
	} {
		_, err := s.Assume(awsauth.WithRoleARN(manageRole))
		requireBad(t, err, awsauth.WrongPartition, manageRole, "aws-cn")
	}
	assert.Empty(t, w.said())
}

// TestAmbientRegionGivesWay: a laptop whose AWS_REGION is us-east-1 still
// reaches China.
func TestAmbientRegionGivesWay(t *testing.T) {
	const roleProfile = "source_profile = keys\n[profile keys]\n" + keyLines
	ops := awsauth.WithProfile("ops")
	byARN := awsauth.WithRoleARN(chinaRole)
	china := awsauth.WithPartition(awsauth.China)
	account := awsauth.WithAccount(target)
	tests := []struct {
		name, config string
		env          []string
		opts         []awsauth.Option
		want         string
	}{
		{"ARN", "", []string{"AWS_REGION=us-east-1"}, []awsauth.Option{byARN}, "cn-north-1"},
		{"ARN, AWS_DEFAULT_REGION", "", []string{"AWS_DEFAULT_REGION=eu-west-1"}, []awsauth.Option{byARN}, "cn-north-1"},
		{"WithPartition", "", []string{"AWS_REGION=us-east-1"}, []awsauth.Option{china, account}, "cn-north-1"},
		{"WithPartition, default profile's region", "[default]\nregion = us-east-1\n", nil, []awsauth.Option{china, account}, "cn-north-1"},
		{"WithRegion", "", []string{"AWS_REGION=us-east-1"}, []awsauth.Option{awsauth.WithRegion("cn-northwest-1"), account}, "cn-northwest-1"},
		{"profile with keys and a region", "[profile ops]\nregion = cn-northwest-1\n" + keyLines, []string{"AWS_REGION=us-east-1"},
			[]awsauth.Option{ops, account}, "cn-northwest-1"},
		{"profile whose source has the region", "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\nregion = cn-northwest-1\n" + keyLines,
			[]string{"AWS_REGION=us-east-1"}, []awsauth.Option{ops, account}, "cn-northwest-1"},
		{"profile role, no region", "[profile ops]\nrole_arn = $BASE\n" + roleProfile, nil, []awsauth.Option{ops, account}, "cn-north-1"},
		{"profile role, foreign environment", "[profile ops]\nrole_arn = $BASE\n" + roleProfile, []string{"AWS_REGION=us-east-1"},
			[]awsauth.Option{ops, account}, "cn-north-1"},
		{"profile role, foreign profile region", "[profile ops]\nregion = us-east-1\nrole_arn = $BASE\n" + roleProfile, nil,
			[]awsauth.Option{ops, account}, "cn-north-1"},
		{"environment of the partition stays", "", []string{"AWS_REGION=cn-northwest-1"}, []awsauth.Option{byARN}, "cn-northwest-1"},
		{"profile region of the partition behind a foreign environment", "[default]\nregion = cn-northwest-1\n", []string{"AWS_REGION=us-east-1"},
			[]awsauth.Option{byARN}, "cn-northwest-1"},
		{"nothing but the ARN", "", nil, []awsauth.Option{byARN}, "cn-north-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlace(t, awsauth.China)
			w.env(tt.env...)
			w.files(tt.config, "")
			s := w.open(append([]awsauth.Option{w.static()}, tt.opts...)...)
			assert.Equal(t, tt.want, s.Config().Region)
			assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
			for _, line := range w.said() {
				assert.Contains(t, line, " "+stsHost(tt.want)+" "+tt.want+" ")
			}
			id, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, w.became(target, "manage-role"), shortARN(*id.Arn))
		})
	}
}

// TestChainInChina goes over two roles.
func TestChainInChina(t *testing.T) {
	w := newPlace(t, awsauth.China)
	w.env("AWS_REGION=us-east-1")
	hub := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")))
	leaf, err := hub.Assume(awsauth.WithAccount(target), awsauth.WithRole("team/ops"))
	require.NoError(t, err)
	assert.Equal(t, w.became(target, "ops"), w.identity(leaf))
	assert.Equal(t, "cn-north-1", leaf.Config().Region)
	assert.Equal(t, []string{
		"AssumeRole/base sts.cn-north-1.amazonaws.com.cn cn-north-1 user",
		"AssumeRole/ops sts.cn-north-1.amazonaws.com.cn cn-north-1 session",
	}, w.said())
	assert.Equal(t, "arn:aws-cn:iam::123456789012:role/team/ops", w.Calls("AssumeRole")[1].Params.Get("RoleArn"))
}

// TestChildKeepsRegion: the region of the parent, not of the environment at the
// time of Assume.
func TestChildKeepsRegion(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	s := w.open(w.static(), awsauth.WithRegion("eu-central-1"))
	w.env("AWS_REGION=us-west-2")
	child, err := s.Assume(awsauth.WithAccount(target))
	require.NoError(t, err)
	assert.Equal(t, "eu-central-1", child.Config().Region)
	assert.Equal(t, w.became(target, "manage-role"), w.identity(child))
	assert.Equal(t, []string{"AssumeRole/manage-role sts.eu-central-1.amazonaws.com eu-central-1 user"}, w.said())
}

// TestRegionSources are the places a region comes from, the strongest first.
func TestRegionSources(t *testing.T) {
	tests := []struct {
		name   string
		env    []string
		region string // of the profile
		opts   []awsauth.Option
		want   string
	}{
		{"option", []string{"AWS_REGION=eu-west-2"}, "eu-west-3", []awsauth.Option{awsauth.WithRegion("eu-west-1")}, "eu-west-1"},
		{"load option", []string{"AWS_REGION=eu-west-2"}, "eu-west-3",
			[]awsauth.Option{awsauth.WithLoadOptions(config.WithRegion("eu-west-1"))}, "eu-west-1"},
		{"AWS_REGION", []string{"AWS_REGION=eu-west-2", "AWS_DEFAULT_REGION=eu-north-1"}, "eu-west-3", nil, "eu-west-2"},
		{"AWS_DEFAULT_REGION", []string{"AWS_DEFAULT_REGION=eu-north-1"}, "eu-west-3", nil, "eu-north-1"},
		{"profile", nil, "eu-west-3", nil, "eu-west-3"},
		{"load option's default", nil, "", []awsauth.Option{awsauth.WithLoadOptions(config.WithDefaultRegion("eu-south-1"))}, "eu-south-1"},
		{"profile before load option's default", nil, "eu-west-3",
			[]awsauth.Option{awsauth.WithLoadOptions(config.WithDefaultRegion("eu-south-1"))}, "eu-west-3"},
		{"default", nil, "", nil, "us-east-1"},
		{"empty values", []string{"AWS_REGION="}, "", []awsauth.Option{awsauth.WithRegion("")}, "us-east-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.env(tt.env...)
			if tt.region != "" {
				w.files("[default]\nregion = "+tt.region+"\n", "")
			}
			s := w.open(append([]awsauth.Option{w.static()}, tt.opts...)...)
			assert.Equal(t, tt.want, s.Config().Region)
			assert.Equal(t, w.arn(home, "user/ci"), w.identity(s))
			assert.Equal(t, []string{"GetCallerIdentity " + stsHost(tt.want) + " " + tt.want + " user"}, w.said())
		})
	}
}

// TestBadAmbientRegions: the SDK would send the request to a host of partition
// aws, whatever the name.
func TestBadAmbientRegions(t *testing.T) {
	for _, region := range []string{"mars-east-1", "us-east-1a", "US-EAST-1", "us-east", "us-east-1.evil.example", "中国"} {
		for from, set := range map[string]func(w *place){
			"AWS_REGION":         func(w *place) { w.env("AWS_REGION=" + region) },
			"AWS_DEFAULT_REGION": func(w *place) { w.env("AWS_DEFAULT_REGION=" + region) },
			`profile "default"`:  func(w *place) { w.files("[default]\nregion = "+region+"\n", "") },
		} {
			t.Run(from+"/"+region, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				set(w)
				_, err := w.try(w.static(), awsauth.WithAccount(target))
				requireBad(t, err, awsauth.InvalidOption, from, region)
				assert.Empty(t, w.said())
			})
		}
	}
}

// TestWithSTSEndpoint sends all of a session's STS calls to one address, still
// signed for the region.
func TestWithSTSEndpoint(t *testing.T) {
	const host = "vpce-0a1b2c3d.sts.eu-west-1.vpce.amazonaws.com"
	w := newPlace(t, awsauth.AWS)
	w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/base"), Trust: []string{home}})
	s := w.open(w.static(), awsauth.WithRegion("eu-west-1"), awsauth.WithSTSEndpoint("https://"+host))
	hub, err := s.Assume(awsauth.WithRoleARN(w.arn(home, "role/base")))
	require.NoError(t, err)
	leaf, err := hub.Assume(awsauth.WithAccount(target))
	require.NoError(t, err)
	assert.Equal(t, w.became(target, "manage-role"), w.identity(leaf))
	assert.Equal(t, w.arn(home, "user/ci"), w.identity(s))
	_, err = sts.NewFromConfig(leaf.Config()).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err, "and so do STS clients of Config")
	require.Len(t, w.said(), 4)
	for _, c := range w.Calls() {
		assert.Equal(t, host, c.Host, c.Action)
		assert.Equal(t, "eu-west-1", c.Region, c.Action)
	}
}

// TestSTSEndpointOfProfileRole: roles that a profile assumes go there as well.
func TestSTSEndpointOfProfileRole(t *testing.T) {
	const host = "vpce-0a1b2c3d.sts.us-east-1.vpce.amazonaws.com"
	for _, src := range profileSources() {
		if !strings.Contains(strings.Join(src.calls, " "), "AssumeRole") {
			continue
		}
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			opts := src.fill(w, "us-east-1")
			s := w.open(append(opts, awsauth.WithSTSEndpoint("https://"+host))...)
			_ = w.identity(s)
			for _, c := range w.Calls("AssumeRole", "AssumeRoleWithWebIdentity") {
				assert.Equal(t, host, c.Host)
			}
		})
	}
}
