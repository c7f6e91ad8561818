package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
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

// TestRefreshFailsWhileUsable: no caller feels it; the log says what happens,
// how long the keys last and when the next try is. Pauses double from a second
// to a minute, less up to a fifth, and start anew after a success.
func TestRefreshFailsWhileUsable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault awsauthtest.Fault
		pause func(n int) float64 // seconds, without jitter, after failure n
		err   string
	}{
		{"5xx", awsauthtest.Fault{Kind: awsauthtest.ServerError}, func(n int) float64 { return min(60, math.Pow(2, float64(n))) }, "fails"},
		{"throttling", awsauthtest.Fault{Kind: awsauthtest.Throttle}, func(n int) float64 { return min(60, math.Pow(2, float64(n))) }, "throttled"},
		{"refusal", awsauthtest.Fault{Kind: awsauthtest.Refuse}, func(n int) float64 { return min(120, math.Pow(4, float64(n))) }, "access denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				var log records
				s := w.inRole(log.option())
				for range 2 {
					first := get(t, s)
					time.Sleep(stillFresh)
					log.at(slog.LevelWarn)
					tt.fault.Action = "AssumeRole"
					up := w.Inject(tt.fault)
					keys := busy(t, s, 100*time.Millisecond, 35*time.Minute)
					require.Equal(t, []string{first.AccessKeyID}, keys)
					up()

					log.mu.Lock()
					all := log.all
					log.mu.Unlock()
					require.Greater(t, len(all), 7)
					jittered := false
					for i, r := range log.at(slog.LevelWarn) {
						require.Equal(t, manageRole, r.attrs["role"].String())
						left, next := r.attrs["expires_in"], r.attrs["next_try"]
						require.Equal(t, slog.KindDuration, left.Kind())
						require.Equal(t, slog.KindDuration, next.Kind())
						require.WithinDuration(t, first.Expires, all[i].Time.Add(left.Duration()), time.Second)
						pause := tt.pause(i)
						require.LessOrEqual(t, next.Duration().Seconds(), pause, "after %d", i)
						require.GreaterOrEqual(t, next.Duration().Seconds(), 0.799*pause, "after %d", i)
						jittered = jittered || next.Duration().Seconds() < 0.99*pause
						if i > 0 { // the try came when the last record said it would
							gap := all[i].Time.Sub(all[i-1].Time)
							least := tt.pause(i-1) * 0.799
							require.GreaterOrEqual(t, gap.Seconds(), least)
							require.LessOrEqual(t, gap.Seconds(), tt.pause(i-1)+5, "0.1 s for the caller, the rest for the call's own retry")
						}
						require.Contains(t, fmt.Sprint(r.attrs["err"]), tt.err)
						require.NotContains(t, fmt.Sprint(r.attrs["err"]), "\n")
					}
					require.True(t, jittered)
					require.Len(t, all, func() (warnings int) {
						for _, r := range all {
							if r.Level == slog.LevelWarn {
								warnings++
							}
						}
						return warnings
					}(), "no other records")

					time.Sleep(5 * time.Minute)
					w.ResetCalls()
					get(t, s)
					synctest.Wait()
					require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
					require.LessOrEqual(t, w.assumed(), 1) // or the try that was on its way
				}
			})
		})
	}
}

// TestRefreshPauseEnds: what the first failures stopped goes on after success.
func TestRefreshPauseEnds(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		get(t, s)
		time.Sleep(surelyStale)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Times: 3})
		keys := busy(t, s, 10*time.Millisecond, 25*time.Second) // 1 s, 4 s, 16 s
		require.Len(t, keys, 2)
		require.Equal(t, 5, w.assumed())
	})
}

// TestRefreshSharedError: with nothing usable, those who ask together and
// those who follow within 2 s share one error. Then comes a new try.
func TestRefreshSharedError(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{"refusal": awsauthtest.Refuse, "5xx": awsauthtest.ServerError} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				w.slow(10 * time.Millisecond)
				var log records
				s := w.inRole(log.option())
				up := w.down(kind)
				all := crowd(s, 100)
				for range 19 {
					time.Sleep(100 * time.Millisecond)
					all = append(all, crowd(s, 5)...)
				}
				first := all[0].err
				for i, o := range all {
					var e *awsauth.Error
					require.ErrorAs(t, o.err, &e)
					require.Same(t, first, o.err, "caller %d", i)
					if i >= 100 {
						require.Zero(t, o.took)
					}
				}
				calls := w.assumed()
				if kind == awsauthtest.Refuse {
					require.Equal(t, 1, calls)
				}
				require.LessOrEqual(t, calls, 8)
				require.Len(t, log.at(slog.LevelError), 1)
				up()
				time.Sleep(100 * time.Millisecond)
				get(t, s)
				require.Equal(t, calls+1, w.assumed())
			})
		})
	}
}

// TestRefreshOfExpiredFails: role sessions are never used past their expiry,
// nor are a container's.
func TestRefreshOfExpiredFails(t *testing.T) {
	for name, action := range map[string]string{"role": "AssumeRole", "container": "GetCredentials"} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := w.inRole()
				if name == "container" {
					w.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=" + w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base"), Lifetime: time.Hour}))
					s = w.open()
				}
				first := get(t, s)
				up := w.Inject(awsauthtest.Fault{Action: action, Kind: awsauthtest.ServerError})
				time.Sleep(time.Until(first.Expires) - time.Nanosecond)
				require.Equal(t, first, get(t, s), "to the last moment")
				synctest.Wait()
				time.Sleep(time.Minute) // the refresh of that moment fails, and its 2 s pass
				_, err := s.Retrieve(t.Context())
				require.Error(t, err)
				up()
				time.Sleep(4 * time.Second)
				require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
			})
		})
	}
}

// TestRefreshRefusedLoop: what a caller every 10 ms for ten minutes costs STS,
// and how long it takes to see that the trouble is over.
func TestRefreshRefusedLoop(t *testing.T) {
	type cost struct{ refreshes, calls int }
	spent := map[awsauthtest.FaultKind]cost{}
	for _, tt := range []struct {
		kind awsauthtest.FaultKind
		most cost
		late time.Duration
	}{
		{awsauthtest.Refuse, cost{10, 10}, 2 * time.Minute},
		{awsauthtest.Throttle, cost{16, 120}, time.Minute},
		{awsauthtest.ServerError, cost{16, 120}, time.Minute},
		{awsauthtest.Reset, cost{16, 120}, time.Minute},
	} {
		t.Run(fmt.Sprint(tt.kind), func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				var log records
				s := w.inRole(log.option())
				up := w.down(tt.kind)
				for start := time.Now(); time.Since(start) < 10*time.Minute; time.Sleep(10 * time.Millisecond) {
					if _, err := s.Retrieve(t.Context()); err == nil {
						t.Fatal("no error")
					}
				}
				got := cost{len(log.at(slog.LevelError)), w.assumed()}
				spent[tt.kind] = got
				t.Logf("%+v", got)
				require.LessOrEqual(t, got.refreshes, tt.most.refreshes)
				require.LessOrEqual(t, got.calls, tt.most.calls)
				up()
				start := time.Now()
				for ask(t.Context(), s).err != nil {
					time.Sleep(10 * time.Millisecond)
				}
				require.LessOrEqual(t, time.Since(start), tt.late)
			})
		})
	}
	require.Less(t, spent[awsauthtest.Refuse].refreshes, spent[awsauthtest.Throttle].refreshes)
	require.Less(t, spent[awsauthtest.Refuse].refreshes, spent[awsauthtest.ServerError].refreshes)
}

// TestRefreshHangs: a call without an answer is abandoned and tried again,
// whichever provider of the SDK makes it.
func TestRefreshHangs(t *testing.T) {
	for _, tt := range []struct {
		name, action string
		lifetime     time.Duration
		most         time.Duration // that callers without keys wait
		open         func(w *place) *awsauth.Session
	}{
		{"role", "AssumeRole", lifetime, 31 * time.Second, func(w *place) *awsauth.Session { return w.inRole() }},
		{"role of a profile", "AssumeRole", lifetime, 31 * time.Second, func(w *place) *awsauth.Session {
			w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
			return w.open(awsauth.WithProfile("ops"))
		}},
		{"web identity", "AssumeRoleWithWebIdentity", lifetime, 31 * time.Second, func(w *place) *awsauth.Session {
			w.write("token", w.WebIdentityToken(issuer, "repo:corp/app", 24*time.Hour))
			w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
			return w.open()
		}},
		{"container", "GetCredentials", 6 * time.Hour, 31 * time.Second, func(w *place) *awsauth.Session { w.container(); return w.open() }},
		{"instance", "GetCredentials", 6 * time.Hour, 2 * time.Second, func(w *place) *awsauth.Session { w.instance(); return w.open() }},
		{"instance, all of it", "", 6 * time.Hour, 2 * time.Second, func(w *place) *awsauth.Session { w.instance(); return w.open(awsauth.WithRegion("us-east-1")) }},
		{"parent", "AssumeRole", lifetime, 31 * time.Second, func(w *place) *awsauth.Session {
			s, err := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base"))).Assume(awsauth.WithRoleARN(manageRole))
			require.NoError(w.t, err)
			return s
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := tt.open(w)
				hang := func() (over func()) { return w.Inject(awsauthtest.Fault{Action: tt.action, Kind: awsauthtest.Hang}) }
				// No keys: the callers wait, but not for ever.
				over := hang()
				for range 2 {
					all := crowd(s, 10)
					for _, o := range all {
						requireBad(t, o.err, awsauth.Unreachable)
						require.Same(t, all[0].err, o.err)
						require.LessOrEqual(t, o.took, tt.most)
						if tt.action == "AssumeRole" {
							require.GreaterOrEqual(t, o.took, 30*time.Second)
						}
					}
					time.Sleep(5 * time.Second)
				}
				over()
				first := get(t, s)

				// Keys: nobody waits, and the next try after the hang succeeds.
				time.Sleep(tt.lifetime - 24*time.Minute)
				over = hang()
				require.Equal(t, []string{first.AccessKeyID}, busy(t, s, time.Second, 5*time.Minute))
				over()
				time.Sleep(10 * time.Minute) // EC2 has new keys 15 minutes before the end
				keys := busy(t, s, time.Second, 2*time.Minute)
				require.Len(t, keys, 2)
				time.Sleep(time.Minute) // what hung has ended
			})
		})
	}
}

// TestRefreshDeafProvider: a provider that does not look at its context is
// abandoned; what it returns later is kept.
func TestRefreshDeafProvider(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var n atomic.Int64
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
			if n.Add(1) == 1 {
				time.Sleep(45 * time.Second)
			}
			return issued(fmt.Sprint("K", n.Load()), lifetime), nil
		})))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				o := ask(context.Background(), s)
				requireBad(t, o.err, awsauth.Unreachable)
				require.ErrorIs(t, o.err, context.DeadlineExceeded)
				require.Equal(t, 31*time.Second, o.took)
				require.Empty(t, o.creds)
			})
		}
		wg.Wait()
		time.Sleep(14*time.Second + time.Millisecond)
		synctest.Wait()
		o := ask(t.Context(), s)
		require.NoError(t, o.err)
		require.Zero(t, o.took)
		require.Equal(t, "K1", o.creds.AccessKeyID)
		require.EqualValues(t, 1, n.Load())
		require.Equal(t, []string{"K1"}, busy(t, s, time.Second, 20*time.Minute))
	})
}

// TestRefreshLateKeys: of keys that come after their refresh was abandoned,
// only better ones than those at hand are kept.
func TestRefreshLateKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		late time.Duration // lifetime of the late keys
		want string
	}{"better": {2 * time.Hour, "late"}, "worse": {30 * time.Minute, "next"}, "expired": {-time.Minute, "next"}} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				var n atomic.Int64
				s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
					if n.Add(1) == 1 {
						time.Sleep(time.Minute)
						return issued("late", tt.late), nil
					}
					return issued("next", time.Hour), nil
				})))
				require.Error(t, ask(t.Context(), s).err)
				time.Sleep(2 * time.Second)
				require.Equal(t, "next", get(t, s).AccessKeyID)
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, tt.want, get(t, s).AccessKeyID)
			})
		})
	}
}

// TestRefreshEndsItsGoroutine: a provider that takes its goroutine down lets
// nobody wait for ever.
func TestRefreshEndsItsGoroutine(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		n := 0
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
			if n++; n == 1 {
				runtime.Goexit()
			}
			return issued("K", time.Hour), nil
		})))
		o := ask(context.Background(), s)
		require.Error(t, o.err)
		require.Zero(t, o.took)
		time.Sleep(2 * time.Second)
		get(t, s)
	})
}

// TestRefreshProviderErrors: what the caller's provider says can be found in
// the error.
func TestRefreshProviderErrors(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		mine := errors.New("the vault is sealed")
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(ctx context.Context) (aws.Credentials, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 30*time.Second, time.Until(deadline))
			require.Equal(t, "value", ctx.Value(providerKey{}))
			return aws.Credentials{}, mine
		})))
		_, err := s.Retrieve(context.WithValue(t.Context(), providerKey{}, "value"))
		require.ErrorIs(t, err, mine)
	})
}

type providerKey struct{}
