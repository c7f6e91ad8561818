package awsauth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestExpiredOnArrival: keys that are over when they come are an error that
// says why that may be.
func TestExpiredOnArrival(t *testing.T) {
	const unset = "awsauth: provider: the keys that were returned can expire (CanExpire), but no expiry was set; " +
		"set Expires to when the keys end, or CanExpire to false"
	const over = "; check that the provider renews them, and that the clock of this machine is right"
	for _, tt := range []struct {
		name    string
		expires func() time.Time
		says    string
	}{
		{"no expiry", func() time.Time { return time.Time{} }, unset},
		{"now", time.Now, unset},
		{"a second ago", func() time.Time { return time.Now().Add(-time.Second) }, "awsauth: provider: the keys that were returned had already expired 1s ago" + over},
		{"a day ago", func() time.Time { return time.Now().Add(-24 * time.Hour) }, "awsauth: provider: the keys that were returned had already expired 24h0m0s ago" + over},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					c := lab.Issued("K", 0)
					c.Expires = tt.expires()
					return c, nil
				})))
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.Expired)
				require.Equal(t, tt.says, err.Error())
			})
		})
	}
}

// waysIn are the ways into the library that take a context.
var waysIn = map[string]func(context.Context, *awsauth.Session) error{
	"Retrieve": lab.Enter,
	"Identity": func(ctx context.Context, s *awsauth.Session) error { _, err := s.Identity(ctx); return err },
	"a service client": func(ctx context.Context, s *awsauth.Session) error {
		_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
		return err
	},
	"ForEachAccount": func(ctx context.Context, s *awsauth.Session) error {
		return s.ForEachAccount(ctx, []string{lab.Target}, lab.Enter)
	},
	"Assume": func(ctx context.Context, s *awsauth.Session) error {
		child, err := s.Assume(awsauth.WithRoleARN(lab.ManageRole))
		if err != nil {
			return err
		}
		_, err = child.Identity(ctx)
		return err
	},
}

// waits are sessions whose source may leave a call without an answer.
var waits = map[string]func(w *lab.Place) *awsauth.Session{
	"keys": func(w *lab.Place) *awsauth.Session { return w.Open(w.Static()) },
	"role": func(w *lab.Place) *awsauth.Session {
		return w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	},
	"profile's role": (*lab.Place).ProfileRole,
	"web identity":   (*lab.Place).WebIdentity,
	"container":      func(w *lab.Place) *awsauth.Session { w.InContainer(); return w.Open() },
	"EC2":            func(w *lab.Place) *awsauth.Session { w.OnInstance(); return w.Open(awsauth.WithRegion("us-east-1")) },
	"provider": func(w *lab.Place) *awsauth.Session {
		return w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			<-ctx.Done()
			return aws.Credentials{}, ctx.Err()
		})))
	},
}

// TestContextSurvives: whoever gave up finds his own context's error, on every
// way into the library and wherever the call hangs.
func TestContextSurvives(t *testing.T) {
	for name, ask := range waysIn {
		for from, open := range waits {
			if from == "keys" && name == "Retrieve" {
				continue // nothing to wait for
			}
			t.Run(name+" from "+from, func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					s := open(w)
					w.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang})
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(time.Second, func() { cancel(errors.New("the user has pressed Ctrl-C")) })
					err := ask(ctx, s)
					assert.ErrorIs(t, err, context.Canceled)
					assert.NotErrorIs(t, err, context.DeadlineExceeded)
					assert.Contains(t, err.Error(), "canceled")
					assert.NotErrorIs(t, err, awsauth.Unreachable, "it was not AWS that ended it")

					ctx, stop := context.WithTimeout(t.Context(), time.Second)
					defer stop()
					err = ask(ctx, s)
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					var e *awsauth.Error
					if errors.As(err, &e) { // a service client's own call may be what hangs
						assert.ErrorIs(t, err, awsauth.Unreachable)
					}
				})
			})
		}
	}
}

// TestContextOver: a context that is over already starts nothing.
func TestContextOver(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, ask := range waysIn {
			err := ask(ctx, w.Open(awsauth.WithCredentialsProvider(lab.NoKeys{})))
			assert.ErrorIs(t, err, context.Canceled, name)
		}
		assert.Empty(t, w.Said())
	})
}

// TestPanicOfASource: a panic is blamed on the provider where there is one.
func TestPanicOfASource(t *testing.T) {
	panics := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { panic(lab.SomeSecret) })
	for want, setUp := range map[string]func(w *lab.Place) []awsauth.Option{
		"awsauth: provider: the credentials provider panicked": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(panics)}
		},
		"awsauth: container: the SDK, or what an option gave it, panicked": func(w *lab.Place) []awsauth.Option {
			w.InContainer()
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) {
				o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) { panic(lab.SomeSecret) })
			}))}
		},
	} {
		w := lab.New(t, awsauth.AWS)
		opts := setUp(w)
		err := w.Fetch(opts...)
		lab.RequireBad(t, err, awsauth.NoCredentials)
		require.EqualError(t, err, want)
	}
}
