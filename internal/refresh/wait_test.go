package refresh_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestExpiredCrowd: one call for a thousand callers, with no keys yet and with
// keys that are gone. Each waits for its own context only.
func TestExpiredCrowd(t *testing.T) {
	const answer = 200 * time.Millisecond
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		s.delay = answer
		for round := 1; round <= 3; round++ {
			// One caller starts the refresh and is cancelled, another has no time.
			ctx, cancel := context.WithCancel(t.Context())
			starter := later(func() outcome { return ask(ctx, c) })
			short, done := context.WithTimeout(t.Context(), 50*time.Millisecond)
			hasty := later(func() outcome { return ask(short, c) })
			time.AfterFunc(20*time.Millisecond, cancel)
			all := crowd(c, 1000)
			for _, o := range all {
				require.NoError(t, o.err)
				require.Equal(t, answer, o.took)
				require.Equal(t, all[0].keys, o.keys)
			}
			for _, o := range []struct {
				outcome
				after time.Duration
				cause error
			}{{<-starter, 20 * time.Millisecond, context.Canceled}, {<-hasty, 50 * time.Millisecond, context.DeadlineExceeded}} {
				require.ErrorIs(t, o.err, o.cause)
				require.Equal(t, o.after, o.took)
				var e *refresh.AbandonedError
				require.ErrorAs(t, o.err, &e)
				require.Equal(t, refresh.AbandonedError{Caller: true, After: o.after, Err: o.cause}, *e)
			}
			done()
			require.Equal(t, round, s.asked())
			time.Sleep(time.Until(all[0].keys.Expires) + time.Duration(round-1)*hour)
		}
	})
}

// TestJoinFailingBackground (C2): a thousand callers, one every millisecond,
// meet the end of a background refresh that fails. They make one call more, and
// get its one error; soon after the source has recovered they get keys.
func TestJoinFailingBackground(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(func(c *refresh.Config) {
			c.Classify = func(err error) error { return errors.Join(err) } // each one a new error
		})
		get(t, c)
		time.Sleep(hour - time.Second)
		s.set(func(s *source) { s.delay, s.err = 1500*time.Millisecond, errDown })
		later(func() outcome { return ask(t.Context(), c) })
		time.Sleep(time.Second)

		all := make([]outcome, 1000)
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				all[i] = ask(t.Context(), c)
			})
		}
		wg.Wait()
		for i, o := range all {
			require.ErrorIs(t, o.err, errDown)
			require.True(t, all[0].err == o.err, "caller %d", i)
		}
		require.Equal(t, 1+2, s.asked())

		s.set(func(s *source) { s.delay, s.err = 200*time.Millisecond, nil })
		start := time.Now()
		for ask(t.Context(), c).err != nil {
			time.Sleep(10 * time.Millisecond)
		}
		require.LessOrEqual(t, time.Since(start), 4*time.Second)
	})
}

// TestExpiryDuringBackgroundRefresh (C2): who waits is not served with the
// failure of a refresh that made few attempts because nobody needed it, be it
// under way or just over. All share one with all attempts, and its error.
func TestExpiryDuringBackgroundRefresh(t *testing.T) {
	for name, tt := range map[string]struct{ before, answer, after time.Duration }{
		"under way":              {time.Second, 1500 * time.Millisecond, 100 * time.Millisecond},
		"just over":              {2 * time.Second, 500 * time.Millisecond, 0},
		"over, in its pause":     {500 * time.Millisecond, 100 * time.Millisecond, 100 * time.Millisecond},
		"ends with the expiry":   {time.Second, time.Second, 0},
		"begins with the expiry": {1, time.Second, 0},
	} {
		for _, recovers := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					var asked []string
					keys := issued("K1", hour)
					c, s, _ := cached()
					s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
						kind := map[bool]string{true: "background", false: "foreground"}[refresh.Background(ctx)]
						asked = append(asked, kind)
						if n == 1 {
							return keys, nil
						}
						time.Sleep(tt.answer)
						if kind == "background" || !recovers {
							return refresh.Issued{}, errDown
						}
						return issued("K2", hour), nil
					}
					get(t, c)
					time.Sleep(hour - tt.before)
					behind := later(func() outcome { return ask(t.Context(), c) }) // in the state ending
					time.Sleep(tt.before + tt.after)
					all := crowd(c, 1000)
					for i, o := range all {
						if recovers {
							require.NoError(t, o.err)
							require.Equal(t, "K2", o.keys.AccessKeyID)
						} else {
							require.Same(t, all[0].err, o.err, "caller %d", i)
						}
					}
					<-behind
					require.Equal(t, []string{"foreground", "background", "foreground"}, asked)
				})
			})
		}
	}
}

// TestSharedError: with nothing usable, those who ask together and those who
// follow within 2 s share one error. Then comes a new try.
func TestSharedError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		classified := 0
		c, s, log := cached(func(c *refresh.Config) {
			c.Classify = func(err error) error {
				classified++
				return errors.Join(err)
			}
		})
		s.set(func(s *source) { s.delay, s.err = 10*time.Millisecond, errDown })
		all := crowd(c, 1000)
		failed := time.Now()
		for time.Since(failed) < 2*time.Second {
			for _, o := range crowd(c, 5) {
				require.Zero(t, o.took)
				all = append(all, o)
			}
			time.Sleep(100*time.Millisecond - 1)
		}
		for i, o := range all {
			require.ErrorIs(t, o.err, errDown)
			require.True(t, all[0].err == o.err, "caller %d", i)
		}
		require.Equal(t, 1, s.asked())
		require.Equal(t, 1, classified)
		events := log.of("failed")
		require.Len(t, events, 1)
		require.True(t, events[0].err == all[0].err)
		require.Equal(t, refresh.Effort{Took: 10 * time.Millisecond, Waiting: 1000}, events[0].effort, "those who came within 2 s did not wait")
		s.fails(nil)
		get(t, c)
		require.Equal(t, 2, s.asked())
	})
}

// TestBackgroundOfExpired: a child's background refresh asks its parent, which
// has nothing, in the background too. Its failure is shared by its like, and
// keeps no caller from a try with all attempts.
func TestBackgroundOfExpired(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached()
		s.life = 10 * time.Minute
		child, cs, _ := cached()
		cs.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			if _, err := parent.Retrieve(ctx); err != nil {
				return refresh.Issued{}, err
			}
			return issued("C", hour), nil
		}
		get(t, child)
		time.Sleep(surelyStale)
		s.fails(errDown)
		for range 10 { // the child's pauses are shorter than the parent's
			get(t, child)
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, 2, s.asked())
		time.Sleep(900 * time.Millisecond)
		get(t, child)
		synctest.Wait()
		require.Equal(t, 3, cs.asked(), "a second try of the child")
		require.Equal(t, 2, s.asked(), "which the parent answers from memory")

		require.Equal(t, errDown, ask(t.Context(), parent).err)
		require.Equal(t, 3, s.asked(), "a caller gets a try")
		require.Equal(t, errDown, ask(t.Context(), parent).err)
		require.Equal(t, 3, s.asked(), "and shares its failure")
	})
}

// TestBackgroundAsksOnce: a child's background refresh takes the failure of its
// parent's, also where this one pauses for no failure.
func TestBackgroundAsksOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached(outlooks(refresh.Upstream))
		s.life = 10 * time.Minute
		child, _, _ := behind(parent)
		get(t, child)
		time.Sleep(surelyStale)
		s.fails(errDown)
		get(t, child)
		synctest.Wait()
		require.Equal(t, 2, s.asked())
	})
}

// TestWaitWithDeadline: the callers' deadlines are theirs; the refresh goes on.
func TestWaitWithDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		s.delay = 3 * time.Second
		var gone atomic.Int64
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
				defer cancel()
				o := ask(ctx, c)
				if errors.Is(o.err, context.DeadlineExceeded) && o.took == time.Duration(i)*time.Millisecond {
					gone.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1000, gone.Load())
		time.Sleep(3 * time.Second)
		require.Zero(t, ask(t.Context(), c).took)
		require.Equal(t, 1, s.asked())
	})
}

// TestLoop: a source that asks for the keys it is to supply gets an error, not
// a wait without end.
func TestLoop(t *testing.T) {
	for name, caches := range map[string]int{"itself": 1, "through another": 2, "through two": 3} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				all := make([]*refresh.Cache, caches)
				for i := range all {
					all[i] = refresh.New(refresh.Config{Fetch: func(ctx context.Context) (refresh.Issued, error) {
						keys, err := all[(i+1)%caches].Retrieve(ctx)
						if err != nil {
							return refresh.Issued{}, err
						}
						return *keys, nil
					}})
				}
				o := ask(t.Context(), all[0])
				require.ErrorIs(t, o.err, refresh.ErrLoop)
				require.Zero(t, o.took)
			})
		})
	}
}
