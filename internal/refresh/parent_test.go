package refresh_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestParentIsDone: a child has the keys of a parent who asked a person, and
// goes on to a call of its own. From then on it waits for no person.
func TestParentIsDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, _, _ := cached(func(c *refresh.Config) { c.Prompts, c.Patient = asks, true })
		child, cs, _ := cached(func(c *refresh.Config) { c.Patient = true })
		cs.fetch = func(ctx context.Context, _ int) (refresh.Issued, error) {
			if _, err := parent.Retrieve(ctx); err != nil {
				return refresh.Issued{}, err
			}
			<-ctx.Done()
			return refresh.Issued{}, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var left *refresh.AbandonedError
		require.ErrorAs(t, ask(ctx, child).err, &left)
		require.False(t, left.Prompt)
		get(t, parent)
		time.Sleep(5 * time.Minute) // until the child's refresh is abandoned
	})
}

// TestChildLeaves: a child that waits for its parent no longer is not waited for
// there either.
func TestChildLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached()
		var parents context.Context
		s.fetch = func(ctx context.Context, _ int) (refresh.Issued, error) {
			parents = ctx
			<-ctx.Done()
			return refresh.Issued{}, ctx.Err()
		}
		child, cs, _ := cached()
		cs.fetch = func(ctx context.Context, _ int) (refresh.Issued, error) {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := parent.Retrieve(short); err == nil {
				t.Error("keys from a source that hangs")
			}
			time.Sleep(5 * time.Second) // a call of its own
			return issued("C", hour), nil
		}
		waiting := later(func() outcome { return ask(t.Context(), child) })
		require.True(t, refresh.Waited(parents))
		time.Sleep(2 * time.Second)
		require.False(t, refresh.Waited(parents))
		require.Equal(t, "C", (<-waiting).keys.AccessKeyID)
	})
}

// TestDeadTooLate: keys that a person typed for are found dead only when others
// have taken their place. Those stay.
func TestDeadTooLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(func(c *refresh.Config) {
			c.Prompts, c.Patient = asks, true
			c.Alive = func(context.Context, *refresh.Issued) bool { time.Sleep(time.Minute); return false }
		})
		get(t, c)
		time.Sleep(hour - time.Second)
		refused := later(func() bool { return c.Refuse(t.Context(), "K1", refresh.EndedEarly) })
		time.Sleep(time.Second)
		require.Equal(t, "K2", get(t, c).AccessKeyID)
		<-refused
		require.Equal(t, "K2", get(t, c).AccessKeyID)
		require.Equal(t, 2, s.asked())
	})
}

// TestLostAreForgotten: a prompt that was lost is forgotten when it ends, also
// without an answer. Only its own callers hear of that.
func TestLostAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, log := cached(func(c *refresh.Config) { c.Prompts, c.Patient = asks, true })
		s.set(func(s *source) { s.delay = hour })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go c.Retrieve(ctx)
		synctest.Wait()
		joined := later(func() outcome { return ask(t.Context(), c) })
		time.Sleep(2 * time.Second)
		s.set(func(s *source) { s.delay, s.err = 10*time.Minute, errDown })
		again := later(func() outcome { return ask(t.Context(), c) })
		require.Equal(t, 1, refresh.Lost(c))
		require.Error(t, (<-joined).err)
		synctest.Wait()
		require.Zero(t, refresh.Lost(c))
		require.Empty(t, log.of("failed"))
		require.Error(t, (<-again).err)
	})
}

// TestManyLost: four prompts were lost, and others joined each. The first answer
// is good for all of them.
func TestManyLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(func(c *refresh.Config) { c.Prompts, c.Patient = asks, true })
		s.set(func(s *source) { s.delay = 2 * time.Minute })
		var joined []<-chan outcome
		for lost := range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			go c.Retrieve(ctx)
			synctest.Wait()
			joined = append(joined, later(func() outcome { return ask(t.Context(), c) }))
			time.Sleep(2 * time.Second)
			require.Equal(t, lost+1, s.asked())
		}
		for _, o := range joined {
			require.Equal(t, "K1", (<-o).keys.AccessKeyID)
		}
		require.Less(t, time.Since(s.times()[0]), 2*time.Minute+time.Second, "some waited longer")
		require.Zero(t, refresh.Lost(c))
	})
}
