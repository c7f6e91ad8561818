package sharedfile_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

const pair = "aws_access_key_id = AKIDALPHA\naws_secret_access_key = secret/alpha\n"

// problemTest is a pair of files and what is wrong with it, for profile "ops".
type problemTest struct {
	name, config, credentials string
	want                      []string
}

func runProblems(t *testing.T, tests []problemTest) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, _, _ := write(t, tt.config, tt.credentials)
			assert.Equal(t, append([]string{}, tt.want...), texts(files.Problems("ops")))
		})
	}
}

// TestValues: a value that is split, empty or half there.
func TestValues(t *testing.T) {
	runProblems(t, []problemTest{
		// S3
		{"key id on the next line", "", "[ops]\naws_access_key_id =\n  AKIDALPHA\naws_secret_access_key = secret/alpha\n",
			[]string{"continued credentials:2: the value of aws_access_key_id is not on its line, but there is something at credentials:3; write key and value on one line"}},
		{"secret over three lines", "[profile ops]\naws_access_key_id = AKIDALPHA\naws_secret_access_key = secret\n  /alpha\n  /beta\n", "",
			[]string{"continued config:3: the value of aws_secret_access_key goes on at config:4; write key and value on one line"}},
		{"role on the next line", "[profile ops]\nrole_arn =\n\n  # comment\n\tarn:aws:iam::123456789012:role/x\n", "",
			[]string{"continued config:2: the value of role_arn is not on its line, but there is something at config:5; write key and value on one line"}},
		{"role goes on", "[profile ops]\nrole_arn = arn\n  x\n", "",
			[]string{"continued config:2: the value of role_arn goes on at config:3; write key and value on one line"}},
		{"pair below a region", "[profile ops]\nregion = us-east-1\n aws_access_key_id = AKIDALPHA\naws_secret_access_key = secret/alpha\n", "", []string{
			"continued config:3: aws_access_key_id indented below the key at config:2 is a part of that value for the AWS CLI; indent both lines alike",
			"half pair config:4: profile \"ops\" has half a key pair: no aws_access_key_id; add aws_access_key_id, or remove the other half"}},
		{"token that goes on with an equals sign", "", "[ops]\n" + pair + "aws_session_token = token\n  more==\n",
			[]string{"continued credentials:5: what is indented below aws_session_token at credentials:4 is a part of that value for the AWS CLI; indent both lines alike"}},
		{"region on the next line", "[profile ops]\nregion =\n  us-east-1\n", "",
			[]string{"continued config:2: a key without a value, and no key = value below it at config:3; write key and value on one line"}},
		// S4
		{"empty pair", "", "[ops]\naws_access_key_id =\naws_secret_access_key = \"\"\n",
			[]string{"empty credentials:2: profile \"ops\" has an access key without a value; write the values of aws_access_key_id and aws_secret_access_key, or remove both"}},
		{"empty role and source", "[profile ops]\nrole_arn = # none\nsource_profile =\n", "", []string{
			"empty config:2: role_arn of profile \"ops\" has no value; write its value, or remove the line",
			"empty config:3: source_profile of profile \"ops\" has no value; write its value, or remove the line"}},
		{"empty session", "[profile ops]\nsso_session =\n", "", []string{"empty config:2: sso_session of profile \"ops\" has no value; write its value, or remove the line"}},
		{"empty process", "[profile ops]\ncredential_process =\n", "",
			[]string{"empty config:2: credential_process of profile \"ops\" has no value; write its value, or remove the line"}},
		{"empty values that count as absent", "[profile ops]\nregion =\nmfa_serial =\naws_session_token =\nexternal_id =\n", "", nil},
		// half pairs
		{"id alone", "[profile ops]\naws_access_key_id = AKIDALPHA\n", "[ops]\n" + pair,
			[]string{"half pair config:2: profile \"ops\" has half a key pair: no aws_secret_access_key; add aws_secret_access_key, or remove the other half"}},
		{"empty id alone", "", "[ops]\naws_access_key_id =\n",
			[]string{"half pair credentials:2: profile \"ops\" has half a key pair: no aws_secret_access_key; add aws_secret_access_key, or remove the other half"}},
		{"token alone", "", "[ops]\naws_session_token = token\n",
			[]string{"half pair credentials:2: profile \"ops\" has a session token but no keys; add aws_access_key_id and aws_secret_access_key, or remove the token"}},
		{"two tokens", "", "[ops]\n" + pair + "aws_session_token = a\naws_security_token = b\n",
			[]string{"duplicate credentials:5: profile \"ops\" has another aws_session_token at credentials:4; remove aws_security_token, its old name"}},
		{"space in a secret", "", "[ops]\naws_access_key_id = AKIDALPHA\naws_secret_access_key = secret /alpha\n",
			[]string{"character credentials:3: aws_secret_access_key of profile \"ops\" has a space in it; write the value anew"}},
	})
}

// TestLines: a line that cannot be read, and a quote without its partner.
func TestLines(t *testing.T) {
	runProblems(t, []problemTest{
		// S17, S18 and lines that cannot be read
		{"no key", "[profile ops]\n= us-west-2\n", "", []string{"malformed config:2: no key before the =; write key = value"}},
		{"indented line without a key", "[profile ops]\n  text\n", "", []string{"malformed config:2: neither a [section] nor a key = value; correct or remove the line"}},
		{"three lines that cannot be read", "[profile dev]\none\ntwo\nthree\n", "",
			[]string{"malformed config:2: neither a [section] nor a key = value (first of 3 such lines); correct or remove the line"}},
		{"comment before the equals sign", "[profile ops]\nregion # = x\n", "", []string{"malformed config:2: a comment's sign inside the key; correct or remove the line"}},
		{"before any section", "region = x\noutput = y\n[profile ops]\n", "",
			[]string{"malformed config:1: a line before any [section] (first of 2 such lines); write [default] or another section above it"}},
		{"no bracket", "[profile ops\n" + pair, "", []string{"malformed config:1: a section without a closing bracket; write ] behind the name"}},
		{"text behind the bracket", "[profile ops] region = x\n", "", []string{"malformed config:1: text behind the closing bracket of a section; write the key on a line of its own, or # before a comment"}},
		{"no name", "[ ]\n[profile ops]\n", "", []string{"malformed config:1: a section without a name; write [default] or another name"}},
		{"lone quote", "[profile dev]\nregion = ' # x\n", "", []string{"malformed config:2: a quote that is not closed; close or remove the quote"}},
		{"lone quote in a setting", "[profile dev]\ns3 =\n  x = \"\n", "", []string{"malformed config:3: a quote that is not closed; close or remove the quote"}},
		{"quote at the beginning", "[profile ops]\nrole_arn = \"arn:aws:x\n", "",
			[]string{"quote config:2: role_arn has a quote at its beginning and none at its end; write the value without quotes, or with one at each end"}},
		{"quote at the end", "[profile ops]\nregion = us-east-1'\n", "",
			[]string{"quote config:2: region has a quote at its end and none at its beginning; write the value without quotes, or with one at each end"}},
		{"two quotes", "[profile ops]\nrole_arn = \"\"arn:aws:x\"\"\n", "",
			[]string{"quote config:2: role_arn has two quotes at an end; write the value without quotes, or with one at each end"}},
		{"open quote in a command", "[profile ops]\ncredential_process = /a \"b\n", "",
			[]string{"quote config:2: a quote in credential_process is not closed; write the value without quotes, or with one at each end"}},
	})
}

// TestKeys: a key that stands twice, is misspelt, or is the session's.
func TestKeys(t *testing.T) {
	runProblems(t, []problemTest{
		// twice
		{"other role", "[profile ops]\nrole_arn = a\nregion = x\nregion = y\nrole_arn = b\n", "",
			[]string{"duplicate config:5: role_arn of profile \"ops\" has another value at config:2; keep one of them"}},
		{"same role", "[profile ops]\nrole_arn = a\nRole_ARN : a\n", "", nil},
		{"other secret in a second section", "", "[ops]\n" + pair + "[dev]\n[ops]\naws_secret_access_key = secret/beta\n",
			[]string{"duplicate credentials:6: aws_secret_access_key of profile \"ops\" has another value at credentials:3; keep one of them"}},
		{"two forms of a name", "[profile 'ops']\nregion = x\n\n[profile ops]\n", "", []string{"duplicate config:4: profile \"ops\" is written in two ways, here and at config:1; keep one of them"}},
		// misspelt
		{"misspelt keys", "[profile ops]\nsource-profile = x\nrole_arm = y\nexport sso_session = z\n\"mfa_serial\" = m\n", "", []string{
			"misspelt config:2: source-profile is no key that AWS knows; write source_profile, or remove the line",
			"misspelt config:3: role_arm is no key that AWS knows; write role_arn, or remove the line",
			"misspelt config:4: export sso_session is no key that AWS knows; write sso_session, or remove the line",
			"misspelt config:5: \"mfa_serial\" is no key that AWS knows; write mfa_serial, or remove the line"}},
		{"keys of other tools", "[profile ops]\ngranted_sso_start_url = x\nregions = y\nsso_registration_scopes = z\naws_expiration = t\nx_principal_arn = u\n", "", nil},
		// the session of the profile
		{"session", "[profile ops]\nsso_session = corp\n[sso-session corp]\nsso_region = a\nsso_region = b\n[sso-session other]\nsso_region =\n", "",
			[]string{"duplicate config:5: sso_region of sso-session \"corp\" has another value at config:4; keep one of them"}},
		{"session with a capital", "[profile ops]\nsso_session = corp\n[SSO-Session corp]\n", "",
			[]string{"heading config:3: [SSO-Session corp] counts for nothing in a config file: the word is \"sso-session\", without capitals; write [sso-session corp]"}},
		{"session in credentials", "[profile ops]\nsso_session = corp\n", "[sso-session corp]\n",
			[]string{"heading credentials:1: [sso-session corp] counts for nothing in a credentials file; move it to the config file"}},
	})
}

// TestHeadings: a heading that counts for nothing is a problem of the profile
// that it was meant for, and a warning for all others.
func TestHeadings(t *testing.T) {
	tests := []struct {
		name, config, credentials, profile string
		want                               string
	}{
		{"capital Default", "[Default]\n", "", "default", "heading config:1: [Default] is not the default profile, whose name has no capitals; write [default]"},
		{"DEFAULT in credentials", "", "[DEFAULT]\n", "default", "heading credentials:1: [DEFAULT] is not the default profile, whose name has no capitals; write [default]"},
		{"capital Profile", "[Profile foo]\n", "", "foo", "heading config:1: [Profile foo] counts for nothing in a config file: the word is \"profile\", without capitals; write [profile foo]"},
		{"plural", "[profiles 'a b']\n", "", "a b", "heading config:1: [profiles 'a b'] counts for nothing in a config file: the word is \"profile\"; write [profile 'a b']"},
		{"without profile", "[foo]\n", "", "foo", "heading config:1: [foo] counts for nothing in a config file; write [profile foo]"},
		{"without profile, with a blank", "[foo bar]\n", "", "foo bar", "heading config:1: [foo bar] counts for nothing in a config file; write [profile 'foo bar']"},
		{"profile in credentials", "", "[profile x]\n", "x", "heading credentials:1: [profile x] counts for nothing in a credentials file; write [x]"},
		{"Profile in credentials, quoted", "", "[Profile 'x y']\n", "x y", "heading credentials:1: [Profile 'x y'] counts for nothing in a credentials file; write [x y]"},
		{"ideographic space", "[profile\u3000foo]\n", "", "foo", "character config:1: the heading has an ideographic space (U+3000); write [profile foo]"},
		{"non-breaking space", "", "[foo\u00a0]\n", "foo", "character credentials:1: the heading has a non-breaking space (U+00A0); write [foo]"},
		{"two spaces in credentials", "", "[foo \t bar]\n", "foo bar", "heading credentials:1: the name in the heading has more than one space between its words; write [foo bar]"},
		{"zero-width space", "[profile f\u200boo]\n", "", "foo", "character config:1: the heading has an invisible zero-width character (U+200B); write [profile foo]"},
		{"typographic quotes", "[profile \u2018a b\u2019]\n", "", "a b", "character config:1: the heading has a typographic quotation mark (U+2018); write [profile 'a b']"},
		{"escape character", "[profile f\x1b[2Joo]\n", "", "f[2Joo", "character config:1: the heading has a control character (U+001B); write [profile f[2Joo]"},
		{"full-width word", "[ｐｒｏｆｉｌｅ foo]\n", "", "foo", "heading config:1: [ｐｒｏｆｉｌｅ foo] counts for nothing in a config file: the word is \"profile\"; write [profile foo]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, credentials := tt.config+pair, ""
			if tt.config == "" {
				config, credentials = "", tt.credentials+pair
			}
			files, _, _ := write(t, config, credentials)
			assert.Equal(t, []string{tt.want}, texts(files.Problems(tt.profile)))
			assert.Empty(t, files.Others(tt.profile))
			assert.Equal(t, []string{tt.want}, texts(files.Others("other")))
			assert.Empty(t, files.Problems("other"))
		})
	}
}

// TestOneFileForBoth: where both variables name one file, each heading counts
// in one of its two forms, and nothing is said twice.
func TestOneFileForBoth(t *testing.T) {
	_, path, _ := write(t, "[default]\n"+pair+"[profile x]\nregion = us-east-1\n[y]\n"+pair+"[z]\naws_access_key_id = A\n", "")
	files := readBoth(path)
	assert.Empty(t, files.Problems("default"))
	assert.Empty(t, files.Problems("x"))
	assert.Empty(t, files.Problems("y"))
	assert.Len(t, files.Problems("z"), 1)
	assert.Equal(t, []string{"default", "x", "y", "z"}, files.Names())
	assert.Equal(t, []string{path}, files.Paths())
}

// TestNamedCharacters: S26, one line that names the encoding or the character.
func TestNamedCharacters(t *testing.T) {
	utf16 := func(text, mark string, big bool) string {
		for _, c := range []byte(text) {
			if big {
				mark += "\x00" + string(rune(c))
			} else {
				mark += string(rune(c)) + "\x00"
			}
		}
		return mark
	}
	file := "[ops]\n" + pair
	for want, text := range map[string]string{
		"encoding credentials:1: the file is written in UTF-16; save it as UTF-8 without a byte order mark":                                                      utf16(file, "\xff\xfe", false),
		"encoding credentials:1: the file is written in UTF-16; save it as UTF-8 without a byte order mark ":                                                     utf16(file, "\xfe\xff", true),
		"encoding credentials:1: the file is written in UTF-16; save it as UTF-8 without a byte order mark  ":                                                    utf16(file, "", false),
		"encoding credentials:1: the file is written in UTF-16; save it as UTF-8 without a byte order mark   ":                                                   utf16(file, "", true),
		"encoding credentials:1: the file is written in UTF-32; save it as UTF-8 without a byte order mark":                                                      "\xff\xfe\x00\x00[\x00\x00\x00",
		"encoding credentials:1: the file begins with a byte order mark, which hides its first line; save it as UTF-8 without a byte order mark":                 "\ufeff" + file,
		"encoding credentials:4: the file is not text: it has a NUL character (U+0000); correct the path in AWS_SHARED_CREDENTIALS_FILE, or write the file anew": file + "region = a\x00b\n",
		"encoding credentials:4: the line is not UTF-8 (first of 2 such lines); save the file as UTF-8":                                                          file + "region = \xe9\noutput = \xe9\n",
		"malformed credentials:1: a carriage return inside the line; end each line with a line feed, alone or after a carriage return":                           "[ops]\r" + "aws_access_key_id = A\r",
		"malformed credentials:4: neither a [section] nor a key = value: it has a full-width equals sign (U+FF1D); correct or remove the line":                   file + "region\uff1dx\n",
		"malformed credentials:4: neither a [section] nor a key = value: it has a full-width bracket (U+FF3B); correct or remove the line":                       file + "\uff3bdefault\uff3d\n",
		"malformed credentials:4: neither a [section] nor a key = value: it has an ideographic space (U+3000); correct or remove the line":                       file + "region\u3000x\n",
		"character credentials:4: the line begins with an ideographic space (U+3000); begin it with the key, or with plain spaces":                               file + "\u3000region = x\n",
		"character credentials:4: a key has a full-width equals sign (U+FF1D); write the key in plain ASCII":                                                     file + "aws_session_token\uff1dtoken==\n",
		"character credentials:4: a key has a non-breaking space (U+00A0); write the key in plain ASCII":                                                         file + "my\u00a0region = x\n",
		"character credentials:4: a key has a character outside ASCII (U+0430); write the key in plain ASCII":                                                    file + "\u0430ws_session_token = x\n",
		"character credentials:4: aws_session_token of profile \"ops\" has an invisible zero-width character (U+200B); write the value anew":                     file + "aws_session_token = to\u200bken\n",
		"character credentials:4: role_arn of profile \"ops\" has a typographic quotation mark (U+201C); write the value anew":                                   file + "role_arn = \u201carn\u201d\n",
		"character credentials:4: source_profile of profile \"ops\" has a control character (U+009B); write the value anew":                                      file + "source_profile = a\u009bb\n",
		"character credentials:4: sso_session of profile \"ops\" has an invisible character that reverses text (U+202E); write the value anew":                   file + "sso_session = a\u202eb\n",
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			files, _, _ := write(t, "", text)
			assert.Equal(t, []string{trimRight(want)}, texts(files.Problems("ops")))
		})
	}
}
