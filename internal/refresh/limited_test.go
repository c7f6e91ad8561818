package refresh_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestHold (C12): the time of a refresh does not run while it queues, and is
// whole from its turn on. In the queue its deadline is not known to be nearer.
func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			left := func() time.Duration { d, _ := ctx.Deadline(); return time.Until(d) }
			time.Sleep(20 * time.Second)
			require.Equal(t, 10*time.Second, left())
			release := refresh.Hold(ctx)
			inner := refresh.Hold(ctx)
			time.Sleep(10 * time.Minute)
			require.Equal(t, 30*time.Second, left())
			release()
			release() // once is enough
			time.Sleep(time.Minute)
			require.NoError(t, ctx.Err())
			require.Equal(t, 30*time.Second, left())
			inner()
			require.Equal(t, 30*time.Second, left())
			<-ctx.Done()
			refresh.Hold(ctx)() // too late
			return refresh.Issued{}, ctx.Err()
		}
		o := ask(t.Context(), c)
		require.Equal(t, context.DeadlineExceeded, o.err)
		require.Equal(t, 20*time.Second+11*time.Minute+30*time.Second, o.took)
	})
	refresh.Hold(t.Context())() // holds nothing
}

// TestHoldBehindParent: a child's time does not run while it waits for its
// parent's refresh, which may queue.
func TestHoldBehindParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached()
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			release := refresh.Hold(ctx)
			time.Sleep(2 * time.Minute)
			release()
			time.Sleep(20 * time.Second)
			return issued("P", hour), nil
		}
		child := refresh.New(refresh.Config{Fetch: func(ctx context.Context) (refresh.Issued, error) {
			if _, err := parent.Retrieve(ctx); err != nil {
				return refresh.Issued{}, err
			}
			time.Sleep(20 * time.Second)
			return issued("C", hour), ctx.Err()
		}})
		o := ask(t.Context(), child)
		require.NoError(t, o.err)
		require.Equal(t, 2*time.Minute+40*time.Second, o.took)
	})
}

// TestHoldForNobody (C12): a refresh that queues leaves the queue when nobody
// waits for it any more, before or after it entered. It is no failure, and
// hurts no caller who comes then.
func TestHoldForNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		before time.Duration // until it queues
		ended  time.Duration // when its context ends
	}{"left the queue": {0, 5 * time.Second}, "left before": {8 * time.Second, 8 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached()
				began := time.Now()
				ended := make(chan time.Duration, 1)
				s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
					if n > 1 {
						return issued("K2", hour), nil
					}
					time.Sleep(tt.before)
					defer refresh.Hold(ctx)()
					<-ctx.Done()
					ended <- time.Since(began)
					return refresh.Issued{}, ctx.Err()
				}
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*5*time.Millisecond)
						defer cancel()
						if o := ask(ctx, c); !errors.Is(o.err, context.DeadlineExceeded) {
							t.Error(o.err)
						}
					})
				}
				wg.Wait()
				require.Equal(t, tt.ended, <-ended)
				require.Empty(t, log.of("failed"))
				require.Equal(t, refresh.State{Asked: true}, c.State())
				require.Equal(t, "K2", get(t, c).AccessKeyID)
			})
		})
	}
}

// TestHoldInBackground: what nobody waited for from the start stays in the
// queue, and what is past it goes on though its caller has left.
func TestHoldInBackground(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		get(t, c)
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			release := refresh.Hold(ctx)
			time.Sleep(time.Minute)
			release()
			return issued("K2", hour), ctx.Err()
		}
		time.Sleep(surelyStale)
		require.Equal(t, []string{"K1", "K2"}, busy(t, c, time.Second, 2*time.Minute))
		require.Equal(t, 2, s.asked())
	})
	bubble(t, func(t *testing.T) { // while it calls, it is not ended
		c, s, _ := cached()
		s.delay = 3 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, ask(ctx, c).err)
		require.Equal(t, 2*time.Second, ask(t.Context(), c).took)
		require.Equal(t, 1, s.asked())
	})
}
