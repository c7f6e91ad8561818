//go:build unix

package diskcache_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// nobody is another user, as whom only root can make files.
const nobody = 65534

func giveAway(t *testing.T, path string) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	require.NoError(t, os.Lchown(path, nobody, nobody))
}

func perm(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

// TestModes makes everything under several umasks. AWS_RESTRICT_FILE_PERMISSIONS
// changes nothing.
func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o277, 0o777} {
		for _, restrict := range []string{"", "false", "true"} {
			t.Setenv("AWS_RESTRICT_FILE_PERMISSIONS", restrict)
			base := t.TempDir()
			h := openHouse(filepath.Join(base, "parent", "cache"), nil)
			sealed := openHouse(h.dir, secret32("k"))
			before := syscall.Umask(umask)
			sealed.get(t, "ASIAFIRST")
			h.get(t, "ASIASECOND")
			syscall.Umask(before)

			assert.Equal(t, fs.FileMode(0o700), perm(t, filepath.Dir(h.dir)), "umask %o", umask)
			assert.Equal(t, fs.FileMode(0o700), perm(t, h.dir), "umask %o", umask)
			names := mustReadDir(t, h.dir)
			assert.ElementsMatch(t, []string{"CACHEDIR.TAG", testKey.String() + ".json", testKey.String() + ".sealed", testKey.String() + ".lock"}, names)
			for _, name := range names {
				assert.Equal(t, fs.FileMode(0o600), perm(t, filepath.Join(h.dir, name)), "%s, umask %o", name, umask)
			}
			h.assertTold(t)
		}
	}
}

// mode makes a directory of that mode.
func mode(m fs.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, m))
	}
}

// directories are what may stand where the cache's directory is to be.
var directories = []struct {
	name  string
	make  func(*testing.T, string)
	used  bool
	warns []string
}{
	{"missing", func(*testing.T, string) {}, true, nil},
	{"0700", mode(0o700), true, nil},
	{"0755 is narrowed", mode(0o755), true, nil},
	{"0711 is narrowed", mode(0o711), true, nil},
	{"0744 with another file", func(t *testing.T, dir string) {
		mode(0o744)(t, dir)
		write(t, filepath.Join(dir, "thesis.txt"), nil)
	}, false, []string{"not the cache's"}},
	{"group can write", mode(0o770), false, []string{"others can write"}},
	{"others can write", mode(0o702), false, []string{"others can write"}},
	{"all can write, sticky", mode(0o777 | fs.ModeSticky), false, []string{"others can write"}},
	{"another user's", func(t *testing.T, dir string) { mode(0o755)(t, dir); giveAway(t, dir) }, false, []string{"another user"}},
	{"a file", func(t *testing.T, dir string) { write(t, dir, nil) }, false, []string{"not a directory"}},
	{"below a file", func(t *testing.T, dir string) {
		require.NoError(t, os.Remove(filepath.Dir(dir)))
		write(t, filepath.Dir(dir), nil)
	}, false, []string{"not a directory"}},
	{"a symbolic link", func(t *testing.T, dir string) { mode(0o755)(t, dir+".real"); link(t, dir+".real", dir) }, true, nil},
	{"a link to where others can write", func(t *testing.T, dir string) { mode(0o777)(t, dir+".real"); link(t, dir+".real", dir) }, false, []string{"others can write"}},
	{"a link to nothing", func(t *testing.T, dir string) { link(t, dir+".real", dir) }, false, []string{"no such file"}},
	{"a pipe", func(t *testing.T, dir string) { require.NoError(t, syscall.Mkfifo(dir, 0o600)) }, false, []string{"not a directory"}},
}

// TestDirectories has directories of all kinds: one that is used holds an entry
// afterwards and has mode 0700, one that is not is left as it is.
func TestDirectories(t *testing.T) {
	for _, c := range directories {
		t.Run(c.name, func(t *testing.T) {
			h := openHouse(filepath.Join(t.TempDir(), "parent", "cache"), nil)
			require.NoError(t, os.Mkdir(filepath.Dir(h.dir), 0o700))
			c.make(t, h.dir)
			before, _ := os.Stat(h.dir)
			assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
			if c.used {
				h.assertTold(t)
			} else {
				h.assertTold(t, append(c.warns, filepath.Dir(h.dir))...) // it says where
			}
			h.get(t, "ASIASECOND")
			h.assertTold(t) // no second warning of one kind
			if c.used {
				assert.Equal(t, 1, h.fetches)
				info, err := os.Stat(h.dir)
				require.NoError(t, err)
				assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
				return
			}
			assert.Equal(t, 2, h.fetches)
			assert.NoFileExists(t, h.file(".json"))
			if before != nil {
				after, err := os.Stat(h.dir)
				require.NoError(t, err)
				assert.Equal(t, before.Mode(), after.Mode())
				_, err = h.List(t.Context())
				assert.Error(t, err)
				_, err = h.Clear(t.Context())
				assert.Error(t, err)
				h.Drop(t.Context(), testKey, "ASIAFIRST")
			}
		})
	}
}

// TestNarrowDir has a directory that was exchanged after it was checked: nothing
// changes its mode.
func TestNarrowDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o777))
	assert.ErrorContains(t, diskcache.NarrowDir(dir), "others can write")
	assert.Equal(t, fs.FileMode(0o777), perm(t, dir))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Chmod(file, 0o755))
	assert.ErrorContains(t, diskcache.NarrowDir(file), "not a directory")
	assert.Equal(t, fs.FileMode(0o755), perm(t, file))
	assert.Error(t, diskcache.NarrowDir(filepath.Join(dir, "none")))
}

func link(t *testing.T, to, path string) {
	t.Helper()
	require.NoError(t, os.Symlink(to, path))
}

// TestEntryFiles has files in the place of an entry. Each counts as absent, is never
// waited for, and is replaced.
func TestEntryFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string, good []byte)
		warn string
	}{
		{"symbolic link", func(t *testing.T, path string, good []byte) {
			write(t, path+".real", good)
			link(t, path+".real", path)
		}, "symbolic links"},
		{"link to nothing", func(t *testing.T, path string, _ []byte) { link(t, path+".real", path) }, "symbolic links"},
		{"pipe", func(t *testing.T, path string, _ []byte) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }, "not a regular file"},
		{"empty directory", func(t *testing.T, path string, _ []byte) { require.NoError(t, os.Mkdir(path, 0o700)) }, "not a regular file"},
		{"device", func(t *testing.T, path string, _ []byte) {
			if syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) != nil { // as /dev/zero
				t.Skip("only root can make a device")
			}
		}, "not a regular file"},
		{"socket", func(t *testing.T, path string, _ []byte) {
			if syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) != nil {
				t.Skip("a socket cannot be made here")
			}
		}, "entry"},
		{"another user's", func(t *testing.T, path string, good []byte) { write(t, path, good); giveAway(t, path) }, "another user"},
		{"all can read", func(t *testing.T, path string, good []byte) {
			write(t, path, good)
			require.NoError(t, os.Chmod(path, 0o644))
		}, "others can read"},
		{"group can write", func(t *testing.T, path string, good []byte) {
			write(t, path, good)
			require.NoError(t, os.Chmod(path, 0o620))
		}, "others can read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.get(t, "ASIABEFORE")
			good := read(t, h.file(".json"))
			require.NoError(t, os.Remove(h.file(".json")))
			c.make(t, h.file(".json"), good)

			assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
			h.assertTold(t, "counts as absent", c.warn, h.file(".json"))
			assertKept(t, h.dir, "ASIAFIRST")
			assert.Equal(t, fs.FileMode(0o600), perm(t, h.file(".json")))
			if strings.Contains(c.name, "link") {
				if data, err := os.ReadFile(h.file(".json") + ".real"); err == nil {
					assert.Equal(t, good, data, "what the link names is untouched")
				}
			}
		})
	}
}

// TestEntryFullDirectory is the one thing that is not replaced: it may hold
// somebody's files.
func TestEntryFullDirectory(t *testing.T) {
	h := newHouse(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.file(".json"), "sub"), 0o700))
	h.get(t, "ASIAFIRST")
	lines := h.take()
	require.Len(t, lines, 2)
	assert.Contains(t, lines[1], "cannot be written")
	assert.DirExists(t, filepath.Join(h.file(".json"), "sub"))
	assert.ElementsMatch(t, []string{"CACHEDIR.TAG", testKey.String() + ".json", testKey.String() + ".lock"}, mustReadDir(t, h.dir), "no temporary file is left")
}

// TestLockFiles has files in the place of a lock. None is followed or waited for.
func TestLockFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, path string)
		warns []string
	}{
		{"wide", func(t *testing.T, path string) { write(t, path, nil); require.NoError(t, os.Chmod(path, 0o666)) }, nil},
		{"narrow", func(t *testing.T, path string) { write(t, path, nil); require.NoError(t, os.Chmod(path, 0o600)) }, nil},
		{"symbolic link", func(t *testing.T, path string) { link(t, path+".real", path) }, []string{"lock", "symbolic links"}},
		{"pipe", func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }, []string{"lock", "not a regular file"}},
		{"directory", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, []string{"lock", "directory"}},
		{"another user's", func(t *testing.T, path string) { write(t, path, nil); giveAway(t, path) }, []string{"lock", "another user"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			require.NoError(t, os.Mkdir(h.dir, 0o700))
			c.make(t, h.file(".lock"))
			h.get(t, "ASIAFIRST")
			h.assertTold(t, c.warns...)
			assertKept(t, h.dir, "ASIAFIRST") // without the lock, too
			assert.NoFileExists(t, h.file(".lock")+".real")
			if c.warns == nil {
				assert.Equal(t, fs.FileMode(0o600), perm(t, h.file(".lock")))
			}
		})
	}
}

func TestNoHome(t *testing.T) {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		t.Skip("the user's cache directory does not depend on XDG_CACHE_HOME here")
	}
	for _, c := range []struct{ name, home, xdg, warn string }{
		{"none", "", "", "neither"},
		{"a relative one", "", "cache", "relative"},
		{"missing", "/dev/null/home", "", "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("HOME", c.home)
			t.Setenv("XDG_CACHE_HOME", c.xdg)
			h := openHouse("", nil)
			h.get(t, "ASIAFIRST")
			lines := h.take()
			require.Len(t, lines, 1)
			assert.Contains(t, lines[0], "directory cannot be used")
			_, err := h.List(t.Context())
			assert.Error(t, err)
		})
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	where, err := os.UserCacheDir()
	require.NoError(t, err)
	openHouse("", nil).get(t, "ASIAFIRST")
	assert.FileExists(t, filepath.Join(where, "awsauth", testKey.String()+".json"))
}

// TestReadOnlyDirectory has a directory that the user has closed to writing: no mode
// stops root, so root skips it.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; see TestSmallDisk for a mount that is read-only")
	}
	for _, filled := range []bool{false, true} {
		h := newHouse(t)
		require.NoError(t, os.Mkdir(h.dir, 0o700))
		if filled {
			h.get(t, "ASIAFIRST")
		}
		require.NoError(t, os.Chmod(h.dir, 0o500))
		other := openHouse(h.dir, nil)
		got, err := other.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIASECOND"), nil })
		require.NoError(t, err)
		assert.Equal(t, filled, got.AccessKeyID == "ASIAFIRST", "a read-only directory can be read")
		assert.Equal(t, filled, len(other.take()) == 0)
		require.NoError(t, os.Chmod(h.dir, 0o700))
	}
}
