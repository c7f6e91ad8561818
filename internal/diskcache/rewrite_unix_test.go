//go:build unix

package diskcache_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestRewrite: the file is replaced as a whole, for the user alone unless it may
// keep the mode it had, and stays as it was where the change fails.
func TestRewrite(t *testing.T) {
	for name, tt := range map[string]struct {
		wide   bool
		fails  error
		before os.FileMode
		want   os.FileMode
		text   string
	}{
		"narrow":          {before: 0o644, want: 0o600, text: "new"},
		"wide":            {wide: true, before: 0o644, want: 0o644, text: "new"},
		"wide but narrow": {wide: true, before: 0o600, want: 0o600, text: "new"},
		"fails":           {fails: errors.New("no"), before: 0o640, want: 0o640, text: "old"},
		"wide, fails":     {wide: true, fails: errors.New("no"), before: 0o640, want: 0o640, text: "old"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, link := filepath.Join(dir, "token.json"), filepath.Join(dir, "link.json")
			require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
			require.NoError(t, os.Chmod(path, tt.before))
			require.NoError(t, os.Symlink(path, link))
			err := diskcache.Rewrite(link, tt.wide, func(copied string) error {
				text, err := os.ReadFile(copied)
				require.NoError(t, err)
				assert.Equal(t, "old", string(text))
				info, err := os.Stat(copied)
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
				require.NoError(t, os.WriteFile(copied, []byte("new"), 0o600))
				return tt.fails
			})
			require.ErrorIs(t, err, tt.fails)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, tt.text, string(text))
			info, err := os.Lstat(path)
			require.NoError(t, err)
			assert.Equal(t, tt.want, info.Mode().Perm())
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, files, 2, "a copy stayed behind")
		})
	}
}
