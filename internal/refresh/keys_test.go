package refresh_test

//lint:file-ignore SA1004 on the clock of synctest a nanosecond is a boundary

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestExpiredOnArrival (C14): such keys are an error that says how long ago
// they expired, or that the source set no expiry.
func TestExpiredOnArrival(t *testing.T) {
	year := 365 * 24 * hour
	for _, tt := range []struct {
		ago   time.Duration
		unset bool
		text  string
	}{
		{0, true, "the keys that were returned can expire, but their expiry is not set"},
		{time.Second - 1, true, "the keys that were returned can expire, but their expiry is not set"},
		{time.Second, false, "the keys that were returned had already expired 1s ago"},
		{24 * hour, false, "the keys that were returned had already expired 24h0m0s ago"},
		{10 * year, false, "the keys that were returned had already expired 87600h0m0s ago"},
		{10*year + time.Second, true, "the keys that were returned can expire, but their expiry is not set"},
	} {
		bubble(t, func(t *testing.T) {
			c, s, log := cached()
			s.life = -tt.ago
			o := ask(t.Context(), c)
			var e *refresh.ExpiredError
			require.ErrorAs(t, o.err, &e)
			require.Equal(t, refresh.ExpiredError{Ago: tt.ago, Unset: tt.unset}, *e)
			require.EqualError(t, o.err, tt.text)
			require.Len(t, log.of("failed"), 1)
		})
	}
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		s.fetch = func(context.Context, int) (refresh.Issued, error) {
			return refresh.Issued{Credentials: aws.Credentials{AccessKeyID: "K", CanExpire: true}}, nil
		}
		var e *refresh.ExpiredError
		require.ErrorAs(t, ask(t.Context(), c).err, &e)
		require.True(t, e.Unset)
	})
}

// TestSameKeys: a source that returns the same keys again has none. They keep
// their expiry and their states, and the source is asked with growing pauses.
func TestSameKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		keys := issued("K", hour)
		s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
		busy(t, c, 100*time.Millisecond, nowEnding)
		require.Len(t, log.of("refreshed"), 1)
		require.LessOrEqual(t, s.asked(), 50)
		require.GreaterOrEqual(t, s.asked(), 15)
		time.Sleep(time.Minute)
		log.of("")
		require.Equal(t, keys, get(t, c))
		kept := log.of("kept")
		require.Len(t, kept, 1)
		require.Equal(t, refresh.ErrSame, kept[0].err)
		time.Sleep(time.Minute)
		var e *refresh.ExpiredError
		require.ErrorAs(t, ask(t.Context(), c).err, &e)
		require.Equal(t, refresh.ExpiredError{}, *e, "expired just now")
		time.Sleep(time.Minute)
		require.ErrorAs(t, ask(t.Context(), c).err, &e)
		require.Equal(t, refresh.ExpiredError{Ago: time.Minute}, *e)
	})
}

// TestSameKeysLater: a later expiry makes them new: the source answers for it.
func TestSameKeysLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		s.fetch = func(context.Context, int) (refresh.Issued, error) { return issued("K", hour), nil }
		require.Equal(t, []string{"K"}, busy(t, c, time.Minute, 10*hour))
		require.LessOrEqual(t, s.asked(), 25)
	})
	for name, change := range map[string]func(*refresh.Issued){
		"secret": func(i *refresh.Issued) { i.SecretAccessKey = "other" },
		"token":  func(i *refresh.Issued) { i.SessionToken = "other" },
		"id":     func(i *refresh.Issued) { i.AccessKeyID = "other" },
		"lasting": func(i *refresh.Issued) {
			i.CanExpire, i.Expires = false, time.Time{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached()
				keys := issued("K", hour)
				s.fetch = func(_ context.Context, n int) (refresh.Issued, error) {
					if n == 2 {
						change(&keys)
					}
					return keys, nil
				}
				get(t, c)
				time.Sleep(surelyStale)
				get(t, c)
				synctest.Wait()
				require.Equal(t, keys, get(t, c))
				require.Len(t, log.of("refreshed"), 2)
			})
		})
	}
}

// TestSoonerKeys (C10): keys that end sooner do not replace those at hand, and
// the try counts as failed. Once those at hand have expired, they do.
func TestSoonerKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached()
		s.life = 3 * hour
		first := get(t, c)
		time.Sleep(2 * hour)
		s.set(func(s *source) { s.life = 5 * time.Minute })
		log.of("")
		require.Equal(t, []string{"K1"}, busy(t, c, time.Second, 50*time.Minute))
		kept := log.of("kept")
		require.Greater(t, len(kept), 20)
		require.LessOrEqual(t, len(kept), 70)
		for _, e := range kept {
			require.Equal(t, refresh.ErrSooner, e.err)
		}
		time.Sleep(time.Until(first.Expires))
		require.NotEqual(t, "K1", get(t, c).AccessKeyID)
	})
}

// TestSoonerKeysAfterRefusal: a key that a service refused is no better than any.
func TestSoonerKeysAfterRefusal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		get(t, c)
		s.set(func(s *source) { s.life = 5 * time.Minute })
		require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
		require.Equal(t, "K2", get(t, c).AccessKeyID)
	})
}

// TestKeysThatEndTogether: where the expiry is the same, the newer keys count.
func TestKeysThatEndTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		end := time.Now().Add(hour)
		s.fetch = func(_ context.Context, n int) (refresh.Issued, error) {
			k := issued(fmt.Sprint("K", n), 0)
			k.Expires = end
			return k, nil
		}
		get(t, c)
		time.Sleep(surelyStale)
		get(t, c)
		synctest.Wait()
		require.Equal(t, "K2", get(t, c).AccessKeyID)
	})
}

// TestLongest (C11): where the clock is behind, the expiry looks farther than
// it is. Keys are not used for longer than was asked for, even if the source
// returns the same again, nor is what the source said altered.
func TestLongest(t *testing.T) {
	const behind = 2 * hour
	for name, anew := range map[string]bool{"new keys": true, "the same keys": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached(func(c *refresh.Config) { c.Longest = hour })
				s.life = hour + behind
				keys := issued("K", hour+behind)
				if !anew {
					s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
				}
				first := get(t, c)
				require.Equal(t, hour+behind, time.Until(first.Expires))
				time.Sleep(stillFresh)
				get(t, c)
				synctest.Wait()
				require.Equal(t, 1, s.asked())
				time.Sleep(hour - stillFresh - 1)
				hasty, cancel := context.WithCancel(t.Context())
				cancel()
				s.set(func(s *source) { s.delay = 10 * time.Second })
				require.Equal(t, first, ask(hasty, c).keys, "to the last moment")
				time.Sleep(1)
				o := ask(t.Context(), c)
				if anew {
					require.NotEqual(t, first.AccessKeyID, o.keys.AccessKeyID)
				} else {
					require.Equal(t, refresh.ErrSame, o.err)
				}
			})
		})
	}
	bubble(t, func(t *testing.T) { // a clock that is ahead makes it look nearer, and the keys end then
		c, s, _ := cached(func(c *refresh.Config) { c.Longest = hour })
		s.life = 30 * time.Minute
		get(t, c)
		time.Sleep(30 * time.Minute)
		require.Equal(t, "K2", get(t, c).AccessKeyID)
	})
}

// TestLateKeys: of keys that come after their refresh was abandoned, only
// better ones than those at hand are kept.
func TestLateKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		late    time.Duration // lifetime of the late keys
		lasting bool          // the others have no expiry
		want    string
	}{
		"better": {2 * hour, false, "late"}, "worse": {30 * time.Minute, false, "next"}, "expired": {-time.Minute, false, "next"},
		"worse than lasting": {1000 * hour, true, "next"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached()
				s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
					if n == 1 {
						time.Sleep(time.Minute)
						return issued("late", tt.late), nil
					}
					next := issued("next", hour)
					next.CanExpire = !tt.lasting
					return next, nil
				}
				require.Error(t, ask(t.Context(), c).err)
				time.Sleep(2 * time.Second)
				require.Equal(t, "next", get(t, c).AccessKeyID)
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, tt.want, get(t, c).AccessKeyID)
				require.Empty(t, log.of("kept"), "who comes late has failed already")
			})
		})
	}
}

// TestLateKeysServeAll: keys that come late are given to those who wait for the
// next refresh, too.
func TestLateKeysServeAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		ended := make(chan error, 2)
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			if n == 1 { // deaf
				time.Sleep(40 * time.Second)
				return issued("late", hour), nil
			}
			<-ctx.Done()
			ended <- ctx.Err()
			return refresh.Issued{}, ctx.Err()
		}
		require.Error(t, ask(t.Context(), c).err) // after 31 s
		time.Sleep(2 * time.Second)
		o := ask(t.Context(), c)
		require.Equal(t, "late", o.keys.AccessKeyID)
		require.Equal(t, 7*time.Second, o.took)
		require.ErrorIs(t, <-ended, context.Canceled, "nobody needs the other refresh")
		require.Equal(t, "late", get(t, c).AccessKeyID)
	})
}

// TestNoSecretPrinted: neither by keys nor by what holds them.
func TestNoSecretPrinted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := issued("AKIA", hour)
		keys.SessionToken = "secret token"
		c, s, _ := cached()
		s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
		get(t, c)
		synctest.Wait()
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", keys, "pointer", &keys)
		for _, v := range []any{keys, &keys, c.State(), c, refresh.Refreshed{Keys: &keys}, refresh.Kept{Keys: &keys}} {
			fmt.Fprintf(&log, "%v %+v %#v %s %q", v, v, v, v, v)
		}
		require.Contains(t, log.String(), `keys AKIA of "arn of AKIA"`)
		require.NotContains(t, log.String(), "secret")
	})
}
