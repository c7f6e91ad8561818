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
}

func newTable(heads ...string) *mdTable { return &mdTable{rows: [][]string{heads}} }

func (t *mdTable) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *mdTable) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// String is the table as README.md has it.
func (t *mdTable) String() string {
	var b strings.Builder
	align := "---:|"
	if t.words {
		align = "---|"
	}
	for i, row := range t.rows {
		for len(row) < len(t.rows[0]) {
			row = append(row, "")
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|---|%s\n", strings.Repeat(align, len(row)-1))
		}
	}
	for _, note := range t.notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	return b.String()
}

// parseTable reads what String wrote.
func parseTable(text string) *mdTable {
	t := &mdTable{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|---"), line == "":
		case strings.HasPrefix(line, "|"):
			t.row(cellsOf(line)...)
		default:
			t.note("%s", line)
		}
	}
	return t
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
