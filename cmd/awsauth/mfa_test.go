package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// typed is a terminal at which somebody types.
type typed struct {
	io.Reader
	io.Writer
}

func (typed) Close() error { return nil }

// askAt asks somebody who types this.
func askAt(text string, shown io.Writer) *asker {
	return &asker{open: func() (io.ReadWriteCloser, error) { return typed{strings.NewReader(text), shown}, nil }}
}

// A profile with an mfa_serial asks once, and the code is what STS gets.
func TestAskForCode(t *testing.T) {
	const serial = "arn:aws:iam::111111111111:mfa/ana"
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: ana, MFASerial: serial})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::111111111111:role/admin", Trust: []string{ana}, RequireMFA: true})
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[profile admin]\nrole_arn = arn:aws:iam::111111111111:role/admin\nsource_profile = ana\nmfa_serial = "+serial+
		"\n[profile ana]\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+"\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)

	var asked strings.Builder
	code := cloud.MFACode(serial)
	s, err := awsauth.New(awsauth.WithProfile("admin"), awsauth.WithLoadOptions(cloud.LoadOptions()), askAt(code+"\n", &asked).option())
	require.NoError(t, err)
	_, err = s.Retrieve(t.Context())
	require.NoError(t, err)
	_, err = s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "MFA code: ", asked.String())

	s, err = awsauth.New(awsauth.WithProfile("admin"), awsauth.WithLoadOptions(cloud.LoadOptions()), askAt("\n", &asked).option())
	require.NoError(t, err)
	_, err = s.Retrieve(t.Context())
	assert.ErrorContains(t, err, "no MFA code was typed")
}

// Nobody is asked while the terminal is another program's, nor where there is none.
func TestHushed(t *testing.T) {
	var asked strings.Builder
	a := askAt("123456\n", &asked)
	a.hush()
	_, err := a.ask()
	require.ErrorContains(t, err, "start it anew")
	assert.Empty(t, asked.String())
	none := &asker{open: func() (io.ReadWriteCloser, error) { return nil, os.ErrNotExist }}
	assert.Nil(t, none.option())
}

func TestMFAInFlags(t *testing.T) {
	_, err := awsauth.New(awsauth.WithProfile("admin"), awsauth.WithLoadOptions(sharedConfig(t,
		"[profile admin]\nrole_arn = arn:aws:iam::111111111111:role/admin\nsource_profile = ana\nmfa_serial = arn:aws:iam::111111111111:mfa/ana\n"+
			"[profile ana]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = made-up\n")))
	require.ErrorIs(t, err, awsauth.MFARequired)
	assert.Contains(t, inFlags(err.Error()), "run this at a terminal, where it asks for the code")
}

// sharedConfig is a load option for a config file with this text.
func sharedConfig(t *testing.T, text string) func(*config.LoadOptions) error {
	t.Helper()
	awsauthtest.Isolate(t)
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return config.WithSharedConfigFiles([]string{path})
}
