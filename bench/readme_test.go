package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// libraryPages are those that claim numbers.
var libraryPages = []string{"README.md", "README.zh-CN.md"}

func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeGoals: what README.md says of the goals follows from its tables.
func TestReadmeGoals(t *testing.T) {
	readme := read(t, "README.md")
	r, err := ParseReport(readme)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.Goals()
	if err != nil {
		t.Fatal(err)
	}
	got, err := between(readme, "goals")
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("the table of goals is not that of the tables below; go run ./cmd/table -only none -update writes it:\n%s", want)
	}
}

// TestReadmeNumbers: each number that the library's READMEs claim stands in a table of
// README.md here. A change on either side alone is seen.
func TestReadmeNumbers(t *testing.T) {
	bench := read(t, "README.md")
	agree := func(bench, page string) bool {
		t.Helper()
		r, err := ParseReport(bench)
		if err != nil {
			t.Fatal(err)
		}
		filled, err := r.FillNumbers(page)
		return err == nil && filled == page
	}
	for _, name := range libraryPages {
		page := read(t, "..", name)
		if !agree(bench, page) {
			t.Errorf("%s has other numbers than the tables; go run ./cmd/table -only none -update writes them", name)
			continue
		}
		r, err := ParseReport(bench)
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := r.numbers()
		if err != nil {
			t.Fatal(err)
		}
		for i, pair := range pairs {
			row := "| " + pair[0] + " | " + pair[1] + " |"
			if agree(bench, strings.Replace(page, row, "| "+pair[0]+" | 7"+pair[1]+" |", 1)) {
				t.Errorf("%s: another number in row %d is not seen", name, i+1)
			}
		}
		for _, i := range []int{0, 4, 5} { // counts that stand in a table as they do here
			if other := pairs[i][1]; agree(strings.ReplaceAll(bench, " "+other+" |", " 7 |"), page) {
				t.Errorf("another number than %s in the tables is not seen in %s", other, name)
			}
		}
	}
}

// TestUpdate: a table that was measured anew takes the old one's place, and the goals
// are judged by it. The rest of the page stays as it is.
func TestUpdate(t *testing.T) {
	readme := read(t, "README.md")
	memory := newTable("10,000 role sessions", "heap per session", "left when dropped", "goroutines while idle")
	memory.row(SDK, "1.0 KiB", "0 B", "0")
	memory.row(Ours, "9.0 KiB", "0 B", "0")
	updated, err := (&Report{Machine: "PDP-11", tables: map[string]*mdTable{"memory": memory}}).update(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| awsauth | 9.0 KiB | 0 B | 0 |\n", "| 9.0 KiB, 0 B; 9.00× the SDK's | held missed; left met |\n"} {
		if strings.Count(updated, want) != 1 || strings.Contains(readme, want) {
			t.Errorf("%q is not there once:\n%s", want, updated)
		}
	}
	if strings.Contains(updated, "PDP-11") {
		t.Error("one table is from another machine, and all seem to be")
	}
	var changed int
	was, is := strings.Split(readme, "\n"), strings.Split(updated, "\n")
	if len(was) != len(is) {
		t.Fatalf("%d lines, were %d", len(is), len(was))
	}
	for i := range was {
		if was[i] != is[i] {
			changed++
		}
	}
	if changed != 3 {
		t.Errorf("%d lines changed", changed)
	}
	if _, err := (&Report{tables: map[string]*mdTable{"memory": newTable("nothing")}}).update(readme); err == nil {
		t.Error("a table without its rows is no error")
	}
	if _, err := (&Report{tables: map[string]*mdTable{"memory": memory}}).update("no markers"); err == nil {
		t.Error("a page without markers is no error")
	}
}
