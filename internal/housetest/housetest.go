// Package housetest holds a package's files to strict floors: a file may use
// what the files below it declare, and nothing of the files above it. Then every
// file can be read with only those below it in mind, and no circle can form.
package housetest

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Reference is one use in a file of an identifier that another file declares,
// methods and fields included.
type Reference struct {
	From, To string // names of files
	Name     string // of the identifier
	Position string // of the use, file:line
}

func (r Reference) String() string {
	return fmt.Sprintf("%s: %s uses %s of %s", r.Position, r.From, r.Name, r.To)
}

// References lists, for each pair of files of the package in dir, the first use
// in one file of something that the other declares. Test files do not count.
func References(dir string) ([]Reference, error) {
	fset := token.NewFileSet()
	files, err := parse(fset, dir)
	if err != nil {
		return nil, err
	}
	exports, err := exportData(dir)
	if err != nil {
		return nil, err
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := conf.Check(dir, fset, files, info)
	if err != nil {
		return nil, err
	}
	return collect(fset, pkg, info), nil
}

// parse reads the package's files that this machine would build.
func parse(fset *token.FileSet, dir string) (files []*ast.File, err error) {
	out, err := goList(dir, "-f", `{{join .GoFiles "\n"}}`, ".")
	if err != nil {
		return nil, err
	}
	for _, name := range strings.Fields(out) {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// exportData finds the compiled form of everything that the package imports:
// the type checker reads it in a second, where the sources would take a minute.
func exportData(dir string) (map[string]string, error) {
	out, err := goList(dir, "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", ".")
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for line := range strings.Lines(out) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return exports, nil
}

func goList(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return "", fmt.Errorf("go list: %s", exit.Stderr)
	}
	return string(out), err
}

func collect(fset *token.FileSet, pkg *types.Package, info *types.Info) []Reference {
	first, at := map[[2]string]Reference{}, map[[2]string]token.Pos{}
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || !object.Pos().IsValid() {
			continue
		}
		use, declared := fset.Position(ident.Pos()), fset.Position(object.Pos())
		from, to := filepath.Base(use.Filename), filepath.Base(declared.Filename)
		r := Reference{from, to, object.Name(), fmt.Sprintf("%s:%d", from, use.Line)}
		pair := [2]string{from, to}
		if earlier, ok := at[pair]; from != to && (!ok || ident.Pos() < earlier) {
			first[pair], at[pair] = r, ident.Pos()
		}
	}
	all := make([]Reference, 0, len(first))
	for _, r := range first {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Reference) int { return strings.Compare(a.From+" "+a.To, b.From+" "+b.To) })
	return all
}

// Circles returns what breaks the floors: for each circle of files that refer to
// each other, the references that hold it together.
func Circles(all []Reference) (broken [][]Reference) {
	reach := reachable(all)
	told := map[string]bool{}
	for _, r := range all {
		if told[r.From] || !reach[r.To][r.From] {
			continue
		}
		var circle []Reference
		for _, other := range all {
			if reach[r.From][other.From] && reach[other.To][r.From] {
				circle = append(circle, other)
				told[other.From] = true
			}
		}
		broken = append(broken, circle)
	}
	return broken
}

// reachable says for each file which files can be reached from it.
func reachable(all []Reference) map[string]map[string]bool {
	reach := map[string]map[string]bool{}
	add := func(from, to string) bool {
		if reach[from] == nil {
			reach[from] = map[string]bool{}
		}
		known := reach[from][to]
		reach[from][to] = true
		return !known
	}
	for changed := true; changed; {
		changed = false
		for _, r := range all {
			changed = add(r.From, r.To) || changed
			for far := range reach[r.To] {
				changed = add(r.From, far) || changed
			}
		}
	}
	return reach
}
