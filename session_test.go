package awsauth_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestConfigIsACopy: nothing that a caller does to one copy is seen in another.
func TestConfigIsACopy(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	noop := func(*middleware.Stack) error { return nil }
	s := w.Open(w.Static(), awsauth.WithSTSEndpoint("https://sts.us-east-1.amazonaws.com"), awsauth.WithLoadOptions(
		config.WithAPIOptions([]func(*middleware.Stack) error{noop}),
		config.WithAuthSchemePreference("sigv4"),
		config.WithServiceOptions(func(string, any) {}),
	))
	cfg := s.Config()
	require.NotEmpty(t, cfg.ConfigSources)
	require.NotEmpty(t, cfg.APIOptions)
	require.NotEmpty(t, cfg.AuthSchemePreference)
	require.NotEmpty(t, cfg.ServiceOptions)
	clear(cfg.ConfigSources)
	clear(cfg.APIOptions)
	clear(cfg.AuthSchemePreference)
	clear(cfg.ServiceOptions)
	cfg.Region, cfg.Credentials, cfg.HTTPClient = "eu-west-1", nil, nil

	again := s.Config()
	assert.Equal(t, "us-east-1", again.Region)
	assert.Equal(t, aws.CredentialsProvider(s), again.Credentials)
	assert.NotNil(t, again.HTTPClient)
	for _, source := range again.ConfigSources {
		assert.NotNil(t, source)
	}
	assert.NotNil(t, again.APIOptions[0])
	assert.Equal(t, []string{"sigv4"}, again.AuthSchemePreference)
	for _, option := range again.ServiceOptions {
		assert.NotNil(t, option)
	}
	_, err := s.Identity(t.Context())
	require.NoError(t, err)
	child, err := s.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	assert.Equal(t, aws.CredentialsProvider(child), child.Config().Credentials)
}

// TestString names the way to the identity.
func TestString(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files(lab.RoleProfile, "")
	s := w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target))
	for _, part := range []string{`profile "ops"`, w.ARN(lab.Home, "role/base"), lab.ManageRole, "us-east-1"} {
		assert.Contains(t, s.String(), part)
		assert.Contains(t, fmt.Sprintf("%+v", s), part)
	}
}

// TestScrubbedSourcesStillWork: clients read FIPS and endpoints from where the
// secrets were taken out.
func TestScrubbedSourcesStillWork(t *testing.T) {
	t.Run("environment", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.Env("AWS_USE_FIPS_ENDPOINT=true")
		assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(w.Open(w.Static(), awsauth.WithAccount(lab.Target))))
		assert.Equal(t, "sts-fips.us-east-1.amazonaws.com", w.Calls("AssumeRole")[0].Host)
	})
	t.Run("profile", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.Files("[profile ops]\nuse_fips_endpoint = true\n"+lab.KeyLines, "")
		assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target))))
		assert.Equal(t, "sts-fips.us-east-1.amazonaws.com", w.Calls("AssumeRole")[0].Host)
	})
	t.Run("dual stack", func(t *testing.T) {
		w := lab.New(t, awsauth.China)
		w.Env("AWS_USE_DUALSTACK_ENDPOINT=true")
		_ = w.IdentityOf(w.Open(w.Static(), awsauth.WithRoleARN(lab.ChinaRole)))
		assert.Equal(t, "sts.cn-north-1.api.amazonwebservices.com.cn", w.Calls("AssumeRole")[0].Host)
	})
	t.Run("endpoint", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.Env("AWS_ENDPOINT_URL_STS=https://vpce-1.sts.us-east-1.vpce.amazonaws.com")
		_ = w.IdentityOf(w.Open(w.Static(), awsauth.WithAccount(lab.Target)))
		assert.Equal(t, "vpce-1.sts.us-east-1.vpce.amazonaws.com", w.Calls("AssumeRole")[0].Host)
	})
}

// TestTemporaryOnly refuses what is long-lived and will be handed out, as early
// as it can be known, and nothing else.
func TestTemporaryOnly(t *testing.T) {
	tests := []struct{ source, inNew, inRetrieve string }{
		{"static keys", "WithTemporaryOnly", ""},
		{"environment", "WithTemporaryOnly", ""},
		{"profile with keys in the config file", `profile "ops"`, ""},
		{"default profile of the credentials file", `profile "default"`, ""},
		{"provider", "", "provider"},
		{"process", "", `profile "ops"`},
		{"static keys with a token", "", ""},
		{"source_profile", "", ""},
		{"web identity", "", ""},
		{"SSO session", "", ""},
		{"container", "", ""},
	}
	sources := map[string]lab.Source{}
	for _, src := range lab.Sources() {
		sources[src.Name] = src
	}
	for _, tt := range tests {
		t.Run(tt.source, func(t *testing.T) {
			require.Contains(t, sources, tt.source)
			w := lab.New(t, awsauth.AWS)
			opts := append(sources[tt.source].Fill(w, "us-east-1"), awsauth.WithTemporaryOnly())
			s, err := w.Try(opts...)
			switch {
			case tt.inNew != "":
				lab.RequireBad(t, err, awsauth.LongTermCredentials, "WithTemporaryOnly", tt.inNew)
			case tt.inRetrieve != "":
				require.NoError(t, err)
				_, err = s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.LongTermCredentials, "WithTemporaryOnly", tt.inRetrieve)
				_, err = s.Identity(t.Context())
				lab.RequireBad(t, err, awsauth.LongTermCredentials)
			default:
				require.NoError(t, err)
				creds, err := s.Retrieve(t.Context())
				require.NoError(t, err)
				assert.NotEmpty(t, creds.SessionToken)
			}
			withRole := w.Open(append(opts, awsauth.WithAccount(lab.Target))...)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(withRole), "keys that only serve to assume a role")
		})
	}
}

// TestSessionAsProvider: a session is a provider like any other.
func TestSessionAsProvider(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	base := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	s := w.Open(awsauth.WithCredentialsProvider(base), awsauth.WithAccount(lab.Target))
	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
}
