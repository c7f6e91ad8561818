package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	anasDevice  = "arn:aws:iam::111111111111:mfa/ana"
	withMFARole = "arn:aws:iam::" + accountA + ":role/manage-role"
)

// device is a Cloud on a socket whose user has a device, and shared files with these
// profiles: "ana" has keys alone, "beside" keys and mfa_serial, "admin" a role with
// mfa_serial, and "key" one with a security key, which has no codes.
func device(t *testing.T) (cloud *awsauthtest.Cloud, url string) {
	t.Helper()
	cloud = awsauthtest.New(t)
	url, err := cloud.Serve()
	require.NoError(t, err)
	keys := cloud.AddUser(awsauthtest.User{ARN: ana, MFASerial: anasDevice})
	for _, id := range []string{accountA, accountB} {
		cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + id + ":role/manage-role", Trust: []string{ana}, RequireMFA: true})
		cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + id + ":role/open", Trust: []string{ana}})
	}
	pair := "aws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey + "\n"
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[profile ana]\n"+pair+"[profile beside]\nmfa_serial = "+anasDevice+"\n"+pair+
		"[profile admin]\nrole_arn = "+withMFARole+"\nsource_profile = ana\nmfa_serial = "+anasDevice+"\n"+
		"[profile key]\nrole_arn = "+withMFARole+"\nsource_profile = ana\nmfa_serial = arn:aws:iam::111111111111:u2f/user/ana/k\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	t.Setenv(cacheVariable, t.TempDir())
	return cloud, url
}

// onlySh skips the test where there is no shell for the command of --mfa-process.
func onlySh(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of sh")
	}
}

// TestMFAProcess: the device of a flag, or of a profile, and the code of a program. One
// code signs in for all commands of the day, whatever the role.
func TestMFAProcess(t *testing.T) {
	onlySh(t)
	for name, args := range map[string][]string{
		"the role's profile": {"--profile", "admin"},
		"beside the keys":    {"--profile", "beside", "--account", accountA},
		"the flag":           {"--profile", "ana", "--account", accountA, "--mfa-serial", anasDevice},
	} {
		t.Run(name, func(t *testing.T) {
			cloud, _ := device(t)
			asked := filepath.Join(t.TempDir(), "asked")
			process := "echo x >> " + asked + "; echo " + cloud.MFACode(anasDevice)
			code, out, stderr := command(t, append([]string{"whoami", "--mfa-process", process}, args...)...)
			require.Equal(t, exitOK, code, stderr)
			assert.Contains(t, out, "arn:aws:sts::"+accountA+":assumed-role/manage-role/")
			code, _, stderr = command(t, "each", "--accounts", accountA+","+accountB, "--profile", "beside", "--mfa-process", process, "--", shell(t), "-c", "true")
			require.Equal(t, exitOK, code, stderr)
			assert.Len(t, cloud.Calls("GetSessionToken"), 1)
			text, err := os.ReadFile(asked)
			require.NoError(t, err)
			assert.Equal(t, "x\n", string(text))
		})
	}
}

// TestMFAMistakes: what cannot work is told before any call, in the words of the
// command line.
func TestMFAMistakes(t *testing.T) {
	cloud, _ := device(t)
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--profile", "ana", "--mfa-process", "echo 1"}, "awsauth: --mfa-process: there is no mfa_serial in profile \"ana\"; name the device with --mfa-serial\n"},
		{[]string{"--profile", "admin", "--mfa-serial", "arn:aws:iam::111111111111:mfa/other"}, "says " + anasDevice},
		{[]string{"--profile", "key"}, "a security key or passkey shows no codes"},
		{[]string{"--profile", "ana", "--mfa-serial", "arn:aws:iam::111111111111:u2f/k"}, "--mfa-serial"},
	} {
		code, out, stderr := command(t, append([]string{"whoami"}, tt.args...)...)
		assert.NotEqual(t, exitOK, code, tt.args)
		assert.Empty(t, out)
		assert.Contains(t, stderr, tt.says)
		assert.NotRegexp(t, goWords, stderr)
	}
	assert.Empty(t, cloud.Calls())
	code, out, stderr := command(t, "explain", "--profile", "admin")
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, "MFA session of "+anasDevice)
	assert.NotRegexp(t, goWords, out)
}

// Nobody is asked while the terminal is another program's.
func TestHushed(t *testing.T) {
	c := &codes{}
	c.hush()
	_, err := c.prompt(t.Context())
	require.ErrorContains(t, err, "start it anew")
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

// TestMFAReadOnly: the session that tells the partition of --read-only asks for no code,
// and the role's own asks once.
func TestMFAReadOnly(t *testing.T) {
	onlySh(t)
	cloud, _ := device(t)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + accountB + ":role/reader", Trust: []string{withMFARole}})
	args := []string{"whoami", "--profile", "admin", "--account", accountB, "--role", "reader", "--read-only"}
	code, _, stderr := command(t, append([]string{"explain"}, args[1:]...)...)
	assert.Equal(t, exitOK, code, stderr)
	assert.Empty(t, cloud.Calls())
	code, out, stderr := command(t, append(args, "--mfa-process", "echo "+cloud.MFACode(anasDevice))...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, out, ":assumed-role/reader/")
	assert.Len(t, cloud.Calls("GetSessionToken"), 1)
}
