package awsauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskEnoughMFA: what a caller wants to be left of a role's keys is not asked of the
// MFA session behind them.
func TestDiskEnoughMFA(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		lab.Get(t, w.InRole(disk(w), device.Option()))
		time.Sleep(9 * time.Hour)
		_, err := w.InRole(disk(w), device.Option()).Retrieve(diskcache.WithAtLeast(t.Context(), 12*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 1, device.Asked())
	})
}
