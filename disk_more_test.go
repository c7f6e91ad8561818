package awsauth_test

import (
	"context"
	"os"
	"path/filepath"
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
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
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

// TestDiskKeysChangeInFlight: keys that a service refuses while a role is assumed with
// them, and whose successor is another user's. The role is not the first one's.
func TestDiskKeysChangeInFlight(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ana, bob := w.Keys, w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/bob")})
		var asked atomic.Int32
		provider := awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			keys := ana
			if asked.Add(1) > 1 {
				keys = bob
			}
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}, nil
		}))
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
		ana, bob := w.Keys, w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/bob")})
		var asked atomic.Int32
		provider := awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			keys := ana
			if asked.Add(1) > 1 {
				keys = bob
			}
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}, nil
		}))
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
		ana, bob := w.Keys, w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/bob"), MFASerial: w.ARN(lab.Home, "mfa/bob")})
		var changed atomic.Bool
		s := w.Open(device.Option(), disk(w), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			keys := ana
			if changed.Load() {
				keys = bob
			}
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(10 * time.Minute)}, nil
		})))
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
		ana, bob := w.Keys, w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/bob"), MFASerial: w.ARN(lab.Home, "mfa/bob")})
		var changed atomic.Bool
		s := w.Open(device.Option(), disk(w), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			keys := ana
			if changed.Load() {
				keys = bob
			}
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(10 * time.Minute)}, nil
		})))
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

// TestDiskEnough: how much an entry must have left depends on how long it lasts when it
// is new, and on what the caller asks for.
func TestDiskEnough(t *testing.T) {
	for _, tt := range []struct {
		lasts, left time.Duration
		least       time.Duration // that the caller asks for; 0: nothing
		good        bool
	}{
		{15 * time.Minute, 100 * time.Second, 0, true},
		{15 * time.Minute, 80 * time.Second, 0, false},
		{time.Hour, 130 * time.Second, 0, true},
		{time.Hour, 110 * time.Second, 0, false},
		{time.Hour, 30 * time.Minute, time.Hour, true}, // a third will do
		{time.Hour, 19 * time.Minute, time.Hour, false},
		{time.Hour, 19 * time.Minute, 15 * time.Minute, true},
		{time.Hour, 14 * time.Minute, 15 * time.Minute, false},
	} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			ctx := t.Context()
			if tt.least > 0 {
				ctx = diskcache.WithAtLeast(ctx, tt.least)
			}
			role := awsauth.WithDuration(tt.lasts)
			lab.Get(t, w.InRole(disk(w), role))
			time.Sleep(tt.lasts - tt.left)
			_, err := w.InRole(disk(w), role).Retrieve(ctx)
			require.NoError(t, err)
			assert.Equal(t, tt.good, len(w.Calls("AssumeRole")) == 1, "%+v", tt)
		})
	}
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		lab.Get(t, w.Open(w.Static(), disk(w), device.Option()))
		time.Sleep(11 * time.Hour)
		_, err := w.Open(w.Static(), disk(w), device.Option()).Retrieve(diskcache.WithAtLeast(t.Context(), 2*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 2, device.Asked(), "an hour of an MFA session is not two")
	})
}

// TestDiskOlderEntry: an entry that ends before what a session has replaces nothing, and
// does not hold up its renewal either.
func TestDiskOlderEntry(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		old := lab.Get(t, w.InRole(disk(w)))
		files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*.json"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		text, err := os.ReadFile(files[0])
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		require.NoError(t, os.Remove(files[0]))
		s := w.InRole(disk(w))
		lab.Get(t, s)
		require.NoError(t, os.WriteFile(files[0], text, 0o600))
		second, begun := lab.Get(t, s), time.Now()
		next := second
		for next.AccessKeyID == second.AccessKeyID { // ends with the keys at the latest
			time.Sleep(time.Minute)
			next = lab.Get(t, s)
			assert.NotEqual(t, old.AccessKeyID, next.AccessKeyID)
		}
		assert.LessOrEqual(t, time.Since(begun), 42*time.Minute, "renewed after two thirds, while the older one lives")
	})
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
