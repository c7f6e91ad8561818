package awsauth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestKeysOfSources: static keys of a source profile come before its own role, as
// the AWS CLI has it. The named profile's keys never stand in for its source.
func TestKeysOfSources(t *testing.T) {
	from := func(source string) string { return "role_arn = $MIDDLE\nsource_profile = " + source + "\n" }
	tests := []identityCase{
		{name: "source with keys and a role", config: "[profile ops]\n" + from("b") + "[profile b]\n$OTHER\nrole_arn = $BASE\nsource_profile = c\n[profile c]\n$THIRD\n", who: "role/middle"},
		{name: "its keys in the credentials file", config: "[profile ops]\n" + from("b") + "[profile b]\nrole_arn = $BASE\nsource_profile = c\n[profile c]\n$THIRD\n", credentials: "[b]\n$OTHER\n", who: "role/middle"},
		{name: "its source is missing", config: "[profile ops]\n" + from("b") + "[profile b]\n$OTHER\nrole_arn = $BASE\nsource_profile = nowhere\n", who: "role/middle"},
		{name: "its role is malformed", config: "[profile ops]\n" + from("b") + "[profile b]\n$OTHER\nrole_arn = nonsense\nsource_profile = c\n", who: "role/middle"},
		{name: "its source goes in a circle", config: "[profile ops]\n" + from("b") + "[profile b]\n$OTHER\nrole_arn = $BASE\nsource_profile = ops\n", who: "role/middle"},
		{name: "its role has a credential_source", config: "[profile ops]\n" + from("b") + "[profile b]\n$OTHER\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", who: "role/middle"},
		{name: "third in a row", config: "[profile ops]\n" + from("b") + "[profile b]\nrole_arn = $BASE\nsource_profile = c\n[profile c]\n$OTHER\nrole_arn = $MANAGE\nsource_profile = d\n[profile d]\n$THIRD\n", who: "role/middle"},
		{name: "source with SSO and keys of the credentials file", config: "[profile ops]\n" + from("b") + "[profile b]\nsso_session = x\n", credentials: "[b]\n$OTHER\n", who: "role/middle"},
		{name: "named with keys in config", config: "[profile ops]\n$OTHER\n" + from("b") + "[profile b]\n$KEYS\n", who: "role/middle"},
		{name: "named with keys in credentials", config: "[profile ops]\n" + from("b") + "[profile b]\n$KEYS\n", credentials: "[ops]\n$OTHER\n", who: "role/middle"},
		{name: "named itself", config: "[profile ops]\n$KEYS\n" + from("ops"), who: "role/middle"},
		{name: "named itself, keys in credentials", config: "[profile ops]\n" + from("ops"), credentials: "[ops]\n$KEYS\n", who: "role/middle"},
		{name: "named with keys, source missing", config: "[profile ops]\n$KEYS\n" + from("nowhere"), kind: awsauth.ProfileNotFound, text: []string{"/config:5", `"nowhere"`}},
		{name: "named with keys, source without", config: "[profile ops]\n$KEYS\n" + from("b") + "[profile b]\nregion = $REGION\n", text: []string{"/config:5", `"b"`}},
		{name: "named itself without keys", config: "[profile ops]\n" + from("ops"), text: []string{"/config:3"}},
		{name: "role beside keys without a source", config: "[profile ops]\n$KEYS\nrole_arn = $BASE\n", who: "role/base"},
		{name: "half a pair in the source", config: "[profile ops]\n" + from("b") + "[profile b]\naws_access_key_id = $OTHERID\nrole_arn = $BASE\nsource_profile = c\n[profile c]\n$KEYS\n", text: []string{"/config:5"}},
	}
	runIdentity(t, ways, tests)
}

// TestWhoseKeysAssume sees at the wire whose keys assume the role: those of the
// source, without its role between.
func TestWhoseKeysAssume(t *testing.T) {
	const chain = "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\n%BROLE = $BASE\nsource_profile = c\n[profile c]\n$THIRD\n"
	for _, tt := range []struct {
		name, config, credentials string
		keys                      func(*cast) []string // that signed the calls to AssumeRole, in order; "" for a session's
	}{
		{"keys and role", strings.Replace(chain, "%B", "$OTHER\n", 1), "", func(c *cast) []string { return []string{c.other.AccessKeyID} }},
		{"role alone", strings.Replace(chain, "%B", "", 1), "", func(c *cast) []string { return []string{c.third.AccessKeyID, ""} }},
		{"keys of the credentials file", strings.Replace(chain, "%B", "", 1), "[b]\n$KEYS\n", func(c *cast) []string { return []string{c.Keys.AccessKeyID} }},
		{"named with keys", "[profile ops]\n$OTHER\nrole_arn = $MIDDLE\nsource_profile = c\n[profile c]\n$THIRD\n", "", func(c *cast) []string { return []string{c.third.AccessKeyID} }},
		{"itself", "[profile ops]\n$OTHER\nrole_arn = $MIDDLE\nsource_profile = ops\n", "", func(c *cast) []string { return []string{c.other.AccessKeyID} }},
	} {
		for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
			t.Run(tt.name+"/"+string(p), func(t *testing.T) {
				c := newCast(t, p)
				c.Files(c.text(strings.ReplaceAll(tt.config, "ROLE", "role_arn")), c.text(tt.credentials))
				lab.Get(t, c.Open(awsauth.WithProfile("ops")))
				var signed []string
				for _, call := range c.Calls("AssumeRole") {
					if strings.HasPrefix(call.AccessKeyID, "ASIA") {
						call.AccessKeyID = ""
					}
					signed = append(signed, call.AccessKeyID)
				}
				assert.Equal(t, tt.keys(c), signed)
				assert.Len(t, c.Calls(), len(signed))
			})
		}
	}
}

// signIn leaves behind what `aws login` does, with a session of the base role.
func (c *cast) signIn(session string, left time.Duration) (file string) {
	c.T.Helper()
	k := lab.Get(c.T, c.Open(c.Static(), awsauth.WithRoleARN(c.ARN(lab.Home, "role/base"))))
	c.ResetCalls()
	dir := filepath.Join(c.Dir, "login")
	c.Env("AWS_LOGIN_CACHE_DIRECTORY=" + dir)
	file, err := logincreds.StandardCachedTokenFilepath(session, dir)
	require.NoError(c.T, err)
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
			"accountId": lab.Home, "expiresAt": time.Now().Add(left).UTC().Format(time.RFC3339)},
		"tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4", "refreshToken": "refresh", "clientId": "arn:aws:signin:::devtools/same-device",
		"idToken": "id", "dpopKey": testDPoPKey,
	})
	require.NoError(c.T, err)
	require.NoError(c.T, os.MkdirAll(dir, 0o700))
	require.NoError(c.T, os.WriteFile(file, text, 0o600))
	return file
}

// TestLoginSources: a profile that was signed in with `aws login` is a source like
// any other.
func TestLoginSources(t *testing.T) {
	const session = "arn:aws:iam::111111111111:user/ana"
	login := func(c *cast) { c.signIn(session, time.Hour) }
	tests := []identityCase{
		{name: "itself", config: "[profile ops]\nlogin_session = " + session + "\n", setup: login, who: "role/base"},
		{name: "source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = signed\n[profile signed]\nlogin_session = " + session + "\n", setup: login, who: "role/middle"},
		{name: "source of a source", config: "[profile ops]\nrole_arn = $MANAGE\nsource_profile = b\n[profile b]\nrole_arn = $MIDDLE\nsource_profile = signed\n[profile signed]\nlogin_session = " + session + "\n",
			setup: login, who: "target/manage-role"},
		{name: "role of the same profile", config: "[profile ops]\nrole_arn = $MIDDLE\nlogin_session = " + session + "\n", setup: login, who: "role/middle"},
		{name: "itself as source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = ops\nlogin_session = " + session + "\n", setup: login, who: "role/middle"},
		{name: "before keys of the config file", config: "[profile ops]\nlogin_session = " + session + "\n$OTHER\n", setup: login, who: "role/base"},
		{name: "behind keys of the credentials file", config: "[profile ops]\nlogin_session = " + session + "\n", credentials: "[ops]\n$OTHER\n", setup: login, who: "user/other"},
		{name: "before a process", config: "[profile ops]\nlogin_session = " + session + "\ncredential_process = /bin/false\n", setup: login, who: "role/base"},
	}
	runIdentity(t, ways, tests)
}

// TestLoginNeverBegun: a source that was never signed in to is an error of the
// first call, and never somebody else.
func TestLoginNeverBegun(t *testing.T) {
	for name, config := range map[string]string{
		"itself": "[profile ops]\nlogin_session = x\n",
		"source": "[profile ops]\nrole_arn = $BASE\nsource_profile = b\n[profile b]\nlogin_session = x\n",
	} {
		c := newCast(t, awsauth.AWS)
		c.Env("AWS_LOGIN_CACHE_DIRECTORY=$DIR")
		c.Files(c.text(config), "")
		s := c.Open(awsauth.WithProfile("ops"))
		_, err := s.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.Expired, "aws login --profile")
		assert.Empty(t, c.Said(), name)
	}
}

// TestProcessQuotes: the command of a credential_process keeps its quotes, those
// at its two ends too, as AWS's own page writes it.
func TestProcessQuotes(t *testing.T) {
	script := func(c *cast) {
		dir := filepath.Join(c.Dir, "my dir")
		require.NoError(c.T, os.MkdirAll(dir, 0o700))
		text := "#!/bin/sh\nif [ \"$1\" != '--user name' ] || [ $# -ne 1 ]; then echo \"called with $#: $*\" >&2; exit 3; fi\n" +
			"echo '{\"Version\": 1, \"AccessKeyId\": \"" + c.other.AccessKeyID + "\", \"SecretAccessKey\": \"" + c.other.SecretAccessKey + "\"}'\n"
		require.NoError(c.T, os.WriteFile(filepath.Join(dir, "p.sh"), []byte(text), 0o700))
	}
	tests := []identityCase{
		{name: "two double-quoted", config: "[profile ops]\ncredential_process = \"$DIR/my dir/p.sh\" \"--user name\"\n", setup: script, who: "user/other"},
		{name: "two single-quoted", config: "[profile ops]\ncredential_process = '$DIR/my dir/p.sh' '--user name'\n", setup: script, who: "user/other"},
		{name: "mixed", config: "[profile ops]\ncredential_process = \"$DIR/my dir/p.sh\" '--user name'\n", setup: script, who: "user/other"},
		{name: "first alone quoted", config: "[profile ops]\ncredential_process = \"$DIR/my dir/p.sh\" --user\\ name\n", setup: script, who: "user/other"},
		{name: "last alone quoted", config: "[profile ops]\ncredential_process = $DIR/my\\ dir/p.sh \"--user name\"\n", setup: script, who: "user/other"},
		{name: "in the credentials file", credentials: "[ops]\ncredential_process = \"$DIR/my dir/p.sh\" \"--user name\"\n", setup: script, who: "user/other"},
		{name: "as source", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = p\n[profile p]\ncredential_process = \"$DIR/my dir/p.sh\" \"--user name\"\n", setup: script, who: "role/base"},
		{name: "role beside it", config: "[profile ops]\nrole_arn = $BASE\ncredential_process = \"$DIR/my dir/p.sh\" \"--user name\"\n", setup: script, who: "role/base"},
		{name: "spaces round it", config: "[profile ops]\ncredential_process =    \"$DIR/my dir/p.sh\"   \"--user name\"   \n", setup: script, who: "user/other"},
		{name: "open quote", config: "[profile ops]\ncredential_process = \"$DIR/my dir/p.sh\" \"--user name\n", setup: script, text: []string{"/config:2", "quote"}},
	}
	runIdentity(t, ways, tests)
}

// TestSSOHalves: an SSO session without account or role has no keys to give, and
// lets nobody else give any.
func TestSSOHalves(t *testing.T) {
	const section = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
	tests := []identityCase{
		{name: "no account", config: "[profile ops]\nsso_session = corp\nsso_role_name = base\n" + section, text: []string{"/config:3", "sso_account_id"}},
		{name: "no role", config: "[profile ops]\nsso_session = corp\nsso_account_id = " + lab.Home + "\n" + section, text: []string{"/config:3", "sso_role_name"}},
		{name: "no account, keys of config beside", config: "[profile ops]\nsso_session = corp\nsso_role_name = base\n$KEYS\n" + section, text: []string{"/config:3", "sso_account_id"}},
		{name: "no role, in the source", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = sso\n[profile sso]\nsso_session = corp\nsso_account_id = " + lab.Home + "\n" + section, text: []string{"/config:6", "sso_role_name"}},
		{name: "token only in the source", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = sso\n[profile sso]\nsso_session = corp\n" + section, text: []string{"/config:3", `"sso"`}},
		{name: "token only beside a role", config: "[profile ops]\nrole_arn = $BASE\nsso_session = corp\n" + section, text: []string{"/config:"}},
		{name: "role in the session's section", config: "[profile ops]\nsso_session = corp\nsso_account_id = " + lab.Home + "\n" + section + "sso_role_name = base\n", text: []string{"/config:3", "sso_role_name"}},
		{name: "empty account", config: "[profile ops]\nsso_session = corp\nsso_account_id =\nsso_role_name = base\n" + section, text: []string{"/config:3", "sso_account_id"}},
		{name: "no section", config: "[profile ops]\nsso_session = corp\nsso_account_id = " + lab.Home + "\nsso_role_name = base\n", text: []string{"/config:2", "[sso-session corp]"}},
		{name: "old form, no account", config: "[profile ops]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_role_name = base\n", text: []string{"/config:", "sso_account_id"}},
		{name: "old form, no URL", config: "[profile ops]\nsso_account_id = " + lab.Home + "\nsso_region = us-east-1\nsso_role_name = base\n", text: []string{"/config:", "sso_start_url"}},
		{name: "account of 11 digits", config: "[profile ops]\nsso_session = corp\nsso_account_id = 11111111111\nsso_role_name = base\n" + section, text: []string{"/config:3", "12 digits"}},
	}
	for i := range tests {
		tests[i].setup = func(c *cast) { c.SSOLogin("corp") }
	}
	runIdentity(t, ways, tests)
}

// TestSSOTokenAlone: a session without account and role gives a token to services
// that take one, and no keys: that is said by Retrieve, whoever else is there.
func TestSSOTokenAlone(t *testing.T) {
	for way := range ways {
		for _, config := range []string{
			"[profile ops]\nsso_session = corp\n", "[profile ops]\nsso_session = corp\nregion = us-east-1\n",
		} {
			t.Run(way+"/"+config, func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				c.SSOLogin("corp")
				tt := identityCase{config: config + "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"}
				opts := ways[way](c, &tt)
				c.Files(c.text(tt.config), "")
				s := c.Open(opts...)
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.NoCredentials, "sso_account_id", "sso_role_name")
				assert.Empty(t, c.Said())
				token, err := s.Config().BearerAuthTokenProvider.RetrieveBearerToken(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "sso-token", token.Value)
			})
		}
	}
}

// TestSSOTokenBesideKeys: a session for the token does not keep the profile's own
// keys from counting, as in the AWS CLI.
func TestSSOTokenBesideKeys(t *testing.T) {
	runIdentity(t, ways, []identityCase{
		{name: "keys", config: "[profile ops]\nsso_session = corp\n$KEYS\n" + lab.CorpSection, who: "user/ci"},
		{name: "keys of the credentials file", config: "[profile ops]\nsso_session = corp\n" + lab.CorpSection, credentials: "[ops]\n$KEYS\n", who: "user/ci"},
		{name: "a role with them", config: "[profile ops]\nsso_session = corp\nrole_arn = $BASE\n$KEYS\n" + lab.CorpSection, who: "role/base"},
	})
}

// TestRoleAssumedInTwoWays: the AWS CLI takes the token, the SDK for Go refuses, and
// the keys of a source would be a third identity.
func TestRoleAssumedInTwoWays(t *testing.T) {
	runIdentity(t, ways, []identityCase{
		{name: "source profile and token", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = b\nweb_identity_token_file = $DIR/token\n[profile b]\n$KEYS\n",
			text: []string{"/config:4", "/config:3", "source_profile", "web_identity_token_file", "keep one"}},
		{name: "credential source and token", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\nweb_identity_token_file = $DIR/token\n",
			text: []string{"/config:4", "/config:3", "keep one"}},
		{name: "of a source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\nsource_profile = c\ncredential_source = Environment\n[profile c]\n$KEYS\n",
			text: []string{"/config:7", "/config:6", `"b"`}},
	})
}

// TestNamedSourcesThatAreNot: a credential_source that has nothing is an error in
// New, wherever in the way it stands.
func TestNamedSourcesThatAreNot(t *testing.T) {
	tests := []identityCase{
		{name: "environment", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Environment\n", text: []string{"/config:3", "AWS_ACCESS_KEY_ID"}},
		{name: "environment, in the source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\ncredential_source = Environment\n", text: []string{"/config:6", `"b"`, "AWS_ACCESS_KEY_ID"}},
		{name: "environment, two sources deep", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\nsource_profile = c\n[profile c]\nrole_arn = $MANAGE\ncredential_source = Environment\n", text: []string{"/config:9", `"c"`}},
		{name: "environment, half a pair", env: []string{"AWS_ACCESS_KEY_ID=$ID"}, config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Environment\n", text: []string{"AWS_SECRET_ACCESS_KEY"}},
		{name: "container", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = EcsContainer\n", text: []string{"/config:3", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}},
		{name: "container, in the source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\ncredential_source = EcsContainer\n", text: []string{"/config:6", `"b"`}},
		{name: "unknown", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = environment\n", text: []string{"/config:3", "Environment, Ec2InstanceMetadata or EcsContainer"}},
		{name: "unknown, in the source", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\ncredential_source = EC2\n", text: []string{"/config:6"}},
		{name: "with a source_profile too", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Environment\nsource_profile = b\n[profile b]\n$KEYS\n", text: []string{"/config:3", "source_profile"}},
		{name: "without a role", config: "[profile ops]\ncredential_source = Ec2InstanceMetadata\n", text: []string{"/config:2", "role_arn"}},
		{name: "environment that has keys", env: environmentUser, way: "WithProfile", config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\n[profile b]\nrole_arn = $BASE\ncredential_source = Environment\n", who: "role/middle"},
	}
	runIdentity(t, ways, tests)
}

// testDPoPKey is a key of the form that `aws login` makes; it opens nothing.
const testDPoPKey = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAjhvlz8LYHykShCFnTvgaoBxW4ZLT4TAUTtOH/G6jOUoAoGCCqGSM49
AwEHoUQDQgAEbrYGrJOYc4VcLps4qV+pGlM42gbycUsv/lhc86+RfG+EWMt0OkNg
eV9Po1+cGpyc58roqDNvg7rO9XZdoXlaQw==
-----END EC PRIVATE KEY-----
`
