package awsauth_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// badSharedFile is a pair of shared files that New must refuse.
type badSharedFile struct {
	name                string
	config, credentials string
	opts                []awsauth.Option
	kind                awsauth.Kind // InvalidOption if empty
	text                []string
}

func badSharedFiles() []badSharedFile {
	ops := []awsauth.Option{awsauth.WithProfile("ops")}
	role := "[profile ops]\nrole_arn = " + lab.ManageRole + "\n"
	return []badSharedFile{
		{"no equals sign", "[profile ops]\n" + lab.SomePair + "region us-east-1\n", "", ops, "", []string{"/config:4"}},
		{"secret broken over two lines", "[profile ops]\naws_access_key_id = " + lab.SomeID + "\naws_secret_access_key =\n" + lab.SomeSecret + "\n", "", ops, "", []string{"/config:4"}},
		{"key over two lines", "[profile ops]\n" + lab.SomePair + "  " + lab.SomeSecret + "\n", "", ops, "", []string{"/config:4", "aws_secret_access_key"}},
		{"role_arn over two lines", role + "  x\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:2", "role_arn"}},
		{"lone quote", "[profile ops]\n" + lab.SomePair + "region = \"\n", "", ops, "", []string{"/config:4", "quote"}},
		{"no closing bracket", "[profile ops\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"no section", "region = us-east-1\n[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"empty section name", "[]\nregion = us-east-1\n[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"byte order mark", "\ufeff[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1", "byte order mark"}},
		{"byte order mark, default profile", "", "\ufeff[default]\n" + lab.SomePair, nil, "", []string{"/credentials:1", "byte order mark"}},
		{"malformed default profile", "", "[default]\n" + lab.SomePair + "nonsense\n", nil, "", []string{"/credentials:4"}},
		{"unknown profile, near match", "[profile oops]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{`"ops"`, `did you mean "oops"?`}},
		{"unknown profile, other case", "[profile OPS]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{`did you mean "OPS"?`}},
		{"unknown profile, others there", "[profile alpha]\n[profile beta]\n[profile gamma]\n[default]\n", "[delta]\n" + lab.SomePair, ops, awsauth.ProfileNotFound,
			[]string{"alpha, beta", "and 2 more", "/config", "/credentials"}},
		{"unknown profile, nothing there", "", "", ops, awsauth.ProfileNotFound, []string{`aws configure --profile ops`}},
		{"profile without its prefix", "[ops]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{"/config:1", "[profile ops]"}},
		{"unknown source profile", role + "source_profile = keyz\n[profile keys]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound,
			[]string{"/config:3", `"keyz"`, `did you mean "keys"?`}},
		{"circle of two", role + "source_profile = b\n[profile b]\nrole_arn = " + lab.ManageRole + "\nsource_profile = ops\n", "", ops, "",
			[]string{"/config:6", "ops → b → ops"}},
		{"circle of three, entered from outside", role + "source_profile = a\n[profile a]\nrole_arn = " + lab.ManageRole + "\nsource_profile = b\n" +
			"[profile b]\nrole_arn = " + lab.ManageRole + "\nsource_profile = a\n", "", ops, "", []string{"/config:9", "a → b → a"}},
		{"itself, without keys", role + "source_profile = ops\n", "", ops, "", []string{"/config:3", "ops → ops"}},
		{"source without credentials", role + "source_profile = keys\n[profile keys]\nregion = us-east-1\n", "", ops, "", []string{`"ops"`, `"keys"`}},
		{"role_arn malformed", "[profile ops]\nrole_arn = arn:aws:iam::123:role/x\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:2", "role_arn", "12 digits"}},
		{"role_arn of a session", "[profile ops]\nrole_arn = arn:aws:sts::123456789012:assumed-role/x/y\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:2", "role/x"}},
		{"role_arn of a source malformed", role + "source_profile = b\n[profile b]\nrole_arn = nonsense\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:5", `"b"`}},
		{"role_arn alone", role, "", ops, "", []string{"/config:2", "source_profile"}},
		{"source_profile alone", "[profile ops]\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:2", "role_arn"}},
		{"credential_source alone", "[profile ops]\ncredential_source = Environment\n", "", ops, "", []string{"/config:2", "role_arn"}},
		{"credential_source unknown", role + "credential_source = Ec2\n", "", ops, "", []string{"/config:3", "Ec2InstanceMetadata"}},
		{"credential_source Environment, which is empty", role + "credential_source = Environment\n", "", ops, "", []string{"/config:3", "AWS_ACCESS_KEY_ID"}},
		{"two ways to the credentials", role + "source_profile = keys\ncredential_source = Ec2InstanceMetadata\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{`"ops"`, "credential"}},
		{"duration_seconds", role + "duration_seconds = 60\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3", "900"}},
		{"duration_seconds, no number", role + "duration_seconds = 1h\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3", "900"}},
		{"role_session_name", role + "role_session_name = a b\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3"}},
		{"SSO session that does not exist", "[profile ops]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = base\n", "", ops, "", []string{`"ops"`, "corp"}},
	}
}

// TestBadSharedFiles: the SDK passes most of these over in silence.
func TestBadSharedFiles(t *testing.T) {
	for _, tt := range badSharedFiles() {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Files(tt.config, tt.credentials)
			kind := tt.kind
			if kind == "" {
				kind = awsauth.InvalidOption
			}
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, kind, tt.text...)
			assert.Empty(t, w.Said())
		})
	}
}

// TestBadSettings: a setting that says nothing of whose the credentials are is held
// to its form too, with its place and the values it may have.
func TestBadSettings(t *testing.T) {
	for line, mend := range map[string]string{
		"max_attempts = x":                         "whole number",
		"max_attempts =":                           "whole number, as 3, or remove the line",
		"retry_mode = legacy":                      "standard or adaptive",
		"defaults_mode = fast":                     "in-region",
		"ec2_metadata_service_endpoint_mode = v6":  "IPv4 or IPv6",
		"account_id_endpoint_mode = always":        "preferred",
		"disable_request_compression = perhaps":    "true or false",
		"disable_clock_skew_correction = perhaps":  "true or false",
		"request_min_compression_size_bytes = 1 K": "10485760",
		"request_checksum_calculation = never":     "when_required",
		"response_checksum_validation = never":     "when_required",
		"use_fips_endpoint = yes":                  "count as false",
		"use_dualstack_endpoint = 1":               "count as false",
		"ec2_metadata_v1_disabled = on":            "count as false",
		"ignore_configured_endpoint_urls = yes":    "count as false",
	} {
		t.Run(line, func(t *testing.T) {
			key, _, _ := strings.Cut(line, " ")
			for name, opts := range map[string][]awsauth.Option{"profile": {awsauth.WithProfile("ops")}, "environment": nil} {
				w := lab.New(t, awsauth.AWS)
				w.Files("[profile ops]\n"+lab.SomePair+line+"\n", "")
				if opts == nil { // its keys decide, and the profile still has settings
					w.Env("AWS_PROFILE=ops", "AWS_ACCESS_KEY_ID="+lab.SomeID, "AWS_SECRET_ACCESS_KEY="+lab.SomeSecret)
				}
				_, err := w.Try(opts...)
				lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir+"/config:4: "+key, `of profile "ops"`, mend)
				assert.NotContains(t, err.Error(), "settings", name)
				assert.Empty(t, w.Said(), name)
			}
		})
	}
	for _, line := range []string{"use_fips_endpoint = False", "use_dualstack_endpoint =", "ignore_configured_endpoint_urls = TRUE", "max_attempts = 0"} {
		w := lab.New(t, awsauth.AWS)
		w.Files("[profile ops]\n"+lab.SomePair+line+"\n", "")
		_, err := w.Try(awsauth.WithProfile("ops"))
		assert.NoError(t, err, line)
	}
}

// TestHeadings: a heading that counts for nothing is an error where its profile
// is asked for or decides, and else a warning in the log.
func TestHeadings(t *testing.T) {
	const nothing = " counts for nothing in a credentials file; write "
	const capital = "[Default] is not the default profile, whose name has no capitals; write [default]"
	keys := "[default]\n" + lab.KeyLines
	for name, tt := range map[string]struct {
		profile             string
		config, credentials string
		says                string
		warns               bool
	}{
		"profile in the credentials file": {"", "", "# keys\n[profile default]\n" + lab.KeyLines, "credentials:2: [profile default]" + nothing + "[default]", false},
		"Default in the credentials file": {"", "", "[Default]\n" + lab.KeyLines, "credentials:1: " + capital, false},
		"Default in the config file":      {"", "\n\n[Default]\n" + lab.KeyLines, "", "config:3: " + capital, false},
		"of the profile asked for":        {"ops", "", keys + "[profile ops]\n" + lab.KeyLines, "credentials:4: [profile ops]" + nothing + "[ops]", false},
		"of another profile":              {"", "", keys + "[profile ops]\nregion = us-east-1\n", "credentials:4: [profile ops]" + nothing + "[ops]", true},
		"Default, another asked for":      {"ops", "[profile ops]\n" + lab.KeyLines + "[Default]\n", "", "config:4: " + capital, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance() // would be next
			w.Files(tt.config, tt.credentials)
			var log lab.Records
			s, err := w.Try(awsauth.WithProfile(tt.profile), log.Option())
			assert.Empty(t, w.Said())
			if !tt.warns {
				kind := awsauth.InvalidOption
				if tt.profile != "" {
					kind = awsauth.ProfileNotFound
				}
				lab.RequireBad(t, err, kind, w.Dir+"/"+tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			warnings := log.At(slog.LevelWarn)
			require.Len(t, warnings, 1)
			assert.Equal(t, "awsauth: "+w.Dir+"/"+tt.says, warnings[0].Message)
		})
	}
}
