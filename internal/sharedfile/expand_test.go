package sharedfile_test

import (
	"os/user"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// setHome sets the variable that names the home directory.
func setHome(t *testing.T, dir string) {
	if runtime.GOOS == "windows" {
		t.Setenv("USERPROFILE", dir)
		return
	}
	t.Setenv("HOME", dir)
}

// TestExpand: S5.
func TestExpand(t *testing.T) {
	home := t.TempDir()
	setHome(t, home)
	t.Setenv("SOME_DIR", "/some/dir")
	for path, want := range map[string]string{
		"":                   "",
		"~":                  home,
		"~/":                 home,
		"~/.aws/creds":       filepath.Join(home, ".aws", "creds"),
		"/etc/aws":           "/etc/aws",
		"creds":              "creds",
		"./~/creds":          "./~/creds",
		"a~b":                "a~b",
		"$SOME_DIR/creds":    "/some/dir/creds",
		"${SOME_DIR}x":       "/some/dirx",
		"$NO_SUCH_THING/x":   "$NO_SUCH_THING/x",
		"${NO_SUCH_THING}/x": "${NO_SUCH_THING}/x",
		"$":                  "$",
		"a$/$$SOME_DIR":      "a$/$/some/dir",
		"${SOME_DIR":         "${SOME_DIR",
		"${}":                "${}",
	} {
		got, err := sharedfile.Expand(path)
		assert.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
	if runtime.GOOS == "windows" {
		got, err := sharedfile.Expand(`%SOME_DIR%\x%`)
		assert.NoError(t, err)
		assert.Equal(t, `/some/dir\x%`, got)
	}
}

// TestExpandUser: ~name is that user's home, and an unknown name an error.
func TestExpandUser(t *testing.T) {
	_, err := sharedfile.Expand("~no-such-user-here/creds")
	assert.EqualError(t, err, `the home directory of user "no-such-user-here" is not known; write the whole path of the file`)
	me, err := user.Current()
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("the user has no entry, or a name with a backslash")
	}
	got, err := sharedfile.Expand("~" + me.Username + "/creds")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(me.HomeDir, "creds"), got)
}

// TestNoHome: S22, never the working directory.
func TestNoHome(t *testing.T) {
	for _, home := range []string{"", ".", "relative/home"} {
		setHome(t, home)
		got, err := sharedfile.Expand("~/.aws/config")
		if err != nil {
			assert.ErrorIs(t, err, sharedfile.ErrNoHome)
			assert.Empty(t, got)
			continue
		}
		require.Empty(t, home, "a relative home is none")
		assert.True(t, filepath.IsAbs(got), "the entry of the user's account: %s", got)
	}
	_, err := sharedfile.Expand("/etc/aws/config")
	assert.NoError(t, err, "a whole path needs no home")
}

// TestStray: a name that a file may well have is none of a mistake, though there is no
// such file; what stands in a file is.
func TestStray(t *testing.T) {
	for _, path := range []string{"/none/config", "aws_config", "aws_credentials.ini", "/none/a b", "/none/o'brien"} {
		assert.Empty(t, sharedfile.Stray(path), path)
	}
	for _, path := range []string{"aws_access_key_id = x", "aws_access_key_id=x", "aws_secret_access_key: x", "AWS_SECRET_ACCESS_KEY=x", "export aws_secret_access_key=x", `{"SecretAccessKey":"x"}`, "aws_secret_access_key x", "[default]", `"/none/config"`, "/none/config\n", "file:///none"} {
		assert.NotEmpty(t, sharedfile.Stray(path), path)
	}
}
