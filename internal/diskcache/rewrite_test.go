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
