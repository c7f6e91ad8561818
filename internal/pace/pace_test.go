package pace_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// TestUnthrottled: no pace is kept where nothing was throttled, nor long after.
func TestUnthrottled(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.delay = 5 * time.Millisecond
		fast := func() {
			t.Helper()
			before, start := s.count(), time.Now()
			require.Empty(t, s.walk(t.Context(), p, 1000, 16))
			assert.Equal(t, 63*5*time.Millisecond, time.Since(start)) // 63 rounds of 16
			assert.Equal(t, 1000, s.count()-before)
		}
		fast()
		s.limit(50, 0)
		start := time.Now()
		require.Empty(t, s.walk(t.Context(), p, 300, 16))
		assert.Greater(t, time.Since(start), 4*time.Second)
		s.limit(0, 0)
		time.Sleep(time.Minute)
		fast()
		// Nothing is left of the old limit, and nothing of the many calls without one.
		time.Sleep(time.Minute)
		before := s.count()
		s.limit(10, 0)
		require.Empty(t, s.walk(t.Context(), p, 200, 16))
		assert.Less(t, s.count()-before, 240)
	})
}

// TestBegins: the pace begins with what was answered just before, wherever in a
// second that is.
func TestBegins(t *testing.T) {
	for _, at := range []time.Duration{3010, 3060, 3110, 3260, 3510, 3760} {
		bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
			at := at * time.Millisecond
			time.AfterFunc(at, func() { s.limit(160, 16) })
			start := time.Now()
			require.Empty(t, s.walk(t.Context(), p, 2000, 16)) // 320 a second
			rest := time.Since(start) - at
			dictated := (2000 - at.Seconds()*320) / 160
			t.Logf("%v: %v of %.1f s", at, rest, dictated)
			assert.Less(t, rest.Seconds(), 1.25*dictated)
		})
	}
}

// TestRises: the pace follows a limit that is lifted while calls queue.
func TestRises(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.delay = 5 * time.Millisecond
		s.limit(20, 0)
		time.AfterFunc(30*time.Second, func() { s.limit(0, 0) }) // 600 are done
		start := time.Now()
		require.Empty(t, s.walk(t.Context(), p, 2500, 200))
		assert.Less(t, time.Since(start), time.Minute, "at 20 a second it were 125 s")
	})
}

// TestFalls: so it follows one that comes, or gets lower, on the way.
func TestFalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.delay = 5 * time.Millisecond
		s.limit(200, 0)
		time.AfterFunc(4*time.Second, func() { s.limit(50, 0) }) // 1,000 are done; the new bucket holds 50
		start := time.Now()
		require.Empty(t, s.walk(t.Context(), p, 2000, 16))
		assert.Less(t, time.Since(start), 26*time.Second)
		assert.Less(t, s.count(), 2400)
	})
}

// TestRefusalsSlowNobody: what is refused for another reason than throttling
// starts no pace.
func TestRefusalsSlowNobody(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.failing(func(n int) error {
			if n%10 == 0 {
				return answerOf(http.StatusForbidden, "AccessDenied", nil)
			}
			return nil
		})
		start := time.Now()
		assert.Len(t, s.walk(t.Context(), p, 160, 16), 16)
		assert.Equal(t, 10*s.delay, time.Since(start))
	})
}

// TestLeave: who queues may leave, and one who left takes no turn.
func TestLeave(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc, pace.Call, error){
		"at a deadline": func(ctx context.Context) (context.Context, context.CancelFunc, pace.Call, error) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			return ctx, cancel, pace.Call{}, context.DeadlineExceeded
		},
		"canceled": func(ctx context.Context) (context.Context, context.CancelFunc, pace.Call, error) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(10*time.Second, cancel)
			return ctx, cancel, pace.Call{}, context.Canceled
		},
		"nobody waits": func(ctx context.Context) (context.Context, context.CancelFunc, pace.Call, error) {
			end := time.Now().Add(10 * time.Second)
			return ctx, func() {}, pace.Call{Waited: func() bool { return time.Now().Before(end) }}, pace.ErrNobodyWaits
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
				s.limit(2, 0)
				ctx, cancel, call, want := end(t.Context())
				defer cancel()
				start := time.Now()
				r := pace.NewRetryer(pace.RetryerOptions{})
				var running sync.WaitGroup
				var done atomic.Int64
				for range 100 {
					running.Go(func() {
						err := s.send(ctx, p, r, call)
						if err == nil {
							done.Add(1)
							return
						}
						assert.ErrorIs(t, err, want)
						assert.True(t, pace.Throttled(err), "the last answer")
					})
				}
				synctest.Wait()
				time.Sleep(10*time.Second - 1)
				assert.InDelta(t, 20, done.Load(), 6)
				running.Wait()
				assert.LessOrEqual(t, time.Since(start), 11*time.Second, "within moments")
				before := s.count()
				start = time.Now()
				require.NoError(t, s.send(t.Context(), p, r, pace.Call{}))
				assert.Less(t, time.Since(start), 10*time.Second, "the queue is empty: 80 calls would take 40 s")
				assert.LessOrEqual(t, s.count()-before, 3)
			})
		})
	}
}

// TestOldestFirst: calls have their turns in the order in which they came, also
// those that were throttled before.
func TestOldestFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.limit(5, 0)
		r := pace.NewRetryer(pace.RetryerOptions{})
		require.Empty(t, s.walk(t.Context(), p, 20, 20)) // the pace is known
		var running sync.WaitGroup
		var mu sync.Mutex
		var order []int
		for i := range 50 {
			running.Go(func() {
				assert.NoError(t, s.send(t.Context(), p, r, pace.Call{}))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		running.Wait()
		late := 0
		for i, number := range order {
			if i-number > 5 {
				late++
			}
		}
		assert.LessOrEqual(t, late, 2, "%v", order)
	})
}

// TestHold: the time limits of a call stand still while it queues, and only then.
func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		s.delay = 5 * time.Millisecond
		s.limit(5, 0)
		r := pace.NewRetryer(pace.RetryerOptions{})
		var running sync.WaitGroup
		for range 100 {
			running.Go(func() {
				var queued time.Duration
				start := time.Now()
				assert.NoError(t, s.send(t.Context(), p, r, pace.Call{Hold: func() func() {
					began := time.Now()
					return func() { queued += time.Since(began) }
				}}))
				assert.LessOrEqual(t, time.Since(start)-queued, 5*time.Second, "of %v", time.Since(start))
			})
		}
		running.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var held, released int
		require.ErrorIs(t, s.send(ctx, p, r, pace.Call{Hold: func() func() { held++; return func() { released++ } }}), context.DeadlineExceeded)
		assert.Equal(t, []int{1, 1}, []int{held, released}, "by a call that leaves")
	})
}

// TestNobodyWaits: a call that nobody waits for goes out in a free turn, does
// not queue, and is not repeated when it is throttled.
func TestNobodyWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		r := pace.NewRetryer(pace.RetryerOptions{})
		s.delay = 5 * time.Millisecond
		background := func() error { return s.send(t.Context(), p, r, pace.Call{Waited: nobody}) }
		s.failing(always(throttling()))
		e := requireGaveUp(t, background())
		assert.Equal(t, 1, e.Attempts)
		require.ErrorIs(t, e, pace.ErrNobodyWaits)
		s.failing(nil)

		require.NoError(t, background(), "a turn is free")
		start := time.Now()
		e = requireGaveUp(t, background())
		assert.Zero(t, time.Since(start), "none is")
		assert.Zero(t, e.Attempts)
		require.ErrorIs(t, e, pace.ErrNobodyWaits)
		assert.True(t, pace.Throttled(e), "by what was said to another call")
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, background(), "there is one again")

		s.failing(always(answerOf(http.StatusServiceUnavailable, "ServiceUnavailable", nil)))
		time.Sleep(time.Minute) // there is no pace any more
		e = requireGaveUp(t, s.send(t.Context(), p, r, pace.Call{Waited: nobody, Attempts: 2}))
		assert.Equal(t, 2, e.Attempts, "an outage is another matter")
	})
}

// TestTurnsAreKept: while a call that somebody waits for pauses between two
// attempts, no turn goes to one that nobody waits for.
func TestTurnsAreKept(t *testing.T) {
	bubble(t, func(t *testing.T, s *service, p *pace.Pacer) {
		r := pace.NewRetryer(pace.RetryerOptions{})
		s.failing(func(n int) error {
			if n <= 3 {
				return throttling()
			}
			return nil
		})
		done := make(chan error)
		go func() { done <- s.send(t.Context(), p, r, pace.Call{}) }()
		for s.count() < 2 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(60 * time.Millisecond) // it pauses, half a second at least
		for range 40 {
			require.ErrorIs(t, s.send(t.Context(), p, r, pace.Call{Waited: nobody}), pace.ErrNobodyWaits)
			time.Sleep(10 * time.Millisecond)
		}
		require.NoError(t, <-done)
		time.Sleep(5 * time.Second)
		require.NoError(t, s.send(t.Context(), p, r, pace.Call{Waited: nobody}))
	})
}
