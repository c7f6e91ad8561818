package awsauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestWhatWasDenied: the error names the action that AWS denied, the kind of policy,
// and what was sent.
func TestWhatWasDenied(t *testing.T) {
	const who = "User: arn:aws:iam::111111111111:user/ci is not authorized to perform: "
	const role = " on resource: arn:aws:iam::123456789012:role/manage-role"
	tags := awsauth.WithTags(map[string]string{"team": "x"})
	tests := []struct {
		name, message string
		opts          []awsauth.Option
		with          []string
		without       []string
	}{
		{"plain", who + "sts:AssumeRole" + role, nil, []string{"may call sts:AssumeRole", "no external id, no MFA"}, []string{"tags"}},
		{"nobody", "User: anonymous is not authorized to perform: sts:AssumeRole" + role, nil, []string{"manage-role: access denied; check"}, []string{"anonymous"}},
		{"tags", who + "sts:TagSession" + role, []awsauth.Option{tags}, []string{"sts:TagSession", "tags"}, []string{"sts:AssumeRole"}},
		{"transitive tags", who + "sts:TagSession" + role, []awsauth.Option{awsauth.WithTransitiveTags(map[string]string{"team": "x"})}, []string{"sts:TagSession", "tags)"}, []string{"sts:AssumeRole"}},
		{"source identity", who + "sts:SetSourceIdentity" + role, []awsauth.Option{awsauth.WithSourceIdentity("ana")},
			[]string{"sts:SetSourceIdentity", "leave WithSourceIdentity out"}, []string{"sts:AssumeRole"}},
		{"source identity of the caller", who + "sts:SetSourceIdentity" + role, nil,
			[]string{"allow sts:SetSourceIdentity", "the caller's session has a source identity"}, []string{"sts:AssumeRole", "WithSourceIdentity"}},
		{"SCP", who + "sts:AssumeRole" + role + " with an explicit deny in a service control policy", nil, []string{"a service control policy", "sts:AssumeRole"}, []string{"trust policy"}},
		{"SCP with its ARN", who + "sts:AssumeRole" + role + " with an explicit deny in a service control policy: arn:aws:organizations::111111111111:policy/o-x/service_control_policy/p-x", nil, []string{"a service control policy"}, []string{"trust policy"}},
		{"RCP", who + "sts:AssumeRole" + role + " with an explicit deny in a resource control policy", nil, []string{"a resource control policy"}, []string{"trust policy"}},
		{"identity", who + "sts:AssumeRole" + role + " with an explicit deny in an identity-based policy", nil, []string{"an identity-based policy"}, []string{"trust policy"}},
		{"resource", who + "sts:AssumeRole" + role + " with an explicit deny in a resource-based policy", nil, []string{"a resource-based policy"}, nil},
		{"session", who + "sts:AssumeRole" + role + " with an explicit deny in a session policy", nil, []string{"a session policy"}, []string{"trust policy"}},
		{"boundary", who + "sts:AssumeRole" + role + " with an explicit deny in a permissions boundary", nil, []string{"a permissions boundary"}, []string{"trust policy"}},
		{"VPC endpoint", who + "sts:AssumeRole" + role + " with an explicit deny in a VPC endpoint policy", nil, []string{"a VPC endpoint policy"}, []string{"trust policy"}},
		{"tags denied by SCP", who + "sts:TagSession" + role + " with an explicit deny in a service control policy", []awsauth.Option{tags}, []string{"a service control policy", "sts:TagSession", "tags"}, nil},
		{"no policy allows", who + "sts:AssumeRole" + role + " because no identity-based policy allows the sts:AssumeRole action", nil, []string{"may call sts:AssumeRole"}, []string{"explicitly"}},
		{"boundary allows nothing", who + "sts:AssumeRole" + role + " because no permissions boundary allows the sts:AssumeRole action", nil, []string{"sts:AssumeRole", "permissions boundary"}, nil},
		{"SCP allows nothing", who + "sts:AssumeRole" + role + " because no service control policy allows the sts:AssumeRole action", nil, []string{"sts:AssumeRole", "service control policy"}, nil},
		{"session allows nothing", who + "sts:AssumeRole" + role + " because no session policy allows the sts:AssumeRole action", nil, []string{"sts:AssumeRole", "session policy"}, nil},
		{"all sent", who + "sts:AssumeRole" + role, []awsauth.Option{tags, awsauth.WithExternalID("x1"), awsauth.WithSourceIdentity("ana")},
			[]string{"an external id", "a source identity", "tags"}, []string{"x1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Message: tt.message})
			s := w.Open(append(tt.opts, w.Static(), awsauth.WithAccount(lab.Target))...)
			_, err := s.Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.AccessDenied, tt.with...)
			for _, part := range tt.without {
				assert.NotContains(t, err.Error(), part)
			}
		})
	}
}

// TestDurationOfTheOptionWins over the profile's, per hop.
func TestDurationOfTheOptionWins(t *testing.T) {
	for _, tt := range []struct {
		line string
		set  time.Duration
		want string
	}{
		{"duration_seconds = 1800\n", 50 * time.Minute, "3000"}, {"duration_seconds = 3600\n", 20 * time.Minute, "1200"},
		{"", 30 * time.Minute, "1800"}, {"duration_seconds = 1800\n", 0, "1800"}, {"duration_seconds = 1800\n", 2 * time.Hour, "7200"},
	} {
		t.Run(tt.line+tt.set.String(), func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/base"), Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n"+tt.line+"[profile keys]\n"+lab.KeyLines, "")
			runs := 0
			s := w.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
				runs++
				if tt.set != 0 {
					o.Duration = tt.set
				}
			})))
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, w.Calls("AssumeRole")[0].Params.Get("DurationSeconds"))
			assert.Equal(t, 1, runs)
		})
	}
}

// TestKeyUnknownInARegionToEnable names that as a reason too.
func TestKeyUnknownInARegionToEnable(t *testing.T) {
	for region, optIn := range map[string]bool{"ap-south-2": true, "me-central-1": true, "il-central-1": true, "af-south-1": true, "eu-south-2": true, "us-east-1": false, "eu-west-3": false, "sa-east-1": false} {
		for _, code := range []string{"InvalidClientTokenId", "UnrecognizedClientException"} {
			w := lab.New(t, awsauth.AWS)
			w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: code, Message: "The security token included in the request is invalid"})
			_, err := w.Open(w.Static(), awsauth.WithRegion(region), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.InvalidKey)
			assert.Equal(t, optIn, errorSays(err, region+" is enabled"), "%s: %v", region, err)
		}
	}
}

func errorSays(err error, part string) bool {
	var e *awsauth.Error
	return errors.As(err, &e) && containsFold(e.Error(), part)
}

// TestUnknownProfileHasTheSDKsCause: callers of the SDK look for its type.
func TestUnknownProfileHasTheSDKsCause(t *testing.T) {
	for name, say := range map[string]func(w *lab.Place) []awsauth.Option{
		"WithProfile":         func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile("prod-admn")} },
		"AWS_PROFILE":         func(w *lab.Place) []awsauth.Option { w.Env("AWS_PROFILE=prod-admn"); return nil },
		"AWS_DEFAULT_PROFILE": func(w *lab.Place) []awsauth.Option { w.Env("AWS_DEFAULT_PROFILE=prod-admn"); return nil },
		"load option": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithSharedConfigProfile("prod-admn"))}
		},
		"beside keys": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_PROFILE=prod-admn")
			return []awsauth.Option{w.Static()}
		},
		"source_profile": func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile("chained")} },
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files("[profile prod-admin]\n"+lab.KeyLines+"[profile chained]\nrole_arn = $BASE\nsource_profile = prod-admn\n", "")
			_, err := w.Try(say(w)...)
			lab.RequireBad(t, err, awsauth.ProfileNotFound, "prod-admn", "prod-admin")
			var missing config.SharedConfigProfileNotExistError
			require.ErrorAs(t, err, &missing)
			assert.Equal(t, "prod-admn", missing.Profile)
		})
	}
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
