package awsauth_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestForEachAccountMalformed: every entry that is wrong is told at once, and
// nothing else happens.
func TestForEachAccountMalformed(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	ids := w.Accounts(2)
	long := strings.Repeat("9", 500)
	list := []string{ids[0], "", "12345678901", "1234-5678-9012", "12345678901", "arn:aws:iam::12:role/x", ids[1],
		"arn:aws:sts::123456789012:assumed-role/x/y", "arn:aws-cn:iam::123456789012:role/x", "two\nlines", long, " " + ids[0], "arn:aws-cn:iam::123456789012:role/z"}
	err := w.Open(w.Static(), awsauth.WithRegion("eu-west-1")).ForEachAccount(t.Context(), list, mustNotRun(t),
		awsauth.WithSessionName("?"), awsauth.WithProgress(func(awsauth.Progress) { t.Error("progress") }))
	require.ErrorIs(t, err, awsauth.InvalidOption)
	require.ErrorIs(t, err, awsauth.WrongPartition)
	lines := strings.Split(err.Error(), "\n")
	assert.Contains(t, lines[0], `WithSessionName("?")`)
	var starts []string
	for _, line := range lines[1:] {
		start, _, _ := strings.Cut(line, ": ")
		starts = append(starts, start)
	}
	assert.Equal(t, []string{`""`, "12345678901", "1234-5678-9012", "arn:aws:iam::12:role/x", "arn:aws:sts::123456789012:assumed-role/x/y",
		"arn:aws-cn:iam::123456789012:role/x", `"two\nlines"`, `"` + long[:80] + `…"`, " " + ids[0], "arn:aws-cn:iam::123456789012:role/z"}, starts)
	for _, one := range lab.Parts(t, err)[1:] {
		var e *awsauth.AccountError
		require.ErrorAs(t, one, &e)
		assert.Contains(t, list, e.Account)
	}
	assert.Empty(t, w.Calls())
}

func mustNotRun(t testing.TB) func(context.Context, *awsauth.Session) error {
	return func(_ context.Context, s *awsauth.Session) error {
		t.Errorf("do ran with %v", s)
		return nil
	}
}

func TestForEachAccountBadOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	ids := w.Accounts(20)
	for name, tt := range map[string]struct {
		opts []awsauth.FleetOption
		kind awsauth.Kind
		says string
	}{
		"account":     {[]awsauth.FleetOption{awsauth.WithAccount(lab.Target)}, awsauth.InvalidOption, "WithAccount and WithRoleARN have no meaning here"},
		"role ARN":    {[]awsauth.FleetOption{awsauth.WithRoleARN(lab.ManageRole)}, awsauth.InvalidOption, "put the accounts or the role ARNs in the list"},
		"concurrency": {[]awsauth.FleetOption{awsauth.WithConcurrency(-1)}, awsauth.InvalidOption, "WithConcurrency(-1)"},
		"role":        {[]awsauth.FleetOption{awsauth.WithRole("/ops")}, awsauth.InvalidOption, `WithRole("/ops")`},
		"duration":    {[]awsauth.FleetOption{awsauth.WithDuration(time.Minute)}, awsauth.InvalidDuration, "WithDuration(1m0s)"},
		"chained":     {[]awsauth.FleetOption{awsauth.WithDuration(2 * time.Hour)}, awsauth.InvalidDuration, "lower it to 1h"},
		"tags":        {[]awsauth.FleetOption{awsauth.WithTags(map[string]string{"aws:x": "y"})}, awsauth.InvalidOption, `WithTags("aws:x")`},
		"policy":      {[]awsauth.FleetOption{awsauth.WithPolicyARNs("arn:aws-cn:iam::aws:policy/x")}, awsauth.WrongPartition, "WithPolicyARNs"},
	} {
		for _, list := range [][]string{ids, ids[:1]} {
			s := w.Open(w.Static(), awsauth.WithAccount(lab.Home), awsauth.WithRole("base"))
			err := s.ForEachAccount(t.Context(), list, mustNotRun(t), tt.opts...)
			require.ErrorIs(t, err, tt.kind, name)
			assert.Contains(t, err.Error(), tt.says, name)
			assert.NotContains(t, err.Error(), "\n", "%s: once, not for each account", name)
		}
	}
	err := w.Open(w.Static()).ForEachAccount(t.Context(), ids, nil, awsauth.WithConcurrency(-3), awsauth.WithAccount(lab.Target), awsauth.WithExternalID("?"))
	require.ErrorIs(t, err, awsauth.InvalidOption)
	assert.Len(t, strings.Split(err.Error(), "\n"), 4, "%v", err)
	assert.Empty(t, w.Calls())
}

func TestForEachAccountProgress(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(40)
		ids[7] = w.ManageARN(ids[7])
		mine := errors.New("mine")
		var inside atomic.Int64
		var got []awsauth.Progress
		err := w.Open(w.Static()).ForEachAccount(t.Context(), append(ids, ids[0]), func(ctx context.Context, s *awsauth.Session) error {
			if strings.Contains(s.String(), "300000000003") {
				return mine
			}
			return lab.Enter(ctx, s)
		}, awsauth.WithProgress(func(p awsauth.Progress) {
			assert.EqualValues(t, 1, inside.Add(1), "two at once")
			runtime.Gosched()
			got = append(got, p) // the race detector looks on
			inside.Add(-1)
		}))
		require.ErrorIs(t, err, mine)
		require.Len(t, got, 40)
		told := map[string]bool{}
		for i, p := range got {
			assert.Equal(t, i+1, p.Done)
			assert.Equal(t, 40, p.Total)
			told[p.Account] = true
			if p.Account == ids[3] {
				var e *awsauth.AccountError
				require.ErrorAs(t, p.Err, &e)
				assert.Equal(t, ids[3], e.Account)
				assert.Equal(t, mine, e.Err)
			} else {
				require.NoError(t, p.Err)
			}
		}
		for _, id := range ids {
			assert.True(t, told[id], "%s, as it stands in the list", id)
		}
	})
}

// TestForEachAccountRoleOptions: they hold for all accounts.
func TestForEachAccountRoleOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, id := range w.Accounts(3) {
		w.AddRole(awsauthtest.Role{ARN: w.ARN(id, "role/team/ops"), Trust: []string{lab.Home}, ExternalID: "x-1", MaxSession: 2 * time.Hour,
			AllowTags: true, AllowSourceIdentity: true})
	}
	err := w.Open(w.Static()).ForEachAccount(t.Context(), w.Accounts(3), lab.Enter,
		awsauth.WithRole("team/ops"), awsauth.WithExternalID("x-1"), awsauth.WithTags(map[string]string{"team": "ops"}),
		awsauth.WithSessionName("inventory"), awsauth.WithDuration(2*time.Hour), awsauth.WithSourceIdentity("ana"), awsauth.WithPolicy(lab.Policy),
		awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess"), awsauth.WithTransitiveTags(map[string]string{"project": "p"}))
	require.NoError(t, err)
	require.Equal(t, 3, w.Assumed())
	for _, c := range w.Calls() {
		for field, want := range map[string]string{
			"ExternalId": "x-1", "Tags.member.2.Key": "team", "Tags.member.2.Value": "ops", "RoleSessionName": "inventory",
			"DurationSeconds": "7200", "SourceIdentity": "ana", "Policy": lab.Policy, "TransitiveTagKeys.member.1": "project",
			"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
		} {
			assert.Equal(t, want, c.Params.Get(field), field)
		}
		assert.True(t, strings.HasSuffix(c.Params.Get("RoleArn"), ":role/team/ops"))
	}
}
