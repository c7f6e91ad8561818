package awsauth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestTokenOnly: an SSO session without account and role gives no keys, and the
// error says what is missing where.
func TestTokenOnly(t *testing.T) {
	const tokenOnly = "sso_session = corp\n"
	for name, tt := range map[string]struct{ config, want, never string }{
		"beside a role":           {"[profile ops]\nrole_arn = $BASE\n" + tokenOnly + lab.CorpSection, "its SSO session gives only a token", ""},
		"behind a role":           {"[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\n" + tokenOnly + lab.CorpSection, `the source profile "dev" of profile "ops" has no credentials`, "only a token"},
		"no session":              {"[profile ops]\nsso_session = corp\n", "corp", "role_arn"},
		"no role name":            {"[profile ops]\nsso_account_id = 111111111111\n" + tokenOnly + lab.CorpSection, "sso_role_name", ""},
		"no account":              {"[profile ops]\nsso_role_name = base\n" + tokenOnly + lab.CorpSection, "sso_account_id", ""},
		"nothing at all":          {"[profile ops]\nrole_arn = $BASE\n", "nothing that says who assumes it", ""},
		"its own circle":          {"[profile ops]\nrole_arn = $BASE\nsource_profile = ops\n", "circle", ""},
		"behind a role, with one": {"[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\nrole_arn = $MIDDLE\n" + tokenOnly + lab.CorpSection, `the source profile "dev" of profile "ops" has no credentials`, "only a token"},
		"a circle of two":         {"[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\nrole_arn = $MIDDLE\nsource_profile = ops\n", "circle", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, "")
			err := w.JustNew(awsauth.WithProfile("ops"))
			require.ErrorContains(t, err, tt.want)
			if tt.never != "" {
				assert.NotContains(t, err.Error(), tt.never)
			}
		})
	}
}

// TestOwnSource: a profile that is its own source assumes its role with its keys,
// even where a process stands beside them.
func TestOwnSource(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = ops\ncredential_process = /bin/false\n", "[ops]\n"+lab.KeyLines)
	s := w.Open(awsauth.WithProfile("ops"))
	require.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(s))
	assert.NotEmpty(t, w.Calls("AssumeRole"))
}

// TestDurationOfTheOption is named as what said it.
func TestDurationOfTheOption(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
	err := w.Fetch(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.Duration = 11 * time.Hour })))
	lab.RequireBad(t, err, awsauth.InvalidDuration, "Duration in config.WithAssumeRoleCredentialOptions")
}

// TestPassedOverOnce: what an SSO profile passes over is told once, and what it
// uses is not.
func TestPassedOverOnce(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"+lab.SSOSession+lab.KeyLines+"credential_process = x\n"+lab.CorpSection, "[ops]\n"+lab.KeyLines)
	text := w.Open(awsauth.WithProfile("ops")).Explain().String()
	for want, n := range map[string]int{"sso_session of": 0, "sso_start_url of": 0, "credential_process of": 1, "aws_access_key_id of profile": 1, "aws_access_key_id of the config file": 1} {
		assert.Equal(t, n, strings.Count(text, want), "%s in\n%s", want, text)
	}
}

// TestSettingsOfRegions: where the region and the address of STS come from, where
// several say one.
func TestSettingsOfRegions(t *testing.T) {
	services := "[default]\nservices = mine\n[services mine]\nsts =\n  endpoint_url = https://sts.eu-west-2.amazonaws.com\n"
	for name, tt := range map[string]struct {
		config         string
		env            []string
		opts           []awsauth.Option
		region, signed string
	}{
		"unknown, with its partition":                               {"", []string{"AWS_REGION=lab1"}, []awsauth.Option{awsauth.WithPartition(awsauth.AWS)}, "lab1", "us-east-1"},
		"keys given, so the environment says more than the profile": {"[default]\nregion = us-east-1\n", []string{"AWS_REGION=us-gov-west-1"}, nil, "us-gov-west-1", ""},
		"metadata is off":                                           {"", []string{"AWS_EC2_METADATA_DISABLED=true"}, []awsauth.Option{awsauth.WithLoadOptions(config.WithEC2IMDSRegion())}, "us-east-1", "us-east-1"},
		"addresses are ignored":                                     {"", []string{"AWS_ENDPOINT_URL_STS=https://sts.eu-west-1.amazonaws.com", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, nil, "us-east-1", "us-east-1"},
		"the service's address first":                               {"", []string{"AWS_ENDPOINT_URL_STS=https://sts.eu-west-1.amazonaws.com", "AWS_ENDPOINT_URL=https://sts.eu-west-3.amazonaws.com"}, nil, "us-east-1", "eu-west-1"},
		"then the environment's":                                    {services, []string{"AWS_ENDPOINT_URL=https://sts.eu-west-3.amazonaws.com"}, nil, "us-east-1", "eu-west-3"},
		"then the profile's":                                        {services, nil, nil, "us-east-1", "eu-west-2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, "")
			w.Env(tt.env...)
			s := w.Open(append(tt.opts, w.Static())...)
			assert.Equal(t, tt.region, s.Config().Region)
			if tt.signed != "" {
				require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
				assert.Equal(t, tt.signed, w.Calls()[0].Region)
			}
		})
	}
}

// TestNeighbouringARNs: what a person pastes instead of a role's ARN, and impossible regions.
func TestNeighbouringARNs(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::123456789012:assumed-role/ops/ana": "not the ARN of an IAM role",
		"arn:aws:sts::123456789012:assumed-role/ops/ana": "use arn:aws:iam::123456789012:role/ops",
		"arn:aws:sts::12345:assumed-role/ops/ana":        "a role's is arn:aws:iam::123456789012:role/name",
		"arn:aws:iam::123456789012:instance-profile/ops": "an instance profile",
	} {
		_, err := awsauth.ParseRoleARN(arn)
		assert.ErrorContains(t, err, want, arn)
	}
	for _, region := range []string{"us--1", "us-e st-1", "us-éast-1", "-east-1", "us-east-", "us-east-x"} {
		_, ok := awsauth.PartitionOf(region)
		assert.False(t, ok, region)
	}
}

// TestOptionsOfTheWebRole: without another role to assume the role options are
// the web identity's own, with one they are that one's.
func TestOptionsOfTheWebRole(t *testing.T) {
	for _, target := range []string{"", lab.Target} {
		w := lab.New(t, awsauth.AWS)
		token := tokenOf(w.WebIdentityToken(lab.Issuer, "repo:corp/app", time.Hour))
		s := w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), token), awsauth.WithSessionName("mine"), awsauth.WithAccount(target))
		lab.Get(t, s)
		web := w.Calls("AssumeRoleWithWebIdentity")[0].Params.Get("RoleSessionName")
		assert.Equal(t, target == "", web == "mine", web)
	}
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=a b")
	require.ErrorIs(t, w.JustNew(), awsauth.InvalidOption)
}

type tokenOf string

func (s tokenOf) GetIdentityToken() ([]byte, error) { return []byte(s), nil }

// TestFaultsOfFilesAlone: nothing was set by an option, so none is blamed.
func TestFaultsOfFilesAlone(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nexternal_id = a b\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
	err := w.JustNew(awsauth.WithProfile("ops"))
	require.ErrorIs(t, err, awsauth.InvalidOption)
	assert.NotContains(t, err.Error(), "config.With")
}

// TestProfileBesideKeys: keys are given, and a profile is named for its settings.
// One that is not there is a fault, one without credentials is not.
func TestProfileBesideKeys(t *testing.T) {
	var log lab.Records
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nregion = eu-west-1\n", "")
	w.Env("AWS_PROFILE=ops")
	require.Equal(t, "eu-west-1", w.Open(w.Static()).Config().Region)
	_ = w.Open(log.Option())
	warnings := log.At(slog.LevelWarn)
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0].Message, `"ops"`)
	w.Env("AWS_PROFILE=nobody")
	lab.RequireBad(t, w.JustNew(w.Static()), awsauth.ProfileNotFound, "(from AWS_PROFILE)")

	w.Env("AWS_PROFILE=")
	w.Files("[default]\nregion = eu-west-1\n", "")
	log.All()
	_ = w.Open(log.Option())
	assert.Empty(t, log.At(slog.LevelWarn), "nobody named the default profile")
}

// TestInstanceOfNoRegion: what the metadata says is no region, so it is not used.
func TestInstanceOfNoRegion(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		_, _ = rw.Write([]byte(map[bool]string{true: "token", false: `{"region": "nowhere"}`}[r.Method == http.MethodPut]))
	}))
	defer server.Close()
	w.Env("AWS_EC2_METADATA_DISABLED=", "AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL)
	s, err := awsauth.New()
	require.NoError(t, err)
	require.Equal(t, "us-east-1", s.Config().Region)
}

// TestAccountWithLineEnd: the account was read from a file, with its line end.
func TestAccountWithLineEnd(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	lab.RequireBad(t, w.JustNew(w.Static(), awsauth.WithAccount("123456789012\n")), awsauth.InvalidOption, "a line end stands beside them")
	lab.RequireBad(t, w.JustNew(w.Static(), awsauth.WithAccount("12345678901")), awsauth.InvalidOption, `"012345678901"?`)
	lab.RequireBad(t, w.JustNew(w.Static(), awsauth.WithAccount("123456789")), awsauth.InvalidOption, `"000123456789"?`)
}
