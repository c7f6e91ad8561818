package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/terminal"
)

// TestMFACodeInErrors: what a code func says is shown without a code, in whatever form
// and however it ends.
func TestMFACodeInErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		code string
		err  error
	}{
		"in the text":        {"", errors.New("vault: 871205 has been used")},
		"with the code":      {"871205", errors.New("late, after 871205")},
		"canceled":           {"", fmt.Errorf("871205 was typed: %w", context.Canceled)},
		"deadline":           {"", fmt.Errorf("871205 was typed: %w", context.DeadlineExceeded)},
		"in two halves":      {"", errors.New("the device shows 871 205")},
		"with a hyphen":      {"", errors.New("the device shows 871-205")},
		"joined":             {"", errors.Join(errors.New("871205"), context.Canceled)},
		"behind a letter":    {"", errors.New("code:x871205")},
		"returned in halves": {"871 205", errors.New("late, after 871 205")},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			device := w.Device()
			var log lab.Paper
			s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return tt.code, tt.err }))
			_, err := s.Retrieve(t.Context())
			require.Error(t, err)
			log.All(err)
			w.Show(&log, s)
			log.Clean(t, map[string]string{"871205": "the code", "871 205": "the code", "871-205": "the code"})
		})
	}
}

// TestMFAErrorStaysReadable: hiding a code leaves the rest of the text as it was.
func TestMFAErrorStaysReadable(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	cause := errors.New("the agent at 10.0.0.1:8200 answered 404 for account 123456789012")
	s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "e", cause }))
	_, err := s.Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.MFARequired)
	assert.Contains(t, err.Error(), cause.Error())
}

// TestMFAFleetOneAccount: with temporary keys one account takes one code, however often
// it stands in the list.
func TestMFAFleetOneAccount(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(2)
		plain := lab.Get(t, w.Open(w.Static(), device.Option()))
		time.Sleep(time.Minute)
		s := w.Open(awsauth.WithStaticCredentials(plain.AccessKeyID, plain.SecretAccessKey, plain.SessionToken), device.Option())
		require.NoError(t, s.ForEachAccount(t.Context(), []string{accounts[0], accounts[0]}, lab.Enter))
		require.NoError(t, s.ForEachAccount(t.Context(), []string{accounts[0], w.ManageARN(accounts[0])}, lab.Enter))
		err := s.ForEachAccount(t.Context(), accounts, lab.Enter)
		require.ErrorIs(t, err, awsauth.InvalidOption)
	})
}

// TestMFAOptionsRunOnce: config.WithAssumeRoleCredentialOptions runs once for each
// role, whoever asks for the code.
func TestMFAOptionsRunOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		given bool // WithMFA gives the codes
	}{
		"beside a role":             {"[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = " + lab.MFASerial + "\n[profile keys]\n" + lab.KeyLines, false},
		"beside keys":               {"[profile ops]\nmfa_serial = " + lab.MFASerial + "\n" + lab.KeyLines, false},
		"beside keys, with WithMFA": {"[profile ops]\nmfa_serial = " + lab.MFASerial + "\n" + lab.KeyLines, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			device := w.Device()
			w.Files(tt.text, "")
			var serials []string
			opts := []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
				serials = append(serials, aws.ToString(o.SerialNumber))
				o.TokenProvider = func() (string, error) { return device.Code(t.Context()) }
			}))}
			if tt.given {
				opts = append(opts, awsauth.WithMFA("", device.Code))
			}
			lab.Get(t, w.Open(opts...))
			if tt.given {
				assert.Empty(t, serials, "there is no role of a profile, and nobody is asked for a code")
			} else {
				assert.Equal(t, []string{device.Serial}, serials)
			}
		})
	}
}

// TestMFAUserTurnsTemporary: a provider whose long-lived keys turn into temporary ones.
// The MFA session at hand serves on; afterwards a code goes with each role, asked for
// when somebody waits.
func TestMFAUserTurnsTemporary(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		plain := lab.Get(t, w.Open(w.Static(), device.Option()))
		time.Sleep(time.Minute)
		var turned atomic.Bool
		s := w.Open(device.Option(), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			if turned.Load() {
				return plain, nil
			}
			return aws.Credentials{AccessKeyID: w.Keys.AccessKeyID, SecretAccessKey: w.Keys.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil
		})))
		child, err := s.Assume(awsauth.WithAccount(accounts[0]))
		require.NoError(t, err)
		lab.Get(t, child)
		require.Equal(t, 2, device.Asked())
		turned.Store(true)
		for start := time.Now(); time.Since(start) < 11*time.Hour; time.Sleep(5 * time.Minute) {
			o := lab.Ask(t.Context(), child)
			require.NoError(t, o.Err, "after %v", time.Since(start))
		}
		assert.Equal(t, 2, device.Asked(), "the MFA session is good for twelve hours")
	})
}

// TestMFACrowdOfChildren: many roles at the same time wait for one code, and all are
// served by it. Those who leave take nothing from the others.
func TestMFACrowdOfChildren(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(20)
		device.Typing = 90 * time.Second
		s := w.Open(w.Static(), device.Option())
		var wg sync.WaitGroup
		for i, account := range accounts {
			child, err := s.Assume(awsauth.WithAccount(account))
			require.NoError(t, err)
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 1 {
					time.AfterFunc(10*time.Second, cancel)
				}
				_, err := child.Retrieve(ctx)
				if i%2 == 1 {
					assert.ErrorIs(t, err, context.Canceled)
				} else {
					assert.NoError(t, err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		assert.Equal(t, 1, device.Asked())
	})
}

// TestMFACodeNotSeen: a code that STS did not look at may come again; one that it
// looked at may not, whatever it answered.
func TestMFACodeNotSeen(t *testing.T) {
	for code, again := range map[string]bool{"SignatureDoesNotMatch": true, "InvalidClientTokenId": true, "AccessDenied": false, "RegionDisabledException": false} {
		t.Run(code, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device := w.Device()
				same := w.MFACode(device.Serial)
				s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return same, nil }))
				w.Inject(awsauthtest.Fault{Action: "GetSessionToken", Kind: awsauthtest.Refuse, Code: code, Times: 1})
				_, err := s.Retrieve(t.Context())
				require.Error(t, err)
				time.Sleep(5 * time.Second)
				_, err = s.Retrieve(t.Context())
				if again {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "was used before")
			})
		})
	}
}

// TestMFASerialOfAnotherPartition: the device of a profile that cannot be the user's is
// refused before anybody is asked.
func TestMFASerialOfAnotherPartition(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	never := awsauth.WithMFA("", func(context.Context) (string, error) { t.Error("asked"); return "", nil })
	w.Files("[profile ops]\nregion = us-east-1\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = arn:aws-cn:iam::111111111111:mfa/ana\n[profile keys]\n"+lab.KeyLines, "")
	_, err := w.Try(awsauth.WithProfile("ops"), never)
	lab.RequireBad(t, err, awsauth.WrongPartition, "aws-cn", "arn:aws-cn:iam::111111111111:mfa/ana")
}

// TestMFACallIsShort: once the code is there, the call has the time of any call, and
// what it fails with is not that no code came.
func TestMFACallIsShort(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		w.Inject(awsauthtest.Fault{Action: "GetSessionToken", Kind: awsauthtest.Hang})
		o := lab.Ask(t.Context(), w.Open(w.Static(), device.Option()))
		require.ErrorIs(t, o.Err, awsauth.Unreachable)
		assert.ErrorContains(t, o.Err, "no answer from sts.us-east-1.amazonaws.com in 30s")
		assert.LessOrEqual(t, o.Took, 32*time.Second)
		assert.Equal(t, 1, device.Asked())
	})
}

// TestMFADeadSession: an MFA session that a service does not know any more, and STS
// neither, is opened anew. One that STS still knows is kept.
func TestMFADeadSession(t *testing.T) {
	for _, dead := range []bool{true, false} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			device := w.Device()
			s := w.Open(w.Static(), device.Option())
			first := lab.Get(t, s)
			time.Sleep(time.Hour)
			fault := awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "InvalidClientTokenId", Match: func(c awsauthtest.Call) bool { return c.AccessKeyID == first.AccessKeyID }}
			if !dead {
				fault.Times = 1
			}
			w.Inject(fault)
			_ = lab.Whoami(s)
			assert.Equal(t, dead, lab.Get(t, s).AccessKeyID != first.AccessKeyID)
		})
	}
}

// TestMFADoubtEnds: where STS does not say whether it still knows an MFA session, the
// call that was refused waits for no more than thirty seconds, and the session is kept.
func TestMFADoubtEnds(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		s := w.Open(w.Static(), device.Option())
		first := lab.Get(t, s)
		time.Sleep(time.Hour)
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Hang})
		begun := time.Now()
		require.Error(t, lab.Whoami(s))
		assert.Equal(t, 30*time.Second, time.Since(begun))
		assert.Equal(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
		assert.Equal(t, 1, device.Asked())
	})
}

// TestMFANoTerminal: without a terminal the error says what to do.
func TestMFANoTerminal(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	_, err := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "", fmt.Errorf("prompt: %w", terminal.ErrNone) })).Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.MFARequired)
	assert.Contains(t, err.Error(), "run it at a terminal")
}

// TestMFAOlderCodes: a code stays used when another one was tried meanwhile.
func TestMFAOlderCodes(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		codes := []string{"871205", "871206", "871207", "871205"}
		s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { code := codes[0]; codes = codes[1:]; return code, nil }))
		var err error
		for range 4 {
			_, err = s.Retrieve(t.Context())
			time.Sleep(time.Minute)
		}
		require.ErrorContains(t, err, "was used before")
		assert.Len(t, w.Calls("GetSessionToken"), 3)
	})
}

// TestMFABesideSSO: an mfa_serial beside SSO, which the AWS CLI ignores, disturbs no role
// that is assumed from there.
func TestMFABesideSSO(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOLogin("corp")
	w.Files("[profile dev]\nmfa_serial = arn:aws:iam::111111111111:u2f/user/ana/x\n"+lab.SSOSession+lab.CorpSection, "")
	lab.Get(t, w.Open(awsauth.WithProfile("dev"), awsauth.WithAccount(lab.Target), w.MFAFrom(func() (string, error) { t.Error("asked"); return "", nil })))
}

// TestMFAAnswers: keys of GetSessionToken that cannot be signed with are no answer of
// STS.
func TestMFAAnswers(t *testing.T) {
	const body = `<GetSessionTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetSessionTokenResult><Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE01</AccessKeyId>` +
		`<SecretAccessKey>the %ssecret</SecretAccessKey><SessionToken>token</SessionToken>%s</Credentials></GetSessionTokenResult></GetSessionTokenResponse>`
	const expires = "<Expiration>2099-01-01T00:00:00Z</Expiration>"
	for name, text := range map[string]string{"a blank": fmt.Sprintf(body, "&#10;", expires), "no end": fmt.Sprintf(body, "", ""), "no keys": "<GetSessionTokenResponse/>"} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			device := w.Device()
			client := wired(func(r *http.Request) (*http.Response, error) {
				return answer(r, 200, http.Header{"Content-Type": {"text/xml"}}, text), nil
			})
			_, err := w.Open(w.Static(), device.Option(), client.option()).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.Unreachable)
			assert.Contains(t, err.Error(), "not an answer of STS")
		})
	}
}
