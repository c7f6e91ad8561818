package bench

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// number is a figure with its unit, and the least and the most that other runs had
// in its place.
type number struct {
	value, low, high float64 // times in ns, sizes in bytes
}

// merge makes one table of those of several runs: what all say alike stands there
// once, a figure that differs is the median, with the least and the most after it.
func merge(runs []*mdTable) *mdTable {
	merged := &mdTable{notes: runs[0].notes, keys: runs[0].keys, second: runs[0].second}
	for i, row := range runs[0].rows {
		cells := slices.Clone(row)
		for j := range cells {
			var all []string
			for _, run := range runs {
				if i < len(run.rows) && j < len(run.rows[i]) {
					all = append(all, run.rows[i][j])
				}
			}
			cells[j] = mergeCells(all)
		}
		merged.row(cells...)
	}
	return merged
}

// mergeCells merges figures one by one, if there are several with commas between.
func mergeCells(all []string) string {
	first := strings.Split(all[0], ", ")
	for i := range first {
		var same []string
		for _, cell := range all {
			if figures := strings.Split(cell, ", "); len(figures) == len(first) {
				same = append(same, figures[i])
			}
		}
		first[i] = spread(same)
	}
	return strings.Join(first, ", ")
}

// spread is the figure in the middle, with the least and the most after it. What is
// no figure stays what it was in the first run.
func spread(figures []string) string {
	type figure struct {
		text string
		n    number
	}
	var all []figure
	for _, text := range figures {
		n, ok := parseNumber(text)
		if !ok {
			return figures[0]
		}
		all = append(all, figure{text, n})
	}
	slices.SortStableFunc(all, func(a, b figure) int { return cmp.Compare(a.n.value, b.n.value) })
	low, middle, high := strings.TrimPrefix(all[0].text, "+"), all[(len(all)-1)/2].text, strings.TrimPrefix(all[len(all)-1].text, "+")
	if low == high {
		return middle
	}
	if unit := unitOf(low); unit == unitOf(high) && unit == unitOf(middle) {
		low, high = strings.TrimSpace(strings.TrimSuffix(low, unit)), strings.TrimSpace(strings.TrimSuffix(high, unit))
	}
	return middle + " (" + low + "–" + high + ")"
}

var (
	oneFigure  = regexp.MustCompile(`^\+?(-?[\d,]+(?:\.\d+)?) ?(ns|µs|ms|s|×|B|KiB|)$`)
	withSpread = regexp.MustCompile(`^([^(]+) \(([^–]+)–([^–]+)\)$`)
	units      = map[string]float64{"": 1, "×": 1, "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "B": 1, "KiB": 1024}
)

func unitOf(text string) string {
	if m := oneFigure.FindStringSubmatch(text); m != nil {
		return m[2]
	}
	return ""
}

// parseNumber reads a figure, with its spread if there is one.
func parseNumber(text string) (n number, ok bool) {
	low, high := "", ""
	if m := withSpread.FindStringSubmatch(text); m != nil {
		text, low, high = m[1], m[2], m[3]
	}
	m := oneFigure.FindStringSubmatch(text)
	if m == nil {
		return n, false
	}
	read := func(text, unit string) float64 {
		if m := oneFigure.FindStringSubmatch(text); m != nil && (m[2] != "" || unit == "") {
			text, unit = m[1], m[2]
		}
		value, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
		ok = err == nil && ok
		return value * units[unit]
	}
	ok = true
	n.value = read(text, "")
	n.low, n.high = n.value, n.value
	if low != "" {
		n.low, n.high = read(low, m[2]), read(high, m[2])
	}
	return n, ok
}
