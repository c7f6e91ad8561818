package refresh_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

func prompts(c *refresh.Config) { c.Prompts, c.Patient = asks, true }

// asking is a cache whose source asks a person, who answers prompt n after
// answers[n-1], or never if there is no such.
func asking(answers ...time.Duration) (*refresh.Cache, *source, *events) {
	c, s, log := cached(prompts)
	s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
		var answered <-chan time.Time
		if n <= len(answers) {
			answered = time.After(answers[n-1])
		}
		select {
		case <-answered:
			return issued("M"+string(rune('0'+n)), hour), nil
		case <-ctx.Done():
			return refresh.Issued{}, errors.New("no code was typed")
		}
	}
	return c, s, log
}

// behind is a cache whose keys come from those of another.
func behind(parent *refresh.Cache) (*refresh.Cache, *source, *events) {
	c, s, log := cached(func(c *refresh.Config) { c.Patient = true })
	s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
		if _, err := parent.Retrieve(ctx); err != nil {
			return refresh.Issued{}, err
		}
		return issued("C"+string(rune('0'+n)), hour), nil
	}
	return c, s, log
}

// TestPromptOnlyForCallers: a person is asked once for each expiry, when
// somebody needs the keys, and has minutes to answer.
func TestPromptOnlyForCallers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const minute = 4 * time.Minute
		c, s, _ := asking(minute, minute, minute)
		for round := 1; round <= 3; round++ {
			for _, o := range crowd(c, 100) {
				require.NoError(t, o.err)
				require.Equal(t, minute, o.took, "the person's minutes")
			}
			last := get(t, c)
			require.Len(t, busy(t, c, time.Second, time.Until(last.Expires)), 1)
			require.Equal(t, round, s.asked(), "a prompt in the background")
		}
	})
}

// TestPromptInBackground: a child's background refresh does not ask, and says
// so; a caller without keys is asked.
func TestPromptInBackground(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, s, _ := asking(0, time.Second)
		child, cs, log := behind(parent)
		get(t, child)
		parentKeys := get(t, parent)
		time.Sleep(surelyStale)
		busy(t, child, time.Second, time.Minute)
		require.Equal(t, "C2", get(t, child).AccessKeyID)
		log.of("")
		time.Sleep(time.Until(parentKeys.Expires))
		busy(t, child, time.Second, time.Until(get(t, child).Expires))
		require.Equal(t, 1, s.asked())
		kept := log.of("kept")
		require.NotEmpty(t, kept)
		for _, e := range kept {
			require.ErrorIs(t, e.err, refresh.ErrUnasked)
		}
		o := ask(t.Context(), child)
		require.NoError(t, o.err)
		require.Equal(t, time.Second, o.took)
		require.Equal(t, 2, s.asked())
		_ = cs
	})
}

// TestPromptLost (C6): who started a prompt and leaves hurts nobody else. The
// next caller is asked anew; those who had joined share the first prompt while
// it lives, and get the keys of the second if these come sooner. It is the same
// where the person is asked for a parent's keys.
func TestPromptLost(t *testing.T) {
	for name, through := range map[string]int{"own": 0, "parent's": 1, "grandparent's": 2} {
		for situation, test := range map[string]func(*testing.T, *refresh.Cache, *source){
			"nobody else": lostAlone, "joined, answered": lostAnswered, "joined, never answered": lostForEver, "everybody leaves": lostByAll,
			"only who joined": lostByOther,
		} {
			t.Run(name+", "+situation, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c, s, _ := asking(10*time.Second, time.Second)
					for range through {
						c, _, _ = behind(c)
					}
					test(t, c, s)
				})
			})
		}
	}
}

// hasty is a caller with a deadline.
func hasty(t *testing.T, c *refresh.Cache, patience time.Duration) <-chan outcome {
	return later(func() outcome {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return ask(ctx, c)
	})
}

// requireLost: o is that of a hasty caller whose prompt was not answered.
func requireLost(t *testing.T, o outcome, after time.Duration) {
	t.Helper()
	require.Equal(t, after, o.took)
	require.ErrorIs(t, o.err, context.DeadlineExceeded)
	require.ErrorIs(t, o.err, refresh.ErrUnanswered)
}

func lostAlone(t *testing.T, c *refresh.Cache, s *source) {
	requireLost(t, <-hasty(t, c, 3*time.Second), 3*time.Second)
	require.False(t, c.State().Refreshing, "the prompt has ended")
	require.ErrorIs(t, c.State().Failure, refresh.ErrUnanswered)
	o := ask(t.Context(), c)
	require.NoError(t, o.err)
	require.Equal(t, time.Second, o.took)
	require.Equal(t, 2, s.asked())
}

func lostAnswered(t *testing.T, c *refresh.Cache, s *source) {
	first := hasty(t, c, 2*time.Second)
	all := crowd(c, 100)
	requireLost(t, <-first, 2*time.Second)
	for _, o := range all {
		require.NoError(t, o.err)
		require.Equal(t, 10*time.Second, o.took)
	}
	require.Equal(t, 1, s.asked())
}

func lostForEver(t *testing.T, c *refresh.Cache, s *source) {
	answers := s.fetch
	s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
		if n == 1 {
			<-ctx.Done()
			return refresh.Issued{}, ctx.Err()
		}
		return answers(ctx, n)
	}
	first := hasty(t, c, 2*time.Second)
	joined := later(func() outcome { return ask(t.Context(), c) })
	requireLost(t, <-first, 2*time.Second)
	time.Sleep(time.Minute)
	require.Equal(t, 1, s.asked())
	o := ask(t.Context(), c)
	require.NoError(t, o.err)
	require.Equal(t, time.Second, o.took)
	require.Equal(t, 2, s.asked())
	o = <-joined
	require.NoError(t, o.err)
	require.Equal(t, 63*time.Second, o.took)
}

func lostByAll(t *testing.T, c *refresh.Cache, s *source) {
	first, second := hasty(t, c, 2*time.Second), hasty(t, c, 4*time.Second)
	requireLost(t, <-first, 2*time.Second)
	requireLost(t, <-second, 4*time.Second)
	require.False(t, c.State().Refreshing)
	get(t, c)
	require.Equal(t, 2, s.asked())
}

func lostByOther(t *testing.T, c *refresh.Cache, s *source) {
	starter := later(func() outcome { return ask(t.Context(), c) })
	requireLost(t, <-hasty(t, c, 2*time.Second), 2*time.Second)
	o := ask(t.Context(), c)
	require.NoError(t, o.err)
	require.Equal(t, 8*time.Second, o.took, "who started it still waits: it is not lost")
	require.Equal(t, o.keys, (<-starter).keys)
	require.Equal(t, 1, s.asked())
}

// TestPromptUnanswered (C6): the time for an answer ends. Its callers share an
// error that says that nobody answered; the next caller is asked at once.
func TestPromptUnanswered(t *testing.T) {
	for name, deaf := range map[string]bool{"obeys its context": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, log := asking()
				most := 5 * time.Minute
				block := make(chan struct{})
				defer close(block)
				if deaf {
					most += time.Second
					s.fetch = func(context.Context, int) (refresh.Issued, error) { <-block; return refresh.Issued{}, errDown }
				}
				for round := 1; round <= 3; round++ {
					all := crowd(c, 100)
					for _, o := range all {
						require.Equal(t, most, o.took)
						require.ErrorIs(t, o.err, refresh.ErrUnanswered)
						require.True(t, o.err == all[0].err)
					}
					require.Equal(t, round, s.asked())
				}
				require.Len(t, log.of("failed"), 3)
				s.fetch = nil
				get(t, c)
			})
		})
	}
}

// TestPromptAnswered: from the answer on, Fetch has the time of any other, and
// what goes wrong is not the person's fault.
func TestPromptAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(prompts)
		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
			time.Sleep(2 * time.Minute)
			refresh.Answered(ctx)
			time.Sleep(10 * time.Second)
			refresh.Answered(ctx) // once is enough
			<-ctx.Done()
			return refresh.Issued{}, ctx.Err()
		}
		o := ask(t.Context(), c)
		require.Equal(t, 2*time.Minute+30*time.Second, o.took)
		require.Equal(t, context.DeadlineExceeded, o.err)

		s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) { // whom its caller left after the answer
			refresh.Answered(ctx)
			time.Sleep(10 * time.Second)
			return issued("M", hour), nil
		}
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NotErrorIs(t, ask(ctx, c).err, refresh.ErrUnanswered)
		require.Equal(t, 9*time.Second, ask(t.Context(), c).took)
		require.Equal(t, 2, s.asked())
	})
	refresh.Answered(t.Context()) // concerns no refresh
}

// TestPromptLate: the answer to a prompt that was given up is used all the same.
func TestPromptLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached(prompts)
		s.fetch = func(context.Context, int) (refresh.Issued, error) { // as the SDK's token providers, without a context
			time.Sleep(10 * time.Second)
			return issued("M", hour), nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, ask(ctx, c).err)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		require.Zero(t, ask(t.Context(), c).took)
		require.Equal(t, 1, s.asked())
	})
}

// TestPromptRefused (C5): no refusal makes a person type, be the keys theirs or
// those of a child. Keys that are found to be dead are dropped, once a minute
// at most, and the next caller is asked.
func TestPromptRefused(t *testing.T) {
	for name, alive := range map[string]func(checked int) bool{
		"not checked": nil, "alive": func(int) bool { return true }, "dead": func(int) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				checked := 0
				s, log := &source{life: hour}, &events{}
				config := refresh.Config{Fetch: s.Fetch, Observer: log, Prompts: asks, Patient: true}
				if alive != nil {
					config.Alive = func(_ context.Context, keys *refresh.Issued) bool {
						require.Equal(t, "K1", keys.AccessKeyID)
						checked++
						return alive(checked)
					}
				}
				c := refresh.New(config)
				get(t, c)
				for range 10 {
					require.False(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
					time.Sleep(6 * time.Second)
				}
				require.Equal(t, 1, s.asked())
				require.Len(t, log.of("refused"), 1)
				require.Equal(t, map[string]int{"dead": 1, "alive": 1}[name], checked)
				require.Equal(t, name != "dead", get(t, c).AccessKeyID == "K1")
				if name == "dead" {
					return
				}
				require.False(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly))
				require.Equal(t, map[string]int{"alive": 2}[name], checked, "a minute has passed")
				require.Empty(t, log.of("refused"), "but the first refusal was told")
				time.Sleep(hour)
				require.Equal(t, "K2", get(t, c).AccessKeyID)
				require.True(t, c.Refuse(t.Context(), "K1", refresh.EndedEarly), "replaced meanwhile")
			})
		})
	}
	bubble(t, func(t *testing.T) {
		parent, s, _ := asking(0, 0)
		child, _, _ := behind(parent)
		get(t, parent)
		time.Sleep(30 * time.Minute)
		get(t, child)
		time.Sleep(30 * time.Minute) // the parent's keys have expired
		require.False(t, child.Refuse(t.Context(), "C1", refresh.EndedEarly))
		require.Equal(t, 1, s.asked())
		get(t, child)
		require.Equal(t, 1, s.asked(), "the child's keys are there")
	})
}
