package awsauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

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
		lab.RequireBad(t, err, awsauth.InvalidDuration, w.Dir+"/config:3: ", "1h", "3600")
	}
	require.Empty(t, w.Said())
}

// TestPassedOver: Explain names what stands beside the source that counts, in the
// profiles that were gone through, and nothing that counts itself.
func TestPassedOver(t *testing.T) {
	const role, toKeys = "[profile ops]\nrole_arn = $MANAGE\n", "source_profile = keys\n[profile keys]\n"
	const sso, process = lab.SSOSession, "credential_process = true\n"
	first := func(what, profile, used string) string {
		switch used {
		case "profile keys":
			return fmt.Sprintf("%s of profile %q: its keys of the credentials file come first", what, profile)
		case "config keys":
			return fmt.Sprintf("%s of profile %q: its keys of the config file come first", what, profile)
		}
		return fmt.Sprintf("%s of profile %q: %s comes first", what, profile, used)
	}
	const inFile, inConfig = "aws_access_key_id", "aws_access_key_id of the config file"
	for name, tt := range map[string]struct {
		config, credentials string
		want                []string
	}{
		"keys alone":                        {config: "[profile ops]\n" + lab.KeyLines},
		"a source's keys":                   {config: role + toKeys + lab.KeyLines},
		"a role beside a source's keys":     {role + toKeys + "role_arn = $BASE\n" + lab.KeyLines, "", []string{first("role_arn", "keys", "config keys")}},
		"the same, in the credentials file": {role + toKeys + "role_arn = $BASE\n", "[keys]\n" + lab.KeyLines, []string{first("role_arn", "keys", "profile keys")}},
		"a role with its own keys":          {config: role + "source_profile = ops\n" + lab.KeyLines},
		"a source's role and its process":   {config: role + toKeys + "role_arn = $BASE\nsource_profile = keys\n" + process},
		"keys beside a source_profile":      {role + lab.KeyLines + toKeys + lab.KeyLines, "", []string{first(inConfig, "ops", "source_profile")}},
		"keys of both files":                {"[profile ops]\n" + lab.SomePair, "[ops]\n" + lab.KeyLines, []string{first(inConfig, "ops", "profile keys")}},
		"a process beside keys":             {"[profile ops]\n" + process, "[ops]\n" + lab.KeyLines, []string{first("credential_process", "ops", "profile keys")}},
		"SSO alone":                         {config: "[profile ops]\n" + sso + lab.CorpSection},
		"SSO beside a source_profile":       {role + sso + toKeys + lab.KeyLines + lab.CorpSection, "", []string{first("sso_session", "ops", "source_profile")}},
		"SSO token beside keys":             {"[profile ops]\nsso_session = corp\n" + lab.CorpSection, "[ops]\n" + lab.KeyLines, []string{first("sso_session", "ops", "profile keys")}},
		"keys beside SSO":                   {"[profile ops]\n" + sso + lab.CorpSection, "[ops]\n" + lab.KeyLines, []string{first(inFile, "ops", "SSO")}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, tt.credentials)
			var got []string
			for _, step := range w.Open(awsauth.WithProfile("ops")).Explain().Steps {
				if strings.HasSuffix(step.Source, " of profile \"ops\"") || strings.HasSuffix(step.Source, " of profile \"keys\"") {
					got = append(got, step.Source+": "+step.Detail)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
