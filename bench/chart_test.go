package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestCharts(t *testing.T) {
	day := &Day{
		Traffic: Traffic{Callers: 2, Every: time.Minute, For: 3 * time.Hour}, From: time.Hour, To: 2 * time.Hour,
		Samples: map[string][]Sample{
			SDK: {
				{At: 0, Waited: 200 * time.Millisecond},
				{At: 61 * time.Minute, Waited: 5 * time.Second, Failed: true},
				{At: 61*time.Minute + time.Second, Waited: 6 * time.Second, Failed: true},
			},
			Ours: {{At: 0, Waited: 200 * time.Millisecond}},
		},
		Asked:    map[string][]time.Duration{SDK: {0, time.Hour}, Ours: {0}},
		Outcomes: map[string]Outcome{SDK: {Calls: 360, Errors: 1234, MaxWait: 6 * time.Second, STS: 2}, Ours: {Calls: 360, STS: 1}},
	}
	fleet := Fleet{Clients: 5_000, Hours: 3, Lifetime: time.Hour, Every: 30 * time.Second}
	minutes := map[string][]int{}
	for _, cache := range []string{SDK, SDK5, Ours} {
		minutes[cache] = fleet.Model(cache, 1)
	}
	for name, c := range map[string]struct {
		picture []byte
		says    []string
	}{
		"rotation": {RotationSVG(day), []string{"1,234 failed", "longest wait 6.0 s", "longest wait 0", "STS down", "wait of a call", "h:mm", "got an error", "a request to STS", "of several runs, this is one in which that moment fell into the outage"}},
		"spread":   {SpreadSVG(fleet, minutes), []string{"5,000 clients", "calls a minute", "hour", "60"}},
	} {
		t.Run(name, func(t *testing.T) {
			if n := len(c.picture); n > 60<<10 {
				t.Errorf("%d bytes", n)
			}
			shown := strings.Join(textsOf(c.picture), " ")
			for _, want := range append(c.says, "awsauth", "aws.CredentialsCache") {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not shown in %s", want, shown)
				}
			}
			for _, want := range []string{"prefers-color-scheme:dark", "<title>"} {
				if !strings.Contains(string(c.picture), want) {
					t.Errorf("%q is not in it", want)
				}
			}
			if strings.Contains(string(c.picture), "NaN") || strings.Contains(string(c.picture), "Inf") {
				t.Error("a number is missing")
			}
			for d := xml.NewDecoder(strings.NewReader(string(c.picture))); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// textsOf are the texts of a picture, in its order.
func textsOf(picture []byte) (texts []string) {
	for _, m := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllSubmatch(picture, -1) {
		texts = append(texts, string(m[1]))
	}
	return texts
}

// TestChartsOnAPhone: a phone shows a picture about 350 pixels wide. The smallest text
// must be 10 pixels high there, and no line may run out of the page.
func TestChartsOnAPhone(t *testing.T) {
	const phone = 350
	sizes := regexp.MustCompile(`font-size:([\d.]+)px`).FindAllStringSubmatch(style, -1)
	if len(sizes) < 4 {
		t.Fatalf("sizes %v", sizes)
	}
	for _, m := range sizes {
		if size, err := strconv.ParseFloat(m[1], 64); err != nil || size*phone/pageWidth < 10 {
			t.Errorf("a text of %s px has %.1f px on a phone", m[1], size*phone/pageWidth)
		}
	}
	c := newCanvas("title", strings.Repeat("a word or two of some length ", 20))
	for _, line := range textsOf(c.svg()) {
		if len(line) > 61 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}

func TestColumns(t *testing.T) {
	x := func(at time.Duration) float64 { return at.Seconds() }
	got := columns([]Sample{
		{At: 1 * time.Second, Waited: 2 * time.Second},
		{At: 1 * time.Second, Waited: 3 * time.Second},
		{At: 2 * time.Second, Waited: 3 * time.Second, Failed: true},
		{At: 3 * time.Second},
	}, false, x)
	if want := (column{1, 2 * time.Second, 3 * time.Second}); len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %v alone", got, want)
	}
	if got := columns(nil, false, x); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
}
