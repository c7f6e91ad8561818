package awsauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// TestExplainRegion: where the region came from, and which one gave way.
func TestExplainRegion(t *testing.T) {
	for name, tt := range map[string]struct {
		env    []string
		config string
		opts   []awsauth.Option
		want   string
	}{
		"option":      {env: []string{"AWS_REGION=eu-west-3"}, opts: []awsauth.Option{awsauth.WithRegion("eu-west-1")}, want: "eu-west-1 from WithRegion"},
		"environment": {env: []string{"AWS_REGION=eu-west-3"}, want: "eu-west-3 from AWS_REGION"},
		"old name":    {env: []string{"AWS_DEFAULT_REGION=eu-west-3"}, want: "eu-west-3 from AWS_DEFAULT_REGION"},
		"profile":     {config: "[default]\nregion = eu-west-3\n", want: `eu-west-3 from profile "default"`},
		"default":     {want: "us-east-1 default of aws"},
		"gave way": {
			env: []string{"AWS_REGION=eu-west-3"}, opts: []awsauth.Option{awsauth.WithPartition(awsauth.China)},
			want: "cn-north-1 default of aws-cn; eu-west-3 (from AWS_REGION) is not in aws-cn",
		},
		"gave way to the profile's": {
			env: []string{"AWS_REGION=eu-west-3"}, config: "[default]\nregion = cn-northwest-1\n",
			opts: []awsauth.Option{awsauth.WithPartition(awsauth.China)},
			want: `cn-northwest-1 from profile "default"; eu-west-3 (from AWS_REGION) is not in aws-cn`,
		},
		"gave way to the role's": {
			env: []string{"AWS_REGION=eu-west-3"}, opts: []awsauth.Option{awsauth.WithRoleARN(lab.ChinaRole)},
			want: "cn-north-1 default of aws-cn; eu-west-3 (from AWS_REGION) is not in aws-cn",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Env(tt.env...)
			w.Files(tt.config, "")
			r := w.Explain(w.Open(append(tt.opts, w.Static())...))
			region := r.Steps[lab.SourceRows]
			assert.Equal(t, "region "+tt.want, region.Source+" "+region.Detail)
		})
	}
}

// TestExplainChain is a chain whose last role is denied, and mended.
func TestExplainChain(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Files("[profile ops]\nregion = eu-west-3\nrole_arn = $MIDDLE\nsource_profile = first\n"+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		w.AddRole(awsauthtest.Role{ARN: lab.ManageRole})
		open := func() *awsauth.Session {
			return w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithSessionName("ana"))
		}
		const at = "at sts.eu-west-3.amazonaws.com"
		middle := awsauth.Step{Source: "assume role " + w.ARN(lab.Home, "role/middle")}
		base := awsauth.Step{Source: "assume role " + w.ARN(lab.Home, "role/base"), Status: awsauth.Used, Detail: at + " as " + names.DefaultSession()}
		manage := awsauth.Step{Source: "assume role " + lab.ManageRole, Status: awsauth.NotTried, Detail: "no base credentials"}
		const advice = ": access denied"

		s := open()
		_, err := s.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.AccessDenied)
		used, roles := lab.Rows(t, w.Explain(s))
		assert.Equal(t, awsauth.Used, used.Status)
		middle.Status, middle.Detail = awsauth.Used, base.Detail
		manage.Status = awsauth.Failed
		manage.Detail = at + " as arn:aws:sts::111111111111:assumed-role/middle/" + names.DefaultSession() + advice
		assert.Equal(t, []awsauth.Step{base, middle, manage}, roles)

		w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/middle")})
		w.AddRole(awsauthtest.Role{ARN: lab.ManageRole, Trust: []string{lab.Home}})
		denied := open()
		_, err = denied.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.AccessDenied)
		used, roles = lab.Rows(t, w.Explain(denied))
		assert.Equal(t, awsauth.Used, used.Status)
		middle.Status = awsauth.Failed
		middle.Detail = at + " as arn:aws:sts::111111111111:assumed-role/base/" + names.DefaultSession() + advice
		manage.Status, manage.Detail = awsauth.NotTried, "no base credentials"
		assert.Equal(t, []awsauth.Step{base, middle, manage}, roles)

		w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/middle"), Trust: []string{lab.Home}})
		time.Sleep(time.Hour)
		lab.Get(t, denied)
		_, roles = lab.Rows(t, w.Explain(denied))
		middle.Status, middle.Detail = awsauth.Used, base.Detail
		manage.Status, manage.Detail = awsauth.Used, at+" as ana"
		assert.Equal(t, []awsauth.Step{base, middle, manage}, roles)
		assert.Equal(t, `profile "ops" → `+w.ARN(lab.Home, "role/base")+" → "+w.ARN(lab.Home, "role/middle")+" → "+lab.ManageRole, denied.Explain().Source)
	})
}

// TestExplainUsable: a refresh that failed while the keys are good is no failure,
// keys that were refused and dropped were asked for.
func TestExplainUsable(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		key := lab.Get(t, s).AccessKeyID
		up := w.Down(awsauthtest.ServerError)
		time.Sleep(50 * time.Minute)
		lab.Get(t, s)
		time.Sleep(time.Minute)
		_, roles := lab.Rows(t, w.Explain(s))
		assert.Equal(t, awsauth.Used, roles[0].Status)
		time.Sleep(20 * time.Minute)
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		_, roles = lab.Rows(t, w.Explain(s))
		assert.Equal(t, awsauth.Failed, roles[0].Status)
		up()
		time.Sleep(time.Hour)
		require.NotEqual(t, key, lab.Get(t, s).AccessKeyID)
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken"})
		w.Down(awsauthtest.Hang)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
		require.Error(t, err)
		_, roles = lab.Rows(t, w.Explain(s))
		assert.Equal(t, awsauth.Used, roles[0].Status)
	})
}

// TestExplainHosts: the host is the one that is really called.
func TestExplainHosts(t *testing.T) {
	for name, tt := range map[string]struct {
		env  string
		opts func(w *lab.Place) []awsauth.Option
	}{
		"plain":          {},
		"FIPS":           {env: "AWS_USE_FIPS_ENDPOINT=true"},
		"dual stack":     {env: "AWS_USE_DUALSTACK_ENDPOINT=true"},
		"endpoint":       {env: "AWS_ENDPOINT_URL_STS=https://vpce-1.sts.us-east-1.vpce.amazonaws.com"},
		"every endpoint": {env: "AWS_ENDPOINT_URL=https://vpce-2.sts.us-east-1.vpce.amazonaws.com"},
		"option": {env: "AWS_USE_FIPS_ENDPOINT=true", opts: func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithSTSEndpoint("https://vpce-3.sts.us-east-1.vpce.amazonaws.com")}
		}},
		"option, plain": {opts: func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithSTSEndpoint("https://vpce-3.sts.us-east-1.vpce.amazonaws.com")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			if tt.env != "" {
				w.Env(tt.env)
			}
			w.Files(lab.RoleProfile, "")
			opts := []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target)}
			if tt.opts != nil {
				opts = append(opts, tt.opts(w)...)
			}
			s := w.Open(opts...)
			if _, err := s.Retrieve(t.Context()); err != nil {
				assert.Contains(t, err.Error(), "FIPS") // the SDK has no FIPS at an endpoint of one's own
				return
			}
			_, roles := lab.Rows(t, w.Explain(s))
			calls := w.Calls("AssumeRole")
			require.Len(t, calls, len(roles))
			for i, role := range roles {
				host, _, _ := strings.Cut(role.Detail, " as ")
				assert.Equal(t, "at "+calls[i].Host, host)
			}
		})
	}
}

// TestExplainNil: where New failed there is no session, and asking it all the
// same is no panic.
func TestExplainNil(t *testing.T) {
	s, err := awsauth.New(awsauth.WithAccount("1"))
	require.Error(t, err)
	assert.Empty(t, s.Explain().Steps)
	assert.Empty(t, s.Explain().String())
}
