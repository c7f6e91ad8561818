package bench

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// RotationSVG draws what callers waited for in a Day.
func RotationSVG(d *Day) []byte {
	const left, width, top, height, gap = 78, 800, 108, 150, 92
	c := newCanvas(left+width+22, top+2*height+gap+64, "Waiting for credentials: three hours, one role",
		fmt.Sprintf("%d callers, %.0f calls a second in all; keys live 1 h; STS answers in %s, and is down from %s to %s. Measured on the clock of testing/synctest.",
			d.Traffic.Callers, float64(d.Traffic.Callers)/d.Traffic.Every.Seconds(), waitText(Latency), clock(d.From), clock(d.To)))
	c.text(20, 67, "small", "start", "Both caches have to refresh while STS is down. awsauth refreshes at a random moment: of several runs, this is one in which that moment fell into the outage.")
	x := func(at time.Duration) float64 { return left + width*at.Seconds()/d.Traffic.For.Seconds() }
	// From 10 ms to 30 s on a logarithmic scale; what takes less lies on the floor.
	y := func(wait time.Duration) float64 {
		return height * (1 - max(0, min(1, (math.Log10(max(wait.Seconds(), 1e-9))+2)/(2+math.Log10(30)))))
	}
	for i, cache := range []string{SDK, Ours} {
		floor := float64(top + i*(height+gap) + height)
		ceiling := floor - height
		o := d.Outcomes[cache]
		c.text(left, ceiling-14, "title", "start", cache)
		verdict := fmt.Sprintf("after the first: %s calls, %s failed · longest wait %s · %d requests to STS",
			thousands(o.Calls), thousands(o.Errors), waitText(o.MaxWait), o.STS)
		c.text(left+width, ceiling-14, "label", "end", verdict)
		c.rect(x(d.From), ceiling, x(d.To)-x(d.From), height, "outage")
		c.text((x(d.From)+x(d.To))/2, ceiling+13, "small", "middle", "STS down")
		for _, tick := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
			c.line(left, ceiling+y(tick), left+width, ceiling+y(tick), "grid")
			c.text(left-8, ceiling+y(tick)+4, "small", "end", tickText(tick))
		}
		c.text(left-8, floor+4, "small", "end", "≤ 10 ms")
		c.line(left, floor, left+width, floor, "axis")
		c.turned(20, ceiling+height/2, "wait of a call (log)")
		for minutes := 0; minutes <= int(d.Traffic.For.Minutes()); minutes += 30 {
			at := x(time.Duration(minutes) * time.Minute)
			c.line(at, floor, at, floor+4, "axis")
			c.text(at, floor+34, "small", "middle", clock(time.Duration(minutes)*time.Minute))
		}
		c.bars(columns(d.Samples[cache], false, x), floor, ceiling, y, "late")
		c.bars(columns(d.Samples[cache], true, x), floor, ceiling, y, "failed")
		c.ticks(d.Asked[cache], x, floor+8, 8, "sts")
		if o.MaxWait < time.Millisecond {
			c.text(left+width/4, ceiling+height/2+4, "label", "middle", "nobody waited after the first call")
		}
	}
	last := float64(top + 2*height + gap)
	c.text(left+width/2, last+52, "small", "middle", "time since the start (h:mm)")
	c.legend(left, last+52, "late", "waited, got keys", "failed", "got an error")
	c.legend(left+width-112, last+52, "sts", "a request to STS")
	return c.svg()
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
	const left, width, top, height, gap = 78, 800, 112, 110, 74
	caches := []string{SDK, SDK5, Ours}
	peak := 0
	for _, cache := range caches {
		for _, n := range perMinute[cache] {
			peak = max(peak, n)
		}
	}
	c := newCanvas(left+width+22, top+len(caches)*height+(len(caches)-1)*gap+64, "A fleet that starts together: calls to STS",
		fmt.Sprintf("%s clients start in the same minute; keys live %s; each is used every %s on average. The policies, held against the real caches by a test.",
			thousands(f.Clients), hoursText(f.Lifetime), tickText(f.Every)))
	c.text(20, 67, "small", "start", "Below each hour: its worst minute against its mean. 1.0 is a fleet that has spread out evenly.")
	for i, cache := range caches {
		minutes := perMinute[cache]
		floor := float64(top + i*(height+gap) + height)
		ceiling := floor - height
		y := func(n float64) float64 { return floor - height*n/float64(peak) }
		hours := ByHour(minutes)
		last := hours[len(hours)-1]
		c.text(left, ceiling-8, "title", "start", cache)
		c.text(left+width, ceiling-8, "label", "end", fmt.Sprintf("last hour: worst minute %s calls, mean %s", thousands(last.Peak), thousands(int(last.Mean))))
		for _, part := range []float64{0.5, 1} {
			n := part * float64(peak)
			c.line(left, y(n), left+width, y(n), "grid")
			c.text(left-8, y(n)+4, "small", "end", thousands(int(n)))
		}
		c.text(left-8, floor+4, "small", "end", "0")
		c.turned(20, ceiling+height/2, "calls a minute")
		style := "late"
		if cache == Ours {
			style = "good"
		}
		var path strings.Builder
		step := float64(width) / float64(len(minutes))
		fmt.Fprintf(&path, "M%d %.1f", left, floor)
		for m, n := range minutes {
			fmt.Fprintf(&path, "L%.1f %.1f", left+(float64(m)+0.5)*step, y(float64(n)))
		}
		fmt.Fprintf(&path, "L%d %.1fZ", left+width, floor)
		fmt.Fprintf(&c.b, `<path class="%s" d="%s"/>`+"\n", style, path.String())
		c.line(left, floor, left+width, floor, "axis")
		for h := range hours {
			at := left + (float64(h)+0.5)*60*step
			c.line(left+float64(h)*60*step, floor, left+float64(h)*60*step, floor+4, "axis")
			c.text(at, floor+18, "label", "middle", fmt.Sprintf("%.1f", hours[h].PeakToMean()))
			if i == len(caches)-1 {
				c.text(at, floor+35, "small", "middle", fmt.Sprintf("hour %d", h+1))
			}
		}
	}
	c.text(left+width/2, float64(top+len(caches)*height+(len(caches)-1)*gap+54), "small", "middle", "time since the start; minute 1 is the start itself, when everybody calls")
	return c.svg()
}

// canvas collects the elements of an SVG.
type canvas struct {
	b             bytes.Buffer
	width, height int
}

// style is readable on GitHub's light page and on its dark one: the picture
// brings its background with it.
const style = `text{font-family:-apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans","DejaVu Sans",Helvetica,Arial,sans-serif;fill:#1f2328}
.page{fill:#fff;stroke:#d1d9e0}.head{font-size:18px;font-weight:600}.title{font-size:14px;font-weight:600}.label{font-size:12px}.small{font-size:11px;fill:#59636e}
.grid{stroke:#d1d9e0;stroke-width:1;stroke-dasharray:2 3}.axis{stroke:#818b98;stroke-width:1}.outage{fill:#818b98;fill-opacity:.16}
.late{fill:#bc4c00;stroke:#bc4c00}.failed{fill:#d1242f;stroke:#d1242f}.good{fill:#1a7f37;stroke:#1a7f37}.sts{stroke:#0969da;fill:#0969da}path.late,path.good{stroke-width:.8;stroke-linejoin:round;fill-opacity:.55}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}.small{fill:#9198a1}.grid{stroke:#3d444d}.axis{stroke:#656c76}
.late{fill:#f0883e;stroke:#f0883e}.failed{fill:#ff7b72;stroke:#ff7b72}.good{fill:#3fb950;stroke:#3fb950}.sts{stroke:#58a6ff;fill:#58a6ff}}`

func newCanvas(width, height int, title, what string) *canvas {
	c := &canvas{width: width, height: height}
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&c.b, "<title>%s</title>\n<desc>%s</desc>\n<style>%s</style>\n", html.EscapeString(title), html.EscapeString(what), style)
	fmt.Fprintf(&c.b, `<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>`+"\n", width-1, height-1)
	c.text(20, 30, "head", "start", title)
	c.text(20, 50, "small", "start", what)
	return c
}

func (c *canvas) svg() []byte {
	c.b.WriteString("</svg>\n")
	return c.b.Bytes()
}

func (c *canvas) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(&c.b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}

// turned writes along the vertical axis.
func (c *canvas) turned(x, y float64, text string) {
	fmt.Fprintf(&c.b, `<text class="small" transform="translate(%.1f %.1f) rotate(-90)" text-anchor="middle">%s</text>`+"\n", x, y, html.EscapeString(text))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

func (c *canvas) rect(x, y, width, height float64, class string) {
	fmt.Fprintf(&c.b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", class, x, y, width, height)
}

// bars draws each column from the floor up to its longest wait.
func (c *canvas) bars(all []column, floor, ceiling float64, y func(time.Duration) float64, class string) {
	if len(all) == 0 {
		return
	}
	var path strings.Builder
	for _, bar := range all {
		fmt.Fprintf(&path, "M%.1f %.1fV%.1f", bar.x+0.5, floor, ceiling+y(bar.most))
	}
	fmt.Fprintf(&c.b, `<path class="%s" style="stroke-width:1.6" d="%s"/>`+"\n", class, path.String())
}

// ticks marks moments below the axis, one to a pixel.
func (c *canvas) ticks(moments []time.Duration, x func(time.Duration) float64, y, length float64, class string) {
	var path strings.Builder
	last := -1
	for _, at := range moments {
		if i := int(x(at)); i != last {
			fmt.Fprintf(&path, "M%.1f %.1fv%.0f", float64(i)+0.5, y, length)
			last = i
		}
	}
	fmt.Fprintf(&c.b, `<path class="%s" style="stroke-width:1.6" d="%s"/>`+"\n", class, path.String())
}

// legend is pairs of a class and what it means.
func (c *canvas) legend(x, y float64, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		c.rect(x, y-9, 10, 10, pairs[i])
		c.text(x+15, y, "small", "start", pairs[i+1])
		x += 15 + 7*float64(len(pairs[i+1]))
	}
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
