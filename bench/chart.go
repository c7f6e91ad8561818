package bench

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Both pictures are as wide as a README's text on a small window, so that a phone has to
// shrink them little.
const (
	pageWidth = 520
	plotLeft  = 98
	plotWidth = pageWidth - plotLeft - 26
	plotRight = plotLeft + plotWidth
)

// RotationSVG draws what callers waited for in a Day.
func RotationSVG(d *Day) []byte {
	const height, gap, above = 150, 56, 74
	c := newCanvas("Waiting for credentials, over three hours",
		fmt.Sprintf("%d callers, %.0f calls a second in all. Keys live 1 h. STS answers in %s, and is down from %s to %s.",
			d.Traffic.Callers, float64(d.Traffic.Callers)/d.Traffic.Every.Seconds(), waitText(Latency), clock(d.From), clock(d.To)),
		"Measured on the clock of testing/synctest. Both caches have to refresh while STS is down. awsauth refreshes at a random moment: of several runs, this is one in which that moment fell into the outage.")
	x := func(at time.Duration) float64 { return plotLeft + plotWidth*at.Seconds()/d.Traffic.For.Seconds() }
	for _, cache := range []string{SDK, Ours} {
		ceiling := c.bottom + above
		c.waits(d, cache, ceiling, height, x)
		c.bottom = ceiling + height + gap
	}
	c.text(plotLeft+plotWidth/2, c.bottom, "small", "middle", "time since the start (h:mm)")
	c.legend(20, c.bottom+34, "late", "waited, got keys", "failed", "got an error", "sts", "a request to STS")
	c.bottom += 54
	return c.svg()
}

// waits draws one cache's part of a Day.
func (c *canvas) waits(d *Day, cache string, ceiling, height float64, x func(time.Duration) float64) {
	floor, o := ceiling+height, d.Outcomes[cache]
	c.text(20, ceiling-54, "title", "start", cache)
	c.text(20, ceiling-32, "label", "start", fmt.Sprintf("after the first: %s calls, %s failed,", thousands(o.Calls), thousands(o.Errors)))
	c.text(20, ceiling-12, "label", "start", fmt.Sprintf("longest wait %s, %d requests to STS", waitText(o.MaxWait), o.STS))
	c.rect(x(d.From), ceiling, x(d.To)-x(d.From), height, "outage")
	c.text((x(d.From)+x(d.To))/2, ceiling+18, "small", "middle", "STS down")

	// From 10 ms to 30 s on a logarithmic scale; what takes less lies on the floor.
	y := func(wait time.Duration) float64 {
		return height * (1 - max(0, min(1, (math.Log10(max(wait.Seconds(), 1e-9))+2)/(2+math.Log10(30)))))
	}
	for _, tick := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
		c.line(plotLeft, ceiling+y(tick), plotRight, ceiling+y(tick), "grid")
		c.text(plotLeft-8, ceiling+y(tick)+5, "small", "end", tickText(tick))
	}
	c.text(plotLeft-8, floor+5, "small", "end", "≤ 10 ms")
	c.line(plotLeft, floor, plotRight, floor, "axis")
	c.turned(22, ceiling+height/2, "wait of a call (log)")
	for minutes := 0; minutes <= int(d.Traffic.For.Minutes()); minutes += 30 {
		at := x(time.Duration(minutes) * time.Minute)
		c.line(at, floor, at, floor+4, "axis")
		c.text(at, floor+34, "small", "middle", clock(time.Duration(minutes)*time.Minute))
	}
	c.bars(columns(d.Samples[cache], false, x), floor, ceiling, y, "late")
	c.bars(columns(d.Samples[cache], true, x), floor, ceiling, y, "failed")
	c.ticks(d.Asked[cache], x, floor+8, 8, "sts")
	if o.MaxWait < time.Millisecond {
		c.text(plotLeft+plotWidth/3, ceiling+height/2-5, "label", "middle", "nobody waited")
		c.text(plotLeft+plotWidth/3, ceiling+height/2+15, "label", "middle", "after the first call")
	}
}

// column is what happened in one pixel of the time axis.
type column struct {
	x           float64
	least, most time.Duration
}

// columns keeps of the calls that waited (or failed) what can be seen.
func columns(samples []Sample, failed bool, x func(time.Duration) float64) []column {
	at := map[int]*column{}
	least, last := math.MaxInt, 0
	for _, s := range samples {
		if s.Failed != failed || s.Waited < time.Millisecond {
			continue
		}
		i := int(x(s.At))
		least, last = min(least, i), max(last, i)
		if c := at[i]; c == nil {
			at[i] = &column{float64(i), s.Waited, s.Waited}
		} else {
			c.least, c.most = min(c.least, s.Waited), max(c.most, s.Waited)
		}
	}
	var all []column
	for i := least; i <= last; i++ {
		if c := at[i]; c != nil {
			all = append(all, *c)
		}
	}
	return all
}

// SpreadSVG draws the calls per minute of a fleet, cache by cache.
func SpreadSVG(f Fleet, perMinute map[string][]int) []byte {
	const height, gap, above = 110, 40, 54
	caches := []string{SDK, SDK5, Ours}
	peak := 0
	for _, cache := range caches {
		for _, n := range perMinute[cache] {
			peak = max(peak, n)
		}
	}
	c := newCanvas("A fleet that starts together: calls to STS",
		fmt.Sprintf("%s clients start in the same minute. Keys live %s. Each is used every %s on average. Drawn from a model, which a test holds against the real caches.",
			thousands(f.Clients), hoursText(f.Lifetime), tickText(f.Every)),
		"Below each hour: its worst minute over its mean. 1.0 is a fleet that has spread out evenly.")
	for _, cache := range caches {
		ceiling := c.bottom + above
		c.spread(cache, perMinute[cache], peak, ceiling, height)
		c.bottom = ceiling + height + gap
	}
	for h := range f.Hours {
		c.text(plotLeft+(float64(h)+0.5)*plotWidth/float64(f.Hours), c.bottom, "small", "middle", fmt.Sprint(h+1))
	}
	c.text(plotLeft-8, c.bottom, "small", "end", "hour")
	c.wrap(20, c.bottom+28, "small", "Minute 1 is the start itself, when everybody calls.")
	c.bottom += 44
	return c.svg()
}

// spread draws the calls of one cache.
func (c *canvas) spread(cache string, minutes []int, peak int, ceiling, height float64) {
	floor := ceiling + height
	hours := ByHour(minutes)
	last := hours[len(hours)-1]
	c.text(20, ceiling-34, "title", "start", cache)
	c.text(20, ceiling-12, "label", "start", fmt.Sprintf("last hour: worst minute %s calls, mean %s", thousands(last.Peak), thousands(int(last.Mean))))
	y := func(n float64) float64 { return floor - height*n/float64(peak) }
	for _, n := range []float64{0.5 * float64(peak), float64(peak)} {
		c.line(plotLeft, y(n), plotRight, y(n), "grid")
		c.text(plotLeft-8, y(n)+5, "small", "end", thousands(int(n)))
	}
	c.text(plotLeft-8, floor+5, "small", "end", "0")
	c.turned(22, ceiling+height/2, "calls a minute")
	class := "late"
	if cache == Ours {
		class = "good"
	}
	var path strings.Builder
	step := float64(plotWidth) / float64(len(minutes))
	fmt.Fprintf(&path, "M%d %.1f", plotLeft, floor)
	for m, n := range minutes {
		fmt.Fprintf(&path, "L%.1f %.1f", plotLeft+(float64(m)+0.5)*step, y(float64(n)))
	}
	fmt.Fprintf(&path, "L%d %.1fZ", plotRight, floor)
	fmt.Fprintf(&c.b, `<path class="%s" d="%s"/>`+"\n", class, path.String())
	c.line(plotLeft, floor, plotRight, floor, "axis")
	for h := range hours {
		at := plotLeft + float64(h)*60*step
		c.line(at, floor, at, floor+4, "axis")
		c.text(at+30*step, floor+22, "label", "middle", shortRatio(hours[h].PeakToMean()))
	}
}

// shortRatio has one digit after the point only below 10, so that twelve stand in a row.
func shortRatio(r float64) string {
	if r < 9.95 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

func hoursText(d time.Duration) string { return fmt.Sprintf("%.0f h", d.Hours()) }

func tickText(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func waitText(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "0"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// thousands writes 21600 as 21,600.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
