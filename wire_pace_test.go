package awsauth_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// The pace of STS calls, at the wire. Package pace has the tables.

// TestPace: when STS throttles, a walk takes about as long as the limit says,
// all accounts succeed, and few calls are wasted.
func TestPace(t *testing.T) {
	const accounts, limit = 1000, 50
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(accounts)
		w.Slow(5 * time.Millisecond)
		w.LimitSTS(limit)
		start := time.Now()
		require.NoError(t, w.Open(w.Static()).ForEachAccount(t.Context(), ids, lab.Enter))
		took := time.Since(start).Seconds()
		dictated := float64(accounts-limit) / limit
		t.Logf("%.1f s of %.1f s, %d calls", took, dictated, w.Assumed())
		assert.LessOrEqual(t, took, 1.1*dictated)
		assert.LessOrEqual(t, w.Assumed(), accounts*11/10)
		assert.GreaterOrEqual(t, took, 0.9*dictated, "the limit does not limit")
	})
}

// TestPaceAlone: a single session that is throttled for seconds does not use up
// its attempts in one of them.
func TestPaceAlone(t *testing.T) {
	for _, long := range []time.Duration{time.Second, 5 * time.Second, 10 * time.Second} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			up := w.Down(awsauthtest.Throttle)
			time.AfterFunc(long, up)
			o := lab.Ask(t.Context(), w.InRole())
			require.NoError(t, o.Err, "throttled for %v", long)
			assert.Less(t, o.Took, long+6*time.Second)
			assert.LessOrEqual(t, w.Assumed(), 8)
		})
	}
}

// TestPaceTooMany: of far more calls at a time than STS answers in 30 s, none
// fails for having had to wait for its turn.
func TestPaceTooMany(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		const accounts, limit = 200, 2
		ids := w.Accounts(accounts)
		w.Slow(5 * time.Millisecond)
		w.LimitSTS(limit)
		start := time.Now()
		require.NoError(t, w.Open(w.Static()).ForEachAccount(t.Context(), ids, lab.Enter, awsauth.WithConcurrency(accounts)))
		assert.Less(t, time.Since(start), accounts/limit*time.Second*11/10)
	})
}

// TestPaceCanceled: who waits for a turn may leave, and one who left takes none.
func TestPaceCanceled(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(400)
		w.Slow(5 * time.Millisecond)
		w.LimitSTS(10)
		s := w.Open(w.Static())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		var done atomic.Int64
		err := s.ForEachAccount(ctx, ids, func(ctx context.Context, s *awsauth.Session) error {
			err := lab.Enter(ctx, s)
			if err == nil {
				done.Add(1)
			}
			return err
		})
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.InDelta(t, 110, done.Load(), 10)
		assert.Len(t, lab.Parts(t, err), 400-int(done.Load()))
		calls := w.Assumed()
		time.Sleep(time.Minute)
		assert.Equal(t, calls, w.Assumed())
	})
}

// TestPaceOfOthers: a caller who is always throttled slows down nobody but
// itself. STS counts by the account that signs.
func TestPaceOfOthers(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.Open(w.Static())
		hub, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		leaf, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
		require.NoError(t, err)
		w.Slow(50 * time.Millisecond)
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
		require.NoError(t, s.ForEachAccount(t.Context(), w.Accounts(500), lab.Enter))
		assert.Less(t, time.Since(start), 3*time.Second, "32 rounds of 50 ms")
	})
}

// TestPaceOfFamily: a second of throttling that hits every session at once fails
// none of them.
func TestPaceOfFamily(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	over := w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle})
	synctest.Test(t, func(t *testing.T) {
		time.AfterFunc(time.Second, over)
		var all sync.WaitGroup
		for i := range 300 {
			child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", i)))
			require.NoError(t, err)
			all.Go(func() {
				_, err := child.Retrieve(t.Context())
				assert.NoError(t, err)
			})
		}
		all.Wait()
	})
	assert.Greater(t, w.Assumed(), 300, "some were throttled")
}
