package refresh_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// outlooks makes errors of a source be judged in one way.
func outlooks(o refresh.Outlook) func(*refresh.Config) {
	return func(c *refresh.Config) { c.Outlook = func(error) refresh.Outlook { return o } }
}

// TestPausesWhileUsable: no caller feels a failure; the log says what happens,
// how long the keys last and when the next try is. Pauses grow from a second,
// less up to a fifth, and start anew after a success.
func TestPausesWhileUsable(t *testing.T) {
	mends := func(n int) float64 { return min(60, math.Pow(2, float64(n))) }
	stays := func(n int) float64 { return min(120, math.Pow(4, float64(n))) }
	for _, tt := range []struct {
		name    string
		outlook refresh.Outlook
		pause   func(n int) float64 // seconds, without jitter, after failure n, which counts from 0
	}{{"mends", refresh.Mends, mends}, {"stays", refresh.Stays, stays}, {"ended", refresh.Ended, stays}, {"upstream", refresh.Upstream, mends}} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached(outlooks(tt.outlook))
				s.life = 3 * hour // stale for an hour at least
				for range 2 {
					first := get(t, c)
					time.Sleep(2 * hour)
					log.of("")
					s.fails(errDown)
					require.Equal(t, []string{first.AccessKeyID}, busy(t, c, 50*time.Millisecond, 50*time.Minute))
					kept := log.of("kept")
					require.Greater(t, len(kept), 20)
					var jitter float64
					for i, e := range kept {
						require.Equal(t, errDown, e.err)
						require.Equal(t, first.AccessKeyID, e.key)
						require.Equal(t, first.Expires.Sub(e.at), e.left)
						pause, next := tt.pause(i), e.next.Seconds()
						require.LessOrEqual(t, next, pause, "after %d", i)
						require.GreaterOrEqual(t, next, 0.8*pause, "after %d", i)
						jitter = max(jitter, 1-next/pause)
						if i > 0 { // the try came when the one before said it would
							require.InDelta(t, kept[i-1].next.Seconds(), e.at.Sub(kept[i-1].at).Seconds(), 0.051)
						}
					}
					require.Greater(t, jitter, 0.1)
					s.fails(nil)
					require.Len(t, busy(t, c, time.Second, 123*time.Second), 2) // the longest pause, a second until somebody asks, and one for the new keys
				}
			})
		})
	}
}

// TestPausesWithoutKeys: what a caller every 10 ms for ten minutes costs the
// source, and how long it takes to see that the trouble is over.
func TestPausesWithoutKeys(t *testing.T) {
	for _, tt := range []struct {
		name        string
		outlook     refresh.Outlook
		local       bool
		least, most int // calls
		late        time.Duration
	}{
		{"mends", refresh.Mends, false, 14, 17, time.Minute},
		{"stays", refresh.Stays, false, 8, 10, 2 * time.Minute},
		{"ended", refresh.Ended, false, 8, 10, 2 * time.Minute},
		{"ended, seen in a file", refresh.Ended, true, 295, 301, 2 * time.Second},
		{"stays, though local", refresh.Stays, true, 8, 10, 2 * time.Minute},
		{"a parent's", refresh.Upstream, false, 60_000, 60_000, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached(outlooks(tt.outlook), func(c *refresh.Config) { c.Local = tt.local })
				s.fails(errDown)
				for start := time.Now(); time.Since(start) < 10*time.Minute; time.Sleep(10 * time.Millisecond) {
					if _, err := c.Retrieve(t.Context()); err != errDown {
						t.Fatal(err)
					}
				}
				require.GreaterOrEqual(t, s.asked(), tt.least)
				require.LessOrEqual(t, s.asked(), tt.most)
				require.InDelta(t, min(300, s.asked()), len(log.of("failed")), 1, "a parent's failure is told every 2 s")
				s.fails(nil)
				start := time.Now()
				for ask(t.Context(), c).err != nil {
					time.Sleep(10 * time.Millisecond)
				}
				require.LessOrEqual(t, time.Since(start), tt.late)
			})
		})
	}
}

// TestPauseLengths without keys are exact: 2 s, then 4, 8 … less up to a fifth.
func TestPauseLengths(t *testing.T) {
	for outlook, want := range map[refresh.Outlook][]float64{
		refresh.Mends: {2, 4, 8, 16, 32, 60, 60, 60},
		refresh.Stays: {2, 8, 32, 120, 120},
	} {
		bubble(t, func(t *testing.T) {
			c, s, _ := cached(outlooks(outlook))
			for range 2 {
				s.set(func(s *source) { s.calls, s.err = nil, errDown })
				for s.asked() <= len(want) {
					require.Equal(t, errDown, ask(t.Context(), c).err)
					time.Sleep(10 * time.Millisecond)
				}
				calls := s.times()
				for i, pause := range want {
					got := calls[i+1].Sub(calls[i]).Seconds()
					require.LessOrEqual(t, got, pause+0.011)
					require.GreaterOrEqual(t, got, 0.8*pause)
				}
				require.InDelta(t, 2, calls[1].Sub(calls[0]).Seconds(), 0.011, "the first has no jitter")
				s.fails(nil)
				time.Sleep(2 * time.Minute)
				get(t, c)
				time.Sleep(hour)
			}
		})
	}
}

// TestOutlookOfOwnErrors: this package's errors are judged by itself, and
// Outlook sees what Classify made of the others.
func TestOutlookOfOwnErrors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mine := errors.New("mine")
		var judged []error
		c, s, _ := cached(func(c *refresh.Config) {
			c.Classify = func(err error) error {
				if err == errDown {
					return mine
				}
				return err
			}
			c.Outlook = func(err error) refresh.Outlook { judged = append(judged, err); return refresh.Mends }
		})
		s.fails(errDown)
		require.True(t, ask(t.Context(), c).err == mine)
		require.Equal(t, []error{mine}, judged)
		time.Sleep(2 * time.Second)
		s.set(func(s *source) { s.err, s.life = nil, -hour })
		require.Error(t, ask(t.Context(), c).err)
		require.Len(t, judged, 1)
	})
}

// TestParentRecovers (C8): a child does not pause for its parent's failure. It
// has keys as soon as the parent has, however long that took.
func TestParentRecovers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		errParent := errors.New("the SSO session has expired")
		parent, s, _ := cached(outlooks(refresh.Ended), func(c *refresh.Config) { c.Local = true })
		child, cs, _ := cached(func(c *refresh.Config) {
			c.Outlook = func(err error) refresh.Outlook {
				if errors.Is(err, errParent) {
					return refresh.Upstream
				}
				return refresh.Stays
			}
		})
		cs.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			if _, err := parent.Retrieve(ctx); err != nil {
				return refresh.Issued{}, err
			}
			return issued("C", hour), nil
		}
		s.fails(errParent)
		for start := time.Now(); time.Since(start) < 20*time.Minute; time.Sleep(500 * time.Millisecond) {
			for _, o := range crowd(child, 3) {
				require.Equal(t, errParent, o.err)
			}
		}
		s.fails(nil)
		time.Sleep(2 * time.Second)
		get(t, child)
	})
}

// TestOutage is three hours at two calls a second, with the source down for 18
// minutes in which every program must refresh.
func TestOutage(t *testing.T) {
	for name, answer := range map[string]time.Duration{"fails": 0, "fails slowly": 20 * time.Second, "hangs": hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				get(t, c)
				time.AfterFunc(19*time.Minute, func() { s.set(func(s *source) { s.delay, s.err = answer, errDown }) })
				time.AfterFunc(37*time.Minute, func() { s.set(func(s *source) { s.delay, s.err = 0, nil }) })
				require.GreaterOrEqual(t, len(busy(t, c, 500*time.Millisecond, 3*hour)), 5)
				require.LessOrEqual(t, s.asked(), 40)
			})
		})
	}
}

// TestPauseEndsWithSuccess: short-lived keys, which a refusal brings amid long
// pauses, are renewed in time.
func TestPauseEndsWithSuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached(outlooks(refresh.Stays))
		s.life = 3 * hour
		get(t, c)
		time.Sleep(2 * hour)
		s.fails(errDown)
		busy(t, c, time.Second, 10*time.Minute)
		kept := log.of("kept")
		require.Greater(t, kept[len(kept)-1].next, 90*time.Second)
		busy(t, c, time.Second, time.Until(kept[len(kept)-1].at.Add(kept[len(kept)-1].next+time.Second)))
		s.set(func(s *source) { s.err, s.life = nil, time.Minute })
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		calls := s.asked()
		require.Len(t, busy(t, c, time.Second, 42*time.Second), 2)
		require.Equal(t, calls+1, s.asked())
	})
}
