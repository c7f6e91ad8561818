package awsauth_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestFourUses: the uses that the library is there for, without a word more.
func TestFourUses(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines, "[default]\n"+lab.KeyLines)
	account := awsauth.WithAccount(lab.Target)
	for name, opts := range map[string][]awsauth.Option{
		"default chain":   {account},
		"keys":            {w.Static(), account},
		"profile":         {awsauth.WithProfile("ops"), account},
		"keys, no role":   {w.Static()},
		"profile, itself": {awsauth.WithProfile("ops")},
	} {
		_, err := w.Open(opts...).Identity(t.Context())
		require.NoError(t, err, name)
	}
}

// TestEverySource takes each source alone, with a region of its own partition,
// and compares all that went over the wire.
func TestEverySource(t *testing.T) {
	for _, src := range lab.Sources() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := src.Fill(w, "")
			w.Env("AWS_REGION=us-east-1")
			s := w.Open(opts...)
			assert.Empty(t, w.Said(), "calls in New")

			got := w.IdentityOf(s)
			want := w.ARN(lab.Home, "user/ci")
			if src.Role != "" {
				want = w.Became(lab.Home, src.Role)
			}
			assert.Equal(t, want, got)

			calls := src.Wire("us-east-1")
			switch {
			case src.Role == "":
				calls = append(calls, "GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 user")
			case src.Service:
				calls = append(calls, "GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 session")
			}
			assert.Equal(t, calls, w.Said())

			w.ResetCalls()
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			_ = w.IdentityOf(s)
			assert.Empty(t, w.Said(), "calls for what is known already")
		})
	}
}

// TestPrecedence has two sources each time; the user's keys are in the one
// that must win, and the other holds keys that nobody issued.
func TestPrecedence(t *testing.T) {
	badKeys := awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")
	badProvider := awsauth.WithCredentialsProvider(awsauthtest.Keys{AccessKeyID: lab.SomeID, SecretAccessKey: lab.SomeSecret}.Provider())
	ops := awsauth.WithProfile("ops")
	tests := []struct {
		name                string
		env                 []string
		config, credentials string
		opts                func(w *lab.Place) []awsauth.Option
	}{
		{"profile before static keys", nil, "[profile ops]\n" + lab.KeyLines, "",
			func(*lab.Place) []awsauth.Option { return []awsauth.Option{badKeys, ops} }},
		{"profile before a provider", nil, "[profile ops]\n" + lab.KeyLines, "",
			func(*lab.Place) []awsauth.Option { return []awsauth.Option{ops, badProvider} }},
		{"profile before the environment", lab.SomeEnv, "[profile ops]\n" + lab.KeyLines, "",
			func(*lab.Place) []awsauth.Option { return []awsauth.Option{ops} }},
		{"option before AWS_PROFILE", []string{"AWS_PROFILE=other"}, "[profile ops]\n" + lab.KeyLines + "[profile other]\n" + lab.SomePair, "",
			func(*lab.Place) []awsauth.Option { return []awsauth.Option{ops} }},
		{"static keys before a provider", nil, "", "",
			func(w *lab.Place) []awsauth.Option { return []awsauth.Option{badProvider, w.Static()} }},
		{"static keys before the environment", lab.SomeEnv, "[default]\n" + lab.SomePair, "",
			func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		{"static keys before AWS_PROFILE", []string{"AWS_PROFILE=ops"}, "[profile ops]\n" + lab.SomePair, "",
			func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		{"provider before the environment", lab.SomeEnv, "[default]\n" + lab.SomePair, "",
			func(w *lab.Place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithCredentialsProvider(w.Keys.Provider())}
			}},
		{"environment before AWS_PROFILE", append([]string{"AWS_PROFILE=ops"}, lab.KeyEnv...), "[profile ops]\n" + lab.SomePair, "", nil},
		{"environment before the default profile", lab.KeyEnv, "[default]\n" + lab.SomePair, "[default]\n" + lab.SomePair, nil},
		{"environment before web identity", append([]string{"AWS_WEB_IDENTITY_TOKEN_FILE=/none", "AWS_ROLE_ARN=$BASE"}, lab.KeyEnv...), "", "", nil},
		{"environment before the container", append([]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/none"}, lab.KeyEnv...), "", "", nil},
		{"AWS_PROFILE before AWS_DEFAULT_PROFILE", []string{"AWS_PROFILE=ops", "AWS_DEFAULT_PROFILE=other"},
			"[profile ops]\n" + lab.KeyLines + "[profile other]\n" + lab.SomePair, "", nil},
		{"AWS_PROFILE before an AWS_DEFAULT_PROFILE that does not exist", []string{"AWS_PROFILE=ops", "AWS_DEFAULT_PROFILE=nowhere"},
			"[profile ops]\n" + lab.KeyLines, "", nil},
		{"AWS_PROFILE before the default profile", []string{"AWS_PROFILE=ops"}, "[profile ops]\n" + lab.KeyLines + "[default]\n" + lab.SomePair, "", nil},
		{"credentials file before config file", nil, "[default]\n" + lab.SomePair, "[default]\n" + lab.KeyLines, nil},
		{"default profile before the container", []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/none"}, "[default]\n" + lab.KeyLines, "", nil},
		{"last option of a kind", nil, "", "",
			func(w *lab.Place) []awsauth.Option { return []awsauth.Option{badKeys, w.Static()} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Env(tt.env...)
			w.Files(tt.config, tt.credentials)
			var opts []awsauth.Option
			if tt.opts != nil {
				opts = tt.opts(w)
			}
			s := w.Open(opts...)
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			assert.Equal(t, []string{"GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 user"}, w.Said())
		})
	}
}

// TestRegionOnlyProfile: a profile without credentials is an error when the
// caller named it, and says no more than a region when the environment did.
func TestRegionOnlyProfile(t *testing.T) {
	const config = "[profile where]\nregion = eu-west-3\n"

	t.Run("WithProfile", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.OnInstance()
		w.Files(config, "")
		_, err := w.Try(awsauth.WithProfile("where"))
		lab.RequireBad(t, err, awsauth.NoCredentials, `profile "where"`)
		assert.Empty(t, w.Said())
	})
	t.Run("AWS_PROFILE", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Region: "us-west-2"})
		w.Files(config, "")
		w.Env("AWS_PROFILE=where")
		s := w.Open()
		assert.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(s))
		assert.Equal(t, "eu-west-3", s.Config().Region)
		assert.Equal(t, []string{"GetCallerIdentity sts.eu-west-3.amazonaws.com eu-west-3 session"}, w.Said("GetCallerIdentity"))
		assert.Empty(t, w.Said("GetRegion"), "the region is known without the metadata")
	})
	t.Run("AWS_PROFILE that does not exist", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.OnInstance()
		w.Env("AWS_PROFILE=nowhere")
		_, err := w.Try()
		lab.RequireBad(t, err, awsauth.ProfileNotFound, `profile "nowhere" (from AWS_PROFILE)`)
		assert.Empty(t, w.Said())
	})
}

// TestMetadataDisabled: switched off is switched off, for the region as well.
func TestMetadataDisabled(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open() // no instance: Isolate's AWS_EC2_METADATA_DISABLED holds
	assert.Empty(t, w.Said())
	_, err := s.Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials)
	assert.Empty(t, w.Said())
}

// TestProfileForRegionOnly: a profile that a load option names is the identity
// only where the caller brings none.
func TestProfileForRegionOnly(t *testing.T) {
	other := awsauth.WithLoadOptions(config.WithSharedConfigProfile("other"))
	for name, tt := range map[string]struct {
		keys  string // of the profile
		env   []string
		bring func(w *lab.Place) []awsauth.Option
	}{
		"WithStaticCredentials": {lab.SomePair, nil, func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		"WithCredentialsProvider": {lab.SomePair, nil, func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(w.Keys.Provider())}
		}},
		"config.WithCredentialsProvider": {lab.SomePair, nil, func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithCredentialsProvider(w.Keys.Provider()))}
		}},
		"static keys, profile without keys": {"", nil, func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		"alone": {lab.KeyLines, lab.SomeEnv,
			func(*lab.Place) []awsauth.Option { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files("[profile other]\nregion = eu-west-3\n"+tt.keys, "")
			w.Env(tt.env...)
			s := w.Open(append(tt.bring(w), other)...)
			assert.Equal(t, "eu-west-3", s.Config().Region)
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			assert.Equal(t, []string{"GetCallerIdentity sts.eu-west-3.amazonaws.com eu-west-3 user"}, w.Said())
			assert.Equal(t, name == "alone", strings.Contains(s.String(), `profile "other"`), s.String())
		})
	}
}

// TestProfileWithoutCredentials: AWS_PROFILE may be set for the region alone,
// and the log says so.
func TestProfileWithoutCredentials(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.OnInstance()
	w.Files("[profile ops]\nregion = eu-west-1\n", "")
	w.Env("AWS_PROFILE=ops")
	var log lab.Records
	s := w.Open(log.Option())
	require.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(s))
	require.Equal(t, "eu-west-1", s.Config().Region)
	warnings := log.At(slog.LevelWarn)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0].Message, `"ops"`)
}

// TestRowOfTheAmbientProfile: the row tells of the profile in force, but for one
// that WithProfile names, which has a row of its own.
func TestRowOfTheAmbientProfile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines+"[profile other]\nregion = eu-west-3\n", "")
	for name, tt := range map[string]struct {
		row  string
		opts []awsauth.Option
	}{
		"WithProfile": {`profile "default"`, []awsauth.Option{awsauth.WithProfile("ops")}},
		"config.WithSharedConfigProfile": {`profile "other" (config.WithSharedConfigProfile)`,
			[]awsauth.Option{w.Static(), awsauth.WithLoadOptions(config.WithSharedConfigProfile("other"))}},
	} {
		assert.Equal(t, tt.row, w.Open(tt.opts...).Explain().Steps[5].Source, name)
	}
}

// TestUnreadableBesideKeys: keys are given, and a file cannot be read. That is
// one fault where a profile was named, which may stand in it, and else a warning.
func TestUnreadableBesideKeys(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[default]\n", "")
	require.NoError(t, os.Truncate(filepath.Join(w.Dir, "config"), 16<<20+1))
	var log lab.Records
	_ = w.Open(w.Static(), log.Option())
	warnings := log.At(slog.LevelWarn)
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0].Message, w.Dir+"/config: has more than 16 MiB")

	w.Env("AWS_PROFILE=ops")
	err := w.JustNew(w.Static())
	lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir+"/config: has more than 16 MiB")
	require.NotErrorIs(t, err, awsauth.ProfileNotFound, "nobody can tell")
}

// TestNamedProfileDecides: a profile that the environment names and no file has
// ends the search in its row, also where no file is configured. The default
// profile may be missing.
func TestNamedProfileDecides(t *testing.T) {
	for name, load := range map[string][]func(*config.LoadOptions) error{
		"files":    nil,
		"no files": {config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{})},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			opts := []awsauth.Option{awsauth.WithLoadOptions(load...)}
			assert.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(w.Open(opts...)))

			w.Env("AWS_PROFILE=ops")
			err := w.JustNew(opts...)
			lab.RequireBad(t, err, awsauth.ProfileNotFound, `profile "ops" (from AWS_PROFILE)`)
			var e *awsauth.Error
			require.ErrorAs(t, err, &e)
			r, ok := e.Report()
			require.True(t, ok)
			steps := r.Steps
			last := steps[len(steps)-1]
			assert.Equal(t, `profile "ops" (AWS_PROFILE)`, last.Source)
			assert.Equal(t, awsauth.Failed, last.Status)
		})
	}
}
