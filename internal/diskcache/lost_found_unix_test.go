//go:build unix

package diskcache_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFreshVolume: the root of a volume of its own has mode 0755 and the file system's
// own lost+found. It is narrowed and used.
func TestFreshVolume(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0o700))
	h := openHouse(dir, nil)
	h.get(t, "a")
	assertKept(t, dir, "a")
}
