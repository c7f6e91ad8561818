package awsauth_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// regionFrom is a way for a session to get its region. Each says whether it
// also says the partition, to a source that does not.
type regionFrom struct {
	name          string
	option        bool // WithRegion, the partition's second region
	env           string
	profile       bool // the profile's region, the partition's second one
	want          func(p awsauth.Partition) string
	saysPartition bool
}

// elsewhere is a region that is not in p.
func elsewhere(p awsauth.Partition) string {
	if p == awsauth.AWS {
		return "cn-north-1"
	}
	return "us-east-1"
}

var regionsFrom = []regionFrom{
	{name: "nothing", want: lab.DefaultRegion},
	{name: "option", option: true, want: lab.OtherRegion, saysPartition: true},
	{name: "environment", env: "own", want: lab.OtherRegion, saysPartition: true},
	{name: "foreign environment", env: "foreign", want: lab.DefaultRegion},
	{name: "profile", profile: true, want: lab.OtherRegion, saysPartition: true},
	{name: "profile and foreign environment", env: "foreign", profile: true, want: lab.OtherRegion},
}

// rolesTaken are the ways to say which role.
var rolesTaken = []struct {
	name string
	opts func(*lab.Place) []awsauth.Option
}{
	{"no role", func(*lab.Place) []awsauth.Option { return nil }},
	{"account", func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithAccount(lab.Target)} }},
	{"ARN", func(w *lab.Place) []awsauth.Option {
		return []awsauth.Option{awsauth.WithRoleARN(w.ARN(lab.Target, "role/manage-role"))}
	}},
}

// TestMatrix crosses base source, partition, region source and role, and looks
// at the wire: whatever the way, no call of a session ever leaves its partition,
// all are signed for the region whose host they go to, and that is the region
// of Config.
func TestMatrix(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		for _, src := range lab.Sources() {
			for _, from := range regionsFrom {
				t.Run(fmt.Sprintf("%s/%s/%s", p, src.Name, from.name), func(t *testing.T) {
					for _, role := range rolesTaken {
						t.Run(role.name, func(t *testing.T) { cross(lab.New(t, p), src, from, role.name, role.opts) })
					}
				})
			}
		}
	}
}

func cross(w *lab.Place, src lab.Source, from regionFrom, roleName string, role func(*lab.Place) []awsauth.Option) {
	t := w.T
	profileRegion := ""
	if from.profile {
		profileRegion = lab.OtherRegion(w.Partition)
	}
	opts := append(src.Fill(w, profileRegion), role(w)...)
	switch from.env {
	case "own":
		w.Env("AWS_REGION=" + lab.OtherRegion(w.Partition))
	case "foreign":
		w.Env("AWS_REGION=" + elsewhere(w.Partition))
	}
	if from.option {
		opts = append(opts, awsauth.WithRegion(lab.OtherRegion(w.Partition)))
	}
	want := from.want(w.Partition)
	if src.FromInstance && (from.name == "nothing" || from.name == "foreign environment") {
		want = lab.OtherRegion(w.Partition)
	}
	// Keys do not tell their partition. Where nothing else does, the caller must.
	if !from.saysPartition && roleName != "ARN" {
		opts = append(opts, awsauth.WithPartition(w.Partition))
	}
	s, err := w.Try(opts...)
	require.NoError(t, err)
	identity := w.IdentityOf(s)
	if roleName != "no role" {
		assert.Equal(t, w.Became(lab.Target, "manage-role"), identity)
	}
	assert.Equal(t, want, s.Config().Region)
	sts := 0
	for _, c := range w.Calls() {
		if c.Service != "sts" {
			continue
		}
		sts++
		assert.Equal(t, lab.STSHost(want), c.Host, c.Action)
		if c.Action != "AssumeRoleWithWebIdentity" {
			assert.Equal(t, want, c.Region, c.Action)
		}
		assert.Equal(t, 200, c.Status, c.Action)
	}
	assert.NotZero(t, sts)
	if roleName != "no role" {
		last := w.Calls("AssumeRole")
		require.NotEmpty(t, last)
		assert.Equal(t, w.ARN(lab.Target, "role/manage-role"), last[len(last)-1].Params.Get("RoleArn"))
	}
}

// TestProfileRegionSaysThePartition: the keys stand in a profile whose region is
// in China, the laptop's AWS_REGION is not, and nothing else is said.
func TestProfileRegionSaysThePartition(t *testing.T) {
	for _, src := range lab.ProfileSources() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.China)
			opts := src.Fill(w, "cn-northwest-1")
			w.Env("AWS_REGION=us-east-1")
			s := w.Open(append(opts, awsauth.WithAccount(lab.Target))...)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
			assert.Equal(t, "cn-northwest-1", s.Config().Region)
			for _, c := range w.Calls("AssumeRole") {
				assert.Equal(t, "sts.cn-northwest-1.amazonaws.com.cn", c.Host)
			}
		})
	}
}
