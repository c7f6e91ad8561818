package refresh_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestRefreshMoment: it is drawn evenly from the middle third of the lifetime,
// or of its last three hours.
func TestRefreshMoment(t *testing.T) {
	for _, tt := range []struct{ life, first, last time.Duration }{
		{15 * time.Minute, 5 * time.Minute, 10 * time.Minute},
		{hour, 20 * time.Minute, 40 * time.Minute},
		{3 * hour, hour, 2 * hour},
		{12 * hour, 10 * hour, 11 * hour},
	} {
		bubble(t, func(t *testing.T) {
			const caches, slots = 2000, 10
			step := (tt.last - tt.first) / slots
			var mu sync.Mutex
			var drawn [slots]int
			began := time.Now()
			all := make([]*refresh.Cache, caches)
			for i := range all {
				all[i] = refresh.New(refresh.Config{Fetch: func(context.Context) (refresh.Issued, error) {
					mu.Lock()
					defer mu.Unlock()
					if age := time.Since(began); age > 0 {
						drawn[(age-tt.first-1)/step]++
					}
					return issued("K", tt.life), nil
				}})
				get(t, all[i])
			}
			time.Sleep(tt.first)
			for range slots + 1 {
				for _, c := range all {
					get(t, c)
				}
				time.Sleep(step)
			}
			synctest.Wait()
			total := 0
			for slot, n := range drawn {
				require.InDelta(t, caches/slots, n, 75, "slot %d of %v", slot, tt.life) // 5 standard deviations
				total += n
			}
			require.Equal(t, caches, total)
		})
	}
}

// TestFleet (C13): programs that start together do not refresh together, and
// refresh no more than 2.1 times an hour.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("a long crowd")
	}
	bubble(t, func(t *testing.T) {
		const caches, hours = 2000, 6
		var mu sync.Mutex
		var minutes [hours * 60]int
		began := time.Now()
		all := make([]*refresh.Cache, caches)
		for i := range all {
			all[i] = refresh.New(refresh.Config{Fetch: func(context.Context) (refresh.Issued, error) {
				mu.Lock()
				defer mu.Unlock()
				if minute := int(time.Since(began).Minutes()); minute < len(minutes) {
					minutes[minute]++
				}
				return issued("K", hour), nil
			}})
		}
		for time.Since(began) < hours*hour {
			for _, c := range all {
				if _, err := c.Retrieve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(30 * time.Second)
		}
		synctest.Wait()
		for h := 1; h < hours; h++ {
			sum, worst := 0, 0
			for m := h * 60; m < h*60+60; m += 3 { // three minutes at a time: 2,000 are few
				three := minutes[m] + minutes[m+1] + minutes[m+2]
				sum, worst = sum+three, max(worst, three)
			}
			ratio := float64(worst) * 20 / float64(sum)
			t.Logf("hour %d: worst over mean %.2f, %.2f calls", h+1, ratio, float64(sum)/caches)
			require.LessOrEqual(t, ratio, map[bool]float64{true: 1.75, false: 1.35}[h == 1], "hour %d", h+1)
			if h > 1 {
				require.LessOrEqual(t, float64(sum)/caches, 2.1)
			}
		}
	})
}
