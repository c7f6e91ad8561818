package bench

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Verdicts of a goal, on what was measured.
const (
	met     = "met"
	missed  = "missed"
	unclear = "not told apart" // some runs meet it, others do not
	unknown = "not measured"
)

// goal is what was set out to be reached. judge says what the tables have on it.
type goal struct {
	what  string
	judge func(*reading) (here, verdict string)
}

// Goals is the table of the goals, from the tables of what was measured.
func (r *Report) Goals() (string, error) {
	table := newTable("Goal", "Here", "Verdict")
	table.words = true
	in := &reading{report: r}
	for _, g := range slices.Concat(goalsOfRotation(), goalsOfCost(), goalsOfStarts()) {
		here, verdict := g.judge(in)
		table.row(g.what, here, verdict)
	}
	return table.String(), in.err
}

// reading looks figures up, and keeps the first failure.
type reading struct {
	report *Report
	err    error
}

// text is the cell of a part in the column of that head, in the row that begins so.
func (in *reading) text(part, head string, begin ...string) string {
	table := in.report.tables[part]
	if table == nil {
		table = &mdTable{}
	}
	cell, err := table.cell(head, begin...)
	if err != nil && in.err == nil {
		in.err = fmt.Errorf("the table %s: %w", part, err)
	}
	return cell
}

// figure is such a cell, as a number. What could not be measured is none.
func (in *reading) figure(part, head string, begin ...string) figure {
	text := in.text(part, head, begin...)
	n, ok := parseNumber(text)
	return figure{number: n, text: text, known: ok}
}

// within is the figure that an expression with one group finds in a cell.
func (in *reading) within(expr, part, head string, begin ...string) figure {
	m := regexp.MustCompile(expr).FindStringSubmatch(in.text(part, head, begin...))
	if m == nil {
		return figure{}
	}
	n, ok := parseNumber(m[1])
	return figure{number: n, text: m[1], known: ok}
}

// figure is a number as it is written.
type figure struct {
	number
	text  string
	known bool
}

func (f figure) String() string {
	if !f.known {
		return "–"
	}
	return f.text
}

// over is the ratio of two figures that were measured side by side.
func (f figure) over(g figure) figure {
	if !f.known || !g.known || g.value == 0 {
		return figure{}
	}
	n := number{f.value / g.value, f.low / max(g.high, g.value), f.high / g.low}
	return figure{number: n, text: fmt.Sprintf("%.2f×", n.value), known: true}
}

// atMost judges a figure. The spread of the runs decides, not the median.
func (f figure) atMost(limit float64) string {
	switch {
	case !f.known:
		return unknown
	case f.high <= limit:
		return met
	case f.low > limit:
		return missed
	}
	return unclear
}

func (f figure) atLeast(limit float64) string {
	switch {
	case !f.known:
		return unknown
	case f.low >= limit:
		return met
	case f.high < limit:
		return missed
	}
	return unclear
}

// below judges two exact figures, or those of the same runs.
func (f figure) below(g figure) string {
	if !f.known || !g.known {
		return unknown
	}
	return f.atMost(g.high)
}

// all is one verdict for those of a goal's halves, each with its name before it.
func all(named ...string) string {
	var verdicts []string
	names := map[string][]string{}
	for i := 0; i < len(named); i += 2 {
		name, verdict := named[i], named[i+1]
		if !slices.Contains(verdicts, verdict) {
			verdicts = append(verdicts, verdict)
		}
		names[verdict] = append(names[verdict], name)
	}
	if len(verdicts) == 1 {
		return verdicts[0]
	}
	for i, verdict := range verdicts {
		verdicts[i] = strings.Join(names[verdict], " and ") + " " + verdict
	}
	return strings.Join(verdicts, "; ")
}
