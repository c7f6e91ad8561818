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
)

// TestIdentityCalls: a role says who it is when it is assumed; of all others
// STS is asked, once.
func TestIdentityCalls(t *testing.T) {
	for _, src := range explainSources() {
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			opts := src.fill(w, "eu-west-3")
			for name, s := range map[string]*awsauth.Session{
				"itself":    w.open(opts...),
				"in a role": w.open(append(opts, awsauth.WithAccount(target))...),
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
				if name == "itself" && (src.role == "" || src.service) {
					asked = 1
				}
				assert.Len(t, w.Calls("GetCallerIdentity"), asked, name)
				assert.Len(t, w.Calls(), asked, name)
				assert.Equal(t, awsauth.AWS, first.Partition)
				assert.Len(t, first.Account, 12)
				assert.NotEmpty(t, first.UserID)

				truth, err := w.open(awsauth.WithCredentialsProvider(s)).Identity(t.Context()) // has to ask
				require.NoError(t, err)
				assert.Equal(t, truth, first, "as STS has it")
			}
		})
	}
}

// TestIdentityTogether: a hundred callers, one question.
func TestIdentityTogether(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: time.Second})
		s := w.open(w.static())
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				id, err := s.Identity(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, w.arn(home, "user/ci"), id.ARN)
			})
		}
		wg.Wait()
		assert.Len(t, w.Calls(), 1)
	})
}

// TestIdentityLeaver: who asked first and left harms nobody.
func TestIdentityLeaver(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: time.Minute / 4})
		s := w.open(w.static())
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
	onItsClock(t, func(t *testing.T, w *place) {
		hand := 0
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
			hand++
			k := w.AddUser(awsauthtest.User{ARN: w.arn(home, fmt.Sprintf("user/hand-%d", hand))})
			return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil
		})))
		for round := 1; round <= 3; round++ {
			for range 2 {
				id, err := s.Identity(t.Context())
				require.NoError(t, err)
				assert.Equal(t, w.arn(home, fmt.Sprintf("user/hand-%d", round)), id.ARN)
			}
			assert.Len(t, w.Calls(), round)
			time.Sleep(2 * time.Hour)
		}
	})
}

// TestIdentityFails: an error is not kept.
func TestIdentityFails(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		up := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "SomethingElse", Status: 400})
		s := w.open(w.static())
		_, err := s.Identity(t.Context())
		requireBad(t, err, awsauth.InvalidOption, "awsauth: get caller identity: ")
		up()
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		assert.Equal(t, w.arn(home, "user/ci"), id.ARN)

		w.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
		s = w.open(w.static())
		start := time.Now()
		_, err = s.Identity(t.Context())
		requireBad(t, err, awsauth.Unreachable, "no answer from sts.us-east-1.amazonaws.com in 30s")
		assert.Equal(t, 30*time.Second, time.Since(start), "bounded, whatever the context")
	})
}
