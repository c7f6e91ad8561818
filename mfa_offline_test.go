package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// temporaryUser are keys of a user's session, as somebody passes them on.
func temporaryUser(t *testing.T, w *lab.Place, device *lab.Device) aws.Credentials {
	t.Helper()
	c := lab.Get(t, w.Open(w.Static(), device.Option()))
	w.ResetCalls()
	return c
}

// TestMFAFleetOfTemporaryKeys: behind MFA with temporary keys each account takes a
// code of its own, which a walk cannot have. It is refused before it begins.
func TestMFAFleetOfTemporaryKeys(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(3)
		c := temporaryUser(t, w, device)
		asked := device.Asked()
		time.Sleep(time.Minute)
		s := w.Open(awsauth.WithStaticCredentials(c.AccessKeyID, c.SecretAccessKey, c.SessionToken), device.Option())
		err := s.ForEachAccount(t.Context(), accounts, lab.Enter)
		assert.ErrorIs(t, err, awsauth.InvalidOption, "%v", err)
		assert.Equal(t, asked, device.Asked(), "asked for each account")
	})
}

// TestMFAProfileLongTemporary: a profile's role of more than an hour cannot be
// assumed with temporary keys. Nobody types a code for it in vain.
func TestMFAProfileLongTemporary(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		c := temporaryUser(t, w, device)
		asked := device.Asked()
		time.Sleep(time.Minute)
		w.Files("[profile ops]\nrole_arn = "+w.ManageARN(accounts[0])+"\nduration_seconds = 14400\ncredential_source = Environment\nmfa_serial = "+device.Serial+"\n", "")
		w.Env("AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
		s, err := w.Try(awsauth.WithProfile("ops"), awsauth.WithMFA("", device.Code))
		if err == nil {
			_, err = s.Retrieve(t.Context())
		}
		assert.ErrorIs(t, err, awsauth.InvalidDuration)
		assert.Equal(t, asked, device.Asked(), "asked in vain: %v", err)
	})
}

// TestMFAOptionsWithoutCode: an mfa_serial beside keys is heeded only where somebody
// gives a code. Options for a profile's roles that set something else do not.
func TestMFAOptionsWithoutCode(t *testing.T) {
	only := awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.ExternalID = aws.String("x-1") }))
	for name, text := range map[string]string{
		"keys": "[profile ops]\n" + lab.KeyLines, "SSO": "[profile ops]\n" + lab.SSOSession,
		"of the source": "[profile other]\nregion = us-east-1\n[profile ops]\n" + lab.KeyLines,
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.SSOProfile()
			w.Files(text+"mfa_serial = "+lab.MFASerial+"\n"+lab.CorpSection, "")
			_, err := w.Try(awsauth.WithProfile("ops"), only, awsauth.WithAccount(lab.Target))
			assert.NoError(t, err)
		})
	}
}

// TestMFAProfilePartition: a device in another partition than the role, said by a
// profile, is found before anybody types.
func TestMFAProfilePartition(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	asked := 0
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = arn:aws-cn:iam::111111111111:mfa/ana\n[profile keys]\n"+lab.KeyLines, "")
	s, err := w.Try(awsauth.WithProfile("ops"), awsauth.WithMFA("", func(context.Context) (string, error) { asked++; return "123456", nil }))
	if err == nil {
		_, err = s.Retrieve(t.Context())
	}
	assert.ErrorIs(t, err, awsauth.WrongPartition)
	assert.Zero(t, asked)
}

// TestMFASlowUser: while an MFA session is good, it does not matter that the user's
// keys cannot be had, nor how long that takes to find out.
func TestMFASlowUser(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		hang := false
		s := w.Open(device.Option(), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			if hang {
				<-ctx.Done()
				return aws.Credentials{}, ctx.Err()
			}
			return aws.Credentials{AccessKeyID: w.Keys.AccessKeyID, SecretAccessKey: w.Keys.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil
		})))
		lab.Get(t, s)
		child, err := s.Assume(awsauth.WithAccount(accounts[0]))
		require.NoError(t, err)
		lab.Get(t, child)
		hang = true
		var worst time.Duration
		for start := time.Now(); time.Since(start) < 3*time.Hour; time.Sleep(5 * time.Minute) {
			o := lab.Ask(t.Context(), s)
			require.NoError(t, o.Err)
			worst = max(worst, o.Took)
		}
		assert.LessOrEqual(t, worst, 5*time.Second)
	})
}

// TestMFACodeInError: a func that fails may quote the code that it got. No error and
// no log shows it.
func TestMFACodeInError(t *testing.T) {
	const code = "871205"
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	var log lab.Records
	s := w.Open(w.Static(), log.Option(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) {
		return code, errors.New("exit status 1: ykman printed " + code)
	}))
	_, err := s.Retrieve(t.Context())
	require.Error(t, err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), log.String(), s.Explain().String()} {
		assert.NotContains(t, text, code)
	}
}

// TestMFATypos: who mistypes is asked again. A code that was no code was not sent,
// so there is nothing to wait for.
func TestMFATypos(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, asked := w.Device(), 0
		s := w.Open(w.Static(), awsauth.WithMFA(device.Serial, func(ctx context.Context) (string, error) {
			if asked++; asked <= 3 {
				return "12345", nil
			}
			return device.Code(ctx)
		}))
		for range 4 {
			_, _ = s.Retrieve(t.Context())
			time.Sleep(5 * time.Second)
		}
		assert.Equal(t, 4, asked, "callers who got the error of a typo before them")
	})
}

// TestMFAExplainPassedThrough: where the user's keys turned out to be temporary, the
// report does not promise one code for 12 hours.
func TestMFAExplainPassedThrough(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(1)
		c := temporaryUser(t, w, device)
		time.Sleep(time.Minute)
		s := w.Open(device.Option(), awsauth.WithAccount(accounts[0]), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })))
		lab.Get(t, s)
		for _, line := range strings.Split(s.Explain().String(), "\n") {
			if strings.Contains(line, "MFA session of") {
				assert.NotContains(t, line, "with one code for 12h")
			}
		}
	})
}

// TestMFAOtherSession: a Session in a role, as the provider, has no device. That is
// known before anybody types.
func TestMFAOtherSession(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	role := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	s, err := w.Try(awsauth.WithCredentialsProvider(role), device.Option(), awsauth.WithAccount(lab.Target))
	if err == nil {
		_, err = s.Retrieve(t.Context())
	}
	assert.Error(t, err)
	assert.Zero(t, device.Asked(), "asked in vain: %v", err)
}
