package awsauth_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
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

func second(p awsauth.Partition) string { return regionsOf[p].second }
func first(p awsauth.Partition) string  { return regionsOf[p].main }

// elsewhere is a region that is not in p.
func elsewhere(p awsauth.Partition) string {
	if p == awsauth.AWS {
		return "cn-north-1"
	}
	return "us-east-1"
}

var regionsFrom = []regionFrom{
	{name: "nothing", want: first},
	{name: "option", option: true, want: second, saysPartition: true},
	{name: "environment", env: "own", want: second, saysPartition: true},
	{name: "foreign environment", env: "foreign", want: first},
	{name: "profile", profile: true, want: second, saysPartition: true},
	{name: "profile and foreign environment", env: "foreign", profile: true, want: second},
}

// rolesTaken are the ways to say which role.
var rolesTaken = []struct {
	name string
	opts func(*place) []awsauth.Option
}{
	{"no role", func(*place) []awsauth.Option { return nil }},
	{"account", func(*place) []awsauth.Option { return []awsauth.Option{awsauth.WithAccount(target)} }},
	{"ARN", func(w *place) []awsauth.Option {
		return []awsauth.Option{awsauth.WithRoleARN(w.arn(target, "role/manage-role"))}
	}},
}

// TestMatrix crosses base source, partition, region source and role, and looks
// at the wire: whatever the way, no call of a session ever leaves its partition,
// all are signed for the region whose host they go to, and that is the region
// of Config.
func TestMatrix(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		for _, src := range baseSources() {
			for _, from := range regionsFrom {
				t.Run(fmt.Sprintf("%s/%s/%s", p, src.name, from.name), func(t *testing.T) {
					for _, role := range rolesTaken {
						t.Run(role.name, func(t *testing.T) { cross(newPlace(t, p), src, from, role.name, role.opts) })
					}
				})
			}
		}
	}
}

func cross(w *place, src baseSource, from regionFrom, roleName string, role func(*place) []awsauth.Option) {
	t := w.t
	profileRegion := ""
	if from.profile {
		profileRegion = second(w.p)
	}
	opts := append(src.fill(w, profileRegion), role(w)...)
	switch from.env {
	case "own":
		w.env("AWS_REGION=" + second(w.p))
	case "foreign":
		w.env("AWS_REGION=" + elsewhere(w.p))
	}
	if from.option {
		opts = append(opts, awsauth.WithRegion(second(w.p)))
	}
	want := from.want(w.p)
	if src.fromInstance && from.name == "nothing" {
		want = second(w.p)
	}
	// Keys do not tell their partition. Where nothing else does, the caller must.
	if !from.saysPartition && roleName != "ARN" {
		opts = append(opts, awsauth.WithPartition(w.p))
	}
	s, err := w.try(opts...)
	require.NoError(t, err)
	identity := w.identity(s)
	if roleName != "no role" {
		assert.Equal(t, w.became(target, "manage-role"), identity)
	}
	assert.Equal(t, want, s.Config().Region)
	sts := 0
	for _, c := range w.Calls() {
		if c.Service != "sts" {
			continue
		}
		sts++
		assert.Equal(t, stsHost(want), c.Host, c.Action)
		if c.Action != "AssumeRoleWithWebIdentity" {
			assert.Equal(t, want, c.Region, c.Action)
		}
		assert.Equal(t, 200, c.Status, c.Action)
	}
	assert.NotZero(t, sts)
	if roleName != "no role" {
		last := w.Calls("AssumeRole")
		require.NotEmpty(t, last)
		assert.Equal(t, w.arn(target, "role/manage-role"), last[len(last)-1].Params.Get("RoleArn"))
	}
}

// TestProfileRegionSaysThePartition: the keys stand in a profile whose region is
// in China, the laptop's AWS_REGION is not, and nothing else is said.
func TestProfileRegionSaysThePartition(t *testing.T) {
	for _, src := range profileSources() {
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.China)
			opts := src.fill(w, "cn-northwest-1")
			w.env("AWS_REGION=us-east-1")
			s := w.open(append(opts, awsauth.WithAccount(target))...)
			assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
			assert.Equal(t, "cn-northwest-1", s.Config().Region)
			for _, c := range w.Calls("AssumeRole") {
				assert.Equal(t, "sts.cn-northwest-1.amazonaws.com.cn", c.Host)
			}
		})
	}
}

// TestInstanceInChina: the region comes from the metadata even where the role's
// ARN says the partition first.
func TestInstanceInChina(t *testing.T) {
	w := newPlace(t, awsauth.China)
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Region: "cn-northwest-1"})
	s := w.open(awsauth.WithRoleARN(w.arn(target, "role/manage-role")))
	assert.Equal(t, "cn-northwest-1", s.Config().Region)
	assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
}
