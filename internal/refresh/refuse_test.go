package refresh_test

//lint:file-ignore SA1004 on the clock of synctest a nanosecond is a boundary

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestRefused: whoever meets the early end of a key gets another, at the cost
// of one refresh, and all others go on with the one at hand.
func TestRefused(t *testing.T) {
	for _, why := range []refresh.Refusal{refresh.EndedEarly, refresh.Unknown} {
		bubble(t, func(t *testing.T) {
			c, s, log := cached()
			old := get(t, c).AccessKeyID
			for round := 2; round < 6; round++ {
				log.of("")
				s.set(func(s *source) { s.delay = time.Second })
				var wg sync.WaitGroup
				start := time.Now()
				for range 1000 {
					wg.Go(func() {
						if !c.Refuse(t.Context(), old, why) || time.Since(start) != time.Second {
							t.Error("not replaced, or not in time")
						}
					})
				}
				synctest.Wait()
				require.Equal(t, outcome{keys: get(t, c)}, ask(t.Context(), c))
				require.Equal(t, old, get(t, c).AccessKeyID)
				wg.Wait()
				require.Equal(t, round, s.asked())
				next := get(t, c).AccessKeyID
				require.Equal(t, fmt.Sprint("K", round), next)
				events := log.of("refused")
				require.Len(t, events, 1)
				require.Equal(t, event{at: start, kind: "refused", key: old, why: why}, events[0])

				// Who hears of it late does not cost the successor.
				for range 3 {
					require.True(t, c.Refuse(t.Context(), old, why))
					time.Sleep(time.Minute)
				}
				require.Equal(t, round, s.asked())
				require.Equal(t, next, get(t, c).AccessKeyID)
				old = next
			}
		})
	}
}

// TestRefusedForeign: a key that is not the cache's is none of its business.
func TestRefusedForeign(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		for _, id := range []string{"", "other", "K1"} {
			require.False(t, c.Refuse(t.Context(), id, refresh.EndedEarly), "no keys yet")
			c.Accepted(id)
		}
		get(t, c)
		log.of("")
		for _, id := range []string{"", "other", "K0"} {
			require.False(t, c.Refuse(t.Context(), id, refresh.EndedEarly))
			c.Accepted(id)
		}
		require.Equal(t, 1, s.asked())
		require.Empty(t, log.of("refused"))
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
	})
}

// TestRefusedOften: a service that refuses every key makes no refresh of every
// request, but one a minute.
func TestRefusedOften(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		get(t, c)
		s.set(func(s *source) { s.delay = 100 * time.Millisecond })
		for start := time.Now(); time.Since(start) < 10*time.Minute; time.Sleep(900 * time.Millisecond) {
			c.Refuse(t.Context(), get(t, c).AccessKeyID, refresh.EndedEarly)
		}
		require.GreaterOrEqual(t, s.asked(), 10)
		require.LessOrEqual(t, s.asked(), 12)
		calls := s.times()
		for n := 2; n < len(calls); n++ {
			require.GreaterOrEqual(t, calls[n].Sub(calls[n-1]), time.Minute)
		}
	})
}

// TestRefusedInterval is the last moment of the minute, and the first after it.
func TestRefusedInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, _, _ := cached()
		require.True(t, c.Refuse(t.Context(), get(t, c).AccessKeyID, refresh.EndedEarly))
		time.Sleep(time.Minute - 1)
		require.False(t, c.Refuse(t.Context(), get(t, c).AccessKeyID, refresh.EndedEarly))
		time.Sleep(1)
		require.True(t, c.Refuse(t.Context(), get(t, c).AccessKeyID, refresh.EndedEarly))
		require.Equal(t, "K3", get(t, c).AccessKeyID)
	})
}

// TestRefusedLasting: keys without an expiry are read again only where they may
// have changed (Config.Rereads).
func TestRefusedLasting(t *testing.T) {
	for _, rereads := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			c, s, log := cached(func(c *refresh.Config) { c.Rereads = rereads })
			keys := refresh.Issued{Credentials: aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s"}}
			s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
			require.Equal(t, keys, get(t, c))
			require.Zero(t, log.of("refreshed")[0].left)
			require.False(t, c.Refuse(t.Context(), "A", refresh.EndedEarly), "nothing newer")
			require.Equal(t, keys, get(t, c))
			if !rereads {
				require.Equal(t, 1, s.asked())
				require.Empty(t, log.of("refused"))
				return
			}
			require.Equal(t, 2, s.asked())
			kept := log.of("kept")
			require.Len(t, kept, 1)
			require.Equal(t, refresh.ErrRefused, kept[0].err)
			require.Zero(t, kept[0].left)
			time.Sleep(time.Minute)
			for _, next := range []refresh.Issued{{Credentials: aws.Credentials{AccessKeyID: "B", SecretAccessKey: "s"}}, issued("C", hour)} {
				old := keys.AccessKeyID
				keys = next
				require.True(t, c.Refuse(t.Context(), old, refresh.EndedEarly))
				require.Equal(t, keys, get(t, c))
				time.Sleep(time.Minute)
			}
		})
	}
}

// TestRefusedWhileDown: with the source down there is nothing to replace the
// keys by. They stay in use, and the first that can be had are taken.
func TestRefusedWhileDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		get(t, c)
		s.fails(errDown)
		require.False(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		require.Equal(t, 2, s.asked())
		kept := log.of("kept")
		require.Equal(t, []string{"K1"}, busy(t, c, 10*time.Millisecond, kept[0].next-10*time.Millisecond))
		s.fails(nil)
		require.Len(t, busy(t, c, 10*time.Millisecond, time.Second), 2, "the keys are stale from the refusal on")
	})
	bubble(t, func(t *testing.T) { // a thousand who are refused make one try a minute
		c, s, _ := cached()
		get(t, c)
		s.set(func(s *source) { s.delay, s.err = 10*time.Millisecond, errDown })
		start := time.Now()
		for range 1000 {
			require.False(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
			time.Sleep(180 * time.Millisecond)
		}
		require.Equal(t, 1+3, s.asked())
		require.InDelta(t, 180, time.Since(start).Seconds(), 0.1)
	})
}

// TestRefusedUnknown (C5): that one service does not know a key says nothing,
// for a minute after another has accepted it.
func TestRefusedUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		get(t, c)
		for range 20 {
			c.Accepted("K1")
			for range 6 {
				require.False(t, c.Refuse(t.Context(), "K1", refresh.Unknown))
				time.Sleep(9 * time.Second)
			}
		}
		require.Equal(t, "K1", get(t, c).AccessKeyID)
		require.Empty(t, log.of("refused"))
		c.Accepted("K1")
		time.Sleep(time.Minute - 1)
		require.False(t, c.Refuse(t.Context(), "K1", refresh.Unknown))
		require.Equal(t, 1, s.asked())
		time.Sleep(1)
		require.True(t, c.Refuse(t.Context(), "K1", refresh.Unknown))
		require.Equal(t, 2, s.asked())
	})
	bubble(t, func(t *testing.T) { // what has ended is over, whoever accepted it before
		c, _, _ := cached()
		get(t, c)
		c.Accepted("K1")
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
	})
	bubble(t, func(t *testing.T) { // the acceptance of one key is not that of the next
		c, _, _ := cached()
		get(t, c)
		c.Accepted("K1")
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		time.Sleep(time.Minute)
		c.Accepted("K1")
		require.True(t, c.Refuse(t.Context(), "K2", refresh.Unknown))
	})
	bubble(t, func(t *testing.T) { // an acceptance within the second is remembered from its first moment
		c, _, _ := cached()
		get(t, c)
		for range 120 {
			c.Accepted("K1")
			time.Sleep(time.Second)
		}
		require.False(t, c.Refuse(t.Context(), "K1", refresh.Unknown))
	})
}

// TestRefusedDuringRefresh (C9): a refused key meets a refresh that began
// before. If it fails, or brings the same key again, then the refusal gets a
// refresh of its own, one for all who were refused.
func TestRefusedDuringRefresh(t *testing.T) {
	for name, second := range map[string]func(refresh.Issued) (refresh.Issued, error){
		"fails":     func(refresh.Issued) (refresh.Issued, error) { return refresh.Issued{}, errDown },
		"same keys": func(first refresh.Issued) (refresh.Issued, error) { return first, nil },
		"succeeds":  func(refresh.Issued) (refresh.Issued, error) { return issued("K2", hour), nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				var first refresh.Issued
				s.fetch = func(_ context.Context, n int) (refresh.Issued, error) {
					switch time.Sleep(time.Second); n {
					case 1:
						first = issued("K1", hour)
						return first, nil
					case 2:
						return second(first)
					}
					return issued("K3", hour), nil
				}
				get(t, c)
				time.Sleep(surelyStale)
				get(t, c)
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * time.Millisecond)
						if !c.Refuse(t.Context(), "K1", refresh.EndedEarly) {
							t.Error("not replaced")
						}
					})
				}
				wg.Wait()
				calls := map[bool]int{true: 2, false: 3}[name == "succeeds"]
				require.Equal(t, calls, s.asked())
				require.False(t, c.Refuse(t.Context(), get(t, c).AccessKeyID, refresh.EndedEarly), "another one within the minute")
				require.Equal(t, calls, s.asked())
			})
		})
	}
	bubble(t, func(t *testing.T) { // one of its own, not more
		c, s, _ := cached()
		get(t, c)
		time.Sleep(surelyStale)
		s.set(func(s *source) { s.delay = hour })
		get(t, c)
		start := time.Now()
		require.False(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, 3, s.asked())
	})
}

// TestRefusedContext: the caller's ctx ends its waiting, not the refresh.
func TestRefusedContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		get(t, c)
		s.set(func(s *source) { s.delay = 10 * time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.False(t, c.Refuse(ctx, "K1", refresh.EndedEarly))
		require.Equal(t, time.Second, time.Since(start))
		time.Sleep(10 * time.Second)
		require.Equal(t, "K2", get(t, c).AccessKeyID)
	})
}

// TestPassOn (C3): where the keys are those of another cache, that one hears of
// the refusal before it is asked again. It may be told in a refresh only.
func TestPassOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, as, _ := cached()
		as.delay = time.Second
		b, bs, _ := cached(func(c *refresh.Config) {
			c.PassOn = func(ctx context.Context, id string, why refresh.Refusal) {
				require.True(t, refresh.Background(ctx))
				require.True(t, a.Refuse(ctx, id, why))
			}
		})
		bs.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			keys, err := a.Retrieve(ctx)
			if err != nil {
				return refresh.Issued{}, err
			}
			return *keys, nil
		}
		get(t, b)
		time.Sleep(surelyStale)
		get(t, b) // meets no refusal
		synctest.Wait()
		require.Equal(t, 2, bs.asked())
		require.True(t, b.Refuse(t.Context(), get(t, b).AccessKeyID, refresh.EndedEarly))
		require.Equal(t, get(t, a), get(t, b))
	})
}
