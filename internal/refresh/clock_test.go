package refresh_test

//lint:file-ignore SA1004 on the clock of synctest a nanosecond is a boundary

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// TestClock moves the wall clock ten minutes after the keys came, as NTP and a
// suspended laptop do: what the next caller gets, and when the source is asked
// again at the latest.
func TestClock(t *testing.T) {
	for name, tt := range map[string]struct {
		step     time.Duration
		unusable bool // the next caller waits for new keys
		asked    int  // by the next caller
	}{
		"suspended over the expiry":     {8 * hour, true, 2},
		"suspended to the expiry":       {50 * time.Minute, true, 2},
		"suspended to the refresh time": {40 * time.Minute, false, 2},
		"ahead a bit":                   {time.Minute, false, 1},
		"back a bit":                    {-time.Minute, false, 1},
		"back":                          {-8 * hour, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s, _ := cached()
				s.delay = time.Second
				first := get(t, c)
				time.Sleep(10 * time.Minute)
				refresh.StepClock(c, tt.step)
				o := ask(t.Context(), c)
				require.NoError(t, o.err)
				require.Equal(t, tt.unusable, o.keys.AccessKeyID != first.AccessKeyID)
				require.Equal(t, tt.unusable, o.took > 0)
				synctest.Wait()
				require.Equal(t, tt.asked, s.asked())
				// The clock that counts seconds knows how old the keys are.
				ids := busy(t, c, time.Second, 30*time.Minute+10*time.Second)
				require.NotEqual(t, first.AccessKeyID, ids[len(ids)-1], "no refresh in 40 minutes")
			})
		})
	}
}

// TestClockBackAtExpiry: keys end after their lifetime though the wall clock
// was set back, and shortly before it callers wait.
func TestClockBackAtExpiry(t *testing.T) {
	for age, want := range map[time.Duration]string{hour: "K2", nowEnding: "K2", nowEnding - 1: "K1"} {
		bubble(t, func(t *testing.T) {
			c, _, _ := cached()
			get(t, c)
			refresh.StepClock(c, -8*hour)
			time.Sleep(age)
			require.Equal(t, want, ask(t.Context(), c).keys.AccessKeyID)
		})
	}
}

// TestClockInOutage: pauses end although the clock was set back, and a suspended
// laptop does not sit out one that has passed meanwhile.
func TestClockInOutage(t *testing.T) {
	for _, step := range []time.Duration{-8 * hour, 2 * time.Minute} {
		bubble(t, func(t *testing.T) {
			c, s, _ := cached(outlooks(refresh.Stays))
			s.life = 12 * hour
			get(t, c)
			time.Sleep(11 * hour)
			s.fails(errDown)
			busy(t, c, time.Second, 10*time.Minute) // the pauses are 2 minutes by now
			s.fails(nil)
			refresh.StepClock(c, step)
			if step > 0 {
				get(t, c)
				synctest.Wait()
				require.Equal(t, 11*hour+10*time.Minute < 12*hour, get(t, c).AccessKeyID != "K1")
				return
			}
			require.Len(t, busy(t, c, time.Second, 2*time.Minute+time.Second), 2)
		})
		bubble(t, func(t *testing.T) {
			c, s, _ := cached()
			s.fails(errDown)
			require.Error(t, ask(t.Context(), c).err)
			s.fails(nil)
			refresh.StepClock(c, step)
			if step < 0 {
				time.Sleep(2*time.Second - 1)
				require.Error(t, ask(t.Context(), c).err)
				time.Sleep(1)
			}
			get(t, c)
		})
	}
}
