package awsauth_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// What AWS documents of an instance's keys, and what of it is bounded here.
const (
	instanceLifetime = 6 * time.Hour
	pastExpiry       = 6 * time.Hour
)

// outages are the ways in which an instance's metadata service fails.
var outages = map[string]func(w *lab.Place) (over func()){
	"answers with what it has": func(w *lab.Place) func() {
		i := awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Stale: true}
		w.SetInstance(&i)
		return w.OnInstance
	},
	"refuses connections": func(w *lab.Place) func() { w.SetInstance(nil); return w.OnInstance },
	"fails": func(w *lab.Place) func() {
		return w.Inject(awsauthtest.Fault{Match: lab.OfMetadata, Kind: awsauthtest.ServerError})
	},
	"does not answer": func(w *lab.Place) func() {
		return w.Inject(awsauthtest.Fault{Match: lab.OfMetadata, Kind: awsauthtest.Hang})
	},
}

// TestStaticStability: in an outage of the instance metadata the keys at hand
// are used past their expiry, for six hours at most. A caller who comes at
// least every two minutes never waits.
func TestStaticStability(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				w.OnInstance()
				var log lab.Records
				s := w.Open(log.Option())
				first := lab.Get(t, s)
				expires := first.Expires
				require.Equal(t, time.Now().Add(instanceLifetime), expires.Local(), "the true expiry")
				w.Inject(awsauthtest.Fault{Match: lab.OfMetadata, Delay: 50 * time.Millisecond})
				time.Sleep(time.Hour)
				over := outage(w)
				w.ResetCalls()
				for time.Until(expires.Add(pastExpiry)) > 0 {
					o := lab.Ask(t.Context(), s)
					require.NoError(t, o.Err)
					require.Zero(t, o.Took, "a caller waited at %v", time.Since(expires))
					require.Equal(t, first, o.Creds)
					time.Sleep(2 * time.Minute)
				}
				warnings, past := log.At(slog.LevelWarn), 0
				for _, r := range warnings {
					if r.Attrs["expires_in"].Duration() < 0 {
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
				second := lab.Get(t, s)
				require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
				require.Greater(t, time.Until(second.Expires), 5*time.Hour)
			})
		})
	}
}

// TestStaticStabilityAtStart: a program that starts in an outage takes the
// expired keys that it is offered, and a role can be assumed with them.
func TestStaticStabilityAtStart(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Stale: true})
		var log lab.Records
		s := w.Open(log.Option())
		c, err := s.Retrieve(t.Context())
		require.NoError(t, err)
		require.True(t, c.Expired())
		warnings := log.At(slog.LevelWarn)
		require.Len(t, warnings, 1)
		require.LessOrEqual(t, warnings[0].Attrs["expires_in"].Duration(), time.Duration(0))
		_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		first := lab.Get(t, child)

		// The role's own session has no such grace.
		w.Down(awsauthtest.ServerError)
		time.Sleep(lifetime)
		_, err = child.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.Unreachable)
		require.True(t, first.Expired())
	})
}

// TestStaticStabilityEndsForRefusedKey: services go on accepting an instance's
// keys in an outage, until one does not.
func TestStaticStabilityEndsForRefusedKey(t *testing.T) {
	for name, outage := range outages {
		for when, after := range map[string]time.Duration{"before": instanceLifetime - 10*time.Minute, "after": instanceLifetime + time.Hour} {
			t.Run(name+", "+when+" the expiry", func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					w.OnInstance()
					s := w.Open()
					first := lab.Get(t, s)
					over := outage(w)
					for start := time.Now(); time.Since(start) < after; time.Sleep(time.Minute) {
						require.Equal(t, first, lab.Ask(t.Context(), s).Creds)
					}
					w.Expire(first.AccessKeyID)
					require.Equal(t, "ExpiredToken", lab.Refusal(lab.Whoami(s)))
					for end := first.Expires.Add(3 * time.Hour); time.Now().Before(end); time.Sleep(time.Minute) {
						c, err := s.Retrieve(t.Context())
						require.False(t, err == nil && c.Expired(), "%v past the expiry", time.Since(first.Expires))
					}
					over()
					w.OnInstance()
					time.Sleep(2 * time.Minute)
					require.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
					require.NoError(t, lab.Whoami(s))
				})
			})
		}
	}
}
