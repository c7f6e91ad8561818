package awsauth_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// The states of a session in a role of one hour, at the wire. Package refresh
// has the tables of all moments, pauses and races.
const (
	lifetime    = time.Hour
	stillFresh  = 20*time.Minute - time.Second // the refresh moment lies 20 to 40 minutes before the end
	surelyStale = 40 * time.Minute
	endingLead  = 2 * time.Minute // the state ending, before the expiry
)

// TestFresh: nothing but the first call, no allocation, no goroutine.
func TestFresh(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	ctx := t.Context()
	before := runtime.NumGoroutine()
	for name, s := range map[string]*awsauth.Session{"static keys": w.Open(w.Static()), "role": w.InRole()} {
		first := lab.Get(t, s)
		allocs := testing.AllocsPerRun(1000, func() {
			if c, err := s.Retrieve(ctx); err != nil || c.AccessKeyID != first.AccessKeyID {
				t.Error("other keys", c, err)
			}
		})
		require.Zero(t, allocs, name)
	}
	require.Len(t, w.Calls(), 1)
	lab.Soon(t, func() bool { return runtime.NumGoroutine() <= before }, "a goroutine stays")
}

// TestStale: callers leave at once with the keys that are still valid, and one
// refresh runs behind them.
func TestStale(t *testing.T) {
	const delay = 20 * time.Second
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		first := lab.Get(t, s)
		require.Equal(t, time.Now().Add(lifetime), first.Expires.Local(), "the true expiry")
		time.Sleep(stillFresh)
		lab.Get(t, s)
		synctest.Wait()
		require.Equal(t, 1, w.Assumed(), "still fresh")

		time.Sleep(surelyStale - stillFresh)
		w.Slow(delay)
		asked := time.Now()
		for range 3 {
			for _, o := range lab.Crowd(s, 100) {
				require.Equal(t, lab.Outcome{Creds: first}, o)
			}
			synctest.Wait()
			require.Equal(t, 2, w.Assumed())
		}
		time.Sleep(delay)
		synctest.Wait()
		second := lab.Get(t, s)
		require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
		require.Equal(t, asked.Add(delay+lifetime), second.Expires.Local())
		require.Equal(t, 2, w.Assumed())
	})
}

// TestEnding: what would be signed with keys that are about to end is worth a
// short wait, once. If nothing comes, the keys at hand are still good.
func TestEnding(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		first := lab.Get(t, s)
		time.Sleep(lifetime - endingLead)
		w.Slow(200 * time.Millisecond)
		for _, o := range lab.Crowd(s, 100) {
			require.NoError(t, o.Err)
			require.Equal(t, 200*time.Millisecond, o.Took)
			require.NotEqual(t, first.AccessKeyID, o.Creds.AccessKeyID)
		}
		require.Equal(t, 2, w.Assumed())

		second := lab.Get(t, s)
		time.Sleep(time.Until(second.Expires) - endingLead)
		w.Down(awsauthtest.Hang)
		for _, wait := range []time.Duration{5 * time.Second, 0, 0} {
			for _, o := range lab.Crowd(s, 100) {
				require.Equal(t, lab.Outcome{Creds: second, Took: wait}, o)
			}
		}
	})
}

// TestExpired: one call for a hundred callers, without keys and with keys that
// are gone. Each waits for its own context only.
func TestExpired(t *testing.T) {
	const answer = 200 * time.Millisecond
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		w.Slow(answer)
		last := ""
		for round := 1; round <= 3; round++ {
			// One caller starts the refresh and is cancelled, another has no time.
			ctx, cancel := context.WithCancel(t.Context())
			short, done := context.WithTimeout(t.Context(), 50*time.Millisecond)
			var starter, hasty lab.Outcome
			var wg sync.WaitGroup
			wg.Go(func() { starter = lab.Ask(ctx, s) })
			synctest.Wait()
			require.Equal(t, round, w.Assumed())
			wg.Go(func() { hasty = lab.Ask(short, s) })
			time.AfterFunc(20*time.Millisecond, cancel)
			all := lab.Crowd(s, 100)
			wg.Wait()
			done()
			for _, o := range all {
				require.Equal(t, lab.Outcome{Creds: all[0].Creds, Took: answer}, o)
			}
			require.NotEqual(t, last, all[0].Creds.AccessKeyID)
			last = all[0].Creds.AccessKeyID
			requireLeft(t, starter, context.Canceled, 20*time.Millisecond)
			requireLeft(t, hasty, context.DeadlineExceeded, 50*time.Millisecond)
			require.Equal(t, all[0].Creds, lab.Get(t, s))
			require.Equal(t, round, w.Assumed())
			// Exactly at the expiry, then an hour late.
			time.Sleep(time.Until(all[0].Creds.Expires) + time.Duration(round-1)*time.Hour)
		}
	})
}

// requireLeft asks that a caller went when its own context ended, without keys.
func requireLeft(t *testing.T, o lab.Outcome, why error, after time.Duration) {
	t.Helper()
	var e *awsauth.Error
	require.ErrorIs(t, o.Err, why)
	require.ErrorAs(t, o.Err, &e)
	require.Equal(t, after, o.Took)
	require.Empty(t, o.Creds)
}

// TestNeverPastExpiry: the keys of a role are not used past their expiry, nor
// are a container's.
func TestNeverPastExpiry(t *testing.T) {
	for name, action := range map[string]string{"role": "AssumeRole", "container": "GetCredentials"} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.InRole()
				if name == "container" {
					w.InContainer()
					s = w.Open()
				}
				first := lab.Get(t, s)
				up := w.Inject(awsauthtest.Fault{Action: action, Kind: awsauthtest.ServerError})
				time.Sleep(time.Until(first.Expires) - time.Minute)
				require.Equal(t, first, lab.Get(t, s))
				time.Sleep(time.Until(first.Expires))
				require.Error(t, lab.Ask(t.Context(), s).Err)
				up()
				time.Sleep(5 * time.Second)
				require.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
			})
		})
	}
}
