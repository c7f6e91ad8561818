package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// event is something that happens to a speed, after a pause.
type event struct {
	after     time.Duration
	answers   int
	throttled int
}

// TestSpeed: the speed after some answers and throttlings, in calls a second.
func TestSpeed(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		events []event
		want   float64
	}{
		{"answers alone", []event{{0, 500, 0}}, 0},
		{"throttled at once", []event{{0, 0, 1}}, 10},
		{"throttled after few answers", []event{{0, 9, 1}}, 10},
		{"after many", []event{{0, 40, 1}}, 40},
		{"after many within a second", []event{{0, 20, 0}, {999 * ms, 20, 1}}, 40},
		{"just before this second", []event{{0, 40, 0}, {1000 * ms, 1, 1}}, 40},
		{"in the second before", []event{{0, 40, 0}, {1000 * ms, 1, 0}, {999 * ms, 0, 1}}, 40},
		{"in this second", []event{{0, 20, 0}, {1000 * ms, 45, 1}}, 45},
		{"long ago", []event{{0, 40, 0}, {2000 * ms, 1, 1}}, 10},
		{"two seconds ago", []event{{0, 40, 0}, {1500 * ms, 30, 0}, {1000 * ms, 1, 1}}, 30},

		{"a guess rises", []event{{0, 0, 1}, {time.Second, 0, 0}}, 15},
		{"and at each look", []event{{0, 0, 1}, {time.Second, 0, 0}, {time.Second, 0, 0}}, 30},
		{"more throttling right away changes nothing", []event{{0, 40, 1}, {0, 0, 100}}, 40},
		{"nor soon", []event{{0, 40, 1}, {499 * ms, 0, 1}}, 40 * (1 + 0.5*0.499*0.499)},
		{"later, it is what was answered", []event{{0, 40, 1}, {time.Second, 40, 1}}, 36},
		{"half a second is enough", []event{{0, 40, 1}, {500 * ms, 18, 1}}, 0.9 * 36},
		{"but not more than before", []event{{0, 40, 1}, {500 * ms, 1000, 1}}, 0.9 * 40 * 1.125},
		{"not less than half", []event{{0, 40, 1}, {time.Second, 0, 1}}, 0.5 * 60},
		{"only answers since then count", []event{{0, 40, 1}, {time.Second, 40, 1}, {time.Second, 30, 1}}, 27},
		{"a measured speed rises slowly", []event{{0, 40, 1}, {time.Second, 40, 1}, {time.Second, 0, 0}}, 36 * 1.02},
		{"then faster", []event{{0, 40, 1}, {time.Second, 40, 1}, {10 * time.Second, 0, 0}}, 36 * 3},
		{"at least a call in four seconds", []event{
			{0, 0, 1}, {time.Second, 0, 1}, {time.Second, 0, 1}, {time.Second, 0, 1}, {time.Second, 0, 1}, {time.Second, 0, 1},
			{time.Second, 0, 1}, {time.Second, 0, 1}, {time.Second, 0, 1},
		}, 0.25},
		{"no limit any more", []event{{0, 40, 1}, {time.Minute, 0, 0}}, 0},
		{"and again, from nothing", []event{{0, 40, 1}, {time.Minute, 0, 0}, {0, 0, 1}}, 10},
		{"just a limit", []event{{0, 5000, 1}, {1414 * ms, 0, 0}}, 5000 * (1 + 0.5*1.414*1.414)},
		{"just none", []event{{0, 5000, 1}, {1415 * ms, 0, 0}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s speed
			now := time.Unix(1e9, 0)
			for _, e := range tt.events {
				now = now.Add(e.after)
				for range e.answers {
					s.answered(now)
				}
				for range e.throttled {
					s.throttled(now)
				}
				limited := s.limited(now)
				assert.Equal(t, s.perSecond > 0, limited)
			}
			assert.InDelta(t, tt.want, s.perSecond, 1e-6*(tt.want+1))
			if tt.want > 0 {
				assert.InDelta(t, 1/tt.want, s.interval().Seconds(), 1e-6)
			}
		})
	}
}

// TestTurns: when the turns are due, and how much delay is made good.
func TestTurns(t *testing.T) {
	const ms = time.Millisecond
	var p Pacer
	now := time.Unix(1e9, 0)
	p.speed.begin(now, 100, false) // every 10 ms
	for _, tt := range []struct {
		after time.Duration
		turns int
	}{
		{0, 6},           // 50 ms are made good
		{10*ms - 1, 0},   // to the nanosecond
		{1, 1},           // one each
		{10 * ms, 1},     //
		{25 * ms, 2},     // and the timers' delay
		{5 * ms, 1},      //
		{time.Second, 6}, // but no more than 50 ms
	} {
		now = now.Add(tt.after)
		p.speed.set, p.speed.raised = now, now // does not rise
		got := 0
		for p.take(now) {
			got++
		}
		assert.Equal(t, tt.turns, got, "after %v", tt.after)
	}
}
