package sharedfile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestIdleHeadings: a heading that counts for nothing is a warning where nothing is
// lost with it, and else refused as before.
func TestIdleHeadings(t *testing.T) {
	const config, credentials = "heading config:1: [ops] counts for nothing in a config file; write [profile ops]", "[ops]\n" + pair
	for name, tt := range map[string]struct {
		config, credentials string
		refused             bool
	}{
		"an output":                      {"[ops]\noutput = json\n", credentials, false},
		"nothing":                        {"[ops]\n", credentials, false},
		"settings of s3":                 {"[ops]\ns3 =\n  addressing_style = path\n", credentials, false},
		"a region":                       {"[ops]\nregion = eu-west-1\n", credentials, true},
		"a region, and another":          {"[ops]\nregion = eu-west-1\n[profile ops]\nregion = us-east-1\n", credentials, false},
		"a region, and an empty one":     {"[ops]\nregion = eu-west-1\n[profile ops]\nregion =\n", credentials, true},
		"an address":                     {"[ops]\nendpoint_url = http://localhost:4566\n", credentials, true},
		"FIPS":                           {"[ops]\nuse_fips_endpoint = true\n", credentials, true},
		"a role":                         {"[ops]\nrole_arn = arn:aws:iam::123456789012:role/x\n", credentials, true},
		"a role beside the right one":    {"[ops]\nrole_arn = arn:aws:iam::123456789012:role/x\n[profile ops]\noutput = json\n", credentials, true},
		"a device":                       {"[ops]\nmfa_serial = arn:aws:iam::123456789012:mfa/ana\n", credentials, true},
		"a misspelt role":                {"[ops]\nrolearn = arn:aws:iam::123456789012:role/x\n", credentials, true},
		"a role's name elsewhere":        {"[ops]\naws_role_arn = arn:aws:iam::123456789012:role/x\n", credentials, true},
		"an output, and no such profile": {"[ops]\noutput = json\n", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			files, _, _ := write(t, tt.config, tt.credentials)
			refused, warned := texts(files.Problems("ops")), texts(files.Others("ops"))
			if tt.refused {
				assert.Equal(t, []string{config}, refused)
				return
			}
			assert.Empty(t, refused)
			assert.Equal(t, []string{config}, warned)
		})
	}
}

// TestKeysThatAreNearby: names that are near to one of AWS's keys, but are another's.
func TestKeysThatAreNearby(t *testing.T) {
	const missing = " is no key that AWS knows; write "
	runProblems(t, []problemTest{
		{"regions of services", "[profile ops]\nsts_region = a\nssm_region = b\ns3_account_id = c\n", "", nil},
		{"SSO's own", "[profile ops]\nsso_regoin = a\n", "", []string{"misspelt config:2: sso_regoin" + missing + "sso_region, or remove the line"}},
		{"beside the right one", "[profile ops]\nrole-arn = x\nrole_arn = y\n", "", nil},
		{"beside the right one without a value", "[profile ops]\nrole-arn = x\nrole_arn =\n", "", []string{
			"misspelt config:2: role-arn" + missing + "role_arn, or remove the line",
			"empty config:3: role_arn of profile \"ops\" has no value; write its value, or remove the line"}},
		{"a note in another script", "[profile ops]\n备注 = x\n账号_prod = y\nзаметка = z\ngröße = g\n", "", nil},
		{"a Cyrillic letter among Latin ones", "[profile ops]\nre\u0433ion = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+0433); write the key in plain ASCII"}},
		{"a full-width letter", "[profile ops]\nregio\uff4e = x\n", "", []string{"character config:2: a key has a full-width n (U+FF4E); write the key in plain ASCII"}},
		{"a filler that is not seen", "[profile ops]\nrole_arn\u3164 = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+3164); write the key in plain ASCII"}},
		{"a filler behind region", "[profile ops]\nregion\u3164 = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+3164); write the key in plain ASCII"}},
		{"a variation selector", "[profile ops]\nrole_arn\ufe0f = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+FE0F); write the key in plain ASCII"}},
		{"a variation selector in a note", "[profile ops]\nnote\ufe0f = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+FE0F); write the key in plain ASCII"}},
		{"joiners", "[profile ops]\nrole\u034f\u034f_arn = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+034F); write the key in plain ASCII"}},
		{"a letter of mathematics", "[profile ops]\n\U0001d42bole_arn = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+1D42B); write the key in plain ASCII"}},
		{"a tie for a line", "[profile ops]\nrole\u203farn = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+203F); write the key in plain ASCII"}},
		{"an accent on region", "[profile ops]\nr\u00e9gion = x\n", "", []string{"character config:2: a key has a character outside ASCII (U+00E9); write the key in plain ASCII"}},
		{"other notes", "[profile ops]\nキー = x\nサーバー = y\nбюджет = z\nmañana = m\nتاريخ = t\nชื่อ = n\nहिन्दी = h\nქართული = k\nréunion = r\ngro\u0308\u00dfe = g\n", "", nil},
		{"an umlaut in a key of AWS", "[profile ops]\nröle_arn = x\n", "", []string{
			"character config:2: a key has a character outside ASCII (U+00F6); write the key in plain ASCII"}},
	})
}

// TestQuotesOfProcesses: a quote behind a backslash opens nothing for a shell.
func TestQuotesOfProcesses(t *testing.T) {
	const open = "quote config:2: a quote in credential_process is not closed; write the value without quotes, or with one at each end"
	for command, wants := range map[string]string{
		`/bin/x Ana\'s\ key`:                 `/bin/x Ana\'s\ key`,
		`/bin/x Ana\'s\ key # mine`:          `/bin/x Ana\'s\ key`,
		`sh -c 'echo '\''a # b'\'''`:         `sh -c 'echo '\''a # b'\'''`,
		`sh -c 'echo '\''a # b'\''' ; mine`:  `sh -c 'echo '\''a # b'\'''`,
		`"C:\Program Files\x.exe" C:\a\ # a`: `"C:\Program Files\x.exe" C:\a\`,
		`/bin/x \"a`:                         `/bin/x \"a`,
		`"C:\dir\" b`:                        "",
		`/bin/x 'it\'s'`:                     "",
		`/bin/x \\'a`:                        "",
		`/bin/x 'a`:                          "",
	} {
		files, _, _ := write(t, "[profile ops]\ncredential_process = "+command+"\n", "")
		if wants == "" {
			assert.Equal(t, []string{open}, texts(files.Problems("ops")), command)
			continue
		}
		assert.Empty(t, texts(files.Problems("ops")), command)
		v, _ := files.Get("ops", "credential_process")
		assert.Equal(t, wants, v.Text, command)
	}
}
