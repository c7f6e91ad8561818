package awsauth_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
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
