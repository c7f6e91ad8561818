package diskcache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRewriteKeepsTheNew: where the copy cannot be renamed, as over a file that is
// mounted by itself into a container, what change wrote is not thrown away: the old
// refresh token has been used up by then.
func TestRewriteKeepsTheNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	y := realSystem()
	y.rename = func(string, string) error { return errors.New("device or resource busy") }
	_ = y.rewrite(path, false, func(copied string) error { return os.WriteFile(copied, []byte("new"), 0o600) })
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(text))
}

// TestRewriteSyncs: what change wrote is on the disk before the copy takes the file's
// place. Where the disk does not take it, the file stays as it was.
func TestRewriteSyncs(t *testing.T) {
	full := errors.New("no space left")
	for _, fails := range []error{nil, full} {
		dir := t.TempDir()
		path := filepath.Join(dir, "token.json")
		require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
		var synced []string // what a copy held when it was synced
		y := realSystem()
		y.sync = func(f *os.File) error {
			text, err := os.ReadFile(f.Name())
			require.NoError(t, err)
			synced = append(synced, string(text))
			if string(text) == "new" {
				return fails
			}
			return nil
		}
		y.rename = func(from, to string) error {
			assert.Contains(t, synced, "new")
			return os.Rename(from, to)
		}
		err := y.rewrite(path, false, func(copied string) error { return os.WriteFile(copied, []byte("new"), 0o600) })
		require.ErrorIs(t, err, fails)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, map[bool]string{true: "new", false: "old"}[fails == nil], string(text))
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, files, 1, "a copy stayed behind")
	}
}
