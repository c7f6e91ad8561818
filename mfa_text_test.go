package awsauth_test

import (
	"context"
	"errors"
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
)

// TestMFAHiddenDigits: of a code func's error exactly the digits that may be a code are
// hidden, and every other character stays.
func TestMFAHiddenDigits(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	for said, want := range map[string]string{
		"871205 is late":    "****** is late",
		"871205":            "******",
		"871 205 is late":   "****** is late",
		"8-7-1-2-0-5":       "******",
		"87120-5":           "******",
		"8 71205 is late":   "****** is late",
		"871205 77 is late": "****** 77 is late",
		"871205-7":          "******-7",
		"87120 is late":     "87120 is late",
		"8712057 is late":   "8712057 is late",

		"port 8200, exit status 42": "port 8200, exit status 42",
		"":                          "",
	} {
		s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "", errors.New("agent: " + said + "!") }))
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Contains(t, err.Error()+"\n", "agent: "+want+"!", "%q", said)
	}
}

// TestMFAHiddenAnswer: what was returned beside an error is hidden where it may be a
// code, four digits and more; a word is not.
func TestMFAHiddenAnswer(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	for code, want := range map[string]string{
		"8712": "late, after ******", "8 7 1 2": "late, after ******", "(8)712": "late, after ******", "0000": "late, after ******", "9999": "late, after ******",
		"871": "late, after 871", "abcd": "late, after abcd", "()()": "late, after ()()",
	} {
		s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return code, errors.New("late, after " + code) }))
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Contains(t, err.Error()+"\n", want, "%q", code)
		var e *awsauth.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, "start MFA session", e.Op)
	}
}

// TestMFABadCodeHint: who typed something else is told what to type.
func TestMFABadCodeHint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	_, err := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "12", nil })).Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.MFARequired, "; enter the six digits that the device shows now")
}

// TestMFAOptionsOfRoleAndKeys: config.WithAssumeRoleCredentialOptions, which runs once
// for each role, does not run once more where the keys name the device too.
func TestMFAOptionsOfRoleAndKeys(t *testing.T) {
	const keys = "[profile keys]\nmfa_serial = " + lab.MFASerial + "\n" + lab.KeyLines
	for name, text := range map[string]string{
		"in both places": "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = " + lab.MFASerial + "\n" + keys,
		"with the keys":  "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n" + keys,
	} {
		for _, given := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				device := w.Device()
				w.Files(text, "")
				ran := 0
				opts := []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
					ran++
					o.SerialNumber = aws.String(device.Serial)
					o.TokenProvider = func() (string, error) { return device.Code(t.Context()) }
				}))}
				if given {
					opts = append(opts, awsauth.WithMFA("", device.Code))
				}
				lab.Get(t, w.Open(opts...))
				assert.Equal(t, 1, ran)
			})
		}
	}
}

// TestMFASerialOfOption: a serial that config.WithAssumeRoleCredentialOptions sets for a
// role takes the place of the one that stands beside it.
func TestMFASerialOfOption(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = "+w.ARN(lab.Home, "mfa/former")+"\n[profile keys]\n"+lab.KeyLines, "")
	lab.Get(t, w.Open(awsauth.WithProfile("ops"), awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.SerialNumber = aws.String(device.Serial)
		o.TokenProvider = func() (string, error) { return device.Code(t.Context()) }
	}))))
	assert.Equal(t, device.Serial, w.Calls("GetSessionToken")[0].Params.Get("SerialNumber"))
}

// TestMFABesideKeysAlone: without WithMFA, an mfa_serial beside keys asks nobody where no
// role is assumed, as with the AWS CLI.
func TestMFABesideKeysAlone(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Device()
	w.Files("[profile ops]\nmfa_serial = "+lab.MFASerial+"\n"+lab.KeyLines, "")
	s := w.Open(awsauth.WithProfile("ops"), w.MFAFrom(func() (string, error) { t.Error("asked"); return "", nil }))
	assert.Equal(t, w.Keys.AccessKeyID, lab.Get(t, s).AccessKeyID)
}

// TestMFACodeTarget: what was no code for a role of its own names the role.
func TestMFACodeTarget(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device, accounts := w.Device(), w.Strict(1)
	for said, opts := range map[string][]awsauth.Option{
		"start MFA session: ":                            nil,
		"assume role " + w.ManageARN(accounts[0]) + ": ": {awsauth.WithAccount(accounts[0]), awsauth.WithDuration(2 * time.Hour)},
	} {
		opts = append(opts, w.Static(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "12", nil }))
		_, err := w.Open(opts...).Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.MFARequired, said)
	}
}

// TestMFASerialAccount: the account of a session's keys is that of the device, whose path
// may hold colons.
func TestMFASerialAccount(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	serial := w.ARN(lab.Home, "mfa/a:b/ana")
	w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci"), MFASerial: serial})
	s := w.Open(w.Static(), awsauth.WithMFA(serial, func(context.Context) (string, error) { return w.MFACode(serial), nil }))
	assert.Equal(t, lab.Home, lab.Get(t, s).AccountID)
}
