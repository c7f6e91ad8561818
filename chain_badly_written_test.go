package awsauth_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestKeysOfOtherPrograms: the names that other programs give the pair, and the
// lines of other shells, are refused: boto3 and the SDK pass them over in silence.
func TestKeysOfOtherPrograms(t *testing.T) {
	runIdentity(t, asWritten, []identityCase{
		{name: "s3cmd, Terraform", credentials: "[default]\naccess_key = $ID\nsecret_key = $SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "the SDKs' properties", credentials: "[default]\naccessKey = $ID\nsecretKey = $SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "PowerShell", credentials: "[default]\n$Env:AWS_ACCESS_KEY_ID=\"$ID\"\n$Env:AWS_SECRET_ACCESS_KEY=\"$SECRET\"\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "output of declare", credentials: "[default]\ndeclare -x AWS_ACCESS_KEY_ID=\"$ID\"\ndeclare -x AWS_SECRET_ACCESS_KEY=\"$SECRET\"\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "export and a tab", credentials: "[default]\nexport\tAWS_ACCESS_KEY_ID=$ID\nexport\tAWS_SECRET_ACCESS_KEY=$SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "Dockerfile", credentials: "[default]\nENV AWS_ACCESS_KEY_ID=$ID\nENV AWS_SECRET_ACCESS_KEY=$SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "setx", credentials: "[default]\nsetx AWS_ACCESS_KEY_ID=$ID\nsetx AWS_SECRET_ACCESS_KEY=$SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "variables of web identity", config: "[default]\naws_role_arn = $BASE\naws_web_identity_token_file = $DIR/token\n", text: []string{"/config:2", "role_arn"}},
		{name: "aws_ before a process", config: "[default]\naws_credential_process = /bin/true\n", text: []string{"/config:2", "credential_process"}},
	})
}

// TestStrayCharactersInPath: a path with the quotes of an env file, a line end of
// a mounted value or a variable that is not set names no file, and is refused.
func TestStrayCharactersInPath(t *testing.T) {
	for _, path := range []string{`"$DIR/credentials"`, "'$DIR/credentials'", "$DIR/credentials\r", "$DIR/credentials\n", "$DIR/credentials ", " $DIR/credentials",
		"file://$DIR/credentials", "$NOT_SET_HERE/credentials", "${NOT_SET_HERE}/credentials", " ", `""`} {
		runIdentity(t, asWritten, []identityCase{
			{name: fmt.Sprintf("%q, then the machine", path), credentials: "[default]\n$KEYS\n", text: []string{"AWS_SHARED_CREDENTIALS_FILE"},
				opts: func(c *cast) []awsauth.Option {
					c.T.Setenv("AWS_SHARED_CREDENTIALS_FILE", strings.Replace(path, "$DIR", c.Dir, 1))
					return nil
				}},
			{name: fmt.Sprintf("%q of the config, then its keys without the role", path), config: "[default]\nrole_arn = $BASE\nsource_profile = k\n", credentials: "[default]\n$OTHER\n[k]\n$KEYS\n",
				text: []string{"AWS_CONFIG_FILE"},
				opts: func(c *cast) []awsauth.Option {
					c.T.Setenv("AWS_CONFIG_FILE", strings.NewReplacer("$DIR", c.Dir, "/credentials", "/config").Replace(path))
					return nil
				}},
		})
	}
}

// TestOneFileForBothHeadings: where both variables name one file, a heading with a capital
// or a slip in "profile" is no profile of the credentials file.
func TestOneFileForBothHeadings(t *testing.T) {
	one := func(c *cast) []awsauth.Option { c.Env("AWS_SHARED_CREDENTIALS_FILE=$DIR/config"); return nil }
	ops := func(c *cast) []awsauth.Option { return append(one(c), awsauth.WithProfile("ops")) }
	var tests []identityCase
	for _, word := range []string{"Profile", "PROFILE", "profiles", "profle"} {
		tests = append(tests,
			identityCase{name: word + ": machine", config: "[" + word + " default]\n$KEYS\n", opts: one, text: []string{"/config:1", "[profile default]"}},
			identityCase{name: word + ": without the role", config: "[" + word + " ops]\nrole_arn = $BASE\nsource_profile = k\n[ops]\n$OTHER\n[k]\n$KEYS\n", opts: ops, text: []string{"/config:1", "[profile ops]"}})
	}
	runIdentity(t, asWritten, tests)
}

// TestDamagedHeadings: a heading with one quote, a colon or a comment's sign is another
// profile to the SDK. The role that stands below must not be passed over.
func TestDamagedHeadings(t *testing.T) {
	var tests []identityCase
	for _, heading := range []string{`[profile "ops]`, "[profile 'ops]", `[profile ops"]`, "[profile ops']", `[profile 'ops"]`, `["profile ops"]`, "[[profile ops]]", "[profile ops]]",
		"[profile:ops]", "[profile=ops]", "[profile ops:]", `[profile ops\ ]`, "[profile ops # mine]", "[profile\vops]"} {
		tests = append(tests, identityCase{name: heading, config: heading + "\nrole_arn = $BASE\nsource_profile = k\n", credentials: "[ops]\n$OTHER\n[k]\n$KEYS\n",
			opts: profileOf("ops"), text: []string{"/config:1", "[profile ops]"}})
	}
	// boto3 reads [profile a\ b] as "a b".
	tests = append(tests, identityCase{name: "an escaped blank", config: "[profile a\\ b]\nrole_arn = $BASE\nsource_profile = k\n", credentials: "[a b]\n$OTHER\n[k]\n$KEYS\n", opts: profileOf("a b"), text: []string{"/config:1"}})
	for _, heading := range []string{"[“default”]", "[ｄｅｆａｕｌｔ]", "[default # mine]", "[profile 'default]"} {
		tests = append(tests, identityCase{name: heading + " in credentials", credentials: heading + "\n$KEYS\n", text: []string{"/credentials:1", "[default]"}})
	}
	tests = append(tests,
		identityCase{name: "[profile 'default]", config: "[profile 'default]\n$KEYS\n", text: []string{"/config:1", "default"}},
		identityCase{name: "[profile:default]", config: "[profile:default]\n$KEYS\n", text: []string{"/config:1", "default"}})
	runIdentity(t, asWritten, tests)
}

// TestListBelowKey: a line in brackets below a key without a value is a part of
// that value for the AWS CLI, which refuses the file, and a heading for the SDK, to
// which the keys that follow are nobody's.
func TestListBelowKey(t *testing.T) {
	runIdentity(t, asWritten, []identityCase{
		{name: "default", config: "[default]\nplugins =\n  [a]\n$KEYS\n", text: []string{"/config:3"}},
		{name: "AWS_PROFILE", config: "[profile ops]\nplugins =\n  [a]\n$KEYS\n", env: []string{"AWS_PROFILE=ops"}, text: []string{"/config:3"}},
		{name: "the role", config: "[default]\n$OTHER\nplugins =\n  [a]\nrole_arn = $BASE\nsource_profile = k\n[profile k]\n$KEYS\n", text: []string{"/config:5"}},
	})
}

// TestKeysInOtherSections: who appends the keys to a file that ends with an
// sso-session, services or plugins section gives them to it. They do not vanish.
func TestKeysInOtherSections(t *testing.T) {
	for _, section := range []string{"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\n", "[plugins]\ncli_legacy_plugin_path = x\n", "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n"} {
		runIdentity(t, asWritten, []identityCase{
			{name: "keys", config: "[default]\nregion = $REGION\n" + section + "$KEYS\n", text: []string{"/config:", "aws_access_key_id"}},
		})
	}
}

// TestSourceNameWithSign: source_profile = dev #1 is dev for the SDK, and "dev #1" for
// boto3. Where both are there, nobody's keys are taken.
func TestSourceNameWithSign(t *testing.T) {
	for _, sign := range []string{"#", ";"} {
		c := newCast(t, awsauth.AWS)
		c.Files(c.text("[profile ops]\nrole_arn = $BASE\nsource_profile = dev "+sign+"1\n"), c.text("[dev]\n$OTHER\n[dev "+sign+"1]\n$KEYS\n"))
		_, err := c.Try(awsauth.WithProfile("ops"))
		lab.RequireBad(t, err, awsauth.InvalidOption, "/credentials:4", "comment's sign", "[dev]")
		assert.Empty(t, c.Said())
	}
}

// TestHomeAndLink: ~/link/../creds is a file beside the link's target, as for the
// AWS CLI and the system, not one beside the link.
func TestHomeAndLink(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.T.Setenv("HOME", filepath.Join(c.Dir, "home"))
	require.NoError(t, os.MkdirAll(filepath.Join(c.Dir, "home"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(c.Dir, "vault", "sub"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(c.Dir, "vault", "sub"), filepath.Join(c.Dir, "home", "link")))
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "vault", "creds"), []byte(c.text("[default]\n$KEYS\n")), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "home", "creds"), []byte(c.text("[default]\n$OTHER\n")), 0o600))
	c.Env("AWS_SHARED_CREDENTIALS_FILE=~/link/../creds")
	assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(c.Open()))
}

// TestHomeInOption: a file of config.WithSharedCredentialsFiles may begin with "~".
func TestHomeInOption(t *testing.T) {
	runIdentity(t, asWritten, []identityCase{{name: "credentials", credentials: "[default]\n$KEYS\n", who: "user/ci", opts: func(c *cast) []awsauth.Option {
		c.T.Setenv("HOME", c.Dir)
		return []awsauth.Option{awsauth.WithLoadOptions(config.WithSharedCredentialsFiles([]string{"~/credentials"}))}
	}}})
}

// TestVariableInOption: a variable in a path of the SDK's options is none: the file has
// that name, as for the SDK.
func TestVariableInOption(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("WHERE=elsewhere")
	w.Write("$WHERE", "[default]\n"+lab.KeyLines)
	file := awsauth.WithLoadOptions(config.WithSharedCredentialsFiles([]string{filepath.Join(w.Dir, "$WHERE")}))
	assert.Equal(t, w.Keys.AccessKeyID, lab.Get(t, w.Open(file)).AccessKeyID)
}

// TestAccountOfAnotherPair: the account that stands beside the config file's pair
// is not that of the credentials file's pair.
func TestAccountOfAnotherPair(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.Files(c.text("[default]\n$KEYS\naws_account_id = 222222222222\n"), c.text("[default]\n$OTHER\n"))
	keys := lab.Get(t, c.Open())
	assert.Equal(t, c.other.AccessKeyID, keys.AccessKeyID)
	assert.Empty(t, keys.AccountID)
}

// TestKeysBesideHalfAnSSO: without account and role, sso_region and sso_start_url say
// nothing of credentials beside keys, as for boto3 and the SDK.
func TestKeysBesideHalfAnSSO(t *testing.T) {
	runIdentity(t, ways, []identityCase{
		{name: "region", config: "[profile ops]\nsso_region = us-east-1\n", credentials: "[ops]\n$KEYS\n", who: "user/ci"},
		{name: "start URL and region", config: "[profile ops]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n$KEYS\n", who: "user/ci"},
	})
}

// TestFileFaultSaidOnce: a fault of the whole file is said once, however many profiles
// are on the way.
func TestFileFaultSaidOnce(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.Files(c.text("[profile ops]\nrole_arn = $BASE\nsource_profile = b\n[profile b]\nrole_arn = $MIDDLE\nsource_profile = k\n[profile k]\n$KEYS\n[profile z]\nnonsense\n"), "")
	_, err := c.Try(awsauth.WithProfile("ops"))
	require.Error(t, err)
	assert.Equal(t, 1, strings.Count(err.Error(), "/config:11"), err)
}

// TestManyFaultsOfOthers: what is wrong with profiles that are not used does not fill
// the log.
func TestManyFaultsOfOthers(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	c.Files(c.text("[default]\n$KEYS\n")+strings.Repeat("[Profile a]\n", 500), "")
	var log lab.Records
	lab.Get(t, c.Open(log.Option()))
	warnings := log.At(slog.LevelWarn)
	require.Len(t, warnings, 11)
	assert.Equal(t, "awsauth: 490 more such problems of profiles that are not used", warnings[10].Message)
}
