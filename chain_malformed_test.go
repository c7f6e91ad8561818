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
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// staticUser and environmentUser decide whatever the files say.
func staticUser(c *cast) []awsauth.Option { return []awsauth.Option{c.Static()} }

var environmentUser = []string{"AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET"}

// elsewhere makes cases that are only about other profiles than the one in force
// run with keys of the environment, static keys and a provider, too.
func providerUser(c *cast) []awsauth.Option {
	return []awsauth.Option{awsauth.WithCredentialsProvider(c.Keys.Provider())}
}

// TestHeadingsOfOthers: a heading that counts for nothing is an error for who
// asks for the profile that it was meant for, and nothing to all others.
func TestHeadingsOfOthers(t *testing.T) {
	tests := []identityCase{
		{name: "capital Default in config", config: "[Default]\n$OTHER\n[profile ops]\n$KEYS\n", who: "user/ci", way: "WithProfile"},
		{name: "capital Default in credentials", config: "[profile ops]\n$KEYS\n", credentials: "[DEFAULT]\n$OTHER\n", who: "user/ci", way: "WithProfile"},
		{name: "word profile in credentials, of another", config: "[profile ops]\n$KEYS\n", credentials: "[profile dev]\n$OTHER\n", who: "user/ci"},
		{name: "no word profile in config, of another", config: "[dev]\n$OTHER\n[profile ops]\n$KEYS\n", who: "user/ci"},
		{name: "capital Profile, of another", config: "[Profile dev]\n$OTHER\n[profile ops]\n$KEYS\n", who: "user/ci"},
		{name: "word profile in credentials, of ops", config: "[profile ops]\nregion = $REGION\n", credentials: "[profile ops]\n$OTHER\n",
			way: "WithProfile", text: []string{"/credentials:1", "[ops]"}},
		{name: "word profile in credentials, AWS_PROFILE", credentials: "[profile ops]\n$OTHER\n", way: "AWS_PROFILE", kind: awsauth.ProfileNotFound,
			text: []string{"/credentials:1", "[ops]"}},
		{name: "no word profile in config", config: "[ops]\n$OTHER\n", way: "WithProfile", kind: awsauth.ProfileNotFound, text: []string{"/config:1", "[profile ops]"}},
		{name: "no word profile, keys in credentials", config: "[ops]\nrole_arn = $BASE\nsource_profile = dev\n", credentials: "[ops]\n$KEYS\n[dev]\n$OTHER\n",
			way: "WithProfile", text: []string{"/config:1", "[profile ops]"}},
		{name: "capital Profile of ops, keys in credentials", config: "[Profile ops]\nrole_arn = $BASE\nsource_profile = dev\n", credentials: "[ops]\n$KEYS\n[dev]\n$OTHER\n",
			way: "AWS_PROFILE", text: []string{"/config:1", "[profile ops]"}},
		{name: "word profile in credentials, of the source", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n", credentials: "[profile dev]\n$OTHER\n",
			kind: awsauth.ProfileNotFound, text: []string{"/credentials:1", "[dev]"}},
	}
	runIdentity(t, ways, tests)
	runIdentity(t, asWritten, []identityCase{
		{name: "capital Default decides", config: "[Default]\n$OTHER\n", text: []string{"/config:1", "[default]"}},
		{name: "capital Default in credentials decides", credentials: "[DEFAULT]\n$OTHER\n", text: []string{"/credentials:1", "[default]"}},
		{name: "capital Default beside default", config: "[Default]\n$OTHER\n", credentials: "[default]\n$KEYS\n", text: []string{"/config:1", "[default]"}},
		{name: "profile default in credentials", credentials: "[profile default]\n$OTHER\n", text: []string{"/credentials:1", "[default]"}},
		{name: "capital Default, environment", config: "[Default]\n$OTHER\n", env: environmentUser, who: "user/ci"},
		{name: "capital Default, static keys", credentials: "[Default]\n$OTHER\n", opts: staticUser, who: "user/ci"},
		{name: "capital Default, provider", config: "[Default]\n$OTHER\n", opts: providerUser, who: "user/ci"},
	})
}

// TestOneFileForBoth: both variables may name one file. Each kind of heading then
// counts where it belongs.
func TestOneFileForBoth(t *testing.T) {
	one := func(c *cast) []awsauth.Option { c.Env("AWS_SHARED_CREDENTIALS_FILE=$DIR/config"); return nil }
	profile := func(c *cast) []awsauth.Option { return append(one(c), awsauth.WithProfile("ops")) }
	runIdentity(t, asWritten, []identityCase{
		{name: "credentials headings", config: "[ops]\n$KEYS\n[default]\n$OTHER\n", opts: profile, who: "user/ci"},
		{name: "config headings", config: "[profile ops]\n$KEYS\nregion = $REGION\n[default]\n$OTHER\n", opts: profile, who: "user/ci", region: "$REGION"},
		{name: "default", config: "[profile ops]\n$KEYS\n[default]\n$OTHER\n", opts: one, who: "user/other"},
		{name: "both", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[keys]\n$KEYS\n", opts: profile, who: "role/base"},
		{name: "AWS_PROFILE", config: "[profile ops]\nregion = $REGION\n[ops]\n$KEYS\n", env: []string{"AWS_PROFILE=ops"}, opts: one, who: "user/ci", region: "$REGION"},
	})
}

// malformedFiles are files of which one line cannot be read: the two texts for
// config and credentials, and where it stands.
var malformedFiles = []struct{ name, config, credentials, at string }{
	{"no key", "[profile ops]\n$KEYS\n= us-west-2\n", "", "/config:4"},
	{"no key, in credentials", "", "[ops]\n$KEYS\n= us-west-2\n", "/credentials:4"},
	{"no key and no value", "[profile ops]\n=\n$KEYS\n", "", "/config:2"},
	{"no key, with a colon", "[profile ops]\n$KEYS\n: us-west-2\n", "", "/config:4"},
	{"indented first line", "[profile ops]\n  text\n$KEYS\n", "", "/config:2"},
	{"indented first line in credentials", "", "[ops]\n\ttext\n$KEYS\n", "/credentials:2"},
	{"indented below a comment", "[profile ops]\n# here\n  text\n$KEYS\n", "", "/config:3"},
	{"no equals sign", "[profile ops]\n$KEYS\nregion us-west-2\n", "", "/config:4"},
	{"in another profile", "[profile ops]\n$KEYS\n[profile dev]\n= x\n", "", "/config:5"},
	{"in an ignored section", "[plugins]\n= x\n[profile ops]\n$KEYS\n", "", "/config:2"},
	{"before any section", "region = x\n[profile ops]\n$KEYS\n", "", "/config:1"},
	{"bracket open", "[profile ops]\n$KEYS\n[profile dev\nregion = x\n", "", "/config:4"},
}

// TestMalformedLines: a line that cannot be read is an error while the files
// decide, and a warning where they do not.
func TestMalformedLines(t *testing.T) {
	var tests, unasked []identityCase
	for _, m := range malformedFiles {
		one := identityCase{name: m.name, config: m.config, credentials: m.credentials, text: []string{m.at}}
		tests = append(tests, one)
		one.text, one.who = nil, "user/ci"
		for name, set := range map[string]func(*identityCase){
			"static keys": func(tt *identityCase) { tt.opts = staticUser },
			"environment": func(tt *identityCase) { tt.env = environmentUser },
			"provider":    func(tt *identityCase) { tt.opts = providerUser },
		} {
			one := one
			one.name += ", " + name
			set(&one)
			unasked = append(unasked, one)
		}
	}
	runIdentity(t, ways, tests)
	runIdentity(t, asWritten, unasked)
}

// TestMalformedLineIsLogged: where the files do not decide, the log says what is
// wrong in them.
func TestMalformedLineIsLogged(t *testing.T) {
	for _, m := range malformedFiles {
		t.Run(m.name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			c.Files(c.text(m.config), c.text(m.credentials))
			var log lab.Records
			c.Open(c.Static(), log.Option())
			found := false
			for _, w := range log.At(slog.LevelWarn) {
				found = found || strings.Contains(w.Message, m.at)
			}
			assert.True(t, found, "a warning that names %s", m.at)
		})
	}
}

// TestQuotes: a value with one quote is neither the text nor a longer one.
func TestQuotes(t *testing.T) {
	source := "source_profile = keys\n[profile keys]\n$OTHER\n"
	var tests []identityCase
	for _, quote := range []string{`"`, `'`} {
		tests = append(tests,
			identityCase{name: "role, first " + quote, config: "[profile ops]\nrole_arn = " + quote + "$BASE\n" + source, text: []string{"/config:2", "quote"}},
			identityCase{name: "role, last " + quote, config: "[profile ops]\nrole_arn = $BASE" + quote + "\n" + source, text: []string{"/config:2", "quote"}},
			identityCase{name: "source " + quote, config: "[profile ops]\nrole_arn = $BASE\nsource_profile = " + quote + "keys\n[profile keys]\n$OTHER\n", text: []string{"/config:3", "quote"}},
			identityCase{name: "id " + quote, credentials: "[ops]\naws_access_key_id = " + quote + "$ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "quote"}},
			identityCase{name: "secret " + quote, credentials: "[ops]\naws_access_key_id = $ID\naws_secret_access_key = $SECRET" + quote + "\n", text: []string{"/credentials:3", "quote"}},
			identityCase{name: "both of another kind " + quote, config: "[profile ops]\nrole_arn = \"$BASE'\n" + source, text: []string{"/config:2", "quote"}},
			identityCase{name: "sso_session " + quote, config: "[profile ops]\nsso_session = corp" + quote + "\nsso_account_id = 1\n", text: []string{"/config:2", "quote"}},
			identityCase{name: "in the source profile " + quote, config: "[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n[profile dev]\naws_access_key_id = " + quote + "$ID\naws_secret_access_key = $SECRET\n", text: []string{"/config:5", "quote"}},
			identityCase{name: "of another profile " + quote, config: "[profile dev]\nrole_arn = " + quote + "x\n[profile ops]\n$KEYS\n", who: "user/ci"},
			identityCase{name: "whole value " + quote, config: "[profile ops]\nrole_arn = " + quote + "$BASE" + quote + "\n" + source, who: "role/base"},
			identityCase{name: "whole key " + quote, credentials: "[ops]\naws_access_key_id = " + quote + "$ID" + quote + "\naws_secret_access_key = " + quote + "$SECRET" + quote + "\n", who: "user/ci"},
		)
	}
	runIdentity(t, ways, tests)
}

// TestEncodings: one line says the encoding, or the character by its name.
func TestEncodings(t *testing.T) {
	utf16 := func(s string, big bool) string {
		var b strings.Builder
		for _, r := range s {
			if big {
				b.WriteString(string([]byte{0, byte(r)}))
			} else {
				b.WriteString(string([]byte{byte(r), 0}))
			}
		}
		return b.String()
	}
	runIdentity(t, asWritten, []identityCase{
		{name: "UTF-16 of Windows", credentials: "\xff\xfe" + utf16("[default]\naws_access_key_id = x\n", false), text: []string{"/credentials:1", "UTF-16"}},
		{name: "UTF-16, big endian", credentials: "\xfe\xff" + utf16("[default]\naws_access_key_id = x\n", true), text: []string{"/credentials:1", "UTF-16"}},
		{name: "UTF-16 without a mark", config: utf16("[default]\nregion = x\n", false), credentials: "[default]\n$KEYS\n", text: []string{"/config:1", "UTF-16"}},
		{name: "UTF-16, WithProfile", config: "\xff\xfe" + utf16("[profile ops]\nregion = x\n", false), credentials: "[ops]\n$KEYS\n", opts: profileOf("ops"), text: []string{"/config:1", "UTF-16"}},
		{name: "UTF-16, environment keys", config: "\xff\xfe" + utf16("[default]\nregion = x\n", false), env: environmentUser, who: "user/ci"},
		{name: "byte order mark", credentials: "\ufeff[default]\n$OTHER\n", text: []string{"/credentials:1", "byte order mark"}},
	})
	runIdentity(t, ways, []identityCase{
		{name: "full-width sign", config: "[profile ops]\nrole_arn ＝ $BASE\nsource_profile = keys\n[profile keys]\n$OTHER\n", text: []string{"/config:2", "U+FF1D"}},
		{name: "full-width sign of a key", credentials: "[ops]\naws_access_key_id ＝ $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "U+FF1D"}},
		{name: "ideographic space inside a value", credentials: "[ops]\naws_access_key_id = $ID\u3000x\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "U+3000"}},
		{name: "ideographic space behind a value, which CLI and SDK trim", credentials: "[ops]\naws_access_key_id = $ID\u3000\naws_secret_access_key = $SECRET\n", who: "user/ci"},
		{name: "ideographic spaces round the sign, which CLI and SDK trim", credentials: "[ops]\naws_access_key_id\u3000=\u3000$ID\naws_secret_access_key = $SECRET\n", who: "user/ci"},
		{name: "ideographic space before a key", credentials: "[ops]\n\u3000aws_access_key_id = $ID\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "U+3000"}},
		{name: "no-break space", credentials: "[ops]\naws_access_key_id = $ID\u00a0x\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "U+00A0"}},
		{name: "zero-width space", credentials: "[ops]\naws_access_key_id = $ID\u200b\naws_secret_access_key = $SECRET\n", text: []string{"/credentials:2", "U+200B"}},
		{name: "full-width letter of a role", config: "[profile ops]\nrole_arn = ａrn:aws:iam::111111111111:role/base\nsource_profile = keys\n[profile keys]\n$OTHER\n", text: []string{"/config:2", "U+FF41"}},
	})
	runIdentity(t, asWritten, []identityCase{
		{name: "ideographic space in a heading", config: "[profile\u3000ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n$OTHER\n", credentials: "[ops]\n$KEYS\n",
			opts: profileOf("ops"), text: []string{"/config:1", "U+3000"}},
		{name: "ideographic space in the heading of credentials", credentials: "[ops\u3000]\n$KEYS\n", config: "[profile ops]\nregion = $REGION\n", opts: profileOf("ops"), text: []string{"/credentials:1", "U+3000"}},
		{name: "full-width brackets", config: "［profile ops］\n$OTHER\n", credentials: "[ops]\n$KEYS\n", opts: profileOf("ops"), text: []string{"/config:1", "U+FF3B"}},
	})
}

// TestLineEndOfAccount: an id that was read from a file has its line end with it,
// which is named.
func TestLineEndOfAccount(t *testing.T) {
	for _, id := range []string{"123456789012\r", "123456789012\n", "123456789012\r\n", "\n123456789012"} {
		c := newCast(t, awsauth.AWS)
		_, err := c.Try(c.Static(), awsauth.WithAccount(id))
		lab.RequireBad(t, err, awsauth.InvalidOption, "line end")
		assert.Empty(t, c.Said())
	}
	c := newCast(t, awsauth.AWS)
	c.Files(c.text("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nregion = $REGION\n[profile keys]\n$KEYS\n[default]\n"), "")
	text, err := os.ReadFile(filepath.Join(c.Dir, "config"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "config"), []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), 0o600))
	assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(c.Open(awsauth.WithProfile("ops"))), "Windows' line ends in a file are none of a value's")
	c.left()
}

// TestNoHome: where there is no home directory, the SDK's paths are relative. No
// file of the working directory is ever read.
func TestNoHome(t *testing.T) {
	configs, credentials := config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles
	t.Cleanup(func() { config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles = configs, credentials })
	for _, name := range []string{"", "ops"} {
		for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				c := newCast(t, p)
				config.DefaultSharedConfigFiles = []string{filepath.Join(".aws", "config")}
				config.DefaultSharedCredentialsFiles = []string{filepath.Join(".aws", "credentials")}
				t.Chdir(c.Dir)
				require.NoError(t, os.MkdirAll(".aws", 0o700))
				for _, file := range []string{"config", "credentials"} {
					require.NoError(t, os.WriteFile(filepath.Join(".aws", file), []byte(c.text("[default]\n$OTHER\n[ops]\n$OTHER\n[profile ops]\n$OTHER\n")), 0o600))
				}
				for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
					require.NoError(t, os.Unsetenv(variable)) // Isolate puts them back
				}
				var log lab.Records
				if name != "" {
					_, err := c.Try(awsauth.WithProfile(name), log.Option())
					lab.RequireBad(t, err, awsauth.ProfileNotFound)
					assert.Empty(t, c.Said())
					return
				}
				s := c.Open(log.Option(), awsauth.WithPartition(p))
				assert.Equal(t, c.arnOf("role/"+bystander), c.IdentityOf(s))
				warned := log.At(slog.LevelWarn)
				require.NotEmpty(t, warned)
				assert.Contains(t, warned[0].Message, "HOME")

				s = c.Open(c.Static(), awsauth.WithPartition(p))
				assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(s))
			})
		}
	}
}

// TestOthersCanRead: secrets that everybody can read are good ones, but Explain
// and the log say so.
func TestOthersCanRead(t *testing.T) {
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o600, 0o400} {
		for _, file := range []string{"config", "credentials"} {
			t.Run(file+"/"+mode.String(), func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				texts := map[string]string{"config": "[profile ops]\n$KEYS\n", "credentials": "[ops]\n$KEYS\n"}
				for other := range texts {
					if other != file {
						texts[other] = ""
					}
				}
				c.Files(c.text(texts["config"]), c.text(texts["credentials"]))
				path := filepath.Join(c.Dir, file)
				require.NoError(t, os.Chmod(path, mode))
				var log lab.Records
				s := c.Open(awsauth.WithProfile("ops"), log.Option())
				assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(s))
				var texts2 []string
				for _, w := range log.At(slog.LevelWarn) {
					texts2 = append(texts2, w.Message)
				}
				explained := s.Explain().String()
				if mode&0o044 == 0 {
					assert.NotContains(t, strings.Join(texts2, "\n"), path)
					assert.NotContains(t, explained, "others")
					return
				}
				assert.Contains(t, strings.Join(texts2, "\n"), "chmod 600 "+path)
				assert.Contains(t, explained, "others on this machine can read")
			})
		}
	}
}

// TestSudoUser: on a jump host where everybody is root, the session's name is
// that of the person.
func TestSudoUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has SUDO_USER looked at")
	}
	for sudo, want := range map[string]string{"ana": "ana@", "corp\\ana": "ana@", "ana maria": "ana-maria@", "": "root@"} {
		for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
			c := newCast(t, p)
			t.Setenv("SUDO_USER", sudo)
			for name, s := range map[string]*awsauth.Session{
				"option":  c.Open(c.Static(), awsauth.WithAccount(lab.Target), awsauth.WithPartition(p)),
				"profile": c.profileRole(),
			} {
				c.ResetCalls()
				lab.Get(t, s)
				calls := c.Calls("AssumeRole")
				require.NotEmpty(t, calls)
				assert.Regexp(t, "^"+want, calls[0].Params.Get("RoleSessionName"), name)
			}
		}
	}
}

// profileRole is a session in the role of a profile.
func (c *cast) profileRole() *awsauth.Session {
	c.T.Helper()
	c.Files(c.text("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n$KEYS\n"), "")
	return c.Open(awsauth.WithProfile("ops"))
}
