package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// part is one of the tables.
type part struct {
	name, title string
	measure     func(Tables) (*mdTable, error)
	exact       bool // each run gives the same
}

// parts are in the order of README.md. The last ones run on the machine's clock.
func parts() []part {
	return []part{
		{"rotation", "Rotation", Tables.rotation, true},
		{"crowds", "Crowds", Tables.crowds, true},
		{"fleet", "A fleet that starts together", Tables.spread, true},
		{"memory", "Memory", Tables.memory, false},
		{"hot", "Hot path", Tables.hot, false},
		{"accounts", "Credentials in many accounts", Tables.walks, false},
		{"new", "New", Tables.news, false},
		{"start", "Process start", Tables.programs, false},
		{"warm", "Warm start", Tables.warm, false},
		{"login", "One login, many processes", Tables.login, false},
	}
}

// Parts are the names of the tables.
func Parts() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// Report is what was measured: tables by the names of Parts, and on what machine.
type Report struct {
	Machine string
	tables  map[string]*mdTable
}

// Measure measures those parts, each as often as runs says but for those that give
// the same each time. It tells progress where it is.
func (t Tables) Measure(progress io.Writer, runs int, names ...string) (*Report, error) {
	for _, name := range names {
		if !slices.Contains(Parts(), name) {
			return nil, fmt.Errorf("no table has the name %q; the names are %s", name, strings.Join(Parts(), ","))
		}
	}
	measured := map[string][]*mdTable{}
	for run := range runs { // all parts in turn: a busy minute spoils one run of a part, not all of them
		for _, p := range parts() {
			if !slices.Contains(names, p.name) || p.exact && run > 0 {
				continue
			}
			start := time.Now()
			table, err := p.measure(t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			fmt.Fprintf(progress, "run %d of %d: %s, %.0f s\n", run+1, runs, p.name, time.Since(start).Seconds())
			measured[p.name] = append(measured[p.name], table)
		}
	}
	r := &Report{tables: map[string]*mdTable{}, Machine: fmt.Sprintf("%s, %s/%s, %d cores, %s; the median of %d runs, with the least and the most",
		time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), runs)}
	for name, tables := range measured {
		r.tables[name] = merge(tables)
	}
	return r, nil
}

// Print writes the tables as Markdown.
func (r *Report) Print(w io.Writer) error {
	if len(r.tables) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w, r.Machine); err != nil {
		return err
	}
	for _, p := range parts() {
		if table := r.tables[p.name]; table != nil {
			if _, err := fmt.Fprintf(w, "\n### %s\n\n%s", p.title, table); err != nil {
				return err
			}
		}
	}
	return nil
}

// ParseReport reads the tables of README.md.
func ParseReport(readme string) (*Report, error) {
	r := &Report{tables: map[string]*mdTable{}}
	for _, name := range Parts() {
		text, err := between(readme, name)
		if err != nil {
			return nil, err
		}
		r.tables[name] = parseTable(text)
	}
	return r, nil
}

// update puts the tables that were measured into README.md, and judges the goals anew.
// The machine is named only if all were measured.
func (r *Report) update(readme string) (string, error) {
	inner := map[string]string{}
	for name, table := range r.tables {
		inner[name] = table.String()
	}
	if len(inner) == len(Parts()) {
		inner["machine"] = r.Machine + "."
	}
	for name, text := range inner {
		var err error
		if readme, err = replaceBetween(readme, name, text); err != nil {
			return "", err
		}
	}
	all, err := ParseReport(readme)
	if err != nil {
		return "", err
	}
	judged, err := all.Goals()
	if err != nil {
		return "", err
	}
	return replaceBetween(readme, "goals", judged)
}

// Update writes README.md in dir, and the numbers of the READMEs above it.
func (r *Report) Update(dir string) error {
	path := filepath.Join(dir, "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	updated, err := r.update(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(updated), 0o644); err != nil {
		return err
	}
	all, err := ParseReport(updated)
	if err != nil {
		return err
	}
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		path := filepath.Join(dir, "..", name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		filled, err := all.FillNumbers(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := os.WriteFile(path, []byte(filled), 0o644); err != nil {
			return err
		}
	}
	return nil
}
