package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestCollect: the results of the accounts that worked, and an error for each of the
// others, in the order of the list.
func TestCollect(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	accounts := w.Accounts(30)
	w.RemoveRole(w.ManageARN(accounts[7]))
	w.RemoveRole(w.ManageARN(accounts[3]))
	list := append(accounts, accounts[0], w.ARN(lab.Home, "role/base")) // one twice, one as an ARN
	got, err := awsauth.Collect(t.Context(), w.Open(w.Static()), list, func(ctx context.Context, s *awsauth.Session) (string, error) {
		id, err := s.Identity(ctx)
		return id.Account, err
	})
	require.Len(t, got, 29)
	for account, result := range got {
		if account == w.ARN(lab.Home, "role/base") {
			account = lab.Home
		}
		assert.Equal(t, account, result)
	}
	failed := awsauth.AccountErrors(err)
	require.Len(t, failed, 2)
	assert.Equal(t, accounts[3], failed[0].Account)
	assert.Equal(t, accounts[7], failed[1].Account)
	require.ErrorIs(t, failed[0], awsauth.AccessDenied)
	assert.Len(t, w.Calls("AssumeRole"), 31)
	assert.Empty(t, w.Calls("GetCallerIdentity"), "the account costs no call")
}

// TestCollectFails: faults of the list or the options leave an empty map.
func TestCollectFails(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	got, err := awsauth.Collect[int](t.Context(), s, []string{lab.Target}, nil)
	lab.RequireBad(t, err, awsauth.InvalidOption, "ForEachAccount", "pass a func")
	assert.NotNil(t, got)
	got, err = awsauth.Collect(t.Context(), s, []string{lab.Target, "1234"}, func(context.Context, *awsauth.Session) (int, error) { t.Error("ran"); return 1, nil })
	require.ErrorIs(t, err, awsauth.InvalidOption)
	assert.Empty(t, got)
	got, err = awsauth.Collect(t.Context(), s, nil, func(context.Context, *awsauth.Session) (int, error) { return 1, nil })
	require.NoError(t, err)
	assert.Empty(t, got)
}

// TestAccountErrors finds them however they are wrapped, and nothing else.
func TestAccountErrors(t *testing.T) {
	a, b := &awsauth.AccountError{Account: "1", Err: errors.New("x")}, &awsauth.AccountError{Account: "2", Err: errors.New("y")}
	joined := errors.Join(a, b)
	for name, tt := range map[string]struct {
		err  error
		want []*awsauth.AccountError
	}{
		"nil":             {nil, nil},
		"none":            {errors.New("z"), nil},
		"one":             {a, []*awsauth.AccountError{a}},
		"joined":          {joined, []*awsauth.AccountError{a, b}},
		"wrapped":         {fmt.Errorf("inventory: %w", joined), []*awsauth.AccountError{a, b}},
		"joined again":    {errors.Join(errors.New("z"), fmt.Errorf("more: %w", b), joined), []*awsauth.AccountError{b, a, b}},
		"within its like": {&awsauth.AccountError{Account: "3", Err: joined}, nil},
	} {
		if name == "within its like" {
			tt.want = []*awsauth.AccountError{tt.err.(*awsauth.AccountError)}
		}
		assert.Equal(t, tt.want, awsauth.AccountErrors(tt.err), name)
	}
}
