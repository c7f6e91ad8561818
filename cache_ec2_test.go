package awsauth_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// What AWS documents of an instance's keys, and what of it is bounded here.
const (
	instanceLifetime = 6 * time.Hour
	pastExpiry       = 6 * time.Hour
)

// TestStaticStability: in an outage of the instance metadata the keys at hand
// are used past their expiry, for six hours at most. A caller who comes at
// least every two minutes never waits.
func TestStaticStability(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				w.instance()
				var log records
				s := w.open(log.option())
				first := get(t, s)
				expires := first.Expires
				require.Equal(t, time.Now().Add(instanceLifetime), expires.Local(), "the true expiry")
				w.Inject(awsauthtest.Fault{Match: ofMetadata, Delay: 50 * time.Millisecond})
				time.Sleep(time.Hour)
				over := outage(w)
				w.ResetCalls()
				for time.Until(expires.Add(pastExpiry)) > 0 {
					o := ask(t.Context(), s)
					require.NoError(t, o.err)
					require.Zero(t, o.took, "a caller waited at %v", time.Since(expires))
					require.Equal(t, first, o.creds)
					time.Sleep(2 * time.Minute)
				}
				warnings, past := log.at(slog.LevelWarn), 0
				for _, r := range warnings {
					if r.attrs["expires_in"].Duration() < 0 {
						past++
					}
				}
				require.GreaterOrEqual(t, past, 50)
				require.LessOrEqual(t, len(warnings), 11*60, "warnings in 11 hours")
				t.Logf("%d warnings (%d past the expiry), %d calls", len(warnings), past, len(w.Calls()))

				_, err := s.Retrieve(t.Context())
				require.Error(t, err, "6 hours are over")
				over()
				time.Sleep(5 * time.Minute)
				second := get(t, s)
				require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
				require.Greater(t, time.Until(second.Expires), 5*time.Hour)
			})
		})
	}
}

// TestStaticStabilityEnds: keys are renewed soon after the outage.
func TestStaticStabilityEnds(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				w.instance()
				s := w.open()
				first := get(t, s)
				over := outage(w)
				for range 8 * 60 {
					require.Equal(t, first, ask(t.Context(), s).creds)
					time.Sleep(time.Minute)
				}
				over()
				for range 6 {
					require.Zero(t, ask(t.Context(), s).took)
					time.Sleep(time.Minute)
				}
				require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
			})
		})
	}
}

// TestStaticStabilityIdle: who comes back after the expiry gets new keys if
// there are any, and the old ones only after a try.
func TestStaticStabilityIdle(t *testing.T) {
	for name, outage := range outages {
		for _, tt := range []struct {
			name    string
			watched time.Duration // a caller every minute since the outage began
			idle    time.Duration
			over    bool // static stability is
		}{
			{"an hour past the expiry", 0, 7 * time.Hour, false},
			{"until static stability is over", 0, 13 * time.Hour, true},
			{"a while, with keys extended before", 6*time.Hour + 5*time.Minute, 20 * time.Minute, false},
		} {
			t.Run(name+", idle "+tt.name, func(t *testing.T) {
				onItsClock(t, func(t *testing.T, w *place) {
					w.instance()
					s := w.open(awsauth.WithRegion("us-east-1"))
					first := get(t, s)
					time.Sleep(tt.watched + tt.idle)
					second := get(t, s)
					require.NotEqual(t, first.AccessKeyID, second.AccessKeyID, "the service has new ones")

					over := outage(w)
					for start := time.Now(); time.Since(start) < tt.watched; time.Sleep(time.Minute) {
						require.Zero(t, ask(t.Context(), s).took)
					}
					time.Sleep(tt.idle)
					w.ResetCalls()
					o := ask(t.Context(), s)
					require.NotEmpty(t, w.Calls(), "no try")
					require.LessOrEqual(t, o.took, 5*time.Second)
					if tt.over {
						require.Error(t, o.err)
					} else {
						require.NoError(t, o.err)
						require.Equal(t, second, o.creds)
					}
					over()
				})
			})
		}
	}
}

// TestStaticStabilityAtStart: a program that starts in an outage takes the
// expired keys that it is offered, and a role can be assumed with them.
func TestStaticStabilityAtStart(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Stale: true})
		var log records
		s := w.open(log.option())
		c, err := s.Retrieve(t.Context())
		require.NoError(t, err)
		require.True(t, c.Expired())
		warnings := log.at(slog.LevelWarn)
		require.Len(t, warnings, 1)
		require.LessOrEqual(t, warnings[0].attrs["expires_in"].Duration(), time.Duration(0))
		_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		child, err := s.Assume(awsauth.WithAccount(target))
		require.NoError(t, err)
		first := get(t, child)

		// The role's own session has no such grace.
		w.down(awsauthtest.ServerError)
		time.Sleep(lifetime)
		_, err = child.Retrieve(t.Context())
		requireBad(t, err, awsauth.Unreachable)
		require.True(t, first.Expired())
	})
}

// TestStaticStabilityRefused: a service that refuses the expired keys ends it.
func TestStaticStabilityRefused(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.instance()
		s := w.open()
		first := get(t, s)
		w.SetInstance(nil)
		for range 7 * 60 {
			require.NoError(t, ask(t.Context(), s).err)
			time.Sleep(time.Minute)
		}
		_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
		require.Error(t, err)
		_, err = s.Retrieve(t.Context())
		require.Error(t, err)
		w.instance()
		for range 60 {
			time.Sleep(time.Second)
			_, err = s.Retrieve(t.Context())
		}
		require.NoError(t, err)
		require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
	})
}

// TestInstanceRoleChanges: another role of the instance is seen within an hour.
func TestInstanceRoleChanges(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.instance()
		s := w.open()
		require.Equal(t, w.became(home, "base"), w.identity(s))
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/middle")})
		busy(t, s, time.Minute, time.Hour)
		synctest.Wait()
		get(t, s)
		synctest.Wait()
		require.Equal(t, w.became(home, "middle"), w.identity(s))
	})
}
