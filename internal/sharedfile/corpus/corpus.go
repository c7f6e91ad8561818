// Package corpus is a collection of small config and credentials files, for
// tests that hold a reader of them to another one: ours to the Go SDK and to
// boto3. They were written for these tests; no key in them is real.
package corpus

import "slices"

// An Entry is a pair of files, and who asks for what in them.
type Entry struct {
	Name        string
	Config      string
	Credentials string
	Profile     string   // asked for; "default" where none is
	Env         []string // "NAME=value", beside the names of the two files
}

// Entries returns all entries. Their names are unique.
func Entries() []Entry {
	return slices.Concat(plain(), headings(), values(), indented(), broken(), sources(), Tools())
}

const (
	pairA = "aws_access_key_id = AKIDALPHA\naws_secret_access_key = secret/alpha\n"
	pairB = "aws_access_key_id = AKIDBETA\naws_secret_access_key = secret/beta\n"
	pairC = "aws_access_key_id = ASIAGAMMA\naws_secret_access_key = secret/gamma\naws_session_token = token/gamma==\n"

	role = "role_arn = arn:aws:iam::123456789012:role/manage-role\n"
)

// plain are files as AWS documents them.
func plain() []Entry {
	return []Entry{
		{Name: "credentials default", Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "credentials named", Credentials: "[default]\n" + pairA + "[ops]\n" + pairB, Profile: "ops"},
		{Name: "config default", Config: "[default]\n" + pairA + "region = us-east-1\n", Profile: "default"},
		{Name: "config named", Config: "[profile ops]\n" + pairA + "output = json\n", Profile: "ops"},
		{Name: "region in config, keys in credentials", Config: "[profile ops]\nregion = cn-north-1\n", Credentials: "[ops]\n" + pairA, Profile: "ops"},
		{Name: "keys in both", Config: "[profile ops]\n" + pairA, Credentials: "[ops]\n" + pairB, Profile: "ops"},
		{Name: "token in config, pair in credentials", Config: "[default]\n" + pairC, Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "pair with token in credentials, pair in config", Config: "[default]\n" + pairA, Credentials: "[default]\n" + pairC, Profile: "default"},
		{Name: "old token name", Credentials: "[default]\n" + pairA + "aws_security_token = token/old\n", Profile: "default"},
		{Name: "account id", Credentials: "[default]\n" + pairA + "aws_account_id = 111111111111\n", Profile: "default"},
		{Name: "comments", Credentials: "# one\n; two\n[default] # three\n" + pairA + "  # four\n\t; five\n", Profile: "default"},
		{Name: "no blanks", Credentials: "[default]\naws_access_key_id=AKIDALPHA\naws_secret_access_key=secret/alpha", Profile: "default"},
		{Name: "many blanks", Credentials: "[default]\naws_access_key_id \t =\t AKIDALPHA \t\naws_secret_access_key   =   secret/alpha   \n", Profile: "default"},
		{Name: "blank lines", Credentials: "\n\n[default]\n\n\naws_access_key_id = AKIDALPHA\n\n\naws_secret_access_key = secret/alpha\n\n", Profile: "default"},
		{Name: "line ends of Windows", Credentials: "[default]\r\naws_access_key_id = AKIDALPHA\r\naws_secret_access_key = secret/alpha\r\n", Profile: "default"},
		{Name: "capitals in keys", Credentials: "[default]\nAWS_ACCESS_KEY_ID = AKIDALPHA\nAws_Secret_Access_Key = secret/alpha\n", Profile: "default"},
		{Name: "colon for equals", Credentials: "[default]\naws_access_key_id: AKIDALPHA\naws_secret_access_key: secret/alpha\n", Profile: "default"},
		{Name: "equals in a value", Credentials: "[default]\naws_access_key_id = AKIDALPHA\naws_secret_access_key = a=b:c=d\n", Profile: "default"},
		{Name: "colon in a value", Config: "[profile ops]\n" + role + "source_profile = keys\nendpoint_url = http://localhost:4566\n[profile keys]\n" + pairA, Profile: "ops"},
		{Name: "nothing at all", Profile: "default"},
		{Name: "empty profile", Config: "[profile ops]\n", Profile: "ops"},
		{Name: "no such profile", Config: "[profile ops]\n" + pairA, Profile: "oops"},
		{Name: "other sections", Config: "[plugins]\ncli_legacy = x\n[preview]\ncloudsearch = true\n[profile ops]\n" + pairA, Profile: "ops"},
	}
}

// headings are about the names of sections.
func headings() []Entry {
	return []Entry{
		{Name: "quoted name", Config: "[profile 'Foo Bar']\nregion = eu-west-1\n", Credentials: "[Foo Bar]\n" + pairA, Profile: "Foo Bar"},
		{Name: "double-quoted name", Config: "[profile \"Foo Bar\"]\n" + pairA, Profile: "Foo Bar"},
		{Name: "needless quotes", Config: "[profile 'ops']\n" + pairA, Profile: "ops"},
		{Name: "unquoted name with a blank", Config: "[profile Foo Bar]\n" + pairA, Profile: "Foo Bar"},
		{Name: "quoted and unquoted", Config: "[profile 'Foo Bar']\n" + pairA + "[profile Foo Bar]\n" + pairB, Profile: "Foo Bar"},
		{Name: "quotes in credentials", Credentials: "['Foo Bar']\n" + pairA, Profile: "Foo Bar"},
		{Name: "apostrophe", Config: "[profile o'brien]\n" + pairA, Profile: "o'brien"},
		{Name: "apostrophe in credentials", Credentials: "[o'brien]\n" + pairA, Profile: "o'brien"},
		{Name: "quoted apostrophe", Config: "[profile 'o'\"'\"'brien x']\n" + pairA, Profile: "o'brien x"},
		{Name: "backslash", Config: "[profile corp\\ana]\n" + pairA, Profile: "corp\\ana"},
		{Name: "blanks in the heading", Config: "[ profile   ops ]\n" + pairA, Profile: "ops"},
		{Name: "tab in the heading", Config: "[profile\tops]\n" + pairA, Profile: "ops"},
		{Name: "blanks in a heading of credentials", Credentials: "[ ops ]\n" + pairA, Profile: "ops"},
		{Name: "indented heading", Config: "  [profile ops]\n" + pairA, Profile: "ops"},
		{Name: "heading indented below a key", Config: "[default]\nregion = us-east-1\n  [profile ops]\n" + pairA, Profile: "ops"},
		{Name: "number sign in a name", Config: "[default]\nregion = us-east-1\n[profile a#b]\n" + pairA, Profile: "a#b"},
		{Name: "bracket in a name", Config: "[profile a]b]\n" + pairA, Profile: "a]b"},
		{Name: "name in Chinese", Config: "[profile 测试（一）]\n" + pairA, Profile: "测试（一）"},
		{Name: "capital Default", Config: "[Default]\n" + pairA, Profile: "default"},
		{Name: "capital DEFAULT in credentials", Credentials: "[DEFAULT]\n" + pairA, Profile: "default"},
		{Name: "capital Default elsewhere", Config: "[Default]\n" + pairA + "[profile ops]\n" + pairB, Profile: "ops"},
		{Name: "capital Profile", Config: "[Profile ops]\n" + pairA, Profile: "ops"},
		{Name: "no word profile", Config: "[ops]\n" + pairA, Profile: "ops"},
		{Name: "no word profile, keys in credentials", Config: "[ops]\nregion = eu-west-1\n", Credentials: "[ops]\n" + pairA, Profile: "ops"},
		{Name: "word profile in credentials", Credentials: "[profile ops]\n" + pairA, Profile: "ops"},
		{Name: "word profile in credentials, elsewhere", Credentials: "[profile dev]\n" + pairA + "[ops]\n" + pairB, Profile: "ops"},
		{Name: "profile default", Config: "[profile default]\n" + pairA, Profile: "default"},
		{Name: "default and then profile default", Config: "[default]\nregion = us-east-1\n[profile default]\n" + pairB, Profile: "default"},
		{Name: "profile default and then default", Config: "[profile default]\n" + pairB + "[default]\nregion = us-east-1\n", Profile: "default"},
		{Name: "two defaults with keys", Config: "[default]\n" + pairA + "[profile default]\n" + pairB, Profile: "default"},
		{Name: "section twice", Config: "[profile ops]\n" + pairA + "[profile ops]\nregion = us-east-1\n", Profile: "ops"},
		{Name: "section twice with other keys", Config: "[profile ops]\n" + pairA + "[profile ops]\n" + pairB, Profile: "ops"},
		{Name: "section twice elsewhere", Config: "[profile dev]\n" + pairA + "[profile dev]\n" + pairB + "[profile ops]\n" + pairB, Profile: "ops"},
		{Name: "plural profiles", Config: "[profiles ops]\n" + pairA, Profile: "ops"},
		{Name: "text behind the heading", Config: "[profile ops] region = x\n" + pairA, Profile: "ops"},
	}
}

// values are about what stands behind the equals sign.
func values() []Entry {
	ops := func(lines string) string { return "[profile ops]\n" + lines }
	return []Entry{
		{Name: "inline comment", Config: ops(pairA + "region = us-east-1 # here\n"), Profile: "ops"},
		{Name: "inline semicolon", Config: ops(pairA + "region = us-east-1\t; here\n"), Profile: "ops"},
		{Name: "number sign without blank", Config: ops(pairA + "output = a#b;c\n"), Profile: "ops"},
		{Name: "comment for a value", Config: ops(pairA + "output = # none\n"), Profile: "ops"},
		{Name: "quoted value", Config: ops(pairA + "region = \"us-east-1\"\n"), Profile: "ops"},
		{Name: "quoted key pair", Config: ops("aws_access_key_id = 'AKIDALPHA'\naws_secret_access_key = \"secret/alpha\"\n"), Profile: "ops"},
		{Name: "quoted comment sign", Config: ops(pairA + "output = \"a # b\" # c\n"), Profile: "ops"},
		{Name: "one quote", Config: ops("role_arn = \"arn:aws:iam::123456789012:role/manage-role\nsource_profile = keys\n[profile keys]\n" + pairA), Profile: "ops"},
		{Name: "lone quote", Config: ops(pairA + "region = \"\n"), Profile: "ops"},
		{Name: "process", Config: ops("credential_process = /usr/bin/helper --user name\n"), Profile: "ops"},
		{Name: "process with quotes", Config: ops("credential_process = \"/my dir/p.sh\" \"--user name\"\n"), Profile: "ops"},
		{Name: "process in quotes", Config: ops("credential_process = \"/my dir/p.sh\"\n"), Profile: "ops"},
		{Name: "process with a quoted semicolon", Config: ops("credential_process = sh -c 'a ; b # c'\n"), Profile: "ops"},
		{Name: "process with a comment", Config: ops("credential_process = /usr/bin/helper # asks\n"), Profile: "ops"},
		{Name: "process with an open quote", Config: ops("credential_process = /usr/bin/helper 'a\n"), Profile: "ops"},
		{Name: "same key, same value", Config: ops(pairA + "region = us-east-1\nregion = us-east-1\n"), Profile: "ops"},
		{Name: "same key, other region", Config: ops(pairA + "region = us-east-1\nregion = eu-west-1\n"), Profile: "ops"},
		{Name: "same key, other role", Config: ops(role + "role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\n[profile keys]\n" + pairA), Profile: "ops"},
		{Name: "empty pair", Credentials: "[default]\naws_access_key_id =\naws_secret_access_key =\n", Profile: "default"},
		{Name: "empty secret", Credentials: "[default]\naws_access_key_id = AKIDALPHA\naws_secret_access_key =\n", Profile: "default"},
		{Name: "empty token", Credentials: "[default]\n" + pairA + "aws_session_token =\n", Profile: "default"},
		{Name: "empty region", Credentials: "[default]\n" + pairA + "region =\n", Profile: "default"},
		{Name: "empty region over one", Config: "[default]\nregion = us-east-1\n", Credentials: "[default]\n" + pairA + "region =\n", Profile: "default"},
		{Name: "empty role", Config: ops("role_arn =\n" + pairA), Profile: "ops"},
		{Name: "id alone", Credentials: "[default]\naws_access_key_id = AKIDALPHA\n", Profile: "default"},
		{Name: "secret alone", Credentials: "[default]\naws_secret_access_key = secret/alpha\n", Profile: "default"},
		{Name: "token alone", Credentials: "[default]\naws_session_token = token/alpha\n", Profile: "default"},
		{Name: "id and secret in two files", Config: "[default]\naws_access_key_id = AKIDALPHA\n", Credentials: "[default]\naws_secret_access_key = secret/alpha\n", Profile: "default"},
		{Name: "blank in a key", Credentials: "[default]\naws_access_key_id = AKID ALPHA\naws_secret_access_key = secret/alpha\n", Profile: "default"},
		{Name: "ideographic spaces around the equals sign", Config: ops(pairA + "region\u3000=\u3000us-east-1\n"), Profile: "ops"},
		{Name: "misspelt key", Config: ops("source_profle = keys\n" + role), Profile: "ops"},
		{Name: "misspelt pair", Credentials: "[default]\naws_access_key = AKIDALPHA\naws_secret_key = secret/alpha\n", Profile: "default"},
	}
}
