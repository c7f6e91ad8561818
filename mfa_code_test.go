package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMFARefusedOptions: what cannot work is an error of New, before anybody is
// asked.
func TestMFARefusedOptions(t *testing.T) {
	never := func(context.Context) (string, error) { t.Error("somebody was asked"); return "", nil }
	const ana, bob = "arn:aws:iam::111111111111:mfa/ana", "arn:aws:iam::111111111111:mfa/bob"
	for name, tt := range map[string]struct {
		config string
		opts   []awsauth.Option
		kind   awsauth.Kind
		says   []string
	}{
		"nobody to ask":        {opts: []awsauth.Option{awsauth.WithMFA(ana, nil)}, kind: awsauth.InvalidOption, says: []string{"WithMFA(", "PromptMFA"}},
		"nothing at all":       {opts: []awsauth.Option{awsauth.WithMFA("", nil)}, kind: awsauth.InvalidOption, says: []string{"WithMFA("}},
		"no serial":            {opts: []awsauth.Option{awsauth.WithMFA("", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "mfa_serial"}},
		"security key":         {opts: []awsauth.Option{awsauth.WithMFA("arn:aws:iam::111111111111:u2f/user/ana/key-ABC", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA(", "no codes"}},
		"a role's ARN":         {opts: []awsauth.Option{awsauth.WithMFA("arn:aws:iam::111111111111:role/ana", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA("}},
		"short account":        {opts: []awsauth.Option{awsauth.WithMFA("arn:aws:iam::11111111111:mfa/ana", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA("}},
		"line end":             {opts: []awsauth.Option{awsauth.WithMFA(ana+"\n", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA("}},
		"too short":            {opts: []awsauth.Option{awsauth.WithMFA("12345", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA("}},
		"no such partition":    {opts: []awsauth.Option{awsauth.WithMFA("arn:aws-mars:iam::111111111111:mfa/ana", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA(", "aws-mars"}},
		"another partition":    {opts: []awsauth.Option{awsauth.WithMFA("arn:aws-cn:iam::111111111111:mfa/ana", never), awsauth.WithRegion("us-east-1")}, kind: awsauth.WrongPartition, says: []string{"aws-cn", "us-east-1"}},
		"two devices":          {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = " + bob + "\n[profile keys]\n" + lab.KeyLines, opts: []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithMFA(ana, never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "config:4", ana, bob}},
		"two in the files":     {config: "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = b\nmfa_serial = " + bob + "\n[profile b]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = " + ana + "\n[profile keys]\n" + lab.KeyLines, opts: []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithMFA("", never)}, kind: awsauth.InvalidOption, says: []string{"config:4", "config:8"}},
		"passkey in the files": {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = arn:aws:iam::111111111111:u2f/user/ana/x\n[profile keys]\n" + lab.KeyLines, opts: []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithMFA("", never)}, kind: awsauth.InvalidOption, says: []string{"config:4", "no codes"}},
		"nobody gives a code":  {config: "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = " + ana + "\n[profile keys]\n" + lab.KeyLines, opts: []awsauth.Option{awsauth.WithProfile("ops")}, kind: awsauth.MFARequired, says: []string{`profile "ops"`, ana, "WithMFA("}},
		"SSO":                  {config: "[profile ops]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = base\n" + lab.CorpSection, opts: []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithMFA(ana, never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "no MFA device"}},
		"web identity":         {opts: []awsauth.Option{awsauth.WithWebIdentity("arn:aws:iam::111111111111:role/base", token("x")), awsauth.WithMFA(ana, never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "no MFA device"}},
		"instance":             {opts: []awsauth.Option{awsauth.WithMFA(ana, never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "no MFA device"}},
		"instance by profile":  {config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\nmfa_serial = " + ana + "\n", opts: []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithMFA("", never)}, kind: awsauth.InvalidOption, says: []string{"WithMFA", "no MFA device"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, "")
			opts := tt.opts
			switch name {
			case "SSO", "web identity", "instance", "two devices", "two in the files", "passkey in the files", "nobody gives a code", "instance by profile":
			default:
				opts = append(opts, w.Static())
			}
			if name == "instance" || name == "instance by profile" {
				w.OnInstance()
			}
			_, err := w.Try(opts...)
			lab.RequireBad(t, err, tt.kind, tt.says...)
			assert.Empty(t, w.Said())
		})
	}
}

type token string

func (s token) GetIdentityToken() ([]byte, error) { return []byte(s), nil }

// TestMFAFleetOfLongRoles: a role of more than an hour takes a code of its own, so
// a walk over accounts with such roles is refused before it begins.
func TestMFAFleetOfLongRoles(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device, accounts := w.Device(), w.Strict(3)
	s := w.Open(w.Static(), device.Option())
	err := s.ForEachAccount(t.Context(), accounts, lab.Enter, awsauth.WithDuration(61*time.Minute))
	lab.RequireBad(t, err, awsauth.InvalidDuration, "WithDuration(1h1m0s)", "a code of its own")
	assert.Empty(t, w.Said())
	require.NoError(t, s.ForEachAccount(t.Context(), accounts, lab.Enter, awsauth.WithDuration(time.Hour)))
}

// TestMFABadCodes: a code that is none is not sent, and one that STS refused is
// not sent again. No error shows a code.
func TestMFABadCodes(t *testing.T) {
	const wrong = "871205"
	for name, tt := range map[string]struct {
		codes []string
		says  []string
		sent  int
	}{
		"five digits":     {codes: []string{"87120"}, says: []string{"not a code of six digits"}},
		"letters":         {codes: []string{"87120a"}, says: []string{"not a code of six digits"}},
		"other digits":    {codes: []string{"٨٧١٢٠٥"}, says: []string{"not a code of six digits"}},
		"nothing":         {codes: []string{""}, says: []string{"not a code of six digits"}},
		"refused":         {codes: []string{wrong}, says: []string{"STS refused the MFA code", "wait for the next one"}, sent: 1},
		"with blanks":     {codes: []string{" " + wrong + "\n"}, says: []string{"STS refused the MFA code"}, sent: 1},
		"refused, again":  {codes: []string{wrong, wrong}, says: []string{"was used before", "wait for the next one"}, sent: 1},
		"again but blank": {codes: []string{wrong, wrong + " "}, says: []string{"was used before"}, sent: 1},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device := w.Device()
				next := 0
				s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { next++; return tt.codes[next-1], nil }))
				var err error
				for range tt.codes {
					_, err = s.Retrieve(t.Context())
					time.Sleep(time.Minute)
				}
				require.ErrorIs(t, err, awsauth.MFARequired)
				for _, part := range append(tt.says, device.Serial) {
					assert.Contains(t, err.Error(), part)
				}
				for _, form := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), s.String(), fmt.Sprintf("%+v %#v", s, s)} {
					assert.NotContains(t, form, wrong)
				}
				assert.Len(t, w.Calls("GetSessionToken"), tt.sent)
			})
		})
	}
}

// TestMFACodeOfTwoRoles: two roles that each take a code get one and the same from
// a device that shows it for 30 seconds. STS sees it once.
func TestMFACodeOfTwoRoles(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(2)
		s := w.Open(w.Static(), device.Option())
		var failed int
		for _, account := range accounts {
			child, err := s.Assume(awsauth.WithAccount(account), awsauth.WithDuration(2*time.Hour))
			require.NoError(t, err)
			if _, err := child.Retrieve(t.Context()); err != nil {
				failed++
				require.ErrorIs(t, err, awsauth.MFARequired)
				require.ErrorContains(t, err, "was used before")
			}
		}
		assert.Equal(t, 1, failed)
		assert.Len(t, w.Calls("AssumeRole"), 1)
	})
}

// TestMFACodeSentOnce: what STS may have seen is not sent again, whatever became
// of the call. Where there was no connection, STS has seen nothing.
func TestMFACodeSentOnce(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{
		"throttled": awsauthtest.Throttle, "server error": awsauthtest.ServerError, "reset": awsauthtest.Reset, "half an answer": awsauthtest.Malformed,
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device := w.Device()
				remove := w.Inject(awsauthtest.Fault{Kind: kind})
				s := w.Open(w.Static(), device.Option())
				_, err := s.Retrieve(t.Context())
				require.Error(t, err)
				require.Len(t, w.Calls("GetSessionToken"), 1)
				require.Equal(t, 1, device.Asked())
				remove()
				time.Sleep(31 * time.Second)
				lab.Get(t, s)
				require.Equal(t, 2, device.Asked())
			})
		})
	}
	t.Run("no connection", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			device := w.Device()
			dials := 0
			s := w.Open(w.Static(), device.Option(), awsauth.WithLoadOptions(config.WithHTTPClient(flaky(func(r *http.Request) (*http.Response, error) {
				if dials++; dials == 1 {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
				}
				return w.Client().Do(r)
			}))))
			lab.Get(t, s)
			assert.Equal(t, 2, dials)
			assert.Equal(t, 1, device.Asked())
		})
	})
}

type flaky func(*http.Request) (*http.Response, error)

func (f flaky) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestMFALostPrompt: a prompt that nobody answers hurts the caller who was asked,
// and nobody else. The next one is asked again.
func TestMFALostPrompt(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		var asked atomic.Int32
		s := w.Open(w.Static(), awsauth.WithAccount(accounts[0]), awsauth.WithMFA(device.Serial, func(ctx context.Context) (string, error) {
			if asked.Add(1) == 1 {
				<-ctx.Done() // the person has gone to lunch
				return "", ctx.Err()
			}
			return device.Code(ctx)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.Retrieve(ctx)
		require.ErrorIs(t, err, awsauth.MFARequired)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "no MFA code came in 20s")
		o := lab.Ask(t.Context(), s)
		require.NoError(t, o.Err)
		require.Zero(t, o.Took)
		require.EqualValues(t, 2, asked.Load())
	})
}

// TestMFACrowd: a thousand callers are one prompt.
func TestMFACrowd(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		device.Typing = 20 * time.Second
		s := w.Open(w.Static(), device.Option(), awsauth.WithAccount(accounts[0]))
		for _, o := range lab.Crowd(s, 1000) {
			require.NoError(t, o.Err)
			require.Equal(t, 20*time.Second, o.Took)
		}
		require.Equal(t, 1, device.Asked())
		require.Len(t, w.Calls(), 2)
	})
}

// TestMFARefusedKeys: what a service says of the session's keys never makes a
// person type, unless STS itself does not know them any more.
func TestMFARefusedKeys(t *testing.T) {
	for _, dead := range []bool{false, true} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			device := w.Device()
			s := w.Open(w.Static(), device.Option())
			first := lab.Get(t, s)
			time.Sleep(time.Minute)
			if dead {
				w.Expire(first.AccessKeyID)
			} else {
				w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
			}
			w.ResetCalls()
			require.Error(t, lab.Whoami(s))
			synctest.Wait()
			assert.Equal(t, 1, device.Asked(), "asked in the background")
			assert.Len(t, w.Calls("GetCallerIdentity"), 2, "the service's call, and one to be sure")
			if again := lab.Get(t, s); dead {
				assert.NotEqual(t, first.AccessKeyID, again.AccessKeyID)
				assert.Equal(t, 2, device.Asked())
			} else {
				assert.Equal(t, first.AccessKeyID, again.AccessKeyID)
				assert.Equal(t, 1, device.Asked())
			}
		})
	}
}

// TestMFANoCode: where no code came, the error says why, and the device.
func TestMFANoCode(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	cause := errors.New("the key is not plugged in")
	s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "", cause }))
	_, err := s.Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.MFARequired)
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "there is no MFA code for "+device.Serial+": the key is not plugged in")
	assert.Empty(t, w.Said())
}
