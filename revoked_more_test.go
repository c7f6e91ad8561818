package awsauth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestAuthFailure: EC2 uses the code for much that has nothing to do with the key.
func TestAuthFailure(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "AuthFailure", Message: "Not authorized for images: [ami-1]"})
		require.Equal(t, "AuthFailure", lab.Refusal(lab.Whoami(s)))
		require.Equal(t, 1, w.Assumed())
	})
}

// TestDeniedIsAccepted: a service that denies an action knows the key. That
// another one does not know it, within a minute, replaces nothing.
func TestDeniedIsAccepted(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		for _, code := range []string{"AccessDenied", "UnrecognizedClientException"} {
			w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: code, Times: 1})
		}
		require.Equal(t, "AccessDenied", lab.Refusal(lab.Whoami(s)))
		require.Equal(t, "UnrecognizedClientException", lab.Refusal(lab.Whoami(s)))
		require.Equal(t, 1, w.Assumed())
	})
}

// TestForeignRegionHint: where the partition was said, another region is no way
// out. Where nothing said it, the keys may well be of the other.
func TestForeignRegionHint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, said := range []bool{false, true} {
		var opts []awsauth.Option
		if said {
			opts = append(opts, awsauth.WithRegion("us-east-1"))
		}
		cfg := w.Open(append(opts, w.Static())...).Config()
		cfg.Region = "cn-north-1"
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		var e *awsauth.Error
		require.True(t, errors.As(err, &e))
		if said {
			assert.NotContains(t, e.Error(), `WithRegion("cn-north-1")`)
		} else {
			assert.Contains(t, e.Error(), `pass WithRegion("cn-north-1") to New`)
		}
	}
	assert.Empty(t, w.Said())
}

// TestChainedFromToken: a role that a token opens is a role session, and a role
// assumed from it lasts at most an hour.
func TestChainedFromToken(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	_, err := w.WebIdentity().Assume(awsauth.WithAccount(lab.Target), awsauth.WithDuration(2*time.Hour))
	lab.RequireBad(t, err, awsauth.InvalidDuration, "1h")
}

// TestLoginAgain (C8): after hours of failures, the session and the role behind
// it work within seconds of the new login.
func TestLoginAgain(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SSOProfile()
		s := w.Open(awsauth.WithProfile("dev"))
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		for start := time.Now(); time.Since(start) < 10*time.Minute; time.Sleep(500 * time.Millisecond) {
			require.ErrorIs(t, lab.Ask(t.Context(), child).Err, awsauth.Expired)
		}
		w.SSOLogin("corp")
		time.Sleep(2 * time.Second)
		lab.Get(t, child)
		lab.Get(t, s)
	})
}

// TestIdentityAsksOnce: of many callers at the same time, also one who comes just
// as the answer has arrived asks nobody.
func TestIdentityAsksOnce(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for range 50 {
		s := w.Open(w.Static())
		w.ResetCalls()
		errs := make(chan error)
		for range 20 {
			go func() { _, err := s.Identity(t.Context()); errs <- err }()
		}
		for range 20 {
			require.NoError(t, <-errs)
		}
		require.Len(t, w.Calls(), 1)
	}
}
