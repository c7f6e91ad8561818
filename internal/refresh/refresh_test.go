package refresh_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestStates is the table of the package comment: what a caller gets, after
// how long, and how often the source is asked meanwhile, at the edges of each
// state. The source takes 200 ms; with failing it fails after them.
func TestStates(t *testing.T) {
	const answer = 200 * time.Millisecond
	type got struct {
		key   string
		took  time.Duration
		asked int // after the first time
	}
	for name, tt := range map[string]struct {
		age           time.Duration // of the keys
		want, failing got
	}{
		"fresh, at once":       {0, got{"K1", 0, 0}, got{"K1", 0, 0}},
		"fresh, to the last":   {stillFresh, got{"K1", 0, 0}, got{"K1", 0, 0}},
		"stale":                {surelyStale, got{"K1", 0, 1}, got{"K1", 0, 1}},
		"stale, to the last":   {nowEnding - 1, got{"K1", 0, 1}, got{"K1", 0, 1}},
		"ending":               {nowEnding, got{"K2", answer, 1}, got{"K1", answer, 1}},
		"ending, near the end": {hour - answer - 1, got{"K2", answer, 1}, got{"K1", answer, 1}},
		"expired":              {hour, got{"K2", answer, 1}, got{"", answer, 1}},
		"long expired":         {9 * hour, got{"K2", answer, 1}, got{"", answer, 1}},
	} {
		for _, fails := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c, s, _ := cached()
					get(t, c)
					time.Sleep(tt.age)
					want := tt.want
					s.set(func(s *source) {
						if s.delay = answer; fails {
							s.err, want = errDown, tt.failing
						}
					})
					for range 3 { // who comes at the same time, or while the source answers, causes no other call
						for _, o := range crowd(c, 100) {
							require.Equal(t, want.key, o.keys.AccessKeyID)
							require.Equal(t, want.key == "", o.err == errDown)
							require.Contains(t, []time.Duration{want.took, 0}, o.took)
						}
						synctest.Wait()
						require.Equal(t, 1+want.asked, s.asked())
						if want.took > 0 {
							break
						}
					}
				})
			})
		}
	}
}

// TestFreshCostsNothing: no allocation, no goroutine, no call.
func TestFreshCostsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	lasting := refresh.Issued{Credentials: aws.Credentials{AccessKeyID: "K", SecretAccessKey: "s"}}
	for name, life := range map[string]bool{"an hour": true, "no expiry": false} {
		c, s, _ := cached()
		if !life {
			s.fetch = func(context.Context, int) (refresh.Issued, error) { return lasting, nil }
		}
		first, err := c.Retrieve(t.Context())
		require.NoError(t, err)
		ctx, id := t.Context(), first.AccessKeyID
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			keys, err := c.Retrieve(ctx)
			if err != nil || keys != first {
				t.Error("other keys", keys, err)
			}
			c.Accepted(id)
		}), name)
		require.Equal(t, 1, s.asked())
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "a goroutine stays")
	}
}

// TestTrueExpiry: what the source said stays as it is, whatever is computed
// from it.
func TestTrueExpiry(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, expires := range []time.Time{time.Now().Add(hour), time.Now().Add(1000 * hour), far, far.Add(time.Nanosecond)} {
		bubble(t, func(t *testing.T) {
			c, s, log := cached(func(c *refresh.Config) { c.Longest = hour })
			keys := issued("K", 0)
			keys.Expires = expires
			s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
			require.Equal(t, keys, get(t, c))
			events := log.of("refreshed")
			require.Len(t, events, 1)
			require.Equal(t, time.Until(expires), events[0].left)
		})
	}
}

// TestFarExpiry: keys whose expiry no clock reaches are fetched once, whoever
// asks, for a year. (Unix time in nanoseconds ends in 2262; credential_process
// helpers write the year 9999.)
func TestFarExpiry(t *testing.T) {
	for _, expires := range []time.Time{
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2262, 4, 11, 23, 47, 16, 854775807, time.UTC),
		time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC),
		time.Unix(1<<62, 0),
	} {
		for _, stable := range []bool{false, true} {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached(func(c *refresh.Config) { c.StaticStability = stable })
				keys := issued("K", 0)
				keys.Expires = expires
				s.fetch = func(context.Context, int) (refresh.Issued, error) { return keys, nil }
				require.Equal(t, []string{"K"}, busy(t, c, 10*hour, 365*24*hour))
				if !stable { // EC2 is asked once an hour
					require.Equal(t, 1, s.asked())
				}
			})
		}
	}
}

// TestLifetimes: a caller two hundred times per lifetime makes two or three
// refreshes per lifetime, never waits, and never gets expired keys.
func TestLifetimes(t *testing.T) {
	for _, tt := range []struct {
		life        time.Duration
		least, most int // refreshes in a hundred lifetimes
	}{
		{100 * time.Millisecond, 170, 240},
		{time.Second, 170, 240},
		{90 * time.Second, 170, 240},
		{15 * time.Minute, 170, 240},
		{hour, 170, 240},
		{3 * hour, 170, 240},
		{12 * hour, 109, 122}, // 1 h to 2 h before the end
		{36 * hour, 102, 107},
	} {
		t.Run(tt.life.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				s.life = tt.life
				ids := busy(t, c, tt.life/200, 100*tt.life)
				synctest.Wait()
				require.Contains(t, []int{s.asked() - 1, s.asked()}, len(ids)) // the last refresh may come for nobody
				require.GreaterOrEqual(t, s.asked(), tt.least)
				require.LessOrEqual(t, s.asked(), tt.most)
			})
		})
	}
}

// TestRefreshOnce stresses the moment at which a refresh ends: a caller who saw
// the old keys just before must not start another.
func TestRefreshOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		get(t, c)
		for want := 2; want < 500; want++ {
			time.Sleep([]time.Duration{surelyStale, nowEnding, 2 * hour}[want%3])
			crowd(c, 32)
			synctest.Wait()
			require.Equal(t, want, s.asked())
		}
	})
}

// TestOvertaken: a caller who has just seen keys that are to be renewed starts
// no refresh if another's has ended meanwhile, with new keys or in failure.
func TestOvertaken(t *testing.T) {
	for name, tt := range map[string]struct {
		age   time.Duration
		fails error
		want  string // for those who were overtaken
	}{
		"stale, renewed":  {surelyStale, nil, "K1"},
		"stale, failed":   {surelyStale, errDown, "K1"},
		"ending, renewed": {nowEnding, nil, "K2"},
		"ending, failed":  {nowEnding, errDown, "K1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				get(t, c)
				time.Sleep(tt.age)
				goOn := refresh.Overtaken(c)
				s.fails(tt.fails)
				get(t, c)
				synctest.Wait()
				keys, err := goOn(t.Context())
				require.NoError(t, err)
				require.Equal(t, tt.want, keys.AccessKeyID)
				synctest.Wait()
				require.Equal(t, 2, s.asked())
			})
		})
	}
}

// TestCanceledBefore: a caller whose ctx has ended gets the keys at hand, and
// sets off what another would.
func TestCanceledBefore(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, tt := range map[string]struct {
		age   time.Duration
		asked int
		keys  bool
	}{
		"fresh": {stillFresh, 1, true}, "stale": {surelyStale, 2, true}, "ending": {nowEnding, 2, true}, "expired": {hour, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				require.ErrorIs(t, ask(ended, c).err, context.Canceled)
				require.Zero(t, s.asked())
				require.False(t, c.State().Asked)
				first := get(t, c)
				time.Sleep(tt.age)
				o := ask(ended, c)
				require.Zero(t, o.took)
				if tt.keys {
					require.Equal(t, outcome{keys: first}, o)
				} else {
					require.ErrorIs(t, o.err, context.Canceled)
				}
				synctest.Wait()
				require.Equal(t, tt.asked, s.asked(), "the refresh does not end with its caller")
			})
		})
	}
}

// TestState is what Explain and the log can know.
func TestState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, s, _ := cached()
		require.Equal(t, refresh.State{}, c.State())
		s.set(func(s *source) { s.delay, s.err = time.Second, errDown })
		first := later(func() outcome { return ask(t.Context(), c) })
		require.Equal(t, refresh.State{Asked: true, Refreshing: true}, c.State())
		require.Equal(t, errDown, (<-first).err)
		require.Equal(t, refresh.State{Asked: true, Failure: errDown}, c.State())

		s.set(func(s *source) { s.delay, s.err = 0, nil })
		time.Sleep(2 * time.Second)
		keys := get(t, c)
		require.Equal(t, refresh.State{Keys: &keys, Usable: true, Asked: true}, c.State())
		s.fails(errDown)
		time.Sleep(surelyStale)
		get(t, c)
		synctest.Wait()
		require.Equal(t, refresh.State{Keys: &keys, Usable: true, Asked: true}, c.State(), "a failure that hurts nobody yet")
		time.Sleep(hour)
		require.Equal(t, refresh.State{Keys: &keys, Asked: true, Failure: errDown}, c.State())
	})
}
