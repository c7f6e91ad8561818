package awsauth_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// sharesIn asks that two sessions share their credentials in a directory without a
// word in the log, and that nobody else could read them there.
func sharesIn(t *testing.T, w *lab.Place, dir string) {
	t.Helper()
	var log lab.Records
	open := func() string {
		return lab.Get(t, w.Open(w.Static(), awsauth.WithDiskCache(dir), awsauth.WithAccount(lab.Target), log.Option())).AccessKeyID
	}
	assert.Equal(t, open(), open())
	assert.Len(t, w.Calls("AssumeRole"), 1)
	assert.False(t, log.Has("WARN"), "%s", &log)
	if dir == "" || runtime.GOOS == "windows" {
		return
	}
	require.NoError(t, filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, "%s: %v", path, info.Mode())
		return nil
	}))
}

// TestDiskPlaces: the cache works in a directory that is missing with its parents, in
// one of the user's that others can read (it is closed), and through a symbolic link.
func TestDiskPlaces(t *testing.T) {
	for name, place := range map[string]func(t *testing.T, dir string) string{
		"missing parents": func(_ *testing.T, dir string) string { return filepath.Join(dir, "a", "b", "c") },
		"readable by others": func(t *testing.T, dir string) string {
			dir = filepath.Join(dir, "readable")
			require.NoError(t, os.Mkdir(dir, 0o755))
			return dir
		},
		"a symbolic link": func(t *testing.T, dir string) string {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o700))
			link := filepath.Join(dir, "link")
			if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
			return link
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			sharesIn(t, w, place(t, w.Dir))
		})
	}
}

// TestDiskHome: without a directory it is the user's, wherever the system has that.
// Without a home there is a warning, and the sessions work without the cache.
func TestDiskHome(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("HOME=$DIR", "XDG_CACHE_HOME=", "LocalAppData=$DIR")
	sharesIn(t, w, "")
	where, err := os.UserCacheDir()
	require.NoError(t, err)
	entries, err := filepath.Glob(filepath.Join(where, "awsauth", "*.json"))
	require.NoError(t, err)
	assert.Len(t, entries, 1)

	w.ResetCalls()
	w.Env("HOME=", "LocalAppData=")
	var log lab.Records
	for range 2 {
		s := w.Open(w.Static(), awsauth.WithDiskCache(""), awsauth.WithAccount(lab.Target), log.Option())
		lab.Get(t, s)
	}
	assert.Len(t, w.Calls("AssumeRole"), 2)
	assert.True(t, log.Has("WARN", "disk cache: its directory cannot be used"), "%s", &log)
}

// TestDiskOpenDir: a directory that others can write is left as it is, and nothing is
// read from it or written to it; once it is closed, it is used.
func TestDiskOpenDir(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the modes say nothing here")
	}
	w := lab.New(t, awsauth.AWS)
	dir := sharedDir(w)
	var log lab.Records
	lab.Get(t, w.Open(w.Static(), awsauth.WithDiskCache(dir), awsauth.WithAccount(lab.Target), log.Option()))
	assert.True(t, log.Has("WARN", "others can write to it; chmod 700 it"), "%s", &log)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o777), info.Mode().Perm())
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, found)

	w.ResetCalls()
	require.NoError(t, os.Chmod(dir, 0o700))
	sharesIn(t, w, dir)
}
