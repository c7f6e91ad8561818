package awsauth_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskRoleOfRenewedLogin: a login's token is renewed while a role is assumed with
// it. It is the same login, so the processes that come for the role at that moment make
// one call.
func TestDiskRoleOfRenewedLogin(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	endedSSO(t, w)
	var wg sync.WaitGroup
	for range 6 {
		s := w.Open(awsauth.WithProfile("dev"), disk(w), awsauth.WithAccount(lab.Target))
		wg.Go(func() {
			_, err := s.Retrieve(t.Context())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, w.Calls("CreateToken"), 1)
	assert.Len(t, w.Calls("GetRoleCredentials"), 1)
	assert.Len(t, w.Calls("AssumeRole"), 1)
}

// TestDiskNewSubject: a token file that is renewed for another subject between the look
// at the disk and the call: what is used is the token that the disk was searched with.
func TestDiskNewSubject(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	mine, theirs := w.WebIdentityToken(lab.Issuer, "repo:corp/mine", time.Hour), w.WebIdentityToken(lab.Issuer, "repo:corp/theirs", time.Hour)
	w.Write("token", mine)
	w.WebEnv()
	key := func(between string) awsauth.Option {
		return awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) {
			w.Write("token", between)
			return []byte("0123456789abcdef0123456789abcdef"), nil
		})
	}
	second := lab.Get(t, w.Open(disk(w), key(theirs)))
	w.Write("token", mine)
	first := lab.Get(t, w.Open(disk(w), key(mine)))
	assert.Equal(t, second.AccessKeyID, first.AccessKeyID, "both are the first subject's")
	calls := w.Calls("AssumeRoleWithWebIdentity")
	assert.Len(t, calls, 1)
	assert.Equal(t, lab.Issuer+":repo:corp/mine", calls[0].Caller, "the token that the disk was searched with")
}

// TestDiskAllowed: what comes from the disk is held against the guard like all else.
func TestDiskAllowed(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	lab.Get(t, w.Open(w.Static(), device.Option(), disk(w)))
	lab.Get(t, w.Open(w.Static(), device.Option(), disk(w), awsauth.WithAllowedAccounts(lab.Home)))
	_, err := w.Try(w.Static(), device.Option(), disk(w), awsauth.WithAllowedAccounts(stranger))
	require.ErrorIs(t, err, awsauth.WrongAccount)
	assert.Equal(t, 1, device.Asked())
	w.SSOProfile()
	w.SSOLogin("corp")
	lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w)))
	s, err := w.Try(awsauth.WithProfile("dev"), disk(w), awsauth.WithAllowedAccounts(stranger))
	if err == nil {
		_, err = s.Retrieve(t.Context())
	}
	require.ErrorIs(t, err, awsauth.WrongAccount)
}

// anaThenBob is a provider of the keys of the place's user, and of another's from when
// isBob says so. lasts is how long it says they live, 0: for ever.
func anaThenBob(w *lab.Place, lasts time.Duration, isBob func() bool) (provider awsauth.Option, bob awsauthtest.Keys) {
	ana, bob := w.Keys, w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/bob"), MFASerial: w.ARN(lab.Home, "mfa/bob")})
	return awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		keys := ana
		if isBob() {
			keys = bob
		}
		return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, CanExpire: lasts > 0, Expires: time.Now().Add(lasts)}, nil
	})), bob
}

// TestDiskKeysChangeInFlight: keys that a service refuses while a role is assumed with
// them, and whose successor is another user's. The role is not the first one's.
func TestDiskKeysChangeInFlight(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var asked atomic.Int32
		provider, bob := anaThenBob(w, 0, func() bool { return asked.Add(1) > 1 })
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
		ofBob := lab.Get(t, w.Open(provider, disk(w), awsauth.WithAccount(lab.Target)))
		calls := w.Calls("AssumeRole")
		require.Equal(t, bob.AccessKeyID, calls[len(calls)-1].AccessKeyID, "the case is not met")
		ofAna := lab.Get(t, w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target)))
		assert.NotEqual(t, ofBob.AccessKeyID, ofAna.AccessKeyID, "ana works with bob's session")
	})
}

// TestDiskFailsInFlight: as above, and STS refuses the successor the role. The refusal is
// what the caller hears.
func TestDiskFailsInFlight(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var asked atomic.Int32
		provider, bob := anaThenBob(w, 0, func() bool { return asked.Add(1) > 1 })
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse})
		_, err := w.Open(provider, disk(w), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.AccessDenied)
		calls := w.Calls("AssumeRole")
		require.Equal(t, bob.AccessKeyID, calls[len(calls)-1].AccessKeyID, "the case is not met")
	})
}

// TestDiskOwnerOfEnded: an MFA session that has ended is nobody's: roles are those of whose
// keys the provider has by then.
func TestDiskOwnerOfEnded(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		var changed atomic.Bool
		provider, _ := anaThenBob(w, 10*time.Minute, changed.Load)
		s := w.Open(device.Option(), disk(w), provider)
		lab.Get(t, s)
		time.Sleep(11*time.Hour + 50*time.Minute)
		ofAna := lab.Get(t, w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(lab.Target)))
		changed.Store(true)
		time.Sleep(15 * time.Minute)
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		got, err := child.Retrieve(t.Context())
		if err == nil {
			assert.NotEqual(t, ofAna.AccessKeyID, got.AccessKeyID, "bob works with the role that ana's MFA session assumed")
		}
	})
}

// TestDiskOwnerOfSession: a role that is assumed from an MFA session belongs to whose
// session it is, whoever the provider's keys are of by then.
func TestDiskOwnerOfSession(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		var changed atomic.Bool
		provider, bob := anaThenBob(w, 10*time.Minute, changed.Load)
		s := w.Open(device.Option(), disk(w), provider)
		lab.Get(t, s)
		changed.Store(true)
		time.Sleep(20 * time.Minute)
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		ofAna := lab.Get(t, child)
		got, err := w.Open(awsauth.WithStaticCredentials(bob.AccessKeyID, bob.SecretAccessKey, ""), disk(w), device.Option(), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
		if err == nil {
			assert.NotEqual(t, ofAna.AccessKeyID, got.AccessKeyID, "bob works with the role that ana's MFA session assumed")
		}
		again := lab.Get(t, w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(lab.Target)))
		assert.Equal(t, ofAna.AccessKeyID, again.AccessKeyID, "it is ana's")
	})
}

// TestDiskOtherDevice: the session that one device opened is not that of another.
func TestDiskOtherDevice(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	lab.Get(t, w.Open(w.Static(), disk(w), device.Option()))
	asked := 0
	_, err := w.Open(w.Static(), disk(w), awsauth.WithMFA(w.ARN(lab.Home, "mfa/other"), func(context.Context) (string, error) { asked++; return "123456", nil })).Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.MFARequired)
	assert.Equal(t, 1, asked)
}

// TestDiskOtherHost: what STS of another host said, by FIPS for example, is another
// entry.
func TestDiskOtherHost(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	lab.Get(t, w.InRole(disk(w)))
	w.Env("AWS_USE_FIPS_ENDPOINT=true")
	lab.Get(t, w.InRole(disk(w)))
	assert.Len(t, w.Calls("AssumeRole"), 2)
}

// TestDiskOlderEntry: an entry that ends before what a session has replaces nothing, and
// does not hold up its renewal either. Nor do keys that a service has refused, or those
// that the session has already, when another process has written that they live longer.
func TestDiskOlderEntry(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(t *testing.T, w *lab.Place, s *awsauth.Session, entry string) // puts the session's second keys in place of the first
		longer time.Duration                                                      // than the first keys live, says the entry
	}{
		"ends before": {func(t *testing.T, w *lab.Place, _ *awsauth.Session, entry string) {
			time.Sleep(10 * time.Minute)
			require.NoError(t, os.Remove(entry))
		}, 0},
		"refused": {func(t *testing.T, w *lab.Place, s *awsauth.Session, _ string) {
			w.Expire(lab.Get(t, s).AccessKeyID)
			require.NoError(t, lab.Whoami(s))
		}, 2 * time.Hour},
		"at hand": {func(*testing.T, *lab.Place, *awsauth.Session, string) {}, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.InRole(disk(w))
				old := lab.Get(t, s)
				files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*.json"))
				require.NoError(t, err)
				require.Len(t, files, 1)
				text, err := os.ReadFile(files[0])
				require.NoError(t, err)
				tt.before(t, w, s, files[0])
				if tt.longer == 0 {
					s = w.InRole(disk(w))
				}
				second, begun := lab.Get(t, s), time.Now()
				later := strings.Replace(string(text), old.Expires.Format(time.RFC3339), old.Expires.Add(tt.longer).Format(time.RFC3339), 1)
				require.Equal(t, tt.longer == 0, later == string(text))
				require.NoError(t, os.WriteFile(files[0], []byte(later), 0o600))
				next := second
				for next.AccessKeyID == second.AccessKeyID && time.Since(begun) < time.Hour {
					time.Sleep(time.Minute)
					next = lab.Get(t, s)
				}
				assert.NotContains(t, []string{old.AccessKeyID, second.AccessKeyID}, next.AccessKeyID)
				assert.LessOrEqual(t, time.Since(begun), 42*time.Minute, "renewed after two thirds")
			})
		})
	}
}

// TestDiskLockHeld: a process that hangs with the lock costs a role twenty seconds and a
// base eight. Then the call has all its time, and its failure is told as its own.
func TestDiskLockHeld(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		lab.Get(t, w.InRole(disk(w)))
		time.Sleep(2 * time.Hour)
		holdLocks(t, w.Dir)
		remove := w.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: 15 * time.Second})
		o := lab.Ask(t.Context(), w.InRole(disk(w)))
		require.NoError(t, o.Err)
		assert.InDelta(t, 35, o.Took.Seconds(), 1)
		remove()
		time.Sleep(2 * time.Hour)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Hang})
		_, err := w.InRole(disk(w)).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.Unreachable)
		assert.NotContains(t, err.Error(), "another process")
	})
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SSOProfile()
		w.SSOLogin("corp")
		lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w)))
		time.Sleep(13 * time.Hour)
		holdLocks(t, w.Dir)
		o := lab.Ask(t.Context(), w.Open(awsauth.WithProfile("dev"), disk(w)))
		require.NoError(t, o.Err)
		assert.InDelta(t, 8, o.Took.Seconds(), 1)
	})
}

// TestDiskLoginRenewedOnce: a login that has just ended is renewed by one process, without
// WithDiskCache too.
func TestDiskLoginRenewedOnce(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	path, err := ssocreds.StandardCachedTokenFilepath("corp")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, w.LoginSSO("https://corp.awsapps.com/start", "us-east-1", -time.Second, w.ARN(lab.Home, "role/base")), 0o600))
	w.Inject(awsauthtest.Fault{Action: "CreateToken", Delay: 100 * time.Millisecond})
	var wg sync.WaitGroup
	for range 6 {
		s := w.Open(awsauth.WithProfile("dev"))
		wg.Go(func() {
			_, err := s.Retrieve(t.Context())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, w.Calls("CreateToken"), 1)
}
