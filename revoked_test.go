package awsauth_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// refusalCodes are what services say of a key that is no longer good.
var refusalCodes = []string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
	"RequestExpired", "InvalidToken", "TokenRefreshRequired"}

// TestRevoked: the very call that meets the end of a session succeeds.
func TestRevoked(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		s := w.InRole(log.Option())
		require.NoError(t, lab.Whoami(s))
		for round := 2; round < 5; round++ {
			old := lab.Get(t, s).AccessKeyID
			w.Expire(old)
			require.NoError(t, lab.Whoami(s))
			require.NotEqual(t, old, lab.Get(t, s).AccessKeyID)
			require.Equal(t, round, w.Assumed())
			warnings := log.At(slog.LevelWarn)
			require.Len(t, warnings, 1)
			require.Equal(t, lab.ManageRole, warnings[0].Attrs["role"].String())
			time.Sleep(time.Minute)
		}
		require.Len(t, w.Calls("GetCallerIdentity"), 1+2*3)
	})
}

// TestRevokedUnknown: that one service does not know a key says little right
// after another has accepted it, and enough a minute later.
func TestRevokedUnknown(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		require.NoError(t, lab.Whoami(s))
		old := lab.Get(t, s)
		w.Deactivate(old.AccessKeyID)
		require.Equal(t, "InvalidClientTokenId", lab.Refusal(lab.Whoami(s)))
		require.Equal(t, old, lab.Get(t, s))
		require.Equal(t, 1, w.Assumed())
		time.Sleep(time.Minute)
		require.NoError(t, lab.Whoami(s))
		require.NotEqual(t, old.AccessKeyID, lab.Get(t, s).AccessKeyID)
		require.Equal(t, 2, w.Assumed())
	})
}

// TestRevokedCodes are the words of all services.
func TestRevokedCodes(t *testing.T) {
	for _, code := range refusalCodes {
		t.Run(code, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.InRole()
				lab.Get(t, s)
				w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: code, Times: 1,
					Message: "AWS was not able to validate the provided access credentials"})
				require.NoError(t, lab.Whoami(s))
				require.Equal(t, 2, w.Assumed())
			})
		})
	}
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "AccessDenied"})
		for range 10 {
			require.Equal(t, "AccessDenied", lab.Refusal(lab.Whoami(s)))
		}
		require.Equal(t, 1, w.Assumed())
	})
}

// TestRevokedCrowd: many requests with the same ended session.
func TestRevokedCrowd(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		w.Slow(50 * time.Millisecond)
		for round := 2; round < 12; round++ {
			w.Expire(lab.Get(t, s).AccessKeyID)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := lab.Whoami(s); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, round, w.Assumed())
			time.Sleep(time.Minute)
		}
	})
}

// TestRevokedLate: the refusal of a key that has been replaced meanwhile does
// not cost its successor, and the request is sent again.
func TestRevokedLate(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		old := lab.Get(t, s).AccessKeyID
		for _, delay := range []time.Duration{10 * time.Second, 2 * dropInterval} {
			w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Delay: delay, Times: 1})
		}
		late := make(chan error)
		for range 2 {
			go func() { late <- lab.Whoami(s) }()
			synctest.Wait()
		}
		w.Expire(old)
		require.NoError(t, lab.Whoami(s))
		next := lab.Get(t, s)
		require.NotEqual(t, old, next.AccessKeyID)
		require.NoError(t, <-late)
		require.NoError(t, <-late)
		require.Equal(t, next, lab.Get(t, s))
		require.Equal(t, 2, w.Assumed())
	})
}

// dropInterval is the least time between two keys that a session gives up.
const dropInterval = time.Minute

// TestRevokedStatic: for keys that nothing renews there is nothing to do.
func TestRevokedStatic(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		s := w.Open(w.Static(), log.Option())
		first := lab.Get(t, s)
		w.Deactivate(w.Keys.AccessKeyID)
		for range 5 {
			require.Equal(t, "InvalidClientTokenId", lab.Refusal(lab.Whoami(s)))
		}
		require.Len(t, w.Calls(), 5)
		require.Empty(t, log.At(slog.LevelWarn))
		require.Equal(t, first, lab.Get(t, s))
	})
}

// TestRevokedParent: the session that assumes a role is renewed when STS says
// that it has ended, in the foreground and behind the callers.
func TestRevokedParent(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		parent := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
		child, err := parent.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		for range 3 {
			w.Expire(lab.Get(t, parent).AccessKeyID)
			w.ResetCalls()
			lab.Get(t, child)
			require.Equal(t, []string{
				"AssumeRole/manage-role sts.us-east-1.amazonaws.com us-east-1 session",
				"AssumeRole/base sts.us-east-1.amazonaws.com us-east-1 user",
				"AssumeRole/manage-role sts.us-east-1.amazonaws.com us-east-1 session",
			}, w.Said())
			time.Sleep(lifetime)
		}
		first := lab.Get(t, child)
		time.Sleep(surelyStale)
		lab.Get(t, parent)
		synctest.Wait()
		w.Expire(lab.Get(t, parent).AccessKeyID)
		w.ResetCalls()
		require.Equal(t, first, lab.Get(t, child))
		time.Sleep(5 * time.Second)
		require.NotEqual(t, first.AccessKeyID, lab.Get(t, child).AccessKeyID)
		require.Equal(t, 3, w.Assumed())
	})
}

// TestRevokedIdentity: the session's own question to STS recovers likewise.
func TestRevokedIdentity(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var n int
		keys := []awsauthtest.Keys{w.SessionKeys(), w.SessionKeys()}
		s := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(ctx context.Context) (c aws.Credentials, err error) {
			c, err = keys[min(n, 1)].Provider().Retrieve(ctx)
			c.CanExpire, c.Expires = true, time.Now().Add(time.Hour)
			n++
			return c, err
		})))
		w.Expire(keys[0].AccessKeyID)
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		require.Equal(t, w.Became(lab.Home, "base"), lab.ShortARN(id.ARN))
		require.Equal(t, 2, n)
	})
}

// TestRevokedWhileDown: with STS down there is nothing to replace the keys by.
// The service's refusal stays what it was, and the first keys that can be had
// are used.
func TestRevokedWhileDown(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		w.Expire(lab.Get(t, s).AccessKeyID)
		up := w.Down(awsauthtest.ServerError)
		err := lab.Whoami(s)
		var refused smithy.APIError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "ExpiredToken", refused.ErrorCode())
		up()
		time.Sleep(5 * time.Second)
		require.NoError(t, lab.Whoami(s))
	})
}

// TestRefusedWhileHanging: a key that one service refuses is renewed at the
// cost of that request alone, however long STS takes.
func TestRefusedWhileHanging(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		first := lab.Get(t, s)
		w.Down(awsauthtest.Hang)
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken"})
		client := sts.NewFromConfig(s.Config())
		refused := func(ctx context.Context) <-chan time.Duration {
			took := make(chan time.Duration, 1)
			start := time.Now()
			go func() {
				_, err := client.GetCallerIdentity(ctx, nil)
				if lab.Refusal(err) != "ExpiredToken" {
					t.Errorf("the service's error is lost: %v", err)
				}
				took <- time.Since(start)
			}()
			return took
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		short, long := refused(ctx), refused(t.Context())
		synctest.Wait()
		require.Equal(t, []string{first.AccessKeyID}, lab.Busy(t, s, 100*time.Millisecond, 40*time.Second))
		require.Equal(t, 5*time.Second, <-short)
		require.InDelta(t, 30, (<-long).Seconds(), 1.1)
	})
}

// TestForeignKeyRefused: a client that brings keys of its own is none of the
// session's business.
func TestForeignKeyRefused(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		first := lab.Get(t, s)
		client := sts.NewFromConfig(s.Config(), func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(lab.SomeID, lab.SomeSecret, "")
		})
		for range 5 {
			_, err := client.GetCallerIdentity(t.Context(), nil)
			require.Equal(t, "InvalidClientTokenId", lab.Refusal(err))
		}
		require.Len(t, w.Calls("GetCallerIdentity"), 5, "sent again for nothing")
		require.Equal(t, 1, w.Assumed())
		require.Equal(t, first, lab.Get(t, s))
	})
}

// onceOnly makes a client send a body that cannot be read twice.
func onceOnly(stack *middleware.Stack) error {
	if err := v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware(stack); err != nil {
		return err
	}
	return stack.Build.Add(middleware.BuildMiddlewareFunc("once", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
		middleware.BuildOutput, middleware.Metadata, error,
	) {
		r, err := in.Request.(*smithyhttp.Request).SetStream(struct{ io.Reader }{in.Request.(*smithyhttp.Request).GetStream()})
		if err != nil {
			return middleware.BuildOutput{}, middleware.Metadata{}, err
		}
		in.Request = r
		return next.HandleBuild(ctx, in)
	}), middleware.After)
}

// TestBodyOnceRefused: a request that cannot be sent again ends with what the
// service said, and the next one has new keys.
func TestBodyOnceRefused(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		first := lab.Get(t, s)
		client := sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.APIOptions = append(o.APIOptions, onceOnly) })
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
		_, err := client.GetCallerIdentity(t.Context(), nil)
		require.Equal(t, "ExpiredToken", lab.Refusal(err), "%v", err)
		require.Len(t, w.Calls("GetCallerIdentity"), 1)
		require.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
		require.NoError(t, lab.Whoami(s))
	})
}

// TestForeignRegionOfOlderClients: the clients of older releases of the SDK name
// their region in a first step of each request, before the configuration's own
// steps. A foreign one is refused all the same.
func TestForeignRegionOfOlderClients(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for region, ok := range map[string]bool{"us-west-2": true, "cn-north-1": false} {
		cfg := w.Open(w.Static()).Config()
		cfg.APIOptions = slices.Insert(cfg.APIOptions, 0, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{ServiceID: sts.ServiceID, Region: region, OperationName: "GetCallerIdentity"}, middleware.Before)
		})
		w.ResetCalls()
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if ok {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, awsauth.WrongPartition)
		require.Empty(t, w.Said())
	}
}
