package awsauth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMFAOneCode: one code and one GetSessionToken serve a hundred accounts, in
// every partition. The roles are assumed with the keys of that session.
func TestMFAOneCode(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud} {
		t.Run(string(p), func(t *testing.T) {
			w := lab.New(t, p)
			device, accounts := w.Device(), w.Strict(100)
			s := w.Open(w.Static(), device.Option())
			require.NoError(t, s.ForEachAccount(t.Context(), accounts, lab.Enter))
			assert.Equal(t, 1, device.Asked())

			opened := w.Calls("GetSessionToken")
			require.Len(t, opened, 1)
			assert.Equal(t, lab.STSHost(lab.DefaultRegion(p)), opened[0].Host)
			assert.Equal(t, lab.DefaultRegion(p), opened[0].Region)
			assert.Equal(t, w.Keys.AccessKeyID, opened[0].AccessKeyID)
			assert.Equal(t, "43200", opened[0].Params.Get("DurationSeconds"))
			assert.Equal(t, device.Serial, opened[0].Params.Get("SerialNumber"))
			assumed := w.Calls("AssumeRole")
			require.Len(t, assumed, 100)
			for _, call := range assumed {
				assert.Equal(t, lab.Get(t, s).AccessKeyID, call.AccessKeyID)
				assert.Equal(t, lab.STSHost(lab.DefaultRegion(p)), call.Host)
				assert.NotContains(t, call.Params, "SerialNumber")
			}
			assert.Equal(t, lab.Home, lab.Get(t, s).AccountID)
		})
	}
}

// TestMFAProfiles: a profile's mfa_serial is the device, wherever on its way it
// stands, with WithMFA's code or that of the SDK's token provider.
func TestMFAProfiles(t *testing.T) {
	const keys = "[profile keys]\n" + lab.KeyLines
	const serial = "mfa_serial = " + lab.MFASerial + "\n"
	account := awsauth.WithAccount(lab.Target)
	for name, tt := range map[string]struct {
		config string
		opts   []awsauth.Option
		roles  int
	}{
		"beside the role":               {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n" + serial + keys, roles: 1},
		"and a role from there":         {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n" + serial + keys, opts: []awsauth.Option{account}, roles: 2},
		"beside the keys":               {config: "[profile ops]\n" + lab.KeyLines + serial, opts: []awsauth.Option{account}, roles: 1},
		"of the source profile":         {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n" + keys + serial, opts: []awsauth.Option{account}, roles: 2},
		"beside the second role":        {config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n" + serial + "[profile first]\nrole_arn = $BASE\nsource_profile = keys\n" + keys, roles: 2},
		"beside both roles":             {config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n" + serial + "[profile first]\nrole_arn = $BASE\nsource_profile = keys\n" + serial + keys, roles: 2},
		"keys and role of one profile":  {config: "[profile ops]\nrole_arn = $BASE\n" + lab.KeyLines + serial, roles: 1},
		"the environment as the source": {config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Environment\n" + serial, roles: 1},
	} {
		for _, by := range []string{"WithMFA", "the token provider"} {
			t.Run(name+", "+by, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				device := w.Device()
				w.Files(tt.config, "")
				w.Env("AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET")
				code := awsauth.WithMFA("", device.Code)
				if by != "WithMFA" {
					code = w.MFAFrom(func() (string, error) { return device.Code(t.Context()) })
				}
				s := w.Open(append(tt.opts, awsauth.WithProfile("ops"), code)...)
				lab.Get(t, s)
				assert.Equal(t, 1, device.Asked())
				assert.Len(t, w.Calls("GetSessionToken"), 1)
				assert.Len(t, w.Calls("AssumeRole"), tt.roles)
				for _, call := range w.Calls("AssumeRole") {
					assert.NotContains(t, call.Params, "SerialNumber")
				}
			})
		}
	}
}

// TestMFAPerDay: the code is asked for by the first caller, again by the first one
// after 12 hours, and never behind anybody. Meanwhile roles are renewed as ever.
func TestMFAPerDay(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		device.Typing = time.Minute
		role := w.Open(w.Static(), device.Option(), awsauth.WithAccount(accounts[0]))
		for day := range 4 {
			o := lab.Ask(t.Context(), role)
			require.NoError(t, o.Err)
			require.Equal(t, time.Minute, o.Took, "the person's minute")
			require.Equal(t, day+1, device.Asked())
			for start := time.Now(); time.Since(start) < 11*time.Hour; time.Sleep(time.Minute) {
				require.NoError(t, lab.Ask(t.Context(), role).Err)
			}
			require.Equal(t, day+1, device.Asked())
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			require.Equal(t, day+1, device.Asked(), "asked when nobody needs it")
		}
		require.Greater(t, len(w.Calls("AssumeRole")), 4*11)
	})
}

// TestMFAEndsUnderRoles: while callers use roles, the end of the 12 hours asks the
// caller who first needs the MFA session again, and nobody meets an error.
func TestMFAEndsUnderRoles(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(20)
		s := w.Open(w.Static(), device.Option())
		for start := time.Now(); time.Since(start) < 30*time.Hour; time.Sleep(5 * time.Minute) {
			require.NoError(t, s.ForEachAccount(t.Context(), accounts, lab.Enter), "after %v", time.Since(start))
		}
		require.Equal(t, 3, device.Asked())
		require.Len(t, w.Calls("GetSessionToken"), 3)
	})
}

// TestMFALongRole: a role of more than an hour is assumed with the user's own keys
// and a code of its own, from New, from Assume and from a profile.
func TestMFALongRole(t *testing.T) {
	const duration = 4 * time.Hour
	for name, open := range map[string]func(w *lab.Place, device *lab.Device, account string) *awsauth.Session{
		"New": func(w *lab.Place, device *lab.Device, account string) *awsauth.Session {
			return w.Open(w.Static(), device.Option(), awsauth.WithAccount(account), awsauth.WithDuration(duration))
		},
		"Assume": func(w *lab.Place, device *lab.Device, account string) *awsauth.Session {
			s := w.Open(w.Static(), device.Option())
			child, err := s.Assume(awsauth.WithAccount(account), awsauth.WithDuration(duration))
			require.NoError(w.T, err)
			return child
		},
		"profile": func(w *lab.Place, device *lab.Device, account string) *awsauth.Session {
			w.Files("[profile ops]\nrole_arn = "+w.ManageARN(account)+"\nduration_seconds = 14400\nsource_profile = keys\nmfa_serial = "+device.Serial+
				"\n[profile keys]\n"+lab.KeyLines, "")
			return w.Open(awsauth.WithProfile("ops"), awsauth.WithMFA("", device.Code))
		},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device, accounts := w.Device(), w.Strict(1)
				s := open(w, device, accounts[0])
				assert.Contains(t, w.Explain(s).String(), "with an MFA code of its own ("+device.Serial+")")
				for round := range 3 {
					assert.Greater(t, time.Until(lab.Get(t, s).Expires), duration-time.Minute)
					assert.Equal(t, round+1, device.Asked())
					lab.Busy(t, s, 5*time.Minute, duration-time.Minute)
					assert.Equal(t, round+1, device.Asked(), "asked behind the callers")
					time.Sleep(2 * time.Minute)
				}
				assert.Empty(t, w.Calls("GetSessionToken"))
				for _, call := range w.Calls("AssumeRole") {
					assert.Equal(t, w.Keys.AccessKeyID, call.AccessKeyID)
					assert.Equal(t, device.Serial, call.Params.Get("SerialNumber"))
					assert.Equal(t, "14400", call.Params.Get("DurationSeconds"))
				}
			})
		})
	}
}

// TestMFATemporaryKeys: GetSessionToken does not take temporary keys, so the code
// goes with each role. Whether keys are temporary may be known only when they come.
func TestMFATemporaryKeys(t *testing.T) {
	for _, known := range []bool{true, false} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			device, accounts := w.Device(), w.Strict(2)
			plain := lab.Get(t, w.Open(w.Static(), device.Option()))
			w.ResetCalls()
			base := awsauth.WithStaticCredentials(plain.AccessKeyID, plain.SecretAccessKey, plain.SessionToken)
			if !known {
				base = awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return plain, nil }))
			}
			s := w.Open(base, device.Option())
			assert.Equal(t, plain.AccessKeyID, lab.Get(t, s).AccessKeyID)
			assert.Equal(t, 1, device.Asked(), "for nothing but the first session")
			for i, account := range accounts {
				time.Sleep(30 * time.Second) // the next code
				child, err := s.Assume(awsauth.WithAccount(account))
				require.NoError(t, err)
				lab.Get(t, child)
				assert.Equal(t, 2+i, device.Asked())
			}
			assert.Empty(t, w.Calls("GetSessionToken"))
			for _, call := range w.Calls("AssumeRole") {
				assert.Equal(t, plain.AccessKeyID, call.AccessKeyID)
				assert.Equal(t, device.Serial, call.Params.Get("SerialNumber"))
			}
			if known {
				_, err := w.Try(base, device.Option(), awsauth.WithAccount(accounts[0]), awsauth.WithDuration(2*time.Hour))
				lab.RequireBad(t, err, awsauth.InvalidDuration, "WithDuration(2h0m0s)", "temporary keys")
			}
		})
	}
}

// TestMFALongLivedProvider: long-lived keys that a provider brings open a session
// as those of a profile do.
func TestMFALongLivedProvider(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device, accounts := w.Device(), w.Strict(3)
	s := w.Open(device.Option(), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: w.Keys.AccessKeyID, SecretAccessKey: w.Keys.SecretAccessKey}, nil
	})))
	require.NoError(t, s.ForEachAccount(t.Context(), accounts, lab.Enter))
	assert.Equal(t, 1, device.Asked())
	assert.Len(t, w.Calls("GetSessionToken"), 1)
}

// TestMFAIdentity: who one is is known without a code, and so is what Explain
// says before one was typed and afterwards.
func TestMFAIdentity(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	s := w.Open(w.Static(), device.Option())
	id, err := s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), id.ARN)
	assert.Zero(t, device.Asked())
	assert.Contains(t, w.Explain(s).String(), "MFA session of "+device.Serial)
	assert.Contains(t, w.Explain(s).String(), "with one code for 12h")
	lab.Get(t, s)
	steps := w.Explain(s).Steps
	assert.Equal(t, awsauth.Step{Source: "MFA session of " + device.Serial, Status: awsauth.Used, Detail: "at sts.us-east-1.amazonaws.com"}, steps[len(steps)-1])
	assert.Contains(t, s.String(), "→ MFA "+device.Serial)
	assert.Equal(t, []aws.CredentialSource{aws.CredentialSourceCode, aws.CredentialSourceSTSSessionToken}, s.ProviderSources())
}

// TestMFATemporaryOnly: the keys of an MFA session are temporary.
func TestMFATemporaryOnly(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	assert.NotEmpty(t, lab.Get(t, w.Open(w.Static(), device.Option(), awsauth.WithTemporaryOnly())).SessionToken)
}

// TestMFAAge: a policy may limit how old the session may be, and the error says
// how old it is.
func TestMFAAge(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		s := w.Open(w.Static(), device.Option())
		lab.Get(t, s)
		time.Sleep(5*time.Hour + 12*time.Minute)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse})
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		_, err = child.Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.AccessDenied)
		assert.Contains(t, err.Error(), "an MFA session); the MFA session is 5h12m0s old, which a policy may limit (aws:MultiFactorAuthAge)")
	})
}

// TestMFAAgeOfNone: where a user's keys are temporary there is no MFA session, and no
// error speaks of its age.
func TestMFAAgeOfNone(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		plain := lab.Get(t, w.Open(w.Static(), device.Option()))
		time.Sleep(time.Minute)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse})
		_, err := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return plain, nil
		})), device.Option(), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.AccessDenied)
		assert.Contains(t, err.Error(), "an MFA code")
		assert.NotContains(t, err.Error(), "MFA session")
	})
}
