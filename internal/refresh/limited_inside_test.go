package refresh

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTimerFiresLate: the timer has fired, but before it takes the lock the
// context is held, or given more time. Then its time is not up.
func TestTimerFiresLate(t *testing.T) {
	for name, meanwhile := range map[string]func(*limited){
		"held":      func(l *limited) { time.Sleep(time.Second); l.hold() },
		"restarted": func(l *limited) { time.Sleep(time.Second - 1); l.restart(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLimited(t.Context(), time.Second, func() { t.Error("the time was up") })
				l.timer.Stop() // here it fires by hand
				meanwhile(l)
				l.expire()
				require.NoError(t, l.Err())
				l.cancel()
			})
		})
	}
}

// TestTimerEnds: a context that has ended keeps no timer, whatever follows, and
// its deadline stays.
func TestTimerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimited(t.Context(), time.Hour, func() { t.Error("the time was up") })
		end, _ := l.Deadline()
		l.cancel()
		require.ErrorIs(t, l.Err(), context.Canceled)
		assert.False(t, l.timer.Stop(), "it was running")
		time.Sleep(time.Second)
		l.restart(time.Hour)
		assert.False(t, l.timer.Stop(), "it was started again")
		after, _ := l.Deadline()
		assert.Equal(t, end, after)
	})
}
