package refresh_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestEndingIdle (C7): a session that comes back shortly before the expiry
// hands out new keys, not the dying ones. With lifetimes under 20 minutes the
// state is shorter.
func TestEndingIdle(t *testing.T) {
	for _, tt := range []struct{ life, ending time.Duration }{
		{hour, 2 * time.Minute}, {20 * time.Minute, 2 * time.Minute}, {15 * time.Minute, 90 * time.Second},
		{10 * time.Second, time.Second}, {12 * hour, 2 * time.Minute},
	} {
		for _, left := range []time.Duration{tt.ending, 500 * time.Millisecond, 1} {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				s.life = tt.life
				get(t, c)
				time.Sleep(tt.life - tt.ending - 1)
				first := ask(t.Context(), c)
				require.Equal(t, "K1", first.keys.AccessKeyID, "stale, %v", tt.life)
			})
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				s.life = tt.life
				get(t, c)
				time.Sleep(tt.life - left)
				require.Equal(t, "K2", get(t, c).AccessKeyID, "%v before the end of %v", left, tt.life)
				require.Equal(t, 2, s.asked())
			})
		}
	}
}

// TestEndingSlow: a thousand callers wait 5 s together for a source that does
// not answer, those who come during the wait no longer than that, and nobody
// from then on.
func TestEndingSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		first := get(t, c)
		s.set(func(s *source) { s.delay = 25 * time.Second })
		time.Sleep(nowEnding)
		early := later(func() []outcome { return crowd(c, 1000) })
		time.Sleep(4 * time.Second)
		for _, o := range crowd(c, 10) {
			require.Equal(t, outcome{keys: first, took: time.Second}, o)
		}
		for _, o := range <-early {
			require.Equal(t, outcome{keys: first, took: 5 * time.Second}, o)
		}
		require.Equal(t, []string{"K1"}, busy(t, c, 100*time.Millisecond, 20*time.Second-time.Millisecond))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"K2"}, busy(t, c, time.Second, 10*time.Second))
		require.Equal(t, 2, s.asked())
		require.Empty(t, log.of("failed"))
	})
}

// TestEndingFails: one failed wait ends the waiting until the pause after it
// is over; then one caller's try makes all wait again.
func TestEndingFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		first := get(t, c)
		s.set(func(s *source) { s.delay, s.err = time.Second, errDown })
		time.Sleep(nowEnding)
		log.of("")
		for round := 1; round <= 5; round++ {
			for _, o := range crowd(c, 1000) {
				require.Equal(t, outcome{keys: first, took: time.Second}, o)
			}
			require.Equal(t, 1+round, s.asked())
			pause := log.of("kept")[0].next
			require.Equal(t, []string{"K1"}, busy(t, c, pause/10, pause))
			require.Equal(t, 1+round, s.asked())
		}
		s.fails(nil)
		o := ask(t.Context(), c)
		require.Equal(t, "K7", o.keys.AccessKeyID)
		require.Equal(t, time.Second, o.took)
	})
}

// TestEndingAfterTimeout: a refresh for which nobody waits any longer is not
// waited for by those who come, also when it fails.
func TestEndingAfterTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		get(t, c)
		s.set(func(s *source) { s.delay = hour })
		time.Sleep(nowEnding)
		require.Equal(t, 5*time.Second, ask(t.Context(), c).took)
		busy(t, c, time.Second, 25*time.Second) // it is abandoned after 30 s
		synctest.Wait()
		kept := log.of("kept")
		require.Len(t, kept, 1)
		require.ErrorIs(t, kept[0].err, context.DeadlineExceeded)
		busy(t, c, 10*time.Millisecond, kept[0].next)
		require.Equal(t, 5*time.Second, ask(t.Context(), c).took, "the pause is over")
	})
}

// TestEndingContext: the end of a caller's ctx ends its waiting, with the keys
// at hand.
func TestEndingContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		first := get(t, c)
		s.set(func(s *source) { s.delay = 3 * time.Second })
		time.Sleep(nowEnding)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hasty := later(func() outcome { return ask(ctx, c) })
		patient := ask(t.Context(), c)
		require.Equal(t, outcome{keys: first, took: time.Second}, <-hasty)
		require.Equal(t, 3*time.Second, patient.took)
		require.Equal(t, "K2", patient.keys.AccessKeyID)
	})
}

// TestEndingOverTheExpiry: whose keys expire while it waits goes on waiting, as
// one who has none, and gets no expired keys.
func TestEndingOverTheExpiry(t *testing.T) {
	for _, fails := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			c, s, _ := cached()
			get(t, c)
			s.set(func(s *source) { s.delay = 20 * time.Second })
			if fails {
				s.fails(errDown)
			}
			time.Sleep(hour - 2*time.Second)
			for _, o := range crowd(c, 100) {
				if fails { // the first try had few attempts
					require.Equal(t, outcome{err: errDown, took: 40 * time.Second}, o)
				} else {
					require.Equal(t, "K2", o.keys.AccessKeyID)
					require.Equal(t, 20*time.Second, o.took)
				}
			}
		})
	}
}

// TestEndingBehindParent: in the state ending nobody is asked to type, for a
// child's keys as little as for one's own.
func TestEndingBehindParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached(func(c *refresh.Config) { c.Prompts, c.Patient = asks, true })
		s.life = 30 * time.Minute
		child, cs, _ := cached(func(c *refresh.Config) { c.Patient = true })
		cs.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			if _, err := parent.Retrieve(ctx); err != nil {
				return refresh.Issued{}, err
			}
			return issued("C", hour), nil
		}
		get(t, child)
		time.Sleep(nowEnding)
		busy(t, child, time.Second, 2*time.Minute)
		require.Equal(t, 1, s.asked(), "a prompt for keys that are still good")
		get(t, child)
		require.Equal(t, 2, s.asked())
	})
}
