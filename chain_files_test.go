package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestQuotedProfileNames: `aws configure --profile 'Foo Bar'` writes the heading
// with quotes into the config file and without into the credentials file. Both
// are one profile, and so is the form without quotes that the AWS CLI ignores.
func TestQuotedProfileNames(t *testing.T) {
	profile := func(*cast) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile("Foo Bar")} }
	role := "role_arn = $BASE\nsource_profile = keys\nregion = $REGION\n"
	keys := "[keys]\n$OTHER\n"
	tests := []identityCase{
		{name: "role in config, keys in credentials", config: "[profile 'Foo Bar']\n" + role, credentials: "[Foo Bar]\n$KEYS\n" + keys,
			opts: profile, who: "role/base", region: "$REGION"},
		{name: "double quotes", config: "[profile \"Foo Bar\"]\n" + role, credentials: "[Foo Bar]\n$KEYS\n" + keys,
			opts: profile, who: "role/base", region: "$REGION"},
		{name: "no quotes", config: "[profile Foo Bar]\n" + role, credentials: "[Foo Bar]\n$KEYS\n" + keys,
			opts: profile, who: "role/base", region: "$REGION"},
		{name: "region alone", config: "[profile 'Foo Bar']\nregion = $REGION\n", credentials: "[Foo Bar]\n$KEYS\n",
			opts: profile, who: "user/ci", region: "$REGION"},
		{name: "AWS_PROFILE", config: "[profile 'Foo Bar']\n" + role, credentials: "[Foo Bar]\n$KEYS\n" + keys,
			env: []string{"AWS_PROFILE=Foo Bar"}, who: "role/base", region: "$REGION"},
		{name: "keys in config", config: "[profile 'Foo Bar']\nregion = $REGION\n$KEYS\n", opts: profile, who: "user/ci", region: "$REGION"},
		{name: "quotes round one word", config: "[profile 'ops']\nregion = $REGION\n", credentials: "[ops]\n$KEYS\n",
			opts: profileOf("ops"), who: "user/ci", region: "$REGION"},
		{name: "a tab in the heading", config: "[profile\tops]\nregion = $REGION\n", credentials: "[ops]\n$KEYS\n", opts: profileOf("ops"), who: "user/ci", region: "$REGION"},
		{name: "a blank behind the quotes", config: "[ profile \"ops\" ] ; mine\nregion = $REGION\n", credentials: "[ ops ]\n$KEYS\n", opts: profileOf("ops"), who: "user/ci", region: "$REGION"},
		{name: "quotes round a part of it", config: "[profile 'o'ps]\nregion = $REGION\n", credentials: "[ops]\n$KEYS\n", opts: profileOf("ops"), who: "user/ci", region: "$REGION"},
		{name: "apostrophe in the name", config: "[profile 'o'\"'\"'brien x']\nregion = $REGION\n", credentials: "[o'brien x]\n$KEYS\n",
			opts: profileOf("o'brien x"), who: "user/ci", region: "$REGION"},
		{name: "quoted source profile", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = Foo Bar\n[profile 'Foo Bar']\nregion = $REGION\n",
			credentials: "[Foo Bar]\n$KEYS\n", opts: profileOf("ops"), who: "role/base"},
		{name: "Chinese name", config: "[profile '测试 一']\nregion = $REGION\n", credentials: "[测试 一]\n$KEYS\n",
			opts: profileOf("测试 一"), who: "user/ci", region: "$REGION"},
		{name: "both forms in one file", config: "[profile 'Foo Bar']\n$KEYS\n[profile Foo Bar]\n" + role, credentials: keys,
			opts: profile, text: []string{"/config:4", "/config:1", "keep one"}},
		{name: "both forms, other order", config: "[profile Foo Bar]\nregion = $REGION\n[profile \"Foo Bar\"]\n$KEYS\n",
			opts: profile, text: []string{"/config:3", "/config:1"}},
		{name: "two kinds of quotes", config: "[profile 'Foo Bar']\nregion = $REGION\n[profile \"Foo Bar\"]\n$KEYS\n",
			env: []string{"AWS_PROFILE=Foo Bar"}, text: []string{"/config:3", "/config:1"}},
		{name: "both forms of another profile", config: "[profile 'Foo Bar']\n$OTHER\n[profile Foo Bar]\n$THIRD\n[profile ops]\n$KEYS\n",
			opts: profileOf("ops"), who: "user/ci"},
	}
	runIdentity(t, asWritten, tests)
}

func profileOf(name string) func(*cast) []awsauth.Option {
	return func(*cast) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile(name)} }
}

// TestQuotedSectionsOfSSO: an sso-session with a blank in its name is written with
// quotes, too.
func TestQuotedSectionsOfSSO(t *testing.T) {
	sso := "sso_session = my corp\nsso_account_id = " + lab.Home + "\nsso_role_name = base\n"
	for _, heading := range []string{"[sso-session 'my corp']", "[sso-session \"my corp\"]", "[sso-session my corp]"} {
		for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
			t.Run(heading+"/"+string(p), func(t *testing.T) {
				c := newCast(t, p)
				c.SSOLogin("my corp")
				tt := identityCase{
					config: "[profile ops]\n" + sso + heading + "\nsso_start_url = https://corp.awsapps.com/start\nsso_region = " + lab.DefaultRegion(p) + "\n",
					who:    "role/base", way: "WithProfile",
				}
				tt.run(c, ways["WithProfile"])
			})
		}
	}
}

// identityKeys are the keys that name an identity, each with a value.
var identityKeys = []string{"aws_access_key_id", "aws_secret_access_key", "role_arn", "source_profile", "credential_source", "credential_process",
	"web_identity_token_file", "login_session", "sso_session", "sso_start_url", "sso_account_id", "sso_role_name"}

// TestValueOnTheNextLine: the SDK takes a value on the next, indented line for
// nested settings or for nothing, and goes on to the machine's identity.
func TestValueOnTheNextLine(t *testing.T) {
	var tests []identityCase
	for _, key := range identityKeys {
		tests = append(tests,
			identityCase{name: key + " in config", config: "[profile ops]\nregion = $REGION\n" + key + " =\n  value\n", text: []string{"/config:"}},
			identityCase{name: key + " in credentials", credentials: "[ops]\n" + key + " =\n\tvalue\n", text: []string{"/credentials:"}})
	}
	tests = append(tests,
		identityCase{name: "both halves", credentials: "[ops]\naws_access_key_id =\n  $ID\naws_secret_access_key =\n  $SECRET\n", text: []string{"/credentials:2"}},
		identityCase{name: "id, with its pair in the config file", config: "[profile ops]\n$OTHER\n", credentials: "[ops]\naws_access_key_id =\n  $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2"}},
		identityCase{name: "token", credentials: "[ops]\n$KEYS\naws_session_token =\n  token\n", text: []string{"/credentials:5"}},
		identityCase{name: "secret goes on", credentials: "[ops]\naws_access_key_id = $ID\naws_secret_access_key = $SECRET\n  x\n", text: []string{"/credentials:3"}},
		identityCase{name: "role goes on", config: "[profile ops]\nrole_arn = arn:aws:iam::111111111111:\n  role/base\nsource_profile = keys\n[profile keys]\n$KEYS\n", text: []string{"/config:2"}},
		identityCase{name: "with a comment behind the sign", credentials: "[ops]\naws_access_key_id = # here\n  $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:"}},
		identityCase{name: "with an empty line between", credentials: "[ops]\naws_access_key_id =\n\n  $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "/credentials:4"}},
		identityCase{name: "with a comment between", credentials: "[ops]\naws_access_key_id =\n# here\n  $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "/credentials:4"}},
		identityCase{name: "identity below the region", config: "[profile ops]\nregion = $REGION\n  role_arn = $BASE\n  source_profile = keys\n[profile keys]\n$KEYS\n", text: []string{"/config:3", "role_arn", "indent"}},
		identityCase{name: "in the source profile", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\naws_access_key_id =\n  $ID\naws_secret_access_key = $SECRET\n", text: []string{"/config:5"}},
		identityCase{name: "of another profile", config: "[profile dev]\nrole_arn =\n  x\n[profile ops]\n$KEYS\n", who: "user/ci"},
	)
	runIdentity(t, ways, tests)
}

// TestEmptyIdentity: what is written down and empty is half there. Only the token,
// the region and the MFA device count as absent where they are empty.
func TestEmptyIdentity(t *testing.T) {
	role := "role_arn = $BASE\nsource_profile = keys\n"
	keys := "[profile keys]\n$OTHER\n"
	var tests []identityCase
	for _, key := range identityKeys[2:] {
		tests = append(tests,
			identityCase{name: key, config: "[profile ops]\nregion = $REGION\n" + key + " =\n", text: []string{"/config:3", key}},
			identityCase{name: key + " beside keys", config: "[profile ops]\n$KEYS\n" + key + " = \n", text: []string{"/config:", key}},
			identityCase{name: key + " is a comment", config: "[profile ops]\n" + key + " = # to do\n", text: []string{"/config:2", key}},
			identityCase{name: key + " in quotes", config: "[profile ops]\n" + key + " = \"\"\n", text: []string{"/config:2", key}})
	}
	tests = append(tests, []identityCase{
		{name: "pair", credentials: "[ops]\naws_access_key_id =\naws_secret_access_key =\n", text: []string{"/credentials:2"}},
		{name: "pair in config", config: "[profile ops]\naws_access_key_id =\naws_secret_access_key =\n", text: []string{"/config:2"}},
		{name: "pair, good ones in config", config: "[profile ops]\n$KEYS\n", credentials: "[ops]\naws_access_key_id =\naws_secret_access_key =\n", text: []string{"/credentials:2"}},
		{name: "pair, a role beside", config: "[profile ops]\n" + role + keys, credentials: "[ops]\naws_access_key_id = \naws_secret_access_key = \n", text: []string{"/credentials:2"}},
		{name: "pair in quotes", credentials: "[ops]\naws_access_key_id = \"\"\naws_secret_access_key = ''\n", text: []string{"/credentials:2"}},
		{name: "pair and token", credentials: "[ops]\naws_access_key_id =\naws_secret_access_key =\naws_session_token =\n", text: []string{"/credentials:2"}},
		{name: "secret", credentials: "[ops]\naws_access_key_id = $ID\naws_secret_access_key =\n", text: []string{"/credentials:3"}},
		{name: "id", credentials: "[ops]\naws_access_key_id =\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:"}},
		{name: "id alone", credentials: "[ops]\naws_access_key_id =\n", text: []string{"/credentials:2"}},
		{name: "token", credentials: "[ops]\n$KEYS\naws_session_token =\n", who: "user/ci"},
		{name: "old token", credentials: "[ops]\n$KEYS\naws_security_token =\n", who: "user/ci"},
		{name: "token alone is nothing", config: "[profile ops]\n$KEYS\n", credentials: "[ops]\naws_session_token =\n", who: "user/ci"},
		{name: "region", config: "[profile ops]\nregion = $REGION\n", credentials: "[ops]\n$KEYS\nregion =\n", who: "user/ci", region: "$REGION"},
		{name: "region nowhere", config: "[profile ops]\nregion =\n", credentials: "[ops]\n$KEYS\n", who: "user/ci"},
		{name: "mfa_serial", config: "[profile ops]\n" + role + "mfa_serial =\n" + keys, who: "role/base"},
		{name: "pair in the source", config: "[profile ops]\n" + role + "[profile keys]\naws_access_key_id =\naws_secret_access_key =\n", text: []string{"/config:5"}},
		{name: "role in the source", config: "[profile ops]\n" + role + "[profile keys]\nrole_arn =\n$KEYS\n", text: []string{"/config:5", "role_arn"}},
		{name: "of another profile", config: "[profile dev]\nrole_arn =\n[profile ops]\n$KEYS\n", credentials: "[dev]\naws_access_key_id =\n", who: "user/ci"},
	}...)
	runIdentity(t, ways, tests)
}

// TestHomeInPaths: ~ in a variable is the home directory, as for the AWS CLI.
func TestHomeInPaths(t *testing.T) {
	under := func(name, text string) func(*cast) {
		return func(c *cast) {
			c.T.Setenv("HOME", filepath.Join(c.Dir, "home"))
			path := filepath.Join(c.Dir, "home", filepath.FromSlash(name))
			require.NoError(c.T, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(c.T, os.WriteFile(path, []byte(c.text(text)), 0o600))
		}
	}
	with := func(pairs ...string) func(*cast) []awsauth.Option {
		return func(c *cast) []awsauth.Option { c.Env(pairs...); return nil } // behind those of the files
	}
	tests := []identityCase{
		{name: "credentials", setup: under(".aws/creds", "[default]\n$OTHER\n"), opts: with("AWS_SHARED_CREDENTIALS_FILE=~/.aws/creds"), who: "user/other"},
		{name: "config", setup: under("conf", "[default]\n$OTHER\nregion = $REGION\n"), opts: with("AWS_CONFIG_FILE=~/conf"), who: "user/other", region: "$REGION"},
		{name: "beside keys of the other file", setup: under("creds", "[default]\n$OTHER\n"), config: "[default]\n$KEYS\n",
			opts: with("AWS_SHARED_CREDENTIALS_FILE=~/creds"), who: "user/other"},
		{name: "profile", setup: under("creds", "[dev]\n$THIRD\n"), opts: with("AWS_SHARED_CREDENTIALS_FILE=~/creds", "AWS_PROFILE=dev"), who: "user/third"},
		{name: "variable", setup: under("creds", "[default]\n$OTHER\n"), opts: with("AWS_SHARED_CREDENTIALS_FILE=${HOME}/creds"), who: "user/other"},
		{name: "a user who is not there", setup: under("creds", "[default]\n$OTHER\n"), opts: with("AWS_SHARED_CREDENTIALS_FILE=~nobody-at-all/creds"),
			text: []string{"AWS_SHARED_CREDENTIALS_FILE", "nobody-at-all"}},
	}
	runIdentity(t, asWritten, tests)
}

// TestPairsOfOneFile: a pair and its token come from one file. A token of the
// other file belongs to another pair.
func TestPairsOfOneFile(t *testing.T) {
	tests := []identityCase{
		{name: "session in config, user in credentials", config: "[profile ops]\n$SESSION", credentials: "[ops]\n$OTHER\n", who: "user/other"},
		{name: "user in config, session in credentials", config: "[profile ops]\n$OTHER\n", credentials: "[ops]\n$SESSION", who: "role/base"},
		{name: "token alone in config", config: "[profile ops]\naws_session_token = x\n", credentials: "[ops]\n$OTHER\n", text: []string{"/config:2"}},
		{name: "token alone in credentials", config: "[profile ops]\n$OTHER\n", credentials: "[ops]\naws_session_token = x\n", text: []string{"/credentials:2"}},
		{name: "id in one, secret in the other", config: "[profile ops]\naws_access_key_id = $ID\n", credentials: "[ops]\naws_secret_access_key = $SECRET\n", text: []string{"/config:2"}},
		{name: "old token in config", config: "[profile ops]\n$KEYS\naws_security_token = x\n", credentials: "[ops]\n$OTHER\n", who: "user/other"},
		{name: "source of a role", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = keys\n[profile keys]\n$SESSION", credentials: "[keys]\n$OTHER\n", who: "role/middle"},
	}
	for i := range tests {
		tests[i].setup = (*cast).passOnSession
	}
	runIdentity(t, ways, tests)
}

// passOnSession makes $SESSION the keys of a session of the base role.
func (c *cast) passOnSession() {
	k := lab.Get(c.T, c.Open(c.Static(), awsauth.WithRoleARN(c.ARN(lab.Home, "role/base"))))
	c.ResetCalls()
	c.session = "aws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\naws_session_token = " + k.SessionToken + "\n"
}
