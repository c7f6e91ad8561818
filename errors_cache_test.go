package awsauth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
				s := w.Open(awsauth.WithCredentialsProvider(lab.ProviderFunc(func(context.Context) (aws.Credentials, error) {
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

// TestContextSurvives: whoever gave up finds his own context's error, on every
// way into the library and wherever the call hangs.
func TestContextSurvives(t *testing.T) {
	ways := map[string]func(context.Context, *awsauth.Session) error{
		"Retrieve": func(ctx context.Context, s *awsauth.Session) error { _, err := s.Retrieve(ctx); return err },
		"Identity": func(ctx context.Context, s *awsauth.Session) error { _, err := s.Identity(ctx); return err },
		"a service client": func(ctx context.Context, s *awsauth.Session) error {
			_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
			return err
		},
		"ForEachAccount": func(ctx context.Context, s *awsauth.Session) error {
			return s.ForEachAccount(ctx, []string{lab.Target}, func(ctx context.Context, s *awsauth.Session) error {
				_, err := s.Retrieve(ctx)
				return err
			})
		},
		"Assume": func(ctx context.Context, s *awsauth.Session) error {
			child, err := s.Assume(awsauth.WithRoleARN(lab.ManageRole))
			require.NoError(t, err)
			_, err = child.Identity(ctx)
			return err
		},
	}
	for name, ask := range ways {
		for from, open := range map[string]func(w *lab.Place) *awsauth.Session{
			"keys": func(w *lab.Place) *awsauth.Session { return w.Open(w.Static()) },
			"role": func(w *lab.Place) *awsauth.Session {
				return w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
			},
			"profile's role": func(w *lab.Place) *awsauth.Session {
				w.Files(lab.RoleProfile, "")
				return w.Open(awsauth.WithProfile("ops"))
			},
			"web identity": func(w *lab.Place) *awsauth.Session {
				w.WebToken()
				w.WebEnv()
				return w.Open()
			},
			"container": func(w *lab.Place) *awsauth.Session { w.InContainer(); return w.Open() },
			"EC2":       func(w *lab.Place) *awsauth.Session { w.OnInstance(); return w.Open(awsauth.WithRegion("us-east-1")) },
			"provider": func(w *lab.Place) *awsauth.Session {
				return w.Open(awsauth.WithCredentialsProvider(lab.ProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
					<-ctx.Done()
					return aws.Credentials{}, ctx.Err()
				})))
			},
		} {
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
					assert.False(t, errors.Is(err, awsauth.Unreachable), "it was not AWS that ended it")

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
	t.Run("before it began", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for name, ask := range ways {
				err := ask(ctx, w.Open(awsauth.WithCredentialsProvider(lab.NoKeys{})))
				assert.ErrorIs(t, err, context.Canceled, name)
			}
		})
	})
}
