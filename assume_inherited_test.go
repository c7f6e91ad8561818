package awsauth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestInherited: what a role's session passes on to those assumed from it cannot be set
// again. That is said before any call, by Assume and by ForEachAccount.
func TestInherited(t *testing.T) {
	tag := func(key string) map[string]string { return map[string]string{key: "x"} }
	const role = "the session of role arn:aws:iam::123456789012:role/manage-role "
	for name, tt := range map[string]struct {
		parent, child awsauth.RoleOption
		says          string // "": it is no fault
	}{
		"another source identity": {awsauth.WithSourceIdentity("ana"), awsauth.WithSourceIdentity("bob"),
			`awsauth: WithSourceIdentity("bob"): ` + role + `has the source identity "ana", which stays; pass "ana", or leave the option out`},
		"the same source identity": {awsauth.WithSourceIdentity("ana"), awsauth.WithSourceIdentity("ana"), ""},
		"none above":               {awsauth.WithSessionName("ana"), awsauth.WithSourceIdentity("bob"), ""},
		"none below":               {awsauth.WithSourceIdentity("ana"), awsauth.WithSessionName("bob"), ""},
		"a tag that is passed on": {awsauth.WithTransitiveTags(tag("Team")), awsauth.WithTags(tag("team")),
			`awsauth: WithTags: ` + role + `passes on a tag "team", which cannot be set again; leave the tag out`},
		"a tag that is passed on, again": {awsauth.WithTransitiveTags(tag("team")), awsauth.WithTransitiveTags(tag("team")),
			`awsauth: WithTransitiveTags: ` + role + `passes on a tag "team", which cannot be set again; leave the tag out`},
		"another tag":                 {awsauth.WithTransitiveTags(tag("team")), awsauth.WithTags(tag("project")), ""},
		"a tag that is not passed on": {awsauth.WithTags(tag("team")), awsauth.WithTags(tag("team")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			for _, name := range []string{"manage-role", "audit"} {
				w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/"+name), Trust: []string{lab.Home, lab.Target}, AllowSourceIdentity: true, AllowTags: true})
			}
			parent := w.Open(w.Static(), awsauth.WithAccount(lab.Target), tt.parent.(awsauth.Option))
			middle, err := parent.Assume(awsauth.WithAccount(lab.Home))
			require.NoError(t, err)
			for _, s := range []*awsauth.Session{parent, middle} {
				child, err := s.Assume(awsauth.WithAccount(lab.Home), awsauth.WithRole("audit"), tt.child)
				if tt.says == "" {
					require.NoError(t, err)
					lab.Get(t, child)
					continue
				}
				require.EqualError(t, err, tt.says)
				assert.ErrorIs(t, err, awsauth.InvalidOption)
				err = s.ForEachAccount(t.Context(), []string{lab.Home, lab.Target}, func(context.Context, *awsauth.Session) error { return nil }, tt.child.(awsauth.FleetOption))
				assert.Len(t, awsauth.AccountErrors(err), 1, "told once")
				assert.Empty(t, w.Calls("AssumeRole"))
			}
		})
	}
}
