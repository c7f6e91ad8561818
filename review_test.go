package awsauth_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestProfileForRegionOnly: a profile that a load option names is the identity
// only where the caller brings none.
func TestProfileForRegionOnly(t *testing.T) {
	other := awsauth.WithLoadOptions(config.WithSharedConfigProfile("other"))
	bad := "aws_access_key_id = " + lab.SomeID + "\naws_secret_access_key = " + lab.SomeSecret + "\n"
	for name, tt := range map[string]struct {
		keys  string // of the profile
		env   []string
		bring func(w *lab.Place) []awsauth.Option
	}{
		"WithStaticCredentials": {bad, nil, func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		"WithCredentialsProvider": {bad, nil, func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(w.Keys.Provider())}
		}},
		"config.WithCredentialsProvider": {bad, nil, func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithCredentialsProvider(w.Keys.Provider()))}
		}},
		"static keys, profile without keys": {"", nil, func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} }},
		"alone": {lab.KeyLines, []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret},
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

// TestSectionsThatCountForNothing are each one error, with its place.
func TestSectionsThatCountForNothing(t *testing.T) {
	for name, tt := range map[string]struct{ config, credentials, says string }{
		"profile in the credentials file": {"", "# keys\n[profile default]\n" + lab.KeyLines, "credentials:2: [profile default] counts for nothing in a credentials file; write [default]"},
		"ops in the credentials file":     {"", "[default]\n" + lab.KeyLines + "[profile ops]\nregion = us-east-1\n", "credentials:4: [profile ops] counts for nothing in a credentials file; write [ops]"},
		"Default in the credentials file": {"", "[Default]\n" + lab.KeyLines, "credentials:1: [Default] is not the default profile; write [default]"},
		"Default in the config file":      {"\n\n[Default]\n" + lab.KeyLines, "", "config:3: [Default] is not the default profile; write [default]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance() // would be next
			w.Files(tt.config, tt.credentials)
			_, err := w.Try()
			lab.RequireBad(t, err, awsauth.InvalidOption)
			require.Equal(t, "awsauth: "+w.Dir+"/"+tt.says, err.Error())
			require.Empty(t, w.Said())
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
	require.Equal(t, "EC2", warnings[0].Attrs["source"].String())
}

// TestDurationsOfProfiles reach STS as they are written.
func TestDurationsOfProfiles(t *testing.T) {
	for _, seconds := range []string{"900", "930", "960", "3601", "43200"} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/base"), Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
			w.Files("[profile ops]\nrole_arn = $BASE\nduration_seconds = "+seconds+"\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			c := lab.Get(t, w.Open(awsauth.WithProfile("ops")))
			require.Equal(t, seconds, w.Calls("AssumeRole")[0].Params.Get("DurationSeconds"))
			require.Equal(t, seconds, fmt.Sprint(time.Until(c.Expires).Seconds()))
		})
	}
}

// TestChainedDurationOfProfile is refused before any call, with its place.
func TestChainedDurationOfProfile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, between := range []string{"", "[profile between]\nrole_arn = $MANAGE\nsource_profile = first\n"} {
		source := "first"
		if between != "" {
			source = "between"
		}
		w.Files("[profile ops]\nrole_arn = $MIDDLE\nduration_seconds = 7200\nsource_profile = "+source+"\n"+between+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		_, err := w.Try(awsauth.WithProfile("ops"))
		lab.RequireBad(t, err, awsauth.InvalidDuration, w.Dir+"/config:3: ", "1h", `profile "`+source+`"`, "3600")
	}
	require.Empty(t, w.Said())
}
