package pace_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// TestCrowd: under throttling many calls take about as long as the limit says,
// all of them succeed, and few attempts are wasted.
func TestCrowd(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		calls, concurrency int
		delay              time.Duration
		limit, depth       float64 // depth 0: one second's
		time               float64 // as a multiple of what the limit dictates
		attempts           float64 // for each call
	}{
		{1000, 16, 5 * ms, 50, 0, 1.1, 1.1},
		{1000, 16, 50 * ms, 50, 0, 1.1, 1.1},
		{200, 16, 5 * ms, 10, 0, 1.1, 1.2},
		{200, 16, 50 * ms, 10, 0, 1.1, 1.2},
		// All that start at once are throttled once, before anything is known.
		{200, 200, 50 * ms, 10, 0, 1.1, 2.2},
		{1000, 200, 50 * ms, 50, 0, 1.2, 1.35},
		{600, 200, 50 * ms, 10, 0, 1.1, 1.6},
		{300, 300, 5 * ms, 50, 0, 1.5, 2.2},
		{300, 300, 50 * ms, 50, 0, 1.5, 2.2},
		// What is answered in the first moment says nothing of what follows.
		{2000, 16, 5 * ms, 50, 1000, 1.1, 1.15},
		{1000, 16, 5 * ms, 50, 400, 1.2, 1.2},
		{1000, 16, 5 * ms, 50, 1, 1.7, 1.15},
		{1000, 64, 50 * ms, 200, 20, 2, 1.2},
		{100, 16, 50 * ms, 2, 0, 1.1, 1.6},
		// The queue may last longer than any one call is to take.
		{2000, 2000, 50 * ms, 50, 0, 1.2, 2.2},
		{2000, 2000, 5 * ms, 3, 0, 1.2, 2.2},
		{200, 200, 5 * ms, 2, 0, 1.2, 2.5},
		// A bucket of one makes good no turn that was missed.
		{160, 16, 50 * ms, 1, 0, 1.5, 1.6},
		{60, 16, 50 * ms, 0.5, 1, 1.6, 2.2},
	} {
		t.Run(fmt.Sprintf("%d at %d, %v, %v a second after %v", tt.calls, tt.concurrency, tt.delay, tt.limit, tt.depth), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.delay = tt.delay
				s.limit(tt.limit, tt.depth)
				start := time.Now()
				require.Empty(t, s.walk(t.Context(), p, tt.calls, tt.concurrency))
				took := time.Since(start).Seconds()
				dictated := (float64(tt.calls) - s.depth) / tt.limit
				attempts := float64(s.count()) / float64(tt.calls)
				t.Logf("%.1f s of %.1f s (%.2f), %.2f attempts a call", took, dictated, took/dictated, attempts)
				assert.LessOrEqual(t, took, tt.time*dictated)
				assert.LessOrEqual(t, attempts, tt.attempts)
				assert.GreaterOrEqual(t, took, 0.9*dictated, "the limit does not limit")
			})
		})
	}
}

// TestCrowdWaitedFirst: a call that somebody waits for is served within 2 s,
// whenever it comes, while thousands that nobody waits for are throttled and
// come again.
func TestCrowdWaitedFirst(t *testing.T) {
	for _, tt := range []struct {
		sessions int
		limit    float64
		delay    time.Duration
		within   time.Duration
	}{
		{2000, 3, 50 * time.Millisecond, 2 * time.Second},
		{2000, 3, 300 * time.Millisecond, 3 * time.Second},
		{2000, 1, 50 * time.Millisecond, 4 * time.Second},
		{500, 20, 5 * time.Millisecond, 2 * time.Second},
		{5, 3, 50 * time.Millisecond, 2 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d, %v a second, %v", tt.sessions, tt.limit, tt.delay), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.delay = tt.delay
				s.limit(tt.limit, 0)
				ctx := t.Context()
				stop := make(chan struct{})
				var running sync.WaitGroup
				r := pace.NewRetryer(pace.RetryerOptions{})
				for range tt.sessions {
					running.Go(func() { // as a cache does it
						backoff := time.Second
						for {
							if s.send(ctx, p, r, pace.Call{Waited: nobody, Attempts: 2}) == nil {
								return
							}
							select {
							case <-stop:
								return
							case <-time.After(backoff - rand.N(backoff/5)):
							}
							backoff = min(2*backoff, time.Minute)
						}
					})
				}
				var worst time.Duration
				for begin := time.Now(); time.Since(begin) < 30*time.Second; {
					start := time.Now()
					require.NoError(t, s.send(ctx, p, r, pace.Call{}))
					worst = max(worst, time.Since(start))
					time.Sleep(rand.N(time.Second))
				}
				t.Log("at most", worst, "with", s.count(), "attempts")
				assert.Less(t, worst, tt.within)
				close(stop)
				running.Wait()
			})
		})
	}
}
