package awsauth_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// whoami is a service client's call, as anybody makes it.
func whoami(s *awsauth.Session) error {
	_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(context.Background(), nil)
	return err
}

// refusal is the code that the service answered.
func refusal(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// refusalCodes are what services say of a key that is no longer good.
var refusalCodes = []string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
	"RequestExpired", "InvalidToken", "TokenRefreshRequired"}

// TestRevoked: the very call that meets the end of a session succeeds.
func TestRevoked(t *testing.T) {
	for name, end := range map[string]func(w *place, key string){
		"revoked": func(w *place, key string) { w.Expire(key) },
		"deleted": func(w *place, key string) { w.Deactivate(key) },
	} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				var log records
				s := w.inRole(log.option())
				client := sts.NewFromConfig(s.Config())
				ask := func() error { _, err := client.GetCallerIdentity(t.Context(), nil); return err }
				require.NoError(t, ask())
				for round := 2; round < 5; round++ {
					old := get(t, s).AccessKeyID
					end(w, old)
					require.NoError(t, ask())
					require.NotEqual(t, old, get(t, s).AccessKeyID)
					require.Equal(t, round, w.assumed())
					warnings := log.at(slog.LevelWarn)
					require.Len(t, warnings, 1)
					require.Equal(t, manageRole, warnings[0].attrs["role"].String())
					time.Sleep(time.Minute)
				}
				require.Len(t, w.Calls("GetCallerIdentity"), 1+2*3)
			})
		})
	}
}

// TestRevokedCodes are the words of all services.
func TestRevokedCodes(t *testing.T) {
	for _, code := range refusalCodes {
		t.Run(code, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := w.inRole()
				get(t, s)
				w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: code, Times: 1,
					Message: "AWS was not able to validate the provided access credentials"})
				require.NoError(t, whoami(s))
				require.Equal(t, 2, w.assumed())
			})
		})
	}
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "AccessDenied"})
		for range 10 {
			require.Equal(t, "AccessDenied", refusal(whoami(s)))
		}
		require.Equal(t, 1, w.assumed())
	})
}

// TestRevokedCrowd: many requests with the same ended session.
func TestRevokedCrowd(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		w.slow(50 * time.Millisecond)
		for round := 2; round < 12; round++ {
			w.Expire(get(t, s).AccessKeyID)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := whoami(s); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, round, w.assumed())
			time.Sleep(time.Minute)
		}
	})
}

// TestRevokedLate: the refusal of a key that has been replaced meanwhile does
// not cost its successor, and the request is sent again.
func TestRevokedLate(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		old := get(t, s).AccessKeyID
		for _, delay := range []time.Duration{10 * time.Second, 2 * dropInterval} {
			w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: delay, Times: 1})
		}
		late := make(chan error)
		for range 2 {
			go func() { late <- whoami(s) }()
			synctest.Wait()
		}
		w.Expire(old)
		require.NoError(t, whoami(s))
		next := get(t, s)
		require.NotEqual(t, old, next.AccessKeyID)
		require.NoError(t, <-late)
		require.NoError(t, <-late)
		require.Equal(t, next, get(t, s))
		require.Equal(t, 2, w.assumed())
	})
}

// dropInterval is the least time between two keys that a session gives up.
const dropInterval = time.Minute

// TestRevokedOften: a service that refuses every key does not make an STS call
// of every request.
func TestRevokedOften(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		get(t, s)
		up := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken"})
		client := sts.NewFromConfig(s.Config())
		n := 0
		for start := time.Now(); time.Since(start) < 10*time.Minute; time.Sleep(time.Second) {
			_, err := client.GetCallerIdentity(t.Context(), nil)
			require.Equal(t, "ExpiredToken", refusal(err))
			n++
		}
		synctest.Wait()
		require.GreaterOrEqual(t, w.assumed(), 10)
		require.LessOrEqual(t, w.assumed(), 12)
		require.LessOrEqual(t, len(w.Calls("GetCallerIdentity")), n+12, "nor two requests of one")
		up()
		_, err := client.GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
	})
}

// TestRevokedStatic: for keys that nothing renews there is nothing to do.
func TestRevokedStatic(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var log records
		s := w.open(w.static(), log.option())
		first := get(t, s)
		w.Deactivate(w.keys.AccessKeyID)
		for range 5 {
			require.Equal(t, "InvalidClientTokenId", refusal(whoami(s)))
		}
		require.Len(t, w.Calls(), 5)
		require.Empty(t, log.at(slog.LevelWarn))
		require.Equal(t, first, get(t, s))
	})
}

// TestRevokedParent: the session that assumes a role is renewed when STS says
// that it has ended, in the foreground and behind the callers.
func TestRevokedParent(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		parent := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")))
		child, err := parent.Assume(awsauth.WithAccount(target))
		require.NoError(t, err)
		for range 3 {
			w.Expire(get(t, parent).AccessKeyID)
			w.ResetCalls()
			get(t, child)
			require.Equal(t, []string{
				"AssumeRole/manage-role sts.us-east-1.amazonaws.com us-east-1 session",
				"AssumeRole/base sts.us-east-1.amazonaws.com us-east-1 user",
				"AssumeRole/manage-role sts.us-east-1.amazonaws.com us-east-1 session",
			}, w.said())
			time.Sleep(lifetime)
		}
		first := get(t, child)
		time.Sleep(surelyStale)
		get(t, parent)
		synctest.Wait()
		w.Expire(get(t, parent).AccessKeyID)
		w.ResetCalls()
		require.Equal(t, first, get(t, child))
		time.Sleep(5 * time.Second)
		require.NotEqual(t, first.AccessKeyID, get(t, child).AccessKeyID)
		require.Equal(t, 3, w.assumed())
	})
}

// TestRevokedIdentity: the session's own question to STS recovers likewise.
func TestRevokedIdentity(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var n int
		keys := []awsauthtest.Keys{w.sessionKeys(), w.sessionKeys()}
		s := w.open(awsauth.WithCredentialsProvider(providerFunc(func(ctx context.Context) (c aws.Credentials, err error) {
			c, err = keys[min(n, 1)].Provider().Retrieve(ctx)
			c.CanExpire, c.Expires = true, time.Now().Add(time.Hour)
			n++
			return c, err
		})))
		w.Expire(keys[0].AccessKeyID)
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		require.Equal(t, w.became(home, "base"), shortARN(id.ARN))
		require.Equal(t, 2, n)
	})
}

// TestRevokedWhileDown: with STS down there is nothing to replace the keys by.
// The service's refusal stays what it was, and the first keys that can be had
// are used.
func TestRevokedWhileDown(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		w.Expire(get(t, s).AccessKeyID)
		up := w.down(awsauthtest.ServerError)
		err := whoami(s)
		var refused smithy.APIError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "ExpiredToken", refused.ErrorCode())
		up()
		time.Sleep(5 * time.Second)
		require.NoError(t, whoami(s))
	})
}
