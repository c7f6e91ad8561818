package awsauth_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMFAProviderBehind: roles behind an MFA session are renewed behind their callers
// wherever the user's long-lived keys come from.
func TestMFAProviderBehind(t *testing.T) {
	for name, open := range map[string]func(w *lab.Place) []awsauth.Option{
		"static": func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static()} },
		"provider": func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(w.Keys.Provider())}
		},
		"process": func(w *lab.Place) []awsauth.Option {
			w.Write("keys.json", `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET"}`)
			w.Files(w.Text("[profile ops]\ncredential_process = cat \"$DIR/keys.json\"\n"), "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device, accounts := w.Device(), w.Strict(1)
				s := w.Open(append(open(w), device.Option(), awsauth.WithAccount(accounts[0]))...)
				lab.Get(t, s)
				w.Slow(time.Second)
				waited := 0
				for start := time.Now(); time.Since(start) < 10*time.Hour; time.Sleep(time.Minute) {
					if o := lab.Ask(t.Context(), s); o.Took > 0 {
						waited++
					}
				}
				assert.Zero(t, waited, "callers who waited in ten hours")
				assert.Equal(t, 1, device.Asked())
			})
		})
	}
}

// TestMFAEverySource holds WithMFA to each source, in two partitions: a role has no
// device, which New says; everybody else types one code, where it is of use.
func TestMFAEverySource(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		for _, src := range lab.Sources() {
			t.Run(string(p)+" "+src.Name, func(t *testing.T) {
				w := lab.New(t, p)
				device, accounts := w.Device(), w.Strict(1)
				s, err := w.Try(append(src.Fill(w, lab.DefaultRegion(p)), device.Option())...)
				if src.Service && src.Name != "static keys with a token" || strings.Contains(src.Name, "web identity") ||
					strings.HasSuffix(src.Name, "Container") || strings.HasSuffix(src.Name, "Metadata") {
					require.ErrorIs(t, err, awsauth.InvalidOption)
					assert.Zero(t, device.Asked())
					return
				}
				require.NoError(t, err)
				lab.Get(t, s)
				if src.Role != "" {
					return
				}
				child, err := s.Assume(awsauth.WithAccount(accounts[0]))
				require.NoError(t, err)
				lab.Get(t, child)
				assert.Equal(t, 1, device.Asked())
				assert.Len(t, w.Calls("GetSessionToken"), 1)
			})
		}
	}
}

// TestDiskMFACrowd: twenty processes at once, one code.
func TestDiskMFACrowd(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(4)
		device.Typing = 20 * time.Second
		var group sync.WaitGroup
		for i := range 20 {
			s := w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(accounts[i%4]))
			group.Go(func() {
				o := lab.Ask(t.Context(), s)
				assert.NoError(t, o.Err)
			})
		}
		group.Wait()
		assert.Equal(t, 1, device.Asked())
		assert.Len(t, w.Calls("GetSessionToken"), 1)
		assert.Len(t, w.Calls("AssumeRole"), 4)
	})
}

// TestDiskFleet: a hundred accounts through the disk, twice.
func TestDiskFleet(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device, accounts := w.Device(), w.Strict(100)
	for range 2 {
		s := w.Open(w.Static(), disk(w), device.Option())
		require.NoError(t, s.ForEachAccount(t.Context(), accounts, lab.Enter))
	}
	assert.Equal(t, 1, device.Asked())
	assert.Len(t, w.Calls("AssumeRole"), 100)
}

// TestMFARotatedKey: a user's key that was replaced in the file since is noticed
// before a code is spent on it.
func TestMFARotatedKey(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		w.Files("[profile ops]\n"+lab.KeyLines, "")
		s := w.Open(awsauth.WithProfile("ops"), device.Option())
		lab.Get(t, s)
		time.Sleep(13 * time.Hour)
		old := w.Keys
		w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci"), MFASerial: device.Serial})
		w.Deactivate(old.AccessKeyID)
		w.Write("config", "[profile ops]\n"+lab.KeyLines)
		_, err := s.Retrieve(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, 2, device.Asked())
	})
}

// TestMFAEndIsQuiet: that nobody is asked behind the callers at the end of the 12
// hours is as it should be, and no hundred warnings.
func TestMFAEndIsQuiet(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		var log lab.Records
		s := w.Open(w.Static(), device.Option(), awsauth.WithAccount(accounts[0]), log.Option())
		for start := time.Now(); time.Since(start) < 24*time.Hour; time.Sleep(10 * time.Second) {
			lab.Get(t, s)
		}
		n := 0
		for _, r := range log.All() {
			if r.Level.String() == "WARN" {
				n++
			}
		}
		assert.LessOrEqual(t, n, 3)
	})
}

// TestDiskRace: many sessions, roles and refusals at once.
func TestDiskRace(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device, accounts := w.Device(), w.Strict(5)
	var asked atomic.Int64
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			s := w.Open(w.Static(), disk(w), awsauth.WithMFA(device.Serial, func(ctx context.Context) (string, error) { asked.Add(1); return device.Code(ctx) }),
				awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return make([]byte, 32), nil }))
			for j := range 20 {
				child, err := s.Assume(awsauth.WithAccount(accounts[(i+j)%5]))
				if !assert.NoError(t, err) {
					return
				}
				c, err := child.Retrieve(context.Background())
				assert.NoError(t, err)
				if j%7 == 3 {
					w.Expire(c.AccessKeyID)
				}
				_ = lab.Whoami(child)
				_ = child.Explain().String()
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, asked.Load())
}

// TestMFAClockBehind: the signature of a machine whose clock is twenty minutes behind
// is refused before STS looks at the code. The SDK's second attempt, which allows for
// the clock, helps every other call, and does not use a code up.
func TestMFAClockBehind(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		w.SetClock(func() time.Time { return time.Now().Add(20 * time.Minute) })
		lab.Get(t, w.InRole()) // as the SDK does it
		_, err := w.Open(w.Static(), device.Option()).Retrieve(t.Context())
		assert.NoError(t, err)
	})
}

// TestMFADeadUnderRoles: an MFA session that ends early is noticed by a role's
// renewal. Nobody is asked before the role's own keys have ended, and nobody meets
// an error.
func TestMFADeadUnderRoles(t *testing.T) {
	for _, cached := range []bool{false, true} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			device, accounts := w.Device(), w.Strict(1)
			opts := []awsauth.Option{w.Static(), device.Option()}
			if cached {
				opts = append(opts, disk(w))
			}
			s := w.Open(opts...)
			child, err := s.Assume(awsauth.WithAccount(accounts[0]))
			require.NoError(t, err)
			role := lab.Get(t, child)
			w.Expire(lab.Get(t, s).AccessKeyID)
			for start := time.Now(); time.Since(start) < 3*time.Hour; time.Sleep(time.Minute) {
				require.NoError(t, lab.Ask(t.Context(), child).Err, "after %v", time.Since(start))
				if time.Until(role.Expires) > 0 {
					require.Equal(t, 1, device.Asked())
				}
			}
			require.Equal(t, 2, device.Asked())
		})
	}
}
