package diskcache_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/housetest"
)

// TestFloors holds the files to strict floors, so that a reviewer of file.go and
// dir.go need not read the others.
func TestFloors(t *testing.T) {
	all, err := housetest.References(".")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	assert.Empty(t, housetest.Circles(all))
}
