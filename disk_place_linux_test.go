package awsauth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/ptytest"
)

// shm makes a directory in memory.
func shm(t *testing.T) string {
	var fs syscall.Statfs_t
	const tmpfs = 0x01021994
	if err := syscall.Statfs("/dev/shm", &fs); err != nil || fs.Type != tmpfs {
		t.Skip("no tmpfs at /dev/shm")
	}
	dir, err := os.MkdirTemp("/dev/shm", "awsauth-test")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// TestDiskTmpfs: a directory in memory is as good as any.
func TestDiskTmpfs(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	sharesIn(t, w, filepath.Join(shm(t), "cache"))
}

// TestDiskReadOnly: in a container with a read-only root and home, the session works
// without the cache and says so. In a tmpfs of the container it works with it.
func TestDiskReadOnly(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	url, err := w.Serve()
	require.NoError(t, err)
	memory := shm(t)
	w.Env("HOME=$DIR", "XDG_CACHE_HOME=")
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if id := os.Geteuid(); id != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: id, Size: 1}}
	}
	c := ptytest.Launch(t, attr, nil, []string{lab.Role + "=read-only worker", "AWS_ENDPOINT_URL_STS=" + url})
	ask := func(dir string, calls int, warning string) {
		before := c.Tells.String()
		text, err := json.Marshal(errand{ID: w.Keys.AccessKeyID, Secret: w.Keys.SecretAccessKey, Account: lab.Target, Dir: dir})
		require.NoError(t, err)
		c.Order(t, string(text))
		var said string
		require.Eventually(t, func() bool {
			said = strings.TrimPrefix(c.Tells.String(), before)
			return strings.Contains(said, "done ") || strings.Contains(said, "failed ") || strings.Contains(said, "skip ")
		}, ptytest.Patience, time.Millisecond)
		if strings.Contains(said, "skip ") {
			t.Skip("no mounts of one's own here: ", said)
		}
		assert.Contains(t, said, "done ASIA")
		assert.Equal(t, warning != "", strings.Contains(said, "warning"), "%s", said)
		assert.Contains(t, said, warning)
		assert.Len(t, w.Calls("AssumeRole"), calls)
	}
	ask(filepath.Join(w.Dir, "cache"), 1, "read-only file system")
	ask(filepath.Join(w.Dir, "cache"), 2, "read-only file system")
	ask(filepath.Join(memory, "cache"), 3, "")
	ask(filepath.Join(memory, "cache"), 3, "")
}

// TestDiskAmongOtherFiles: a directory that is not the cache's alone keeps its mode, and
// is not used. As root, / or /var/lib would be closed to all others.
func TestDiskAmongOtherFiles(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	dir := filepath.Join(c.Dir, "shared")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "somebody-elses"), nil, 0o644))
	lab.Get(t, c.Open(c.Static(), awsauth.WithAccount(lab.Target), awsauth.WithDiskCache(dir)))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
}
