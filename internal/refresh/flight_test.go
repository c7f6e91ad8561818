package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

type valueKey struct{}

// TestFetchContext: it has the values and not the end of the caller's, and a
// deadline: 30 s, or 5 minutes where a person may be waited for. It ends when
// Fetch has returned.
func TestFetchContext(t *testing.T) {
	for name, tt := range map[string]struct {
		change     func(*refresh.Config)
		foreground time.Duration
		background time.Duration
	}{
		"plain":   {func(*refresh.Config) {}, 30 * time.Second, 30 * time.Second},
		"patient": {func(c *refresh.Config) { c.Patient = true }, 5 * time.Minute, 30 * time.Second},
		"prompts": {func(c *refresh.Config) { c.Prompts = asks }, 5 * time.Minute, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached(tt.change)
				var last context.Context
				s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
					last = ctx
					deadline, ok := ctx.Deadline()
					require.True(t, ok)
					want := map[bool]time.Duration{false: tt.foreground, true: tt.background}[refresh.Background(ctx)]
					require.Equal(t, want, time.Until(deadline))
					require.Equal(t, "value", ctx.Value(valueKey{}))
					require.NoError(t, ctx.Err())
					return issued("K", hour), nil
				}
				ctx := context.WithValue(t.Context(), valueKey{}, "value")
				require.NoError(t, ask(ctx, c).err)
				synctest.Wait()
				require.Equal(t, context.Canceled, last.Err())
				time.Sleep(surelyStale)
				require.NoError(t, ask(ctx, c).err)
				synctest.Wait()
			})
		})
	}
}

// TestHangs: a source without an answer is abandoned and asked again, with and
// without keys. One that obeys its context has a say in the error.
func TestHangs(t *testing.T) {
	for name, tt := range map[string]struct {
		deaf bool
		most time.Duration
	}{"obeys its context": {false, 30 * time.Second}, "deaf": {true, 31 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached()
				hang := func(ctx context.Context, n int) (refresh.Issued, error) {
					if tt.deaf {
						time.Sleep(10 * time.Minute)
						return refresh.Issued{}, errDown
					}
					<-ctx.Done()
					return refresh.Issued{}, fmt.Errorf("calling: %w", ctx.Err())
				}
				s.set(func(s *source) { s.fetch = hang })
				for range 2 {
					all := crowd(c, 100)
					for _, o := range all {
						require.ErrorIs(t, o.err, context.DeadlineExceeded)
						require.True(t, all[0].err == o.err)
						require.Equal(t, tt.most, o.took)
						var e *refresh.AbandonedError
						require.Equal(t, tt.deaf, errors.As(o.err, &e))
						if tt.deaf {
							require.Equal(t, refresh.AbandonedError{After: tt.most, Err: context.DeadlineExceeded}, *e)
						}
					}
					time.Sleep(5 * time.Second)
				}
				s.set(func(s *source) { s.fetch = nil })
				get(t, c)
				time.Sleep(surelyStale)
				s.set(func(s *source) { s.fetch = hang })
				log.of("")
				require.Len(t, busy(t, c, time.Second, 5*time.Minute), 1)
				require.Len(t, log.of("kept"), 7, "30 s and the pauses of 1 s to 32 s")
				s.set(func(s *source) { s.fetch = nil })
				require.Len(t, busy(t, c, time.Second, 2*time.Minute), 2)
				time.Sleep(10 * time.Minute)
			})
		})
	}
}

// TestNoReturn: a Fetch that panics or ends its goroutine lets nobody wait, and
// does not end the program. What it panicked with may be a secret.
func TestNoReturn(t *testing.T) {
	for name, tt := range map[string]struct {
		fetch func()
		text  string
	}{
		"Goexit":       {runtime.Goexit, "the source of the keys ended its goroutine"},
		"a value":      {func() { panic("AKIA and its secret") }, "the source of the keys panicked: string"},
		"an error":     {func() { panic(errors.New("secret")) }, "the source of the keys panicked: *errors.errorString"},
		"of Go itself": {func() { _ = []int{}[len(name(0))] }, "the source of the keys panicked: runtime error: index out of range [1] with length 0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := cached()
				s.fetch = func(_ context.Context, n int) (refresh.Issued, error) {
					if n%2 == 1 {
						tt.fetch()
					}
					return issued("K", hour), nil
				}
				all := crowd(c, 100)
				for _, o := range all {
					require.EqualError(t, o.err, tt.text)
					require.Zero(t, o.took)
				}
				require.Len(t, log.of("failed"), 1)
				var e *refresh.NoReturnError
				require.ErrorAs(t, all[0].err, &e)
				require.Equal(t, name != "Goexit", strings.Contains(string(e.Stack), "flight_test.go"))
				time.Sleep(2 * time.Second)
				keys := get(t, c)
				time.Sleep(surelyStale)
				require.Equal(t, []string{keys.AccessKeyID}, busy(t, c, time.Second, 10*time.Second))
			})
		})
	}
}

func name(int) string { return "x" }

// TestNote (C15): a deadline, the caller's or the refresh's, does not hide what
// the source has been saying, be it through a child.
func TestNote(t *testing.T) {
	throttled := errors.New("throttled (4 attempts)")
	for _, deaf := range []bool{false, true} {
		for through := range 3 {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
					refresh.Note(ctx, errDown)
					refresh.Note(ctx, throttled)
					if deaf {
						time.Sleep(time.Minute)
					}
					<-ctx.Done()
					return refresh.Issued{}, ctx.Err()
				}
				for range through {
					c, _, _ = behind(c)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				hasty := later(func() outcome { return ask(ctx, c) })
				waits := later(func() outcome { return ask(t.Context(), c) })
				o := <-hasty
				require.ErrorIs(t, o.err, throttled)
				require.ErrorIs(t, o.err, context.DeadlineExceeded)
				require.NotErrorIs(t, o.err, errDown)
				require.EqualError(t, o.err, "the caller left after 2s: context deadline exceeded", "words for Last are Classify's")
				require.Equal(t, o.err, c.State().Failure)
				o = <-waits
				require.ErrorIs(t, o.err, throttled)
				require.ErrorIs(t, o.err, context.DeadlineExceeded)
				require.NotErrorIs(t, o.err, refresh.ErrUnanswered)
				require.Equal(t, o.err, c.State().Failure)
			})
		}
	}
	bubble(t, func(t *testing.T) { // an answer that comes in time says all
		c, s, _ := cached()
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			refresh.Note(ctx, throttled)
			return refresh.Issued{}, errDown
		}
		require.True(t, ask(t.Context(), c).err == errDown)
		refresh.Note(t.Context(), throttled) // concerns no refresh
	})
	bubble(t, func(t *testing.T) { // as does one that comes late, but from the source
		c, s, _ := cached()
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			refresh.Note(ctx, throttled)
			<-ctx.Done()
			return refresh.Issued{}, errDown
		}
		require.True(t, ask(t.Context(), c).err == errDown)
	})
}

// TestBackgroundAndWaited: who waits for a refresh is seen from its context,
// also through the refresh of a child, and as it changes.
func TestBackgroundAndWaited(t *testing.T) {
	require.False(t, refresh.Background(t.Context()))
	require.True(t, refresh.Waited(t.Context()))
	bubble(t, func(t *testing.T) {
		parent, s, _ := cached()
		s.life = 10 * time.Minute
		child, _, _ := behind(parent)
		get(t, child)
		time.Sleep(surelyStale)
		var flight context.Context
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			flight = ctx
			time.Sleep(10 * time.Second)
			return issued("P", 10*time.Minute), nil
		}
		type state struct{ background, waited bool }
		now := func() state { synctest.Wait(); return state{refresh.Background(flight), refresh.Waited(flight)} }
		get(t, child) // leaves at once
		require.Equal(t, state{true, false}, now())
		ctx, cancel := context.WithCancel(t.Context())
		later(func() outcome { return ask(ctx, parent) })
		require.Equal(t, state{true, true}, now(), "by a caller of its own")
		other := later(func() outcome { return ask(ctx, parent) })
		cancel()
		require.Equal(t, state{true, false}, now())
		<-other
		refused := later(func() bool { return child.Refuse(t.Context(), "C1", refresh.EndedEarly) })
		require.Equal(t, state{true, true}, now(), "by a caller of the child")
		time.Sleep(9 * time.Second)
		require.Equal(t, state{true, true}, now())
		time.Sleep(time.Second)
		require.True(t, <-refused)
		require.False(t, refresh.Waited(flight), "it is over")
	})
	bubble(t, func(t *testing.T) { // two callers, one of whom leaves
		c, s, _ := cached()
		var flight context.Context
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			flight = ctx
			time.Sleep(10 * time.Second)
			return issued("P", hour), nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		later(func() outcome { return ask(ctx, c) })
		later(func() outcome { return ask(t.Context(), c) })
		cancel()
		synctest.Wait()
		require.True(t, refresh.Waited(flight))
		require.False(t, refresh.Background(flight))
	})
}

// TestContextOutlivesFetch: a source may keep the context of a refresh that is
// over, and ask with it.
func TestContextOutlivesFetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		var all []context.Context
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			all = append(all, ctx)
			time.Sleep(time.Second)
			return issued("K", hour), nil
		}
		get(t, c)
		time.Sleep(hour)
		require.ErrorIs(t, ask(all[0], c).err, context.Canceled)
		old := context.WithoutCancel(all[0])
		waits := later(func() outcome { return ask(old, c) })
		require.False(t, refresh.Waited(all[1]), "nobody waits for the first any more")
		require.False(t, refresh.Waited(old))
		require.NoError(t, (<-waits).err)
	})
}
