package awsauth_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/names"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// roleOptionForm is a role option and what it adds to the form of AssumeRole.
type roleOptionForm struct {
	name string
	opts []awsauth.RoleOption
	want map[string]string // beside what every call has
}

func roleOptionForms() []roleOptionForm {
	return []roleOptionForm{
		{"none", nil, nil},
		{"role", []awsauth.RoleOption{awsauth.WithRole("team/ops")}, map[string]string{"RoleArn": "arn:aws:iam::123456789012:role/team/ops"}},
		{"empty role", []awsauth.RoleOption{awsauth.WithRole("")}, nil},
		{"last account counts", []awsauth.RoleOption{awsauth.WithAccount("999999999999"), awsauth.WithAccount(lab.Target)}, nil},
		{"session name", []awsauth.RoleOption{awsauth.WithSessionName("deploy+1=a,b.c@d-e_f")}, map[string]string{"RoleSessionName": "deploy+1=a,b.c@d-e_f"}},
		{"shortest duration", []awsauth.RoleOption{awsauth.WithDuration(15 * time.Minute)}, map[string]string{"DurationSeconds": "900"}},
		{"longest duration", []awsauth.RoleOption{awsauth.WithDuration(12 * time.Hour)}, map[string]string{"DurationSeconds": "43200"}},
		{"odd duration", []awsauth.RoleOption{awsauth.WithDuration(901 * time.Second)}, map[string]string{"DurationSeconds": "901"}},
		{"external id", []awsauth.RoleOption{awsauth.WithExternalID("a:b/c=d,e.f@g-h")}, map[string]string{"ExternalId": "a:b/c=d,e.f@g-h"}},
		{"source identity", []awsauth.RoleOption{awsauth.WithSourceIdentity("ana@example.com")}, map[string]string{"SourceIdentity": "ana@example.com"}},
		{
			"tags", []awsauth.RoleOption{awsauth.WithTags(map[string]string{"team": "ops", "env": "prod eu"}), awsauth.WithTags(map[string]string{"cost": ""})},
			map[string]string{
				"Tags.member.1.Key": "cost", "Tags.member.1.Value": "", "Tags.member.2.Key": "env", "Tags.member.2.Value": "prod eu",
				"Tags.member.3.Key": "team", "Tags.member.3.Value": "ops",
			},
		},
		{
			"transitive tags", []awsauth.RoleOption{awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithTransitiveTags(map[string]string{"project": "Ünïcode 1"})},
			map[string]string{
				"Tags.member.1.Key": "project", "Tags.member.1.Value": "Ünïcode 1", "Tags.member.2.Key": "team", "Tags.member.2.Value": "ops",
				"TransitiveTagKeys.member.1": "project",
			},
		},
		{"policy", []awsauth.RoleOption{awsauth.WithPolicy(lab.Policy)}, map[string]string{"Policy": lab.Policy}},
		{
			"policy ARNs", []awsauth.RoleOption{awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess", ""), awsauth.WithPolicyARNs("arn:aws:iam::123456789012:policy/team/own")},
			map[string]string{"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyArns.member.2.arn": "arn:aws:iam::123456789012:policy/team/own"},
		},
	}
}

// TestRoleOptionsReachSTS compares the whole form of AssumeRole, option by
// option.
func TestRoleOptionsReachSTS(t *testing.T) {
	for _, tt := range roleOptionForms() {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			for _, arn := range []string{lab.ManageRole, "arn:aws:iam::123456789012:role/team/ops"} {
				w.AddRole(awsauthtest.Role{ARN: arn, Trust: []string{lab.Home}, MaxSession: 12 * time.Hour, AllowTags: true, AllowSourceIdentity: true})
			}
			roleOpts := append([]awsauth.RoleOption{awsauth.WithAccount(lab.Target), awsauth.WithSessionName("test")}, tt.opts...)
			opts := []awsauth.Option{w.Static()}
			for _, o := range roleOpts {
				opts = append(opts, o)
			}
			_, err := w.Open(opts...).Retrieve(t.Context())
			require.NoError(t, err, "by New")
			child, err := w.Open(w.Static()).Assume(roleOpts...)
			require.NoError(t, err)
			_, err = child.Retrieve(t.Context())
			require.NoError(t, err, "by Assume")

			want := url.Values{
				"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {lab.ManageRole},
				"RoleSessionName": {"test"}, "DurationSeconds": {"3600"},
			}
			for name, value := range tt.want {
				want[name] = []string{value}
			}
			calls := w.Calls()
			require.Len(t, calls, 2)
			assert.Equal(t, want, calls[0].Params)
			assert.Equal(t, want, calls[1].Params)
		})
	}
}

// TestTagsAreCopied: what a caller does to a map later changes nothing.
func TestTagsAreCopied(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	tags := map[string]string{"team": "ops"}
	s := w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithTransitiveTags(tags))
	tags["team"], tags["more"] = "other", "x"
	creds, err := s.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"team": "ops"}, w.SessionTags(creds.AccessKeyID))
}

// TestAssumeNeedsATarget: Assume without a role would be the same identity under
// another name.
func TestAssumeNeedsATarget(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	for _, opts := range [][]awsauth.RoleOption{nil, {awsauth.WithAccount("")}, {awsauth.WithRoleARN(""), awsauth.WithRole("")}, {nil}} {
		_, err := s.Assume(opts...)
		lab.RequireBad(t, err, awsauth.InvalidOption, "Assume", "WithAccount")
	}
	_, err := s.Assume(awsauth.WithRole("ops"))
	lab.RequireBad(t, err, awsauth.InvalidOption, "WithRole", "WithAccount")
	assert.Empty(t, w.Said())
}

// TestDefaultSessionName: it says who asked, in each of the roles.
func TestDefaultSessionName(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files(lab.RoleProfile, "")
	_ = w.IdentityOf(w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target)))
	calls := w.Calls("AssumeRole")
	assert.Len(t, calls, 2)
	for _, c := range calls {
		assert.Equal(t, names.DefaultSession(), c.Params.Get("RoleSessionName"), c.Params.Get("RoleArn"))
	}
}
