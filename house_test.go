package awsauth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/housetest"
)

// TestFloors holds the files of this package to strict floors: no two refer to
// each other, and there is no circle. CONTRIBUTING.md has the map.
func TestFloors(t *testing.T) {
	all, err := housetest.References(".")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, circle := range housetest.Circles(all) {
		for _, r := range circle {
			t.Error(r)
		}
	}
}
