package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRetryerOfARole: a retryer of the caller's may have a budget, so one serves
// all refreshes of a role, and another each other role.
func TestRetryerOfARole(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		made := 0
		s := w.Open(w.Static(), awsauth.WithLoadOptions(config.WithRetryer(func() aws.Retryer {
			made++
			return retry.NewStandard()
		})))
		for roles := 1; roles <= 2; roles++ {
			child, err := s.Assume(awsauth.WithRoleARN(w.ARN(lab.Target, "role/manage-role")), awsauth.WithTags(map[string]string{"n": string(rune('0' + roles))}))
			require.NoError(t, err)
			lab.Get(t, child)
			after := made
			for range 3 {
				time.Sleep(time.Hour)
				lab.Get(t, child)
			}
			require.Equal(t, after, made, "a retryer of each refresh")
			if roles == 1 {
				made = 0
			}
		}
		require.Positive(t, made, "a retryer of both roles")
	})
}

// TestHangAfterTheCode: once the person has typed the code, the call has the
// time of any other: 30 seconds, for the role that the code is for and for one
// that is assumed from it.
func TestHangAfterTheCode(t *testing.T) {
	for _, behind := range []bool{false, true} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			w.MFAProfile()
			s := w.Open(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) {
				time.Sleep(time.Minute)
				return w.MFACode(lab.MFASerial), nil
			}))
			hang := awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Hang}
			if behind {
				child, err := s.Assume(awsauth.WithAccount(lab.Target))
				require.NoError(t, err)
				s, hang.Role = child, w.ARN(lab.Target, "role/manage-role")
			}
			w.Inject(hang)
			o := lab.Ask(t.Context(), s)
			require.ErrorIs(t, o.Err, context.DeadlineExceeded)
			require.InDelta(t, 90, o.Took.Seconds(), 2)
		})
	}
}

// TestPromptAfterTheParent: nobody is asked for a code while the keys that the
// role is assumed with cannot be had.
func TestPromptAfterTheParent(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile admin]\nrole_arn = $BASE\nmfa_serial = "+lab.MFASerial+"\nsource_profile = keys\n[profile keys]\ncredential_process = false\n", "")
	s := w.Open(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) {
		t.Error("a prompt in vain")
		return "123456", nil
	}))
	_, err := s.Retrieve(t.Context())
	require.Error(t, err)
	assert.Empty(t, w.Said())
}

// TestNoCode: the person's device is named where no code came, and a person who
// broke off is not told of MFA.
func TestNoCode(t *testing.T) {
	for cause, want := range map[error]awsauth.Kind{errors.New("no terminal"): awsauth.MFARequired, context.Canceled: ""} {
		w := lab.New(t, awsauth.AWS)
		w.MFAProfile()
		_, err := w.Open(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return "", cause })).Retrieve(t.Context())
		require.ErrorIs(t, err, cause)
		var e *awsauth.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, want, e.Kind)
		if want != "" {
			assert.Contains(t, err.Error(), "no MFA code for "+lab.MFASerial+": no terminal")
		} else {
			assert.Contains(t, err.Error(), "canceled")
		}
	}
}

// TestAnswersOfOtherSTS: an answer for another role is an error, one whose ARN is
// of a foreign form is not, and keys that cannot be signed with are none.
func TestAnswersOfOtherSTS(t *testing.T) {
	const session = "arn:aws:sts::123456789012:assumed-role/manage-role/ana"
	for _, tt := range []struct {
		arn, key, want string
	}{
		{session, "ASIAIOSFODNN7EXAMPLE", ""},
		{"urn:tenant:ana", "ASIAIOSFODNN7EXAMPLE", ""},
		{"arn:aws:iam::123456789012:assumed-role/other/ana", "ASIAIOSFODNN7EXAMPLE", ""}, // of a foreign form
		{"arn:aws:sts::123456789012:federated-user/ana", "ASIAIOSFODNN7EXAMPLE", ""},
		{"arn:aws:sts::123456789012:assumed-role/other/ana", "ASIAIOSFODNN7EXAMPLE", "for another role"},
		{"arn:aws:sts::210987654321:assumed-role/manage-role/ana", "ASIAIOSFODNN7EXAMPLE", "for another role"},
		{"arn:aws:sts::123456789012:assumed-role/manage-role/a na", "ASIAIOSFODNN7EXAMPLE", "for another role"},
		{session, "ASIA IOSFODNN7EXAMPLE", "assume role"},
	} {
		w := lab.New(t, awsauth.AWS)
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(rw, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
				"<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>%s</Arn>"+
				"<AssumedRoleId>A:ana</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>", tt.key, tt.arn)
		}))
		s, err := awsauth.New(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithSTSEndpoint(server.URL))
		require.NoError(t, err)
		_, err = s.Retrieve(t.Context())
		server.Close()
		if tt.want == "" {
			assert.NoError(t, err, tt.arn)
		} else {
			assert.ErrorContains(t, err, tt.want, tt.arn)
		}
	}
}
