package awsauth_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
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
				w.AddRole(awsauthtest.Role{ARN: arn, Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
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

// TestIdentityAsksOnce: the answer holds for as long as the key does.
func TestIdentityAsksOnce(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			id, err := s.Identity(t.Context())
			assert.NoError(t, err)
			assert.Equal(t, lab.Home, id.Account)
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), id.ARN)
			assert.Contains(t, id.UserID, "AIDA")
		})
	}
	all.Wait()
	assert.Len(t, w.Calls("GetCallerIdentity"), 1)
}

// TestSharedPool: ten sessions of one family, and clients of their Config, leave
// one idle connection behind when they have taken turns.
func TestSharedPool(t *testing.T) {
	awsauthtest.Isolate(t)
	var open, opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Account>111111111111</Account><Credentials><AccessKeyId>%s</AccessKeyId>`+
			`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`+
			`</Credentials></%[1]sResult></%[1]sResponse>`, r.FormValue("Action"), lab.SomeID)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
			opened.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	s, err := awsauth.New(awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, ""), awsauth.WithSTSEndpoint(server.URL),
		// In this mode every client of the SDK would make a pool of its own of a client that is not frozen.
		awsauth.WithLoadOptions(config.WithDefaultsMode(aws.DefaultsModeStandard)))
	require.NoError(t, err)
	for i := range 10 {
		child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", i)))
		require.NoError(t, err)
		_, err = child.Retrieve(t.Context())
		require.NoError(t, err)
		_, err = sts.NewFromConfig(child.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
	}
	assert.NotZero(t, opened.Load())
	// A connection may be closed instead of kept, and the server hears of it
	// late; but what each of ten pools keeps stays open.
	assert.Eventually(t, func() bool { return open.Load() <= 1 }, 5*time.Second, time.Millisecond, "%d are open", open.Load())
}

// TestOwnRetryer: sessions share no retry budget.
func TestOwnRetryer(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var mu sync.Mutex
	made := map[*countedRetryer]int{}
	s := w.Open(w.Static(), awsauth.WithLoadOptions(config.WithRetryer(func() aws.Retryer {
		mu.Lock()
		defer mu.Unlock()
		r := &countedRetryer{Retryer: retry.NewStandard(), mu: &mu, used: made}
		made[r] = 0
		return r
	})))
	for i := range 10 {
		child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", i)))
		require.NoError(t, err)
		_, err = child.Retrieve(t.Context())
		require.NoError(t, err)
	}
	busy := 0
	for _, times := range made {
		assert.LessOrEqual(t, times, 1)
		busy += times
	}
	assert.Equal(t, 10, busy, "each call has a retryer of the caller's making")
}

// countedRetryer counts the calls that it is used for.
type countedRetryer struct {
	aws.Retryer
	mu   *sync.Mutex
	used map[*countedRetryer]int
}

func (r *countedRetryer) MaxAttempts() int { return r.Retryer.MaxAttempts() }

func (r *countedRetryer) GetInitialToken() func(error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[r]++
	return r.Retryer.GetInitialToken()
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
