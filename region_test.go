package awsauth_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestPartitionConflicts: what was said must agree, and is held together before
// any call.
func TestPartitionConflicts(t *testing.T) {
	keys := awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")
	ops := awsauth.WithProfile("ops")
	profileRole := "[profile ops]\nrole_arn = " + lab.ChinaRole + "\nsource_profile = keys\n[profile keys]\n" + lab.KeyLines
	tests := []struct {
		name   string
		config string
		opts   []awsauth.Option
		text   []string
	}{
		{"ARN and WithRegion", "", []awsauth.Option{keys, awsauth.WithRoleARN(lab.ChinaRole), awsauth.WithRegion("us-east-1")},
			[]string{lab.ChinaRole, "aws-cn", "us-east-1", `WithRegion("cn-north-1")`}},
		{"ARN and WithPartition", "", []awsauth.Option{keys, awsauth.WithRoleARN(lab.ChinaRole), awsauth.WithPartition(awsauth.AWS)},
			[]string{lab.ChinaRole, `WithPartition("aws")`}},
		{"WithRegion and WithPartition", "", []awsauth.Option{keys, awsauth.WithRegion("us-gov-west-1"), awsauth.WithPartition(awsauth.AWS)},
			[]string{"us-gov-west-1", `WithPartition("aws")`, "aws-us-gov"}},
		{"GovCloud ARN and a commercial region", "", []awsauth.Option{keys, awsauth.WithRoleARN(lab.GovRole), awsauth.WithRegion("us-west-2")},
			[]string{lab.GovRole, "us-west-2"}},
		{"profile role and WithRegion", profileRole, []awsauth.Option{ops, awsauth.WithRegion("eu-west-1")},
			[]string{lab.ChinaRole, "eu-west-1", `profile "ops"`}},
		{"profile role and WithPartition", profileRole, []awsauth.Option{ops, awsauth.WithPartition(awsauth.GovCloud)},
			[]string{lab.ChinaRole, `WithPartition("aws-us-gov")`}},
		{"profile role and ARN", profileRole, []awsauth.Option{ops, awsauth.WithRoleARN(lab.ManageRole)},
			[]string{lab.ChinaRole, lab.ManageRole}},
		{"two roles of a profile", "[profile ops]\nrole_arn = " + lab.ManageRole + "\nsource_profile = first\n" +
			"[profile first]\nrole_arn = " + lab.ChinaRole + "\nsource_profile = keys\n[profile keys]\n" + lab.KeyLines,
			[]awsauth.Option{ops}, []string{lab.ChinaRole, lab.ManageRole}},
		{"policy of another partition", "", []awsauth.Option{
			keys, awsauth.WithRoleARN(lab.ChinaRole), awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess"),
		}, []string{`WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess")`, "aws-cn"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.China)
			w.OnInstance() // would be asked for the region, were anything right
			w.Files(tt.config, "")
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, awsauth.WrongPartition, tt.text...)
			assert.Empty(t, w.Said())
		})
	}
}

// TestAssumeInAnotherPartition is refused offline where the parent's partition
// is settled.
func TestAssumeInAnotherPartition(t *testing.T) {
	w := lab.New(t, awsauth.China)
	hub := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	for _, s := range []*awsauth.Session{
		hub,
		w.Open(w.Static(), awsauth.WithRegion("cn-north-1")),
		w.Open(w.Static(), awsauth.WithPartition(awsauth.China)),
	} {
		_, err := s.Assume(awsauth.WithRoleARN(lab.ManageRole))
		lab.RequireBad(t, err, awsauth.WrongPartition, lab.ManageRole, "aws-cn")
	}
	assert.Empty(t, w.Said())
}

// TestAmbientRegionGivesWay: a laptop whose AWS_REGION is us-east-1 still
// reaches China.
func TestAmbientRegionGivesWay(t *testing.T) {
	const roleProfile = "source_profile = keys\n[profile keys]\n" + lab.KeyLines
	ops := awsauth.WithProfile("ops")
	byARN := awsauth.WithRoleARN(lab.ChinaRole)
	china := awsauth.WithPartition(awsauth.China)
	account := awsauth.WithAccount(lab.Target)
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
		{"profile with keys and a region", "[profile ops]\nregion = cn-northwest-1\n" + lab.KeyLines, []string{"AWS_REGION=us-east-1"},
			[]awsauth.Option{ops, account}, "cn-northwest-1"},
		{"profile whose source has the region", "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\nregion = cn-northwest-1\n" + lab.KeyLines,
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
			w := lab.New(t, awsauth.China)
			w.Env(tt.env...)
			w.Files(tt.config, "")
			s := w.Open(append([]awsauth.Option{w.Static()}, tt.opts...)...)
			assert.Equal(t, tt.want, s.Config().Region)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
			for _, line := range w.Said() {
				assert.Contains(t, line, " "+lab.STSHost(tt.want)+" "+tt.want+" ")
			}
			id, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), lab.ShortARN(*id.Arn))
		})
	}
}

// TestChainInChina goes over two roles.
func TestChainInChina(t *testing.T) {
	w := lab.New(t, awsauth.China)
	w.Env("AWS_REGION=us-east-1")
	hub := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	leaf, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
	require.NoError(t, err)
	assert.Equal(t, w.Became(lab.Target, "ops"), w.IdentityOf(leaf))
	assert.Equal(t, "cn-north-1", leaf.Config().Region)
	assert.Equal(t, []string{
		"AssumeRole/base sts.cn-north-1.amazonaws.com.cn cn-north-1 user",
		"AssumeRole/ops sts.cn-north-1.amazonaws.com.cn cn-north-1 session",
	}, w.Said())
	assert.Equal(t, "arn:aws-cn:iam::123456789012:role/team/ops", w.Calls("AssumeRole")[1].Params.Get("RoleArn"))
}

// TestChildKeepsRegion: the region of the parent, not of the environment at the
// time of Assume.
func TestChildKeepsRegion(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static(), awsauth.WithRegion("eu-central-1"))
	w.Env("AWS_REGION=us-west-2")
	child, err := s.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	assert.Equal(t, "eu-central-1", child.Config().Region)
	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(child))
	assert.Equal(t, []string{"AssumeRole/manage-role sts.eu-central-1.amazonaws.com eu-central-1 user"}, w.Said())
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
			w := lab.New(t, awsauth.AWS)
			w.Env(tt.env...)
			if tt.region != "" {
				w.Files("[default]\nregion = "+tt.region+"\n", "")
			}
			s := w.Open(append([]awsauth.Option{w.Static()}, tt.opts...)...)
			assert.Equal(t, tt.want, s.Config().Region)
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			assert.Equal(t, []string{"GetCallerIdentity " + lab.STSHost(tt.want) + " " + tt.want + " user"}, w.Said())
		})
	}
}

// TestBadAmbientRegions: the SDK would send the request to a host of partition
// aws, whatever the name.
func TestBadAmbientRegions(t *testing.T) {
	for _, region := range []string{"mars-east-1", "us-east-1a", "US-EAST-1", "us-east", "us-east-1.evil.example", "中国"} {
		for from, set := range map[string]func(w *lab.Place){
			"AWS_REGION":         func(w *lab.Place) { w.Env("AWS_REGION=" + region) },
			"AWS_DEFAULT_REGION": func(w *lab.Place) { w.Env("AWS_DEFAULT_REGION=" + region) },
			`profile "default"`:  func(w *lab.Place) { w.Files("[default]\nregion = "+region+"\n", "") },
		} {
			t.Run(from+"/"+region, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				set(w)
				_, err := w.Try(w.Static(), awsauth.WithAccount(lab.Target))
				lab.RequireBad(t, err, awsauth.InvalidOption, from, region)
				assert.Empty(t, w.Said())
			})
		}
	}
}

// TestPseudoRegions: no service but global ones is there.
func TestPseudoRegions(t *testing.T) {
	for _, tt := range []struct {
		p           awsauth.Partition
		env, option string
		want        string
	}{
		{awsauth.AWS, "aws-global", "", "us-east-1"},
		{awsauth.China, "aws-cn-global", "", "cn-north-1"},
		{awsauth.AWS, "garbage", "eu-west-1", "eu-west-1"},
	} {
		t.Run(tt.env, func(t *testing.T) {
			w := lab.New(t, tt.p)
			w.Env("AWS_REGION=" + tt.env)
			s := w.Open(w.Static(), awsauth.WithRegion(tt.option))
			require.Equal(t, tt.want, s.Config().Region)
			require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			require.Equal(t, []string{"GetCallerIdentity " + lab.STSHost(tt.want) + " " + tt.want + " user"}, w.Said())
		})
	}
}
