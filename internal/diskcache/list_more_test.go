package diskcache_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestListNothing: nobody is asked for a key where there is nothing to list.
func TestListNothing(t *testing.T) {
	dir, asked := filepath.Join(t.TempDir(), "cache"), 0
	key := func(context.Context) ([]byte, error) { asked++; return secret32("k"), nil }
	for _, made := range []bool{false, true} {
		if made {
			require.NoError(t, os.Mkdir(dir, 0o700))
		}
		items, err := diskcache.Open(diskcache.Config{Dir: dir, Key: key}).List(t.Context())
		require.NoError(t, err)
		assert.Empty(t, items)
	}
	assert.Zero(t, asked)
	h := openHouse(dir, secret32("k"))
	h.get(t, "ASIAFIRST")
	items, err := diskcache.Open(diskcache.Config{Dir: dir, Key: key}).List(t.Context())
	require.NoError(t, err)
	assert.Len(t, items, 1)
	assert.Equal(t, 1, asked)
}

// TestTagOfSomebodyElse: a tag that is there already is left as it is.
func TestTagOfSomebodyElse(t *testing.T) {
	h := newHouse(t)
	require.NoError(t, os.Mkdir(h.dir, 0o700))
	const own = "Signature: 8a477f597d28d172789f06886806bc55\n# put here by the backup\n"
	write(t, filepath.Join(h.dir, "CACHEDIR.TAG"), []byte(own))
	h.get(t, "ASIAFIRST")
	assert.Equal(t, own, string(read(t, filepath.Join(h.dir, "CACHEDIR.TAG"))))
}

// TestIrregularNamed: the warning of an entry that is no regular file names it.
func TestIrregularNamed(t *testing.T) {
	h := newHouse(t)
	require.NoError(t, os.Mkdir(h.dir, 0o700))
	require.NoError(t, os.Mkdir(h.file(".json"), 0o700))
	h.get(t, "ASIAFIRST")
	lines := h.take()
	require.NotEmpty(t, lines)
	assert.Contains(t, lines[0], h.file(".json"))
}
