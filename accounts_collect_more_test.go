package awsauth_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestCollectPanics: a panic in get reaches the caller once those that run have ended,
// and one that ends its goroutine is an error of its account.
func TestCollectPanics(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		accounts := w.Accounts(40)
		s := w.Open(w.Static())
		var running, begun atomic.Int32
		assert.PanicsWithValue(t, "the func's own", func() {
			_, _ = awsauth.Collect(t.Context(), s, accounts, func(ctx context.Context, s *awsauth.Session) (int, error) {
				running.Add(1)
				defer running.Add(-1)
				if begun.Add(1) == 3 {
					panic("the func's own")
				}
				time.Sleep(time.Second)
				return 1, nil
			}, awsauth.WithConcurrency(4))
		})
		assert.Zero(t, running.Load())
		assert.Less(t, begun.Load(), int32(12))
		got, err := awsauth.Collect(t.Context(), s, accounts[:3], func(ctx context.Context, s *awsauth.Session) (int, error) {
			if id, _ := s.Identity(ctx); id.Account == accounts[1] {
				runtime.Goexit()
			}
			return 1, nil
		})
		assert.Equal(t, map[string]int{accounts[0]: 1, accounts[2]: 1}, got)
		failed := awsauth.AccountErrors(err)
		require.Len(t, failed, 1)
		assert.Equal(t, accounts[1], failed[0].Account)
		synctest.Wait()
	})
}

// TestCollectEnds: when the context ends, what was collected stays, and every other
// account has its error.
func TestCollectEnds(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		accounts := w.Accounts(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var begun atomic.Int32
		got, err := awsauth.Collect(ctx, w.Open(w.Static()), accounts, func(ctx context.Context, s *awsauth.Session) (int32, error) {
			n := begun.Add(1)
			if n == 4 {
				cancel()
				return 0, ctx.Err()
			}
			return n, nil
		}, awsauth.WithConcurrency(1))
		assert.Len(t, got, 3)
		failed := awsauth.AccountErrors(err)
		require.Len(t, failed, 7)
		for i, one := range failed {
			assert.Equal(t, accounts[3+i], one.Account)
			require.ErrorIs(t, one, context.Canceled)
		}
		got, err = awsauth.Collect(ctx, w.Open(w.Static()), accounts, func(context.Context, *awsauth.Session) (int32, error) { t.Error("ran"); return 0, nil })
		assert.Empty(t, got)
		assert.Len(t, awsauth.AccountErrors(err), 10)
	})
}

// TestCollectOneRoleTwice: an id and the ARN that it stands for are one account, under
// the name that comes first, in whatever order.
func TestCollectOneRoleTwice(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	id, arn := lab.Target, w.ManageARN(lab.Target)
	get := func(context.Context, *awsauth.Session) (int, error) { return 1, nil }
	for _, list := range [][]string{{id, arn}, {arn, id}, {id, id, arn, arn}} {
		got, err := awsauth.Collect(t.Context(), w.Open(w.Static()), list, get)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{list[0]: 1}, got, "%v", list)
	}
	got, err := awsauth.Collect(t.Context(), w.Open(w.Static()), []string{id, w.ARN(lab.Target, "role/team/ops")}, get)
	require.NoError(t, err)
	assert.Len(t, got, 2)
}

// TestAccountErrorsOdd: a nil pointer is no account's error, and those within an
// account's error are not counted again.
func TestAccountErrorsOdd(t *testing.T) {
	assert.Empty(t, awsauth.AccountErrors((*awsauth.AccountError)(nil)))
	inner := errors.Join(&awsauth.AccountError{Account: "1", Err: errors.New("x")})
	outer := &awsauth.AccountError{Account: "2", Err: inner}
	assert.Equal(t, []*awsauth.AccountError{outer}, awsauth.AccountErrors(errors.Join(outer)))
}
