package awsauth_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// holdLocks takes all locks below dir, as processes do that were stopped (Ctrl-Z)
// or hang.
func holdLocks(t *testing.T, dir string) (release func()) {
	t.Helper()
	var held []*flock.Flock
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".lock" {
			l := flock.New(path)
			ok, err := l.TryLock()
			require.NoError(t, err)
			require.True(t, ok, path)
			held = append(held, l)
		}
		return err
	}))
	require.NotEmpty(t, held)
	release = func() {
		for _, l := range held {
			_ = l.Unlock()
		}
	}
	t.Cleanup(release)
	return release
}

// TestDiskNobodyWaits: nobody is asked for a code when the caller who needed it has
// gone, whatever the refresh was waiting for when they went.
func TestDiskNobodyWaits(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		open := func() *awsauth.Session {
			return w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(accounts[0]))
		}
		lab.Get(t, open())
		time.Sleep(13 * time.Hour) // what is on the disk has expired
		asked := device.Asked()
		release := holdLocks(t, w.Dir) // another process is about to ask for a code
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := open().Retrieve(ctx)
		require.Error(t, err)
		time.Sleep(10 * time.Second)
		release() // the other process got none
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, asked, device.Asked(), "asked though nobody waits")
	})
}

// TestDiskLostPrompt: with a disk cache too, a prompt that nobody answers hurts the
// caller who was asked, and nobody else.
func TestDiskLostPrompt(t *testing.T) {
	never := make(chan struct{})
	for name, wait := range map[string]func(context.Context){
		"a func that heeds its context": func(ctx context.Context) { <-ctx.Done() },
		"the SDK's, which has none":     func(context.Context) { <-never },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				never = make(chan struct{})
				w := lab.New(t, awsauth.AWS)
				var asked atomic.Int64
				device := w.Device()
				s := w.Open(w.Static(), disk(w), awsauth.WithMFA(device.Serial, func(ctx context.Context) (string, error) {
					if asked.Add(1) == 1 {
						wait(ctx)
						return "", context.Canceled
					}
					return device.Code(ctx)
				}))
				defer time.Sleep(10 * time.Minute)
				defer close(never)
				lost, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				_, err := s.Retrieve(lost)
				require.ErrorIs(t, err, awsauth.MFARequired)
				o := lab.Ask(t.Context(), s)
				require.NoError(t, o.Err)
				assert.Less(t, o.Took, 5*time.Second, "the next caller is asked at once")
			})
		})
	}
}

// TestDiskLostPromptShared: so it is where others wait for the lost prompt as well.
func TestDiskLostPromptShared(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var asked atomic.Int64
		device := w.Device()
		s := w.Open(w.Static(), disk(w), awsauth.WithMFA(device.Serial, func(ctx context.Context) (string, error) {
			if asked.Add(1) == 1 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return device.Code(ctx)
		}))
		lost, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		go func() { time.Sleep(time.Second); _, _ = s.Retrieve(t.Context()) }()
		_, err := s.Retrieve(lost)
		require.ErrorIs(t, err, awsauth.MFARequired)
		o := lab.Ask(t.Context(), s)
		require.NoError(t, o.Err)
		assert.Less(t, o.Took, 5*time.Second, "the next caller is asked at once")
	})
}

// TestDiskStoppedProcess: a process that was stopped at its prompt (Ctrl-Z) holds the
// locks. Who has an MFA session of its own needs nobody to type, and does not wait
// for minutes.
func TestDiskStoppedProcess(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		s := w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(accounts[0]))
		lab.Get(t, s)
		holdLocks(t, w.Dir)
		var worst time.Duration
		for start := time.Now(); time.Since(start) < 3*time.Hour; time.Sleep(time.Minute) {
			o := lab.Ask(t.Context(), s)
			require.NoError(t, o.Err)
			worst = max(worst, o.Took)
		}
		assert.LessOrEqual(t, worst, 20*time.Second)
	})
}

// TestDiskPersonWait: a person may be typing a code for the process that has the lock. It
// is waited for four minutes, before this process asks the same person.
func TestDiskPersonWait(t *testing.T) {
	for name, opts := range map[string][]awsauth.Option{
		"an MFA session":          {},
		"a role with its own":     {awsauth.WithAccount(lab.Target), awsauth.WithDuration(2 * time.Hour)},
		"a role behind a session": {awsauth.WithAccount(lab.Target)},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device := w.Device()
				w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, MaxSession: 2 * time.Hour})
				opts := append(opts, w.Static(), disk(w), device.Option())
				lab.Get(t, w.Open(opts...))
				time.Sleep(13 * time.Hour)
				release := holdLocks(t, w.Dir)
				time.AfterFunc(3*time.Minute+50*time.Second, func() {
					assert.Equal(t, 1, device.Asked())
					release()
				})
				o := lab.Ask(t.Context(), w.Open(opts...))
				require.NoError(t, o.Err)
				assert.Equal(t, 2, device.Asked())
				assert.InDelta(t, 230, o.Took.Seconds(), 1)
			})
		})
	}
}

// TestDiskBackgroundWait: behind the callers, nobody is asked for a code. So a renewal
// there waits for another process as long as any other call, and not as long as a person
// types.
func TestDiskBackgroundWait(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		device := w.Device()
		s := w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(lab.Target), log.Option())
		lab.Get(t, s)
		time.Sleep(11*time.Hour + 50*time.Minute)
		lab.Get(t, s)
		holdLocks(t, w.Dir)
		time.Sleep(10 * time.Minute) // the MFA session ends, the role's keys last for another fifty minutes
		lab.Busy(t, s, time.Second, 35*time.Minute)
		assert.True(t, log.Has("DEBUG", "a code is needed to renew them, and nobody is waiting", "took=20s"), "%s", &log)
		assert.Equal(t, 1, device.Asked())
	})
}

// TestDiskTimeToType: a person has the same time to type a code, however long the
// lock of another process was waited for.
func TestDiskTimeToType(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		lab.Get(t, w.Open(w.Static(), disk(w), device.Option()))
		time.Sleep(13 * time.Hour)
		holdLocks(t, w.Dir)
		device.Typing = 90 * time.Second
		_, err := w.Open(w.Static(), disk(w), device.Option()).Retrieve(t.Context())
		assert.NoError(t, err)
	})
}

// TestDiskWaitSaid: who leaves while another process has the lock is told what he waited
// for, and of what. Nobody was asked for a code and STS was asked nothing, so neither is
// mentioned.
func TestDiskWaitSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		opts func(*lab.Place) []awsauth.Option
		op   string
	}{
		"a role": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithAccount(lab.Target)}
		}, "assume role " + lab.ManageRole},
		"an MFA session": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Device().Option(), w.Static()}
		}, "start MFA session"},
		"a base": {func(w *lab.Place) []awsauth.Option {
			w.SSOProfile()
			w.SSOLogin("corp")
			return []awsauth.Option{awsauth.WithProfile("dev")}
		}, `profile "dev" (SSO)`},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				opts := append(tt.opts(w), disk(w))
				lab.Get(t, w.Open(opts...))
				calls := len(w.Calls())
				time.Sleep(13 * time.Hour)
				holdLocks(t, w.Dir)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := w.Open(opts...).Retrieve(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, awsauth.Unreachable)
				assert.EqualError(t, err, "awsauth: "+tt.op+": another process is getting these credentials, and has not finished (then the caller's deadline)")
				assert.Len(t, w.Calls(), calls)
			})
		})
	}
}

// TestDiskNestedLocks: an entry's lock and the token's are waited for one after the
// other. A process that hangs while it has both holds up nobody.
func TestDiskNestedLocks(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SSOProfile()
		endedSSO(t, w)
		open := func() *awsauth.Session { return w.Open(disk(w), awsauth.WithProfile("dev")) }
		remove := w.Inject(awsauthtest.Fault{Action: "CreateToken", Kind: awsauthtest.Reset})
		_, err := open().Retrieve(t.Context())
		require.Error(t, err)
		remove()
		holdLocks(t, w.Dir)
		time.Sleep(5 * time.Second)
		_, err = open().Retrieve(t.Context())
		assert.NoError(t, err)
	})
}
