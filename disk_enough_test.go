package awsauth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskEnough: how much an entry must have left depends on how long it lasts when it
// is new, and on what the caller asks for.
func TestDiskEnough(t *testing.T) {
	for _, tt := range []struct {
		lasts, left time.Duration
		least       time.Duration // that the caller asks for; 0: nothing
		good        bool
	}{
		{15 * time.Minute, 91 * time.Second, 0, true},
		{15 * time.Minute, 90 * time.Second, 0, false},
		{time.Hour, 121 * time.Second, 0, true},
		{time.Hour, 120 * time.Second, 0, false},
		{time.Hour, 30 * time.Minute, time.Hour, true}, // a third will do
		{time.Hour, 19 * time.Minute, time.Hour, false},
		{time.Hour, 19 * time.Minute, 15 * time.Minute, true},
		{time.Hour, 14 * time.Minute, 15 * time.Minute, false},
	} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			ctx := t.Context()
			if tt.least > 0 {
				ctx = diskcache.WithAtLeast(ctx, tt.least)
			}
			role := awsauth.WithDuration(tt.lasts)
			lab.Get(t, w.InRole(disk(w), role))
			time.Sleep(tt.lasts - tt.left)
			_, err := w.InRole(disk(w), role).Retrieve(ctx)
			require.NoError(t, err)
			assert.Equal(t, tt.good, len(w.Calls("AssumeRole")) == 1, "%+v", tt)
		})
	}
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		lab.Get(t, w.Open(w.Static(), disk(w), device.Option()))
		time.Sleep(11 * time.Hour)
		_, err := w.Open(w.Static(), disk(w), device.Option()).Retrieve(diskcache.WithAtLeast(t.Context(), 2*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 2, device.Asked(), "an hour of an MFA session is not two")
	})
}

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

// TestDiskEnoughOfBase: how long a base's credentials last is the source's to say. What
// they must have left is that of a role of an hour, or of as long as was asked for.
func TestDiskEnoughOfBase(t *testing.T) {
	for _, tt := range []struct {
		asked, lasts, left time.Duration
		least              time.Duration // that the caller asks for; 0: nothing
		good               bool
	}{
		{0, time.Hour, 121 * time.Second, 0, true},
		{0, time.Hour, 2 * time.Minute, 0, false},
		{0, time.Hour, 21 * time.Minute, time.Hour, true}, // a third of an hour will do
		{0, time.Hour, 19 * time.Minute, time.Hour, false},
		{15 * time.Minute, 15 * time.Minute, 91 * time.Second, 0, true},
		{15 * time.Minute, 15 * time.Minute, 90 * time.Second, 0, false},
		{15 * time.Minute, 15 * time.Minute, 6 * time.Minute, time.Hour, true},
		{15 * time.Minute, 15 * time.Minute, 4 * time.Minute, time.Hour, false},
		{0, 4 * time.Hour, 2 * time.Hour, 0, true}, // the profile of Roles Anywhere says four hours
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
				w := newWorkload(t, awsauth.AWS, "us-east-1")
				w.profile = w.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: "us-east-1", RoleARNs: []string{w.role}, Duration: tt.lasts})
				opts := []awsauth.Option{w.option(), disk(w.Place), awsauth.WithDuration(tt.asked)}
				first := lab.Get(t, w.Open(opts...))
				require.Equal(t, tt.lasts, time.Until(first.Expires), "the case is not met")
				time.Sleep(tt.lasts - tt.left)
				ctx := t.Context()
				if tt.least > 0 {
					ctx = diskcache.WithAtLeast(ctx, tt.least)
				}
				second, err := w.Open(opts...).Retrieve(ctx)
				require.NoError(t, err)
				assert.Equal(t, tt.good, first.AccessKeyID == second.AccessKeyID)
			})
		})
	}
}
