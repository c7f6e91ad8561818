package awsauth_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A role of one hour is refreshed half an hour to 36 minutes before its end.
const (
	lifetime    = time.Hour
	stillFresh  = 24*time.Minute - time.Second
	surelyStale = 30 * time.Minute
)

// TestCacheFresh: nothing but the first call, no allocation, no goroutine.
func TestCacheFresh(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	ctx := t.Context()
	before := runtime.NumGoroutine()
	for name, s := range map[string]*awsauth.Session{"static keys": w.open(w.static()), "role": w.inRole()} {
		first := get(t, s)
		allocs := testing.AllocsPerRun(1000, func() {
			if c, err := s.Retrieve(ctx); err != nil || c.AccessKeyID != first.AccessKeyID {
				t.Error("other keys", c, err)
			}
		})
		require.Zero(t, allocs, name)
	}
	require.Len(t, w.Calls(), 1)
	soon(t, func() bool { return runtime.NumGoroutine() <= before }, "a goroutine stays")
}

// TestCacheFreshUntil holds the last moment at which no call is made, and the
// first at which one is, for every caller.
func TestCacheFreshUntil(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		first := get(t, s)
		require.Equal(t, time.Now().Add(lifetime), first.Expires.Local())
		time.Sleep(stillFresh)
		for _, o := range crowd(s, 100) {
			require.Equal(t, outcome{creds: first}, o)
		}
		synctest.Wait()
		require.Equal(t, 1, w.assumed())
		time.Sleep(surelyStale - stillFresh)
		require.Equal(t, first, get(t, s))
		synctest.Wait()
		require.Equal(t, 2, w.assumed())
	})
}

// TestCacheStale: callers leave at once with the keys that are still valid,
// and one refresh runs behind them.
func TestCacheStale(t *testing.T) {
	for _, delay := range []time.Duration{0, 200 * time.Millisecond, 20 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := w.inRole()
				first := get(t, s)
				time.Sleep(surelyStale)
				w.slow(delay)
				for range 3 {
					for _, o := range crowd(s, 100) {
						require.NoError(t, o.err)
						require.Zero(t, o.took, "a caller waited")
						if delay > 0 {
							require.Equal(t, first, o.creds)
						}
					}
					synctest.Wait()
					require.Equal(t, 2, w.assumed())
				}
				asked := time.Now()
				time.Sleep(delay)
				synctest.Wait()
				second := get(t, s)
				require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
				require.Equal(t, asked.Add(delay+lifetime).Truncate(time.Second), second.Expires.Local())
				require.Equal(t, 2, w.assumed())
			})
		})
	}
}

// TestCacheOnce stresses the moment at which a refresh ends: a caller who saw
// the old keys just before must not start another.
func TestCacheOnce(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var fetched atomic.Int64
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
			return issued(fmt.Sprint("K", fetched.Add(1)), lifetime), nil
		})))
		get(t, s)
		for want := int64(2); want < 400; want++ {
			time.Sleep([]time.Duration{surelyStale, 2 * lifetime}[want%2])
			crowd(s, 32)
			synctest.Wait()
			require.Equal(t, want, fetched.Load())
		}
	})
}

// TestCacheExpired: one call for a hundred callers, without keys and with
// keys that are gone. Each waits for its own context only.
func TestCacheExpired(t *testing.T) {
	const answer = 200 * time.Millisecond
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		w.slow(answer)
		last := ""
		for round := 1; round <= 3; round++ {
			// One caller starts the refresh and is cancelled, another has no time.
			ctx, cancel := context.WithCancel(t.Context())
			short, done := context.WithTimeout(t.Context(), 50*time.Millisecond)
			var starter, hasty outcome
			var wg sync.WaitGroup
			wg.Go(func() { starter = ask(ctx, s) })
			synctest.Wait()
			require.Equal(t, round, w.assumed())
			wg.Go(func() { hasty = ask(short, s) })
			time.AfterFunc(20*time.Millisecond, cancel)
			asked := time.Now()
			all := crowd(s, 100)
			wg.Wait()
			for _, o := range all {
				require.NoError(t, o.err)
				require.Equal(t, answer, o.took)
				require.Equal(t, all[0].creds, o.creds)
			}
			require.Equal(t, asked.Add(answer+lifetime).Truncate(time.Second), all[0].creds.Expires.Local())
			require.NotEqual(t, last, all[0].creds.AccessKeyID)
			last = all[0].creds.AccessKeyID

			var e *awsauth.Error
			require.ErrorIs(t, starter.err, context.Canceled)
			require.ErrorAs(t, starter.err, &e)
			require.Equal(t, 20*time.Millisecond, starter.took)
			require.Empty(t, starter.creds)
			require.ErrorIs(t, hasty.err, context.DeadlineExceeded)
			require.ErrorAs(t, hasty.err, &e)
			require.Equal(t, 50*time.Millisecond, hasty.took)
			done()

			require.Equal(t, all[0].creds, get(t, s))
			require.Equal(t, round, w.assumed())
			// Exactly at the expiry, then an hour late.
			time.Sleep(time.Until(all[0].creds.Expires) + time.Duration(round-1)*time.Hour)
		}
	})
}

// TestCacheCanceledBefore: a caller who is cancelled already starts nothing,
// but takes what is there.
func TestCacheCanceledBefore(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Retrieve(ctx)
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		require.Empty(t, w.Calls())
		get(t, s)
		time.Sleep(surelyStale)
		_, err = s.Retrieve(ctx)
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 2, w.assumed(), "the refresh does not end with its caller")
	})
}

// TestCacheExpiredOnArrival: such keys are an error that names the clock.
func TestCacheExpiredOnArrival(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		for _, ago := range []time.Duration{0, time.Second, 24 * time.Hour} {
			s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
				return issued("K", -ago), nil
			})))
			_, err := s.Retrieve(t.Context())
			requireBad(t, err, awsauth.Expired, "expired", ago.String(), "clock")
		}
	})
}

// TestCacheLifetimes: a caller a thousand times per lifetime causes a few
// refreshes per lifetime and never gets expired keys.
func TestCacheLifetimes(t *testing.T) {
	for _, tt := range []struct {
		lifetime time.Duration
		most     int // refreshes in ten lifetimes
	}{
		{100 * time.Millisecond, 26},
		{time.Second, 26},
		{90 * time.Second, 26},
		{15 * time.Minute, 26},
		{time.Hour, 26},
		{12 * time.Hour, 11},
	} {
		t.Run(tt.lifetime.String(), func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				n := 0
				s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
					n++
					return issued(fmt.Sprint("K", n), tt.lifetime), nil
				})))
				keys := busy(t, s, tt.lifetime/1000, 10*tt.lifetime)
				require.Contains(t, []int{n - 1, n}, len(keys)) // the last refresh may come for nobody
				require.GreaterOrEqual(t, n, 10)
				require.LessOrEqual(t, n, tt.most)
			})
		})
	}
}

// TestCacheSameKeys: a source that has no newer keys is asked more often as
// they end, but not on every call.
func TestCacheSameKeys(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var n atomic.Int64
		keys := issued("K", lifetime)
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
			n.Add(1)
			return keys, nil
		})))
		busy(t, s, 10*time.Millisecond, lifetime)
		require.LessOrEqual(t, n.Load(), int64(25))
		_, err := s.Retrieve(t.Context())
		requireBad(t, err, awsauth.Expired)
	})
}

// TestCacheShortRole is a role of 15 minutes over three hours.
func TestCacheShortRole(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole(awsauth.WithDuration(15 * time.Minute))
		busy(t, s, time.Second, 3*time.Hour)
		require.GreaterOrEqual(t, w.assumed(), 24)
		require.LessOrEqual(t, w.assumed(), 32)
	})
}

// TestCacheOutage is three hours at two calls a second, with STS down for 18
// minutes from before the time to refresh.
func TestCacheOutage(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{
		"5xx": awsauthtest.ServerError, "throttling": awsauthtest.Throttle, "hang": awsauthtest.Hang,
		"reset": awsauthtest.Reset, "malformed": awsauthtest.Malformed, "refusal": awsauthtest.Refuse,
	} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := w.inRole()
				get(t, s)
				time.AfterFunc(20*time.Minute, func() {
					up := w.down(kind)
					time.AfterFunc(18*time.Minute, up)
				})
				keys := busy(t, s, 500*time.Millisecond, 3*time.Hour)
				require.Greater(t, len(keys), 5)
				require.LessOrEqual(t, w.assumed(), 60)
				t.Logf("%d calls", w.assumed())
			})
		})
	}
}

// TestCacheSpread: of a thousand sessions that start together few are renewed
// in the same minute.
func TestCacheSpread(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		start := time.Now()
		var mu sync.Mutex
		minutes := map[int]int{}
		sessions := make([]*awsauth.Session, 1000)
		for i := range sessions {
			sessions[i] = w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
				mu.Lock()
				defer mu.Unlock()
				minutes[int(time.Since(start).Minutes())]++
				return issued("K", lifetime), nil
			})))
		}
		for time.Since(start) < 31*time.Minute {
			for _, s := range sessions {
				if _, err := s.Retrieve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Second)
		}
		delete(minutes, 0) // the start
		total := 0
		for minute, n := range minutes {
			require.GreaterOrEqual(t, minute, 24)
			require.Less(t, n, 250, "in minute %d", minute)
			total += n
		}
		require.Equal(t, 1000, total)
		require.GreaterOrEqual(t, len(minutes), 6)
	})
}

// TestCacheIdle: a session that was used runs nothing and is collected once
// nobody has it, though its parent lives.
func TestCacheIdle(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	parent := w.open(w.static())
	before := runtime.NumGoroutine()
	var gone atomic.Int64
	const sessions = 100
	for i := range sessions {
		s, err := parent.Assume(awsauth.WithAccount(target), awsauth.WithSessionName(fmt.Sprint("s", i)))
		require.NoError(t, err)
		crowd(s, 3)
		_, err = s.Identity(t.Context())
		require.NoError(t, err)
		runtime.AddCleanup(s, func(struct{}) { gone.Add(1) }, struct{}{})
	}
	soon(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines stay")
	soon(t, func() bool { runtime.GC(); return gone.Load() == sessions }, "sessions stay")
	get(t, parent)
}

// TestCacheConcurrent does everything on shared sessions over several expiries.
func TestCacheConcurrent(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.slow(50 * time.Millisecond)
		base := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")), awsauth.WithDuration(15*time.Minute))
		child, err := base.Assume(awsauth.WithAccount(target), awsauth.WithDuration(15*time.Minute))
		require.NoError(t, err)
		ctx := t.Context()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				s := []*awsauth.Session{base, child}[i%2]
				for range 60 {
					time.Sleep(time.Duration(rand.Int64N(int64(4 * time.Minute))))
					c, err := s.Retrieve(ctx)
					if err != nil || c.Expired() {
						t.Error("keys", c.Expires, err)
					}
					if c, err = s.Config().Credentials.Retrieve(ctx); err != nil || c.Expired() {
						t.Error("keys by Config", err)
					}
					id, err := s.Identity(ctx)
					if err != nil || !strings.Contains(id.ARN, ":assumed-role/") {
						t.Error("identity", id, err)
					}
					if _, err := s.Assume(awsauth.WithRoleARN(manageRole)); err != nil {
						t.Error("assume", err)
					}
					_ = s.String() + s.Explain().String()
				}
			})
		}
		wg.Wait()
	})
}
