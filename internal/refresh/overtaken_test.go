package refresh_test

//lint:file-ignore SA1004 on the clock of synctest a nanosecond is a boundary

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestOvertakenByPause: a caller has seen that no pause is on, and another
// caller's refresh fails before the first one takes the lock. The pause holds
// for both.
func TestOvertakenByPause(t *testing.T) {
	for name, tt := range map[string]struct {
		age   time.Duration
		start func(*refresh.Cache) (goOn func())
	}{
		"stale":  {surelyStale, refresh.OvertakenStale},
		"ending": {nowEnding, refresh.OvertakenEnding},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				get(t, c)
				time.Sleep(tt.age)
				goOn := tt.start(c)
				s.fails(errDown)
				get(t, c)
				synctest.Wait()
				goOn()
				synctest.Wait()
				require.Equal(t, 2, s.asked(), "a refresh within the pause")
			})
		})
	}
}

// TestRefusedAgainDuringRefresh: two keys are refused within a minute. The
// second one joins the refresh that runs, but gets none of its own.
func TestRefusedAgainDuringRefresh(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		s.life = 75 * time.Second // stale after 50 s at most
		get(t, c)
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		time.Sleep(51 * time.Second)
		s.set(func(s *source) { s.delay, s.err = time.Second, errDown })
		require.Equal(t, "K2", get(t, c).AccessKeyID)
		require.True(t, c.State().Refreshing)
		start := time.Now()
		require.False(t, c.Refuse(t.Context(), "K2", refresh.EndedEarly))
		require.Equal(t, time.Second, time.Since(start), "the refresh that runs may bring others")
		require.Equal(t, 3, s.asked())
		require.Len(t, log.of("refused"), 1)
	})
}

// TestPausesSpread: programs that meet the same outage do not come again
// together, but for the first pause, which is short.
func TestPausesSpread(t *testing.T) {
	bubble(t, func(t *testing.T) {
		pauses := map[time.Duration]bool{}
		for range 20 {
			c, s, _ := cached()
			s.fails(errDown)
			for s.asked() < 3 {
				require.Equal(t, errDown, ask(t.Context(), c).err)
				time.Sleep(10 * time.Millisecond)
			}
			calls := s.times()
			pauses[calls[2].Sub(calls[1])] = true
		}
		require.Greater(t, len(pauses), 10)
	})
}

// TestOwnErrorsStay: a source that asks for its own keys goes on doing so.
func TestOwnErrorsStay(t *testing.T) {
	for _, own := range []error{refresh.ErrLoop, refresh.ErrUnasked} {
		bubble(t, func(t *testing.T) {
			c, s, _ := cached()
			s.fails(own)
			for s.asked() < 3 {
				require.Equal(t, own, ask(t.Context(), c).err)
				time.Sleep(10 * time.Millisecond)
			}
			calls := s.times()
			require.Greater(t, calls[2].Sub(calls[1]), 6*time.Second, "as pauses of errors that stay")
		})
	}
}

// TestEndingWithinPause: a wait has failed, so nobody waits until its pause is
// over, not even for the refresh that a refused key has started meanwhile.
func TestEndingWithinPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		first := get(t, c)
		time.Sleep(nowEnding)
		s.fails(errDown)
		get(t, c)
		s.set(func(s *source) { s.delay = 100 * time.Millisecond })
		refused := later(func() bool { return c.Refuse(t.Context(), "K1", refresh.EndedEarly) })
		require.True(t, c.State().Refreshing)
		require.Equal(t, outcome{keys: first}, ask(t.Context(), c))
		require.False(t, <-refused)
	})
}

// TestEndingCanceled: a caller who comes without any time left sets off the
// refresh, and takes none of the 5 s that others wait for it.
func TestEndingCanceled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		first := get(t, c)
		time.Sleep(nowEnding)
		s.set(func(s *source) { s.delay = hour })
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, outcome{keys: first}, ask(gone, c))
		synctest.Wait()
		require.Equal(t, 2, s.asked())
		time.Sleep(4 * time.Second)
		require.Equal(t, outcome{keys: first, took: 5 * time.Second}, ask(t.Context(), c))
	})
}

// TestExpiryToTheNanosecond: keys that expire now have expired, by the clock
// that comes to it first.
func TestExpiryToTheNanosecond(t *testing.T) {
	for _, ahead := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
		bubble(t, func(t *testing.T) {
			c, s, _ := cached()
			get(t, c)
			refresh.StepClock(c, ahead)
			s.fails(errDown)
			time.Sleep(hour - max(ahead, 0) - 1)
			require.NoError(t, ask(t.Context(), c).err)
			synctest.Wait()
			time.Sleep(1)
			require.Equal(t, errDown, ask(t.Context(), c).err)
		})
	}
}

// TestLongestBarelyLonger: STS counts the lifetime from when it answers, so that
// a bit less than what was asked for is left when the keys arrive. They are used
// for what is left.
func TestLongestBarelyLonger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(func(c *refresh.Config) { c.Longest = hour })
		s.life = hour - time.Second
		get(t, c)
		s.fails(errDown)
		time.Sleep(hour - time.Second - 1)
		get(t, c)
		synctest.Wait()
		time.Sleep(1)
		require.Equal(t, errDown, ask(t.Context(), c).err)
	})
}

// TestStaticStabilityShortly: keys that an instance gets minutes before their
// expiry are used past it without anybody waiting.
func TestStaticStabilityShortly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(func(c *refresh.Config) { c.StaticStability = true })
		s.life = 3 * time.Minute
		first := get(t, c)
		s.set(func(s *source) { s.delay, s.err = time.Second, errDown })
		time.Sleep(3*time.Minute + time.Second)
		require.Equal(t, outcome{keys: first}, ask(t.Context(), c))
	})
}
