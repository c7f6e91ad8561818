package bench

import (
	"fmt"
	"slices"
	"strings"
)

// mdTable is a Markdown table: the heads, the rows, and the notes below it.
type mdTable struct {
	rows  [][]string // the first are the heads
	notes []string
	words bool // rather than figures

	// A table that is too wide for a page is written as two, one below the other. The
	// second has the columns from second on; the first keys columns, which tell the rows
	// apart, stand in both.
	keys, second int
}

func newTable(heads ...string) *mdTable { return &mdTable{rows: [][]string{heads}} }

func (t *mdTable) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *mdTable) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// String is the table as README.md has it.
func (t *mdTable) String() string {
	var b strings.Builder
	if t.second == 0 {
		t.write(&b, t.rows)
	} else {
		var upper, lower [][]string
		for _, row := range t.rows {
			row = filled(row, len(t.rows[0]))
			upper = append(upper, row[:t.second])
			lower = append(lower, slices.Concat(row[:t.keys], row[t.second:]))
		}
		t.write(&b, upper)
		b.WriteString("\n")
		t.write(&b, lower)
	}
	for _, note := range t.notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	return b.String()
}

func (t *mdTable) write(b *strings.Builder, rows [][]string) {
	align := "---:|"
	if t.words {
		align = "---|"
	}
	for i, row := range rows {
		row = filled(row, len(rows[0]))
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|---|%s\n", strings.Repeat(align, len(row)-1))
		}
	}
}

// filled is a row with empty cells at its end, so that there are n.
func filled(row []string, n int) []string {
	return slices.Concat(row, make([]string, max(0, n-len(row))))
}

// parseTable reads what String wrote.
func parseTable(text string) *mdTable {
	t := &mdTable{}
	var tables [][][]string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		row := strings.HasPrefix(line, "|")
		switch {
		case strings.HasPrefix(line, "|---"):
		case row && !inside:
			tables = append(tables, [][]string{cellsOf(line)})
		case row:
			tables[len(tables)-1] = append(tables[len(tables)-1], cellsOf(line))
		case line != "":
			t.note("%s", line)
		}
		inside = row
	}
	if len(tables) > 0 {
		t.rows = tables[0]
	}
	if len(tables) > 1 {
		t.join(tables[1])
	}
	return t
}

// join puts the second half of a wide table beside the first.
func (t *mdTable) join(lower [][]string) {
	t.second = len(t.rows[0])
	for t.keys < len(lower[0]) && lower[0][t.keys] == t.rows[0][t.keys] {
		t.keys++
	}
	for i := range min(len(t.rows), len(lower)) {
		t.rows[i] = slices.Concat(t.rows[i], lower[i][t.keys:])
	}
}

func cellsOf(line string) []string {
	cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// cell is the one of the row that begins with those cells, in the column of that
// head. A name that begins with * is the end of a cell.
func (t *mdTable) cell(head string, begin ...string) (string, error) {
	column := -1
	if len(t.rows) > 0 {
		column = slices.Index(t.rows[0], head)
	}
	if column < 0 {
		return "", fmt.Errorf("no column has the head %q", head)
	}
	for _, row := range t.rows[1:] {
		if beginsWith(row, begin) && column < len(row) {
			return row[column], nil
		}
	}
	return "", fmt.Errorf("no row begins with %q", begin)
}

func beginsWith(row, begin []string) bool {
	if len(begin) > len(row) {
		return false
	}
	for i, want := range begin {
		if end, ok := strings.CutPrefix(want, "*"); ok && strings.HasSuffix(row[i], end) {
			continue
		}
		if row[i] != want {
			return false
		}
	}
	return true
}

// between is what stands in a text between the markers of that name.
func between(text, name string) (inner string, err error) {
	begin, end := markers(name)
	_, rest, found := strings.Cut(text, begin)
	inner, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no %s and %s", begin, end)
	}
	return strings.TrimSpace(inner) + "\n", nil
}

// replaceBetween puts something else there.
func replaceBetween(text, name, inner string) (string, error) {
	if _, err := between(text, name); err != nil {
		return "", err
	}
	begin, end := markers(name)
	before, rest, _ := strings.Cut(text, begin)
	_, after, _ := strings.Cut(rest, end)
	return before + begin + "\n\n" + strings.TrimSpace(inner) + "\n\n" + end + after, nil
}

func markers(name string) (begin, end string) {
	return "<!-- table: " + name + " -->", "<!-- end of " + name + " -->"
}
