package awsauth_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestOutage is three hours at two calls a second, with STS down for 18 minutes
// around the time to refresh: no caller feels it, and STS gets few calls.
func TestOutage(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{
		"5xx": awsauthtest.ServerError, "throttling": awsauthtest.Throttle, "hang": awsauthtest.Hang,
		"reset": awsauthtest.Reset, "malformed": awsauthtest.Malformed, "refusal": awsauthtest.Refuse,
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.InRole()
				lab.Get(t, s)
				time.AfterFunc(39*time.Minute, func() {
					up := w.Down(kind)
					time.AfterFunc(18*time.Minute, up)
				})
				keys := lab.Busy(t, s, 500*time.Millisecond, 3*time.Hour)
				require.Greater(t, len(keys), 3)
				require.LessOrEqual(t, w.Assumed(), 60)
				t.Logf("%d calls", w.Assumed())
			})
		})
	}
}

// TestBackOff: the pauses between the tries of an outage grow to a minute, or
// to two where the error stays until somebody mends it, and the log says when
// the next try is.
func TestBackOff(t *testing.T) {
	for _, tt := range []struct {
		kind awsauthtest.FaultKind
		says string
		most time.Duration
	}{
		{awsauthtest.ServerError, "fails", time.Minute},
		{awsauthtest.Throttle, "throttled", time.Minute},
		{awsauthtest.Refuse, "access denied", 2 * time.Minute},
	} {
		t.Run(tt.says, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				var log lab.Records
				s := w.InRole(log.Option())
				first := lab.Get(t, s)
				time.Sleep(stillFresh)
				log.All()
				up := w.Down(tt.kind)
				keys := lab.Busy(t, s, 100*time.Millisecond, lifetime-endingLead-stillFresh)
				require.Equal(t, []string{first.AccessKeyID}, keys)

				all := log.At(slog.LevelWarn)
				require.Greater(t, len(all), 7)
				for i, r := range all {
					require.Equal(t, lab.ManageRole, r.Attrs["role"].String())
					require.Contains(t, fmt.Sprint(r.Attrs["err"]), tt.says)
					require.WithinDuration(t, first.Expires, r.Time.Add(r.Attrs["expires_in"].Duration()), time.Second)
					if i > 0 {
						require.GreaterOrEqual(t, r.Time.Sub(all[i-1].Time), all[i-1].Attrs["next_try"].Duration())
					}
				}
				require.LessOrEqual(t, all[0].Attrs["next_try"].Duration(), time.Second)
				last := all[len(all)-1].Attrs["next_try"].Duration()
				require.LessOrEqual(t, last, tt.most)
				require.GreaterOrEqual(t, last, tt.most*79/100)
				up()
			})
		})
	}
}

// TestSharedError: with nothing usable, those who ask together and those who
// follow within 2 s share one error. Then comes a new try.
func TestSharedError(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{"refusal": awsauthtest.Refuse, "5xx": awsauthtest.ServerError} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				w.Slow(10 * time.Millisecond)
				var log lab.Records
				s := w.InRole(log.Option())
				up := w.Down(kind)
				all := lab.Crowd(s, 100)
				for range 19 {
					time.Sleep(100 * time.Millisecond)
					all = append(all, lab.Crowd(s, 5)...)
				}
				for i, o := range all {
					require.Error(t, o.Err)
					require.Same(t, all[0].Err, o.Err, "caller %d", i)
					if i >= 100 {
						require.Zero(t, o.Took)
					}
				}
				calls := w.Assumed()
				require.LessOrEqual(t, calls, 8)
				require.Len(t, log.At(slog.LevelError), 1)
				up()
				time.Sleep(100 * time.Millisecond)
				lab.Get(t, s)
				require.Equal(t, calls+1, w.Assumed())
			})
		})
	}
}

// hangs are the calls of the SDK's providers that may be left without an answer.
var hangs = []struct {
	name, action string
	lifetime     time.Duration
	most         time.Duration // that callers without keys wait
	open         func(w *lab.Place) *awsauth.Session
}{
	{"role", "AssumeRole", lifetime, 31 * time.Second, func(w *lab.Place) *awsauth.Session { return w.InRole() }},
	{"role of a profile", "AssumeRole", lifetime, 31 * time.Second, (*lab.Place).ProfileRole},
	{"web identity", "AssumeRoleWithWebIdentity", lifetime, 31 * time.Second, (*lab.Place).WebIdentity},
	{"container", "GetCredentials", 6 * time.Hour, 31 * time.Second, func(w *lab.Place) *awsauth.Session { w.InContainer(); return w.Open() }},
	{"instance", "GetCredentials", 6 * time.Hour, 2 * time.Second, func(w *lab.Place) *awsauth.Session { w.OnInstance(); return w.Open() }},
	{"instance, all of it", "", 6 * time.Hour, 2 * time.Second, func(w *lab.Place) *awsauth.Session {
		w.OnInstance()
		return w.Open(awsauth.WithRegion("us-east-1"))
	}},
	{"parent", "AssumeRole", lifetime, 31 * time.Second, func(w *lab.Place) *awsauth.Session {
		s, err := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base"))).Assume(awsauth.WithRoleARN(lab.ManageRole))
		require.NoError(w.T, err)
		return s
	}},
}

// TestHang: a call without an answer is abandoned and tried again, whichever
// provider of the SDK makes it.
func TestHang(t *testing.T) {
	for _, tt := range hangs {
		t.Run(tt.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := tt.open(w)
				hang := func() (over func()) { return w.Inject(awsauthtest.Fault{Action: tt.action, Kind: awsauthtest.Hang}) }
				// No keys: the callers wait, but not for ever.
				over := hang()
				for range 2 {
					all := lab.Crowd(s, 10)
					for _, o := range all {
						lab.RequireBad(t, o.Err, awsauth.Unreachable)
						require.Same(t, all[0].Err, o.Err)
						require.LessOrEqual(t, o.Took, tt.most)
						if tt.action == "AssumeRole" {
							require.GreaterOrEqual(t, o.Took, 30*time.Second)
						}
					}
					time.Sleep(5 * time.Second)
				}
				over()
				first := lab.Get(t, s)

				// Keys: nobody waits, and the next try after the hang succeeds.
				time.Sleep(tt.lifetime - 24*time.Minute)
				over = hang()
				require.Equal(t, first.AccessKeyID, lab.Busy(t, s, time.Second, 5*time.Minute)[0])
				over()
				time.Sleep(10 * time.Minute) // EC2 has new keys 15 minutes before the end
				lab.Busy(t, s, time.Second, 2*time.Minute)
				require.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
				time.Sleep(time.Minute) // what hung has ended
			})
		})
	}
}

// TestIdle: a session that was used runs nothing and is collected once nobody
// has it, though its parent lives.
func TestIdle(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	parent := w.Open(w.Static())
	before := runtime.NumGoroutine()
	var gone atomic.Int64
	const sessions = 100
	for i := range sessions {
		s, err := parent.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("s", i)))
		require.NoError(t, err)
		lab.Crowd(s, 3)
		_, err = s.Identity(t.Context())
		require.NoError(t, err)
		runtime.AddCleanup(s, func(struct{}) { gone.Add(1) }, struct{}{})
	}
	lab.Soon(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines stay")
	lab.Soon(t, func() bool { runtime.GC(); return gone.Load() == sessions }, "sessions stay")
	lab.Get(t, parent)
}

// TestConcurrent does everything on shared sessions over several expiries.
func TestConcurrent(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Slow(50 * time.Millisecond)
		base := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")), awsauth.WithDuration(15*time.Minute))
		child, err := base.Assume(awsauth.WithAccount(lab.Target), awsauth.WithDuration(15*time.Minute))
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
					if _, err := s.Assume(awsauth.WithRoleARN(lab.ManageRole)); err != nil {
						t.Error("assume", err)
					}
					_ = s.String() + s.Explain().String()
				}
			})
		}
		wg.Wait()
	})
}
