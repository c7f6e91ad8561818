package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestIdentityCalls: a role says who it is when it is assumed; of all others
// STS is asked, once.
func TestIdentityCalls(t *testing.T) {
	for _, src := range lab.EverySource() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := src.Fill(w, "eu-west-3")
			for name, s := range map[string]*awsauth.Session{
				"itself":    w.Open(opts...),
				"in a role": w.Open(append(opts, awsauth.WithAccount(lab.Target))...),
			} {
				_, err := s.Retrieve(t.Context())
				require.NoError(t, err)
				w.ResetCalls()
				var first awsauth.Identity
				for i := range 3 {
					id, err := s.Identity(t.Context())
					require.NoError(t, err)
					if i == 0 {
						first = id
					}
					assert.Equal(t, first, id)
				}
				asked := 0
				if name == "itself" && (src.Role == "" || src.Service) {
					asked = 1
				}
				assert.Len(t, w.Calls("GetCallerIdentity"), asked, name)
				assert.Len(t, w.Calls(), asked, name)
				assert.Equal(t, awsauth.AWS, first.Partition)
				assert.Len(t, first.Account, 12)
				assert.NotEmpty(t, first.UserID)

				truth, err := w.Open(awsauth.WithCredentialsProvider(s)).Identity(t.Context()) // has to ask
				require.NoError(t, err)
				assert.Equal(t, truth, first, "as STS has it")
			}
		})
	}
}

// TestIdentityTogether: a hundred callers, one question.
func TestIdentityTogether(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: time.Second})
		s := w.Open(w.Static())
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				id, err := s.Identity(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, w.ARN(lab.Home, "user/ci"), id.ARN)
			})
		}
		wg.Wait()
		assert.Len(t, w.Calls(), 1)
	})
}

// TestIdentityLeaver: who asked first and left harms nobody.
func TestIdentityLeaver(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: time.Minute / 4})
		s := w.Open(w.Static())
		ctx, cancel := context.WithCancelCause(t.Context())
		left := make(chan error)
		go func() { _, err := s.Identity(ctx); left <- err }()
		time.Sleep(time.Second)
		stays := make(chan error)
		go func() { _, err := s.Identity(t.Context()); stays <- err }()
		time.Sleep(time.Second)
		cancel(errors.New("a cause of the caller's own"))
		err := <-left
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, "awsauth: get caller identity: canceled", err.Error())
		require.NoError(t, <-stays)
		assert.Len(t, w.Calls(), 1)
	})
}

// TestIdentityRotates: another key may be somebody else's.
func TestIdentityRotates(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		hand := 0
		s := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			hand++
			k := w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, fmt.Sprintf("user/hand-%d", hand))})
			return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil
		})))
		for round := 1; round <= 3; round++ {
			for range 2 {
				id, err := s.Identity(t.Context())
				require.NoError(t, err)
				assert.Equal(t, w.ARN(lab.Home, fmt.Sprintf("user/hand-%d", round)), id.ARN)
			}
			assert.Len(t, w.Calls(), round)
			time.Sleep(2 * time.Hour)
		}
	})
}

// TestIdentityFails: an error is not kept.
func TestIdentityFails(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		up := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "SomethingElse", Status: 400})
		s := w.Open(w.Static())
		_, err := s.Identity(t.Context())
		lab.RequireBad(t, err, awsauth.InvalidOption, "awsauth: get caller identity: ")
		up()
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		assert.Equal(t, w.ARN(lab.Home, "user/ci"), id.ARN)

		w.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
		s = w.Open(w.Static())
		start := time.Now()
		_, err = s.Identity(t.Context())
		lab.RequireBad(t, err, awsauth.Unreachable, "no answer from sts.us-east-1.amazonaws.com in 30s")
		assert.Equal(t, 30*time.Second, time.Since(start), "bounded, whatever the context")
	})
}
