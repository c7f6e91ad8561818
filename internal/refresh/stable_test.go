package refresh_test

//lint:file-ignore SA1004 on the clock of synctest a nanosecond is a boundary

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// instance is a source of the way EC2's metadata service is: keys of 6 hours,
// the same for everybody who asks, newer ones from 15 minutes before their end.
type instance struct {
	*source
	keys  refresh.Issued
	stale bool // an outage of the control plane: it answers with what it has
}

func onInstance() (*refresh.Cache, *instance, *events) {
	c, s, log := cached(func(c *refresh.Config) { c.StaticStability = true })
	i := &instance{source: s}
	s.fetch = func(ctx context.Context, n int) (refresh.Issued, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delay := s.delay; delay > 0 {
			s.mu.Unlock()
			time.Sleep(delay)
			s.mu.Lock()
		}
		if s.err != nil {
			return refresh.Issued{}, s.err
		}
		if time.Until(i.keys.Expires) < 15*time.Minute && (!i.stale || n == 1) {
			i.keys = issued(fmt.Sprint("I", n), 6*hour)
		}
		return i.keys, nil
	}
	return c, i, log
}

var outages = map[string]func(i *instance) (over func()){
	"answers with what it has": func(i *instance) func() {
		i.set(func(*source) { i.stale = true })
		return func() { i.set(func(*source) { i.stale = false }) }
	},
	"fails": func(i *instance) func() { i.fails(errDown); return func() { i.fails(nil) } },
}

// TestInstance: it is asked about once an hour while all is well, more often
// when its keys end, and nobody waits for it.
func TestInstance(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, i, log := onInstance()
		require.GreaterOrEqual(t, len(busy(t, c, 10*time.Second, 60*hour)), 10)
		require.LessOrEqual(t, i.asked(), 105)
		require.GreaterOrEqual(t, i.asked(), 60)
		require.Empty(t, log.of("kept"))
		calls := i.times()
		for n := range len(calls) - 1 {
			require.LessOrEqual(t, calls[n+1].Sub(calls[n]), hour+10*time.Second)
		}
	})
}

// TestInstanceRoleChanges: another role of the instance is seen within an hour.
func TestInstanceRoleChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, i, _ := onInstance()
		get(t, c)
		i.set(func(*source) { i.keys = issued("other", 6*hour) })
		require.Equal(t, []string{"I1"}, busy(t, c, time.Second, hour-time.Second))
		time.Sleep(time.Second)
		get(t, c)
		synctest.Wait()
		require.Equal(t, "other", get(t, c).AccessKeyID)
	})
}

// TestStaticStability: in an outage the keys at hand are used past their
// expiry, for six hours at most. A caller who comes at least every two minutes
// never waits, in no state.
func TestStaticStability(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, i, log := onInstance()
				first := get(t, c)
				time.Sleep(hour)
				over := outage(i)
				i.set(func(s *source) { s.delay = 50 * time.Millisecond })
				log.of("")
				for time.Until(first.Expires.Add(6*hour)) > 0 {
					require.Equal(t, outcome{keys: first}, ask(t.Context(), c), "at %v", time.Since(first.Expires))
					time.Sleep(2 * time.Minute)
				}
				past := 0
				log.mu.Lock()
				for _, e := range log.all {
					require.Equal(t, first.Expires.Sub(e.at), e.left)
					if e.left <= 0 {
						past++
					}
				}
				all := len(log.all)
				log.mu.Unlock()
				require.GreaterOrEqual(t, past, 50)
				require.LessOrEqual(t, all, 11*60)

				require.Error(t, ask(t.Context(), c).err, "6 hours are over")
				over()
				time.Sleep(5 * time.Minute)
				require.Greater(t, time.Until(get(t, c).Expires), 5*hour)
			})
		})
	}
}

// TestStaticStabilityEnd is the last moment of static stability.
func TestStaticStabilityEnd(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, i, _ := onInstance()
				first := get(t, c)
				outage(i)
				end := first.Expires.Add(6 * hour)
				for time.Until(end) > time.Second {
					require.NoError(t, ask(t.Context(), c).err)
					time.Sleep(time.Second)
				}
				time.Sleep(time.Until(end) - 1)
				require.Equal(t, first, ask(t.Context(), c).keys)
				time.Sleep(1)
				require.Error(t, ask(t.Context(), c).err)
			})
		})
	}
}

// TestStaticStabilityTries: the instance is asked every five minutes, less up
// to a fifth, and newer keys are taken soon after the outage.
func TestStaticStabilityTries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, i, log := onInstance()
		first := get(t, c)
		over := outages["answers with what it has"](i)
		busyPast(t, c, first, hour)
		before := i.asked()
		log.of("")
		busyPast(t, c, first, 3*hour)
		require.GreaterOrEqual(t, i.asked(), before+24)
		calls := i.times()
		for n := before; n < len(calls); n++ {
			gap := calls[n].Sub(calls[n-1])
			require.LessOrEqual(t, gap, 5*time.Minute+time.Second)
			require.GreaterOrEqual(t, gap, 4*time.Minute)
		}
		for _, e := range log.of("refreshed") {
			require.Equal(t, first.Expires.Sub(e.at), e.left)
			require.Negative(t, e.left)
		}
		over()
		busyPast(t, c, first, 3*hour+5*time.Minute+2*time.Second)
		require.NotEqual(t, first.AccessKeyID, get(t, c).AccessKeyID)
	})
}

// busyPast asks every second until so long past the expiry of keys.
func busyPast(t *testing.T, c *refresh.Cache, keys refresh.Issued, past time.Duration) {
	for time.Since(keys.Expires) < past {
		o := ask(t.Context(), c)
		require.NoError(t, o.err)
		require.Zero(t, o.took)
		time.Sleep(time.Second)
	}
}

// TestStaticStabilityIdle: who comes back after the expiry gets new keys if
// there are any, and the old ones only after a try.
func TestStaticStabilityIdle(t *testing.T) {
	for name, outage := range outages {
		for _, tt := range []struct {
			name    string
			watched time.Duration // a caller every minute since the outage began
			idle    time.Duration
			over    bool // static stability is
		}{
			{"an hour past the expiry", 0, 7 * hour, false},
			{"until static stability is over", 0, 12 * hour, true},
			{"to its last moment", 0, 12*hour - 1, false},
			{"a while, with keys extended before", 6*hour + 5*time.Minute, 20 * time.Minute, false},
		} {
			t.Run(name+", idle "+tt.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c, i, _ := onInstance()
					first := get(t, c)
					time.Sleep(13 * hour)
					second := get(t, c)
					require.NotEqual(t, first.AccessKeyID, second.AccessKeyID, "the service has new ones")
					outage(i)
					for start := time.Now(); time.Since(start) < tt.watched; time.Sleep(time.Minute) {
						require.Zero(t, ask(t.Context(), c).took)
					}
					time.Sleep(tt.idle)
					before := i.asked()
					o := ask(t.Context(), c)
					require.Greater(t, i.asked(), before, "no try")
					if tt.over {
						require.Error(t, o.err)
					} else {
						require.Equal(t, outcome{keys: second}, o)
					}
				})
			})
		}
	}
}

// TestStaticStabilityAtStart: a program that starts in an outage takes the
// expired keys that it is offered, for six hours past their expiry.
func TestStaticStabilityAtStart(t *testing.T) {
	for ago, ok := range map[time.Duration]bool{0: true, hour: true, 6*hour - 1: true, 6 * hour: false, 24 * hour: false} {
		bubble(t, func(t *testing.T) {
			c, i, log := onInstance()
			i.keys, i.stale = issued("old", -ago), true
			i.calls = append(i.calls, time.Now())
			o := ask(t.Context(), c)
			if !ok {
				var e *refresh.ExpiredError
				require.ErrorAs(t, o.err, &e)
				require.Equal(t, ago, e.Ago)
				return
			}
			require.Equal(t, outcome{keys: i.keys}, o)
			events := log.of("refreshed")
			require.Len(t, events, 1)
			require.Equal(t, -ago, events[0].left)
		})
	}
}

// TestOnlyInstances: no other keys are used past their expiry.
func TestOnlyInstances(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		first := get(t, c)
		time.Sleep(surelyStale)
		s.fails(errDown)
		for time.Until(first.Expires) > 0 {
			require.Equal(t, first, ask(t.Context(), c).keys)
			time.Sleep(time.Second)
		}
		require.Equal(t, errDown, ask(t.Context(), c).err)
		require.True(t, first.Expired())
	})
}

// TestStaticStabilityRefused: services go on accepting an instance's keys in an
// outage, until one does not: then they are not used past their expiry, or no
// longer if that is over.
func TestStaticStabilityRefused(t *testing.T) {
	for name, outage := range outages {
		for _, after := range []time.Duration{hour, 6*hour - 10*time.Minute, 6*hour - time.Minute, 7 * hour} {
			t.Run(fmt.Sprint(name, ", after ", after), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c, i, log := onInstance()
					first := get(t, c)
					over := outage(i)
					for start := time.Now(); time.Since(start) < after; time.Sleep(30 * time.Second) {
						require.Equal(t, first, ask(t.Context(), c).keys)
					}
					log.of("")
					for range 3 {
						require.False(t, c.Refuse(t.Context(), first.AccessKeyID, refresh.EndedEarly), "there are no others")
					}
					require.Len(t, log.of("refused"), 1)
					for time.Since(first.Expires) < 3*hour {
						o := ask(t.Context(), c)
						require.Equal(t, time.Until(first.Expires) > 0, o.err == nil, "%v past the expiry: %v", time.Since(first.Expires), o.err)
						time.Sleep(time.Minute)
					}
					over()
					i.set(func(*source) { i.keys = refresh.Issued{} })
					time.Sleep(2 * time.Minute)
					require.NotEqual(t, first.AccessKeyID, get(t, c).AccessKeyID)
				})
			})
		}
	}
}

// TestStaticStabilityRefusedInTime: where the instance has others, a thousand
// who were refused past the expiry get them, with one look.
func TestStaticStabilityRefusedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, i, _ := onInstance()
		first := get(t, c)
		over := outages["fails"](i)
		for time.Since(first.Expires) < hour {
			require.Equal(t, first, ask(t.Context(), c).keys)
			time.Sleep(time.Minute)
		}
		over()
		i.set(func(s *source) {
			s.calls, i.keys = nil, issued("new", 6*hour)
			s.fetch = func(context.Context, int) (refresh.Issued, error) {
				time.Sleep(time.Second)
				return i.keys, nil
			}
		})
		var wg sync.WaitGroup
		for n := range 1000 {
			wg.Go(func() {
				time.Sleep(time.Duration(n) * 2 * time.Millisecond)
				if !c.Refuse(t.Context(), first.AccessKeyID, refresh.EndedEarly) {
					t.Error("not replaced")
				}
			})
		}
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		start := time.Now()
		require.False(t, c.Refuse(t.Context(), "other", refresh.EndedEarly))
		require.Zero(t, time.Since(start), "who is no concern of the cache waits for nothing")
		wg.Wait()
		require.Equal(t, 1, i.asked())
		require.Equal(t, i.keys, get(t, c))
		time.Sleep(hour)
		get(t, c)
		time.Sleep(2 * time.Second)
		require.Equal(t, 2, i.asked())
		require.True(t, c.Refuse(t.Context(), first.AccessKeyID, refresh.EndedEarly), "also after a look that brought nothing new")
	})
}
