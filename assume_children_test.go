package awsauth_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// TestChildrenShared: the same role with the same options is one session.
func TestChildrenShared(t *testing.T) {
	tags := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	account := awsauth.WithAccount(lab.Target)
	type options []awsauth.RoleOption
	for name, tt := range map[string]struct {
		a, b   options
		shared bool
	}{
		"account":            {options{account}, options{account}, true},
		"default role":       {options{account}, options{account, awsauth.WithRole("manage-role")}, true},
		"ARN":                {options{account}, options{awsauth.WithRoleARN(lab.ManageRole)}, true},
		"default duration":   {options{account}, options{account, awsauth.WithDuration(time.Hour)}, true},
		"default name":       {options{account}, options{account, awsauth.WithSessionName(names.DefaultSession())}, true},
		"tags in any order":  {options{account, awsauth.WithTags(tags("a", "1", "b", "2"))}, options{account, awsauth.WithTags(tags("b", "2")), awsauth.WithTags(tags("a", "1"))}, true},
		"role":               {options{account}, options{account, awsauth.WithRole("team/ops")}, false},
		"duration":           {options{account}, options{account, awsauth.WithDuration(30 * time.Minute)}, false},
		"session name":       {options{account}, options{account, awsauth.WithSessionName("other")}, false},
		"external id":        {options{account}, options{account, awsauth.WithExternalID("x-1")}, false},
		"source identity":    {options{account}, options{account, awsauth.WithSourceIdentity("ana")}, false},
		"id or identity":     {options{account, awsauth.WithExternalID("ana")}, options{account, awsauth.WithSourceIdentity("ana")}, false},
		"policy":             {options{account}, options{account, awsauth.WithPolicy(lab.Policy)}, false},
		"policy ARNs":        {options{account}, options{account, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/x")}, false},
		"one ARN more":       {options{account, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/x")}, options{account, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/x", "arn:aws:iam::aws:policy/y")}, false},
		"tag value":          {options{account, awsauth.WithTags(tags("a", "1"))}, options{account, awsauth.WithTags(tags("a", "2"))}, false},
		"key and value":      {options{account, awsauth.WithTags(tags("a", "bc"))}, options{account, awsauth.WithTags(tags("ab", "c"))}, false},
		"one tag or two":     {options{account, awsauth.WithTags(tags("a", "b"))}, options{account, awsauth.WithTags(tags("a", "b", "c", "d"))}, false},
		"transitive":         {options{account, awsauth.WithTags(tags("a", "1"))}, options{account, awsauth.WithTransitiveTags(tags("a", "1"))}, false},
		"one of two of them": {options{account, awsauth.WithTags(tags("a", "1")), awsauth.WithTransitiveTags(tags("b", "1"))}, options{account, awsauth.WithTags(tags("b", "1")), awsauth.WithTransitiveTags(tags("a", "1"))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			s := w.Open(w.Static())
			want := 2
			if tt.shared {
				want = 1
			}
			keys := map[string]bool{}
			var held []*awsauth.Session
			for _, opts := range []options{tt.a, tt.b, tt.a, tt.b} {
				child, err := s.Assume(opts...)
				require.NoError(t, err)
				held = append(held, child)
				keys[lab.Get(t, child).AccessKeyID] = true
			}
			assert.Len(t, keys, want)
			assert.Equal(t, want, w.Assumed())
			runtime.KeepAlive(held)
		})
	}
}

// TestChildrenOfOthers: two parents share nothing, whatever the role.
func TestChildrenOfOthers(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, s := range []*awsauth.Session{w.Open(w.Static()), w.Open(w.Static()), w.Open(w.Static(), awsauth.WithAccount(lab.Home), awsauth.WithRole("base"))} {
		child, err := s.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		lab.Get(t, child)
	}
	assert.Equal(t, 4, w.Assumed())
}

// TestChildrenRace: of many that assume a role at once, all get one session.
func TestChildrenRace(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	for n := range 50 {
		start := make(chan struct{})
		got := make([]*awsauth.Session, 8)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				<-start
				child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", n)))
				assert.NoError(t, err)
				_, err = child.Retrieve(t.Context())
				assert.NoError(t, err)
				got[i] = child
			})
		}
		close(start)
		wg.Wait()
		for _, child := range got {
			assert.Same(t, got[0], child)
		}
	}
	assert.Equal(t, 50, w.Assumed())
}

// TestChildrenAcrossWalks: what a program keeps of one walk, the next finds
// again.
func TestChildrenAcrossWalks(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s, ids := w.Open(w.Static()), w.Accounts(10)
	var mu sync.Mutex
	kept := map[*awsauth.Session]bool{}
	keep := func(ctx context.Context, s *awsauth.Session) error {
		mu.Lock()
		kept[s] = true
		mu.Unlock()
		return lab.Enter(ctx, s)
	}
	for range 3 {
		require.NoError(t, s.ForEachAccount(t.Context(), ids, keep))
	}
	assert.Len(t, kept, 10)
	assert.Equal(t, 10, w.Assumed())
}

// TestChildrenCollected: sessions that nobody holds leave nothing behind in
// their parent, while those that are held are found.
func TestChildrenCollected(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s, ids := w.Open(w.Static()), w.Accounts(100)
	held, err := s.Assume(awsauth.WithAccount(ids[0]))
	require.NoError(t, err)
	require.NoError(t, s.ForEachAccount(t.Context(), ids, lab.Enter))
	lab.Soon(t, func() bool { runtime.GC(); return awsauth.Children(s) == 1 }, "sessions that were dropped are still there")
	require.Equal(t, 100, w.Assumed())

	again, err := s.Assume(awsauth.WithAccount(ids[0]))
	require.NoError(t, err)
	assert.Same(t, held, again)
	fresh, err := s.Assume(awsauth.WithAccount(ids[1]))
	require.NoError(t, err)
	lab.Get(t, fresh)
	assert.Equal(t, 101, w.Assumed())
	runtime.KeepAlive(held)
	runtime.KeepAlive(fresh)
	lab.Soon(t, func() bool { runtime.GC(); return awsauth.Children(s) == 0 }, "the last ones are still there")
}

// TestChildrenCollectedOnTheWay: a walk itself holds only what is still to come.
func TestChildrenCollectedOnTheWay(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s, ids := w.Open(w.Static()), w.Accounts(100)
	done := 0
	require.NoError(t, s.ForEachAccount(t.Context(), ids, func(ctx context.Context, child *awsauth.Session) error {
		if done++; done == 90 {
			lab.Soon(t, func() bool { runtime.GC(); return awsauth.Children(s) <= 11 }, "sessions that are done are still held")
		}
		return lab.Enter(ctx, child)
	}, awsauth.WithConcurrency(1)))
}

// TestChildrenKeepTheirParent: a session works on when its parent was dropped.
func TestChildrenKeepTheirParent(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	child := w.InRole()
	for range 3 {
		runtime.GC()
	}
	lab.Get(t, child)
}

// TestChildrenHeldByTheirOwnCollected: a client or a logger that holds a child, and is
// held by nobody else, keeps it from nothing.
func TestChildrenHeldByTheirOwnCollected(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	for i := range 50 {
		child, err := s.Assume(awsauth.WithAccount(fmt.Sprintf("%012d", i)))
		require.NoError(t, err)
		client := sts.NewFromConfig(child.Config(), func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { _ = child.String(); return nil })
		})
		logger := slog.New(slog.DiscardHandler).With("session", child)
		logger.Info("a client", "client", client)
		grandchild, err := child.Assume(awsauth.WithAccount(lab.Target))
		require.NoError(t, err)
		_ = grandchild.Config()
	}
	lab.Soon(t, func() bool { runtime.GC(); return awsauth.Children(s) == 0 }, "children are still held")
	runtime.KeepAlive(s)
}
