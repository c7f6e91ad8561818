package awsauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/names"
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

// TestNothingPrintsASecret looks at every way a session, its configuration and
// its log may be printed.
func TestNothingPrintsASecret(t *testing.T) {
	const token = "FwoGZXIvYXdzEXAMPLETOKEN"
	const bearerToken = "bearer-EXAMPLETOKEN"
	secrets := []string{lab.SomeSecret, token, bearerToken, "process-password", "Bearer-container-EXAMPLE"}
	both := "aws_access_key_id = " + lab.SomeID + "\naws_secret_access_key = " + lab.SomeSecret + "\naws_session_token = " + token + "\n"
	keys := awsauthtest.Keys{AccessKeyID: lab.SomeID, SecretAccessKey: lab.SomeSecret, SessionToken: token}
	tests := map[string]func(w *lab.Place) []awsauth.Option{
		"static keys": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, token)}
		},
		"environment": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ACCESS_KEY_ID="+lab.SomeID, "AWS_SECRET_ACCESS_KEY="+lab.SomeSecret, "AWS_SESSION_TOKEN="+token,
				"AWS_CONTAINER_AUTHORIZATION_TOKEN=Bearer-container-EXAMPLE")
			return nil
		},
		"profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\n"+both, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"source profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+both, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"process": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\ncredential_process = false --password process-password\n", "")
			return nil
		},
		"provider": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(keys.Provider())}
		},
		"load option": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithCredentialsProvider(keys.Provider()),
				config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: bearerToken}}))}
		},
	}
	for name, opts := range tests {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			var log lockedBuffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			s := w.Open(append(opts(w), awsauth.WithAccount(lab.Target), awsauth.WithLogger(logger), awsauth.WithRegion("us-east-1"),
				awsauth.WithLoadOptions(config.WithRetryMaxAttempts(1)))...)
			_, err := s.Retrieve(t.Context()) // keys that nobody issued
			require.Error(t, err)
			text, jsonErr := json.Marshal(map[string]any{"session": s, "error": err})
			require.NoError(t, jsonErr)
			cfg := s.Config()
			logger.Info("all", "session", s, "error", err, "config", cfg)
			printed := log.String() + string(text)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				printed += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, err) + fmt.Sprintf(verb, cfg.ConfigSources)
			}
			printed += fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg)
			for _, secret := range secrets {
				requireAbsent(t, printed, secret)
			}
		})
	}
}

// requireAbsent asks that a secret shows in no form.
func requireAbsent(t *testing.T, printed, secret string) {
	t.Helper()
	for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
		if i := strings.Index(printed, form); i >= 0 {
			t.Errorf("a secret is shown after %q", printed[max(0, i-200):i])
		}
	}
}

// lockedBuffer is a log that a refresh may still write to behind its callers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestString names the way to the identity.
func TestString(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
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
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
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

// TestDefaultSessionName: users, hosts and programs have names that STS would
// refuse.
func TestDefaultSessionName(t *testing.T) {
	fits := regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	assert.Regexp(t, fits, names.DefaultSession())
	tests := []struct{ who, host, want string }{
		{"ana", "laptop", "ana@laptop"},
		{"ana", "laptop.corp.example", "ana@laptop"},
		{`CORP\ana`, "PC-1", "ana@PC-1"},
		{"josé núñez", "büro", "jos--n--ez@b-ro"},
		{"ana", "", "ana"},
		{strings.Repeat("u", 32), strings.Repeat("h", 32), strings.Repeat("u", 32) + "@" + strings.Repeat("h", 31)},
		{strings.Repeat("u", 33), strings.Repeat("h", 31), strings.Repeat("u", 32) + "@" + strings.Repeat("h", 31)},
		{"", "", "awsauth"},
		{"a", "", "aawsauth"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, names.Session(tt.who, tt.host))
	}
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
	_ = w.IdentityOf(w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target)))
	for _, c := range w.Calls("AssumeRole") {
		assert.Equal(t, names.DefaultSession(), c.Params.Get("RoleSessionName"), c.Params.Get("RoleArn"))
	}
}

// TestSessionAsProvider: a session is a provider like any other.
func TestSessionAsProvider(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	base := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	s := w.Open(awsauth.WithCredentialsProvider(base), awsauth.WithAccount(lab.Target))
	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
}
