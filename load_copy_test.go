package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// copies looks, while the SDK loads, at the temporary files there are.
type copies struct {
	dir   string
	modes []os.FileMode
	texts []string
}

// watchCopies makes an empty directory for temporary files.
func watchCopies(t *testing.T) *copies {
	c := &copies{dir: t.TempDir()}
	t.Setenv("TMPDIR", c.dir)
	return c
}

// option is called while the SDK loads.
func (c *copies) option() awsauth.Option {
	return awsauth.WithLoadOptions(config.WithCredentialsCacheOptions(func(*aws.CredentialsCacheOptions) {
		entries, _ := os.ReadDir(c.dir)
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				continue
			}
			text, _ := os.ReadFile(filepath.Join(c.dir, e.Name()))
			c.modes, c.texts = append(c.modes, info.Mode().Perm()), append(c.texts, string(text))
		}
	}))
}

// TestCopyOfQuotedProfile: the SDK reads other section names than the AWS CLI
// writes, so it gets a copy of the profile's settings. Nobody else can read it, it
// has no keys in it, and it is gone afterwards.
func TestCopyOfQuotedProfile(t *testing.T) {
	for heading, name := range map[string]string{"[profile 'a b']": "a b", `[profile "a b"]`: "a b", "[profile 'ops']": "ops"} {
		t.Run(heading, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			w := watchCopies(t)
			t.Setenv("AWS_ENDPOINT_URL_STS", "") // Isolate closes STS to who does not use the Cloud
			c.Write("ca.pem", testCA)
			c.Files(c.text(heading+"\n$KEYS\nregion = $REGION\nretry_mode = adaptive\nmax_attempts = 7\ndefaults_mode = in-region\nuse_fips_endpoint = false\n"+
				"services = 'my services'\nca_bundle = $DIR/ca.pem\nsts_regional_endpoints = regional\n[services 'my services']\nsts =\n  endpoint_url = http://localhost:4566\n"), "")
			s, err := awsauth.New(awsauth.WithProfile(name), w.option())
			require.NoError(t, err)
			require.Len(t, w.texts, 1)
			assert.Equal(t, []os.FileMode{0o600}, w.modes)
			assert.NotContains(t, w.texts[0], c.Keys.SecretAccessKey)
			assert.NotContains(t, w.texts[0], c.Keys.AccessKeyID)
			left, err := os.ReadDir(w.dir)
			require.NoError(t, err)
			assert.Empty(t, left)
			cfg := s.Config()
			assert.Equal(t, lab.OtherRegion(c.Partition), cfg.Region)
			assert.Equal(t, aws.RetryModeAdaptive, cfg.RetryMode)
			assert.Equal(t, 7, cfg.RetryMaxAttempts)
			assert.Equal(t, aws.DefaultsModeInRegion, cfg.DefaultsMode)
			o := sts.NewFromConfig(cfg).Options()
			require.NotNil(t, o.BaseEndpoint)
			assert.Equal(t, "http://localhost:4566", *o.BaseEndpoint)
		})
	}
}

// TestNoCopyWhereNoneIsNeeded: what the SDK reads rightly, it reads itself.
func TestNoCopyWhereNoneIsNeeded(t *testing.T) {
	for _, way := range []string{"WithProfile", "AWS_PROFILE", "default"} {
		c := newCast(t, awsauth.AWS)
		w := watchCopies(t)
		tt := identityCase{config: "[profile ops]\n$KEYS\nregion = $REGION\n"}
		opts := ways[way](c, &tt)
		c.Files(c.text(tt.config), "")
		s := c.Open(append(opts, w.option())...)
		assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(s))
		assert.Empty(t, w.texts)
	}
}

// TestCopyIsGoneAfterAFault: also where the SDK refuses what is in it.
func TestCopyIsGoneAfterAFault(t *testing.T) {
	for _, line := range []string{"retry_mode = nonsense\n", "max_attempts = x\n", "ca_bundle = /nowhere\n"} {
		c := newCast(t, awsauth.AWS)
		w := watchCopies(t)
		c.Files(c.text("[profile 'a b']\n$KEYS\n"+line), "")
		_, err := awsauth.New(awsauth.WithProfile("a b"))
		lab.RequireBad(t, err, awsauth.InvalidOption)
		left, err := os.ReadDir(w.dir)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

// TestSettingsWhereTheSDKRefuses: the settings of a profile hold where the SDK
// would refuse its identity, and where other keys decide.
func TestSettingsWhereTheSDKRefuses(t *testing.T) {
	for name, lines := range map[string]string{
		"missing sso-session":    "sso_session = nowhere\nsso_account_id = 111111111111\nsso_role_name = x\n",
		"process beside source":  "role_arn = $BASE\nsource_profile = b\ncredential_process = x\n",
		"half a pair":            "aws_access_key_id = x\n",
		"source that is missing": "role_arn = $BASE\nsource_profile = nowhere\n",
		"malformed":              "= x\n",
		"empty role":             "role_arn =\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, opt := range []func(c *cast) []awsauth.Option{staticUser, providerUser, func(c *cast) []awsauth.Option { c.Env(environmentUser...); return nil }} {
				c := newCast(t, awsauth.AWS)
				c.Files(c.text("[profile ops]\nregion = $REGION\nretry_mode = adaptive\n"+lines+"[profile b]\n$OTHER\n"), "")
				c.Env("AWS_PROFILE=ops")
				s := c.Open(opt(c)...)
				assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(s))
				assert.Equal(t, lab.OtherRegion(c.Partition), s.Config().Region)
				assert.Equal(t, aws.RetryModeAdaptive, s.Config().RetryMode)
				c.left()
			}
		})
	}
}

// TestNoFilesAtAll: an empty list of files is no file. AWS_PROFILE then names
// nothing, which matters only where the files decide.
func TestNoFilesAtAll(t *testing.T) {
	none := awsauth.WithLoadOptions(config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}))
	for _, profile := range []string{"", "ops"} {
		for name, opt := range map[string]func(c *cast) []awsauth.Option{"static": staticUser, "provider": providerUser,
			"environment": func(c *cast) []awsauth.Option { c.Env(environmentUser...); return nil }} {
			t.Run(profile+"/"+name, func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				c.Env("AWS_PROFILE=" + profile)
				assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(c.Open(append(opt(c), none)...)))
				c.left()
			})
		}
	}
	c := newCast(t, awsauth.AWS)
	c.Env("AWS_PROFILE=ops")
	_, err := c.Try(none)
	lab.RequireBad(t, err, awsauth.ProfileNotFound, "AWS_PROFILE")
	assert.Empty(t, c.Said())
	_, err = c.Try(none, awsauth.WithProfile("ops"))
	lab.RequireBad(t, err, awsauth.ProfileNotFound, `"ops"`)
}

// TestCopyWithoutMisspeltSecrets: what may be a secret under a misspelt key does not
// reach the copy that the SDK reads.
func TestCopyWithoutMisspeltSecrets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	text := "[default]\nregion = eu-west-1\naws_secret_acces_key = hidden-one\nsecret_access_key = hidden-two\nmy_session_token = hidden-three\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	copied := sharedfile.Read([]string{path}, nil).Extract("default", "settings", awsauth.IsSetting)
	require.Contains(t, copied, "eu-west-1")
	require.NotContains(t, copied, "hidden")
}
