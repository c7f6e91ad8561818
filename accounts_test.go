package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// visits are the accounts in which a do ran, in the order in which it began.
type visits struct {
	mu   sync.Mutex
	seen []string
}

func (v *visits) enter(ctx context.Context, s *awsauth.Session) error {
	id, err := s.Identity(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = append(v.seen, id.Account)
	return err
}

// failed are the accounts of the errors that were joined.
func failed(t testing.TB, err error) (accounts []string) {
	t.Helper()
	for _, one := range lab.Parts(t, err) {
		var e *awsauth.AccountError
		require.ErrorAs(t, one, &e)
		accounts = append(accounts, e.Account)
	}
	return accounts
}

// TestForEachAccount: do runs once in each account, which costs one AssumeRole.
func TestForEachAccount(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		w := lab.New(t, p)
		ids := w.Accounts(20)
		s := w.Open(w.Static(), awsauth.WithRegion(lab.OtherRegion(p)))
		var v visits
		require.NoError(t, s.ForEachAccount(t.Context(), ids, v.enter))
		slices.Sort(v.seen)
		assert.Equal(t, ids, v.seen)
		var asked []string
		for _, c := range w.Calls() {
			assert.Equal(t, w.Keys.AccessKeyID, c.AccessKeyID)
			assert.Equal(t, lab.OtherRegion(p), c.Region)
			asked = append(asked, c.Action+" "+c.Params.Get("RoleArn"))
		}
		slices.Sort(asked)
		for i, id := range ids {
			ids[i] = "AssumeRole " + w.ManageARN(id)
		}
		assert.Equal(t, ids, asked)
	}
}

func TestForEachAccountEntries(t *testing.T) {
	const a, b, c = "300000000000", "300000000001", "300000000002"
	ops := func(id string) string { return "arn:aws:iam::" + id + ":role/team/ops" }
	manage := func(id string) string { return "arn:aws:iam::" + id + ":role/manage-role" }
	for name, tt := range map[string]struct {
		list []string
		opts []awsauth.FleetOption
		want []string // roles, in order
	}{
		"none":                    {nil, nil, nil},
		"empty":                   {[]string{}, nil, nil},
		"ids":                     {[]string{c, a, b}, nil, []string{manage(c), manage(a), manage(b)}},
		"role":                    {[]string{a, b}, []awsauth.FleetOption{awsauth.WithRole("team/ops")}, []string{ops(a), ops(b)}},
		"empty role":              {[]string{a}, []awsauth.FleetOption{awsauth.WithRole("")}, []string{manage(a)}},
		"ARNs":                    {[]string{ops(a), manage(b)}, nil, []string{ops(a), manage(b)}},
		"mixed":                   {[]string{a, ops(b), c}, nil, []string{manage(a), ops(b), manage(c)}},
		"an ARN has its own role": {[]string{a, manage(b)}, []awsauth.FleetOption{awsauth.WithRole("team/ops")}, []string{ops(a), manage(b)}},
		"id twice":                {[]string{a, b, a, a}, nil, []string{manage(a), manage(b)}},
		"ARN twice":               {[]string{ops(a), ops(a)}, nil, []string{ops(a)}},
		"id and its role":         {[]string{a, manage(a), b}, nil, []string{manage(a), manage(b)}},
		"role and its account":    {[]string{manage(a), a, b}, nil, []string{manage(a), manage(b)}},
		"id and another role":     {[]string{a, ops(a)}, nil, []string{manage(a), ops(a)}},
		"nil option, empty ones": {
			[]string{a}, []awsauth.FleetOption{nil, awsauth.WithAccount(""), awsauth.WithRoleARN(""), awsauth.WithConcurrency(0), awsauth.WithProgress(nil)},
			[]string{manage(a)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			for _, id := range w.Accounts(3) {
				w.AddRole(awsauthtest.Role{ARN: ops(id), Trust: []string{lab.Home}})
			}
			s := w.Open(w.Static())
			before := slices.Clone(tt.list)
			total := []int{}
			opts := append([]awsauth.FleetOption{awsauth.WithProgress(func(p awsauth.Progress) { total = append(total, p.Total) }), awsauth.WithConcurrency(1)}, tt.opts...)
			require.NoError(t, s.ForEachAccount(t.Context(), tt.list, lab.Enter, opts...))
			var got []string
			for _, c := range w.Calls() {
				got = append(got, c.Params.Get("RoleArn"))
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, before, tt.list)
			if len(tt.opts) < 5 { // else WithProgress(nil) counts
				assert.Equal(t, slices.Repeat([]int{len(tt.want)}, len(tt.want)), total)
			}
		})
	}
}

// TestForEachAccountRole: a session that is a role itself goes on from there,
// with one call for its own credentials.
func TestForEachAccountParent(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\naws_access_key_id = $ID\naws_secret_access_key = $SECRET\n", "")
	ids := w.Accounts(50)
	for name, s := range map[string]*awsauth.Session{
		"profile": w.Open(awsauth.WithProfile("ops")),
		"role":    w.Open(w.Static(), awsauth.WithAccount(lab.Home), awsauth.WithRole("base")),
	} {
		w.ResetCalls()
		require.NoError(t, s.ForEachAccount(t.Context(), ids, lab.Enter, awsauth.WithConcurrency(50)), name)
		asked := map[string]int{}
		for _, c := range w.Calls() {
			asked[c.Params.Get("RoleArn")]++
		}
		assert.Len(t, asked, 51, name)
		for role, times := range asked {
			assert.Equal(t, 1, times, "%s: %s", name, role)
		}
	}
}

func TestForEachAccountConcurrency(t *testing.T) {
	for name, tt := range map[string]struct {
		accounts int
		opts     []awsauth.FleetOption
		most     int
	}{
		"default":            {50, nil, 16},
		"0 is the default":   {50, []awsauth.FleetOption{awsauth.WithConcurrency(0)}, 16},
		"one":                {5, []awsauth.FleetOption{awsauth.WithConcurrency(1)}, 1},
		"five":               {23, []awsauth.FleetOption{awsauth.WithConcurrency(5)}, 5},
		"more than accounts": {7, []awsauth.FleetOption{awsauth.WithConcurrency(1_000_000_000)}, 7},
		"fewer than default": {3, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				var running, most atomic.Int64
				start := time.Now()
				err := w.Open(w.Static()).ForEachAccount(t.Context(), w.Accounts(tt.accounts), func(context.Context, *awsauth.Session) error {
					n := running.Add(1)
					for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
					}
					time.Sleep(time.Second)
					running.Add(-1)
					return nil
				}, tt.opts...)
				require.NoError(t, err)
				assert.EqualValues(t, tt.most, most.Load())
				rounds := (tt.accounts + tt.most - 1) / tt.most
				assert.Equal(t, time.Duration(rounds)*time.Second, time.Since(start))
				assert.Empty(t, w.Calls(), "do needed no credentials")
			})
		})
	}
}

// TestForEachAccountErrors: each failure is told with its account, in the order
// of the list, and stops nobody.
func TestForEachAccountErrors(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(6)
		w.AddRole(awsauthtest.Role{ARN: w.ManageARN(ids[1])}) // trusts nobody any more
		mine := errors.New("no instances")
		wait := map[string]time.Duration{ids[0]: 3 * time.Second, ids[1]: 2 * time.Second, ids[4]: time.Second}
		var v visits
		err := w.Open(w.Static()).ForEachAccount(t.Context(), ids, func(ctx context.Context, s *awsauth.Session) error {
			account := strings.Split(s.String(), ":")[4]
			time.Sleep(wait[account])
			if err := v.enter(ctx, s); err != nil {
				return fmt.Errorf("who am I: %w", err)
			}
			if account == ids[0] || account == ids[4] {
				return mine
			}
			return nil
		})
		assert.Len(t, v.seen, 6)
		assert.Equal(t, []string{ids[0], ids[1], ids[4]}, failed(t, err))
		require.ErrorIs(t, err, mine)
		require.ErrorIs(t, err, awsauth.AccessDenied)
		var e *awsauth.AccountError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, ids[0], e.Account)
		assert.Equal(t, mine, e.Err)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, 3)
		assert.Equal(t, ids[0]+": no instances", lines[0])
		assert.True(t, strings.HasPrefix(lines[1], ids[1]+": assume role arn:aws:iam::"+ids[1]+":role/manage-role as "), lines[1])
	})
}

// TestForEachAccountCanceled: what runs is waited for, the rest is not started
// and told.
func TestForEachAccountCanceled(t *testing.T) {
	for name, tt := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"canceled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(1500*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 1500*time.Millisecond)
		}, context.DeadlineExceeded},
		"before": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				ids := w.Accounts(10)
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				var began, ended atomic.Int64
				var progress []awsauth.Progress
				start := time.Now()
				err := w.Open(w.Static()).ForEachAccount(ctx, ids, func(context.Context, *awsauth.Session) error {
					began.Add(1)
					time.Sleep(time.Second) // deaf
					ended.Add(1)
					return nil
				}, awsauth.WithConcurrency(3), awsauth.WithProgress(func(p awsauth.Progress) { progress = append(progress, p) }))
				want := 6
				if name == "before" {
					want = 0
				}
				assert.Equal(t, time.Duration(want/3)*time.Second, time.Since(start))
				assert.EqualValues(t, want, began.Load())
				assert.EqualValues(t, want, ended.Load())
				assert.Len(t, progress, want)
				assert.Equal(t, ids[want:], failed(t, err))
				for _, one := range lab.Parts(t, err) {
					require.ErrorIs(t, one, tt.want)
					var e *awsauth.Error
					require.ErrorAs(t, one, &e)
					assert.Empty(t, e.Kind)
					assert.Contains(t, one.Error(), ": not started: context ")
				}
			})
		})
	}
}

// TestForEachAccountCanceledCall: the ctx of do is the caller's, so that what
// waits for STS ends, too.
func TestForEachAccountCanceledCall(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(20)
		w.Down(awsauthtest.Hang)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := w.Open(w.Static()).ForEachAccount(ctx, ids, lab.Enter)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, ids, failed(t, err))
		for i, one := range lab.Parts(t, err) {
			require.ErrorIs(t, one, context.Canceled)
			assert.Equal(t, i >= 16, strings.Contains(one.Error(), "not started"), one.Error())
		}
	})
}

func TestForEachAccountPanics(t *testing.T) {
	type boom struct{ account string }
	for name, tt := range map[string]struct {
		do       func(*awsauth.Session, int) error
		progress func(awsauth.Progress)
		want     any
	}{
		"do":        {func(_ *awsauth.Session, n int) error { return panicAt(n, 2, boom{"x"}) }, nil, boom{"x"}},
		"the first": {func(_ *awsauth.Session, n int) error { panic(n) }, nil, 1},
		"progress":  {func(*awsauth.Session, int) error { return nil }, func(awsauth.Progress) { panic("progress") }, "progress"},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s, ids := w.Open(w.Static()), w.Accounts(10)
				var began, ended atomic.Int64
				defer func() {
					assert.Equal(t, tt.want, recover())
					assert.EqualValues(t, 3, began.Load(), "no more were started")
					if name != "the first" {
						assert.GreaterOrEqual(t, ended.Load(), int64(2), "the others had ended")
					}
				}()
				_ = s.ForEachAccount(t.Context(), ids, func(_ context.Context, s *awsauth.Session) error {
					n := int(began.Add(1))
					time.Sleep(time.Duration(n) * time.Second)
					if err := tt.do(s, n); err != nil {
						return err
					}
					if n < 3 {
						time.Sleep(time.Minute)
					}
					ended.Add(1)
					return nil
				}, awsauth.WithConcurrency(3), awsauth.WithProgress(tt.progress))
				t.Error("ForEachAccount returned")
			})
		})
	}
}

func panicAt(n, at int, v any) error {
	if n == at {
		panic(v)
	}
	return nil
}

// TestForEachAccountGoexit: a do that ends its goroutine, as FailNow of another
// test framework does, is one that failed.
func TestForEachAccountGoexit(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		ids := w.Accounts(40)
		var progress []awsauth.Progress
		var runs atomic.Int64
		err := w.Open(w.Static()).ForEachAccount(t.Context(), ids, func(_ context.Context, s *awsauth.Session) error {
			if runs.Add(1)%2 == 0 {
				runtime.Goexit()
			}
			return nil
		}, awsauth.WithConcurrency(2), awsauth.WithProgress(func(p awsauth.Progress) { progress = append(progress, p) }))
		assert.EqualValues(t, 40, runs.Load())
		assert.Len(t, progress, 40)
		require.Len(t, failed(t, err), 20)
		assert.Contains(t, err.Error(), "instead of returning")
	})
}
