package awsauth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestAssumeChain goes from role to role; every session stays usable.
func TestAssumeChain(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	me := w.Open(w.Static())
	hub, err := me.Assume(awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	require.NoError(t, err)
	left, err := hub.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	right, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
	require.NoError(t, err)
	assert.Empty(t, w.Said(), "Assume makes no call")

	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(left))
	assert.Equal(t, w.Became(lab.Target, "ops"), w.IdentityOf(right))
	assert.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(hub))
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(me))
	const at = " sts.us-east-1.amazonaws.com us-east-1 "
	assert.Equal(t, []string{
		"AssumeRole/base" + at + "user", "AssumeRole/manage-role" + at + "session", "AssumeRole/ops" + at + "session",
		"GetCallerIdentity" + at + "user",
	}, w.Said())
	base, err := hub.Retrieve(t.Context())
	require.NoError(t, err)
	for _, c := range w.Calls("AssumeRole")[1:] {
		assert.Equal(t, base.AccessKeyID, c.AccessKeyID, "the hub's keys sign for its children")
	}
}

// TestOneAssumeRole: however many ask, and whatever they ask.
func TestOneAssumeRole(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	hub := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	leaf, err := hub.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := leaf.Retrieve(t.Context())
			assert.NoError(t, err)
			id, err := leaf.Identity(t.Context())
			assert.NoError(t, err)
			assert.Equal(t, awsauth.Identity{Account: lab.Target, ARN: id.ARN, UserID: id.UserID, Partition: awsauth.AWS}, id)
			_, err = hub.Identity(t.Context())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Len(t, w.Calls(), 2)
}

// threeRoles are sessions one in the other, and profiles likewise.
var threeRoles = map[string]func(w *lab.Place) aws.CredentialsProvider{
	"Assume": func(w *lab.Place) aws.CredentialsProvider {
		s := w.Open(w.Static())
		for _, role := range []string{w.ARN(lab.Home, "role/base"), w.ARN(lab.Home, "role/middle"), lab.ManageRole} {
			next, err := s.Assume(awsauth.WithRoleARN(role))
			require.NoError(w.T, err)
			s = next
		}
		return s
	},
	"profiles": func(w *lab.Place) aws.CredentialsProvider {
		w.Files("[profile ops]\nrole_arn = $MANAGE\nsource_profile = second\n[profile second]\nrole_arn = $MIDDLE\nsource_profile = first\n"+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		return w.Open(awsauth.WithProfile("ops"))
	},
}

// TestChainFailsOnce: what is hopeless at the first role is not tried again for
// each of those that follow.
func TestChainFailsOnce(t *testing.T) {
	for kind, fault := range map[awsauth.Kind]awsauthtest.FaultKind{
		awsauth.Throttled: awsauthtest.Throttle, awsauth.Unreachable: awsauthtest.ServerError,
	} {
		for how, open := range threeRoles {
			t.Run(how+", "+string(kind), func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					s := open(w)
					up := w.Down(fault)
					o := lab.Ask(t.Context(), s)
					require.ErrorIs(t, o.Err, kind)
					lab.RequireBad(t, o.Err, kind, "assume role "+w.ARN(lab.Home, "role/base"), "8 attempts")
					require.Equal(t, 8, w.Assumed())
					for _, c := range w.Calls("AssumeRole") {
						require.Equal(t, w.ARN(lab.Home, "role/base"), c.Params.Get("RoleArn"))
					}
					require.Less(t, o.Took, 28*time.Second)
					up()
					time.Sleep(time.Minute)
					lab.Get(t, s)
				})
			})
		}
	}
}

// TestChainKeepsFirst: the attempts to assume the last role of a profile do not
// cost one of the first each.
func TestChainKeepsFirst(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Files(lab.ChainProfile, "")
		s := w.Open(awsauth.WithProfile("ops"))
		last := func(c awsauthtest.Call) bool { return strings.HasSuffix(c.Params.Get("RoleArn"), "/middle") }
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Match: last, Kind: awsauthtest.ServerError, Times: 3})
		lab.Get(t, s)
		base, middle := "AssumeRole/base sts.us-east-1.amazonaws.com us-east-1 user", "AssumeRole/middle sts.us-east-1.amazonaws.com us-east-1 session"
		require.Equal(t, []string{base, middle, middle, middle, middle}, w.Said())
	})
}

// TestChainedDuration: STS gives a role assumed from a role one hour; more is
// refused offline.
func TestChainedDuration(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.AddRole(awsauthtest.Role{ARN: lab.ManageRole, Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
	me := w.Open(w.Static())
	hub, err := me.Assume(awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	require.NoError(t, err)
	long := []awsauth.RoleOption{awsauth.WithAccount(lab.Target), awsauth.WithDuration(time.Hour + time.Second)}
	_, err = hub.Assume(long...)
	lab.RequireBad(t, err, awsauth.InvalidDuration, "WithDuration(1h0m1s)", "1h")
	w.Files(lab.RoleProfile, "")
	_, err = w.Try(awsauth.WithProfile("ops"), long[0], long[1])
	lab.RequireBad(t, err, awsauth.InvalidDuration, "WithDuration(1h0m1s)", "1h")
	assert.Empty(t, w.Said())

	exact, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithDuration(time.Hour))
	require.NoError(t, err)
	_ = w.IdentityOf(exact)
	direct, err := me.Assume(long...)
	require.NoError(t, err)
	_ = w.IdentityOf(direct)
}
