package awsauth_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// bucket makes STS throttle as LimitSTS does, but with a bucket of another
// depth than one second.
func (w *place) bucket(perSecond, depth float64) (remove func()) {
	var mu sync.Mutex
	tokens, at := depth, time.Now()
	return w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle, Match: func(awsauthtest.Call) bool {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		tokens, at = min(depth, tokens+now.Sub(at).Seconds()*perSecond), now
		if tokens < 1 {
			return true
		}
		tokens--
		return false
	}})
}

// TestPace: when STS throttles, a walk takes about as long as the limit says,
// all accounts succeed, and few calls are wasted.
func TestPace(t *testing.T) {
	const ms = time.Millisecond
	for i, tt := range []struct {
		accounts, concurrency int
		delay                 time.Duration
		limit, depth          int     // depth 0: LimitSTS
		time                  float64 // as a multiple of what the limit dictates
		calls                 float64 // for each account
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
		// What STS answers in the first moment says nothing of what follows.
		{2000, 16, 5 * ms, 50, 1000, 1.1, 1.15},
		{1000, 16, 5 * ms, 50, 400, 1.2, 1.2},
		{1000, 16, 5 * ms, 50, 1, 1.7, 1.15},
		{1000, 64, 50 * ms, 200, 20, 2, 1.2},
		{100, 16, 50 * ms, 2, 0, 1.1, 1.6},
	} {
		if underRace && i%5 != 0 {
			continue
		}
		t.Run(fmt.Sprintf("%d at %d, %v, %d a second after %d", tt.accounts, tt.concurrency, tt.delay, tt.limit, tt.depth), func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				ids := w.accounts(tt.accounts)
				w.slow(tt.delay)
				depth := tt.depth
				if depth == 0 {
					depth = tt.limit
					w.LimitSTS(tt.limit)
				} else {
					w.bucket(float64(tt.limit), float64(depth))
				}
				start := time.Now()
				err := w.open(w.static()).ForEachAccount(t.Context(), ids, enter, awsauth.WithConcurrency(tt.concurrency))
				took := time.Since(start).Seconds()
				require.NoError(t, err)
				dictated := float64(tt.accounts-depth) / float64(tt.limit)
				t.Logf("%.1f s of %.1f s, %.2f calls for each account", took, dictated, float64(w.assumed())/float64(tt.accounts))
				assert.LessOrEqual(t, took, tt.time*dictated)
				assert.LessOrEqual(t, float64(w.assumed()), tt.calls*float64(tt.accounts))
				assert.GreaterOrEqual(t, took, 0.9*dictated, "the limit does not limit")
			})
		})
	}
}

// TestPaceUnthrottled: no pace is kept where nothing was throttled, nor long
// after.
func TestPaceUnthrottled(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(1000)
		w.slow(5 * time.Millisecond)
		s := w.open(w.static())
		fast := func() {
			t.Helper()
			w.ResetCalls()
			start := time.Now()
			require.NoError(t, s.ForEachAccount(t.Context(), ids, enter, awsauth.WithSessionName(fmt.Sprint("at-", start.Unix()))))
			assert.Equal(t, 63*5*time.Millisecond, time.Since(start)) // 63 rounds of 16
			assert.Equal(t, 1000, w.assumed())
		}
		fast()
		w.LimitSTS(50)
		start := time.Now()
		require.NoError(t, s.ForEachAccount(t.Context(), ids[:300], enter, awsauth.WithSessionName("throttled")))
		assert.Greater(t, time.Since(start), 4*time.Second)
		w.LimitSTS(0)
		time.Sleep(time.Minute)
		fast()
		// Nothing is left of the old limit, and nothing of the many calls without one.
		time.Sleep(time.Minute)
		w.ResetCalls()
		w.LimitSTS(10)
		require.NoError(t, s.ForEachAccount(t.Context(), ids[:200], enter, awsauth.WithSessionName("again")))
		assert.Less(t, w.assumed(), 240)
	})
}

// TestPaceBegins: the pace begins with what STS answered just before, wherever
// in a second that is.
func TestPaceBegins(t *testing.T) {
	for i, at := range []time.Duration{3010, 3060, 3110, 3260, 3510, 3760} {
		if underRace && i > 0 {
			break
		}
		onItsClock(t, func(t *testing.T, w *place) {
			ids := w.accounts(2000)
			w.slow(50 * time.Millisecond) // 320 a second
			at := at * time.Millisecond
			time.AfterFunc(at, func() { w.bucket(160, 16) })
			start := time.Now()
			require.NoError(t, w.open(w.static()).ForEachAccount(t.Context(), ids, enter))
			rest := time.Since(start) - at
			dictated := (2000 - at.Seconds()*320) / 160
			t.Logf("%v: %v of %.1f s", at, rest, dictated)
			assert.Less(t, rest.Seconds(), 1.25*dictated)
		})
	}
}

// TestPaceRises: the pace follows a limit that is lifted while calls are waiting.
func TestPaceRises(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(2500)
		w.slow(5 * time.Millisecond)
		w.LimitSTS(20)
		time.AfterFunc(30*time.Second, func() { w.LimitSTS(0) }) // 600 are done
		start := time.Now()
		require.NoError(t, w.open(w.static()).ForEachAccount(t.Context(), ids, enter))
		assert.Less(t, time.Since(start), time.Minute, "at 20 a second it were 125 s")
	})
}

// TestPaceFalls: so it follows one that comes, or gets lower, on the way.
func TestPaceFalls(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(2000)
		w.slow(5 * time.Millisecond)
		s := w.open(w.static())
		w.LimitSTS(200)
		time.AfterFunc(4*time.Second, func() { w.LimitSTS(50) }) // 1,000 are done; the new bucket holds 50
		start := time.Now()
		require.NoError(t, s.ForEachAccount(t.Context(), ids, enter))
		assert.Less(t, time.Since(start), 26*time.Second)
		assert.Less(t, w.assumed(), 2400)
	})
}

// TestPaceAlone: a single session that is throttled for seconds does not use up
// its attempts in one of them.
func TestPaceAlone(t *testing.T) {
	for _, long := range []time.Duration{time.Second, 5 * time.Second, 10 * time.Second} {
		onItsClock(t, func(t *testing.T, w *place) {
			up := w.down(awsauthtest.Throttle)
			time.AfterFunc(long, up)
			o := ask(t.Context(), w.inRole())
			require.NoError(t, o.err, "throttled for %v", long)
			assert.Less(t, o.took, long+6*time.Second)
			assert.LessOrEqual(t, w.assumed(), 8)
		})
	}
}

// TestPaceGivesUp: throttling that does not end is told as what it is.
func TestPaceGivesUp(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.down(awsauthtest.Throttle)
		o := ask(t.Context(), w.inRole())
		requireBad(t, o.err, awsauth.Throttled)
	})
}

// TestPaceTooMany: of more calls at a time than STS answers while a session
// waits, those that had no turn say so.
func TestPaceTooMany(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(200)
		w.slow(5 * time.Millisecond)
		w.LimitSTS(2)
		err := w.open(w.static()).ForEachAccount(t.Context(), ids, enter, awsauth.WithConcurrency(200))
		lost := parts(t, err)
		assert.Greater(t, len(lost), 100)
		assert.Less(t, len(lost), 150, "60 can be had")
		for _, one := range lost {
			require.ErrorIs(t, one, awsauth.Throttled)
			assert.Contains(t, one.Error(), "run fewer accounts at once")
		}
	})
}

// TestPaceCanceled: who waits for a turn may leave, and one who left takes none.
func TestPaceCanceled(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(400)
		w.slow(5 * time.Millisecond)
		w.LimitSTS(10)
		s := w.open(w.static())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		var done atomic.Int64
		err := s.ForEachAccount(ctx, ids, func(ctx context.Context, s *awsauth.Session) error {
			err := enter(ctx, s)
			if err == nil {
				done.Add(1)
			}
			return err
		})
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.InDelta(t, 110, done.Load(), 10)
		assert.Len(t, parts(t, err), 400-int(done.Load()))
	})
}

// TestPaceNotForRefusals: what STS refuses for another reason slows nobody down.
func TestPaceNotForRefusals(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(160)
		w.slow(time.Second)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Match: func(c awsauthtest.Call) bool {
			return strings.Contains(c.Params.Get("RoleArn"), "5:role/")
		}})
		start := time.Now()
		err := w.open(w.static()).ForEachAccount(t.Context(), ids, enter)
		assert.Len(t, parts(t, err), 16)
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

// TestPaceSpread: a thousand sessions that began together do not refresh
// together.
func TestPaceSpread(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		ids := w.accounts(1000)
		s := w.open(w.static())
		var mu sync.Mutex
		var live []*awsauth.Session
		require.NoError(t, s.ForEachAccount(t.Context(), ids, func(ctx context.Context, s *awsauth.Session) error {
			mu.Lock()
			defer mu.Unlock()
			live = append(live, s)
			return nil
		}))
		for _, s := range live {
			get(t, s)
		}
		w.ResetCalls()
		for range time.Hour / (30 * time.Second) {
			time.Sleep(30 * time.Second)
			for _, s := range live {
				get(t, s)
			}
		}
		calls := w.Calls()
		perMinute := map[time.Time]int{}
		for _, c := range calls {
			perMinute[c.Time.Truncate(time.Minute)]++
		}
		most := 0
		for _, n := range perMinute {
			most = max(most, n)
		}
		t.Log(len(calls), "calls; at most", most, "a minute")
		assert.GreaterOrEqual(t, len(calls), 1000)
		assert.Less(t, most, 250)
	})
}

// TestPaceOfOthers: a caller who is always throttled slows down nobody but
// itself. STS counts by the account that signs.
func TestPaceOfOthers(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.open(w.static())
		hub, err := s.Assume(awsauth.WithAccount(target))
		require.NoError(t, err)
		leaf, err := hub.Assume(awsauth.WithAccount(target), awsauth.WithRole("team/ops"))
		require.NoError(t, err)
		w.slow(50 * time.Millisecond)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle, Match: func(c awsauthtest.Call) bool {
			return strings.HasSuffix(c.Params.Get("RoleArn"), "role/team/ops")
		}})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for ctx.Err() == nil {
				_, _ = leaf.Retrieve(ctx)
				time.Sleep(100 * time.Millisecond)
			}
		}()
		time.Sleep(10 * time.Second)
		start := time.Now()
		require.NoError(t, s.ForEachAccount(t.Context(), w.accounts(500), enter))
		assert.Less(t, time.Since(start), 3*time.Second, "32 rounds of 50 ms")
	})
}
