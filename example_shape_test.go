package awsauth_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExamplesStandAlone: pkg.go.dev shows an example without its file, so it uses
// nothing that the tests declare and nothing that a reader cannot import. The one
// exception is go/doc's own: a file with one example and no test is shown whole.
func TestExamplesStandAlone(t *testing.T) {
	for _, dir := range []string{".", "awsauthtest"} {
		files := parsed(t, filepath.Join(dir, "*_test.go"))
		examples := doc.Examples(files...)
		require.NotEmpty(t, examples)
		hidden := declared(files)
		for _, example := range examples {
			if _, whole := example.Code.(*ast.File); whole {
				continue
			}
			for name := range used(example.Code) {
				assert.False(t, hidden[name], "Example%s uses %s, which a reader does not see", example.Name, name)
			}
		}
		for _, file := range files {
			if len(doc.Examples(file)) == 0 {
				continue
			}
			for _, spec := range file.Imports {
				assert.NotContains(t, spec.Path.Value, "/internal/", "%s: a reader cannot import it", file.Name)
			}
		}
	}
}

// TestExamplesFit: pkg.go.dev cuts code that is wider than 100 columns, at four a tab.
func TestExamplesFit(t *testing.T) {
	n := 0
	for _, dir := range []string{".", "awsauthtest"} {
		files, err := filepath.Glob(filepath.Join(dir, "example_*_test.go"))
		require.NoError(t, err)
		for _, file := range append(files, filepath.Join(dir, "example_test.go")) {
			if filepath.Base(file) == "example_shape_test.go" {
				continue // no example
			}
			for line := range strings.Lines(page(t, file)) {
				line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
				if !strings.HasPrefix(strings.TrimSpace(line), "//") {
					n++
					assert.LessOrEqual(t, utf8.RuneCountInString(line), 100, "%s: %s", file, line)
				}
			}
		}
	}
	assert.Greater(t, n, 500)
}

// TestHiddenIsFound: what TestExamplesStandAlone looks for, in two examples.
func TestHiddenIsFound(t *testing.T) {
	const source = `package p_test
func ExampleA() { must(nil) }
func ExampleB() { must := func(error) {}; must(nil); x.must() }
func must(error) {}`
	file, err := parser.ParseFile(gotoken.NewFileSet(), "p_test.go", source, parser.ParseComments)
	require.NoError(t, err)
	var found []string
	for _, example := range doc.Examples(file) {
		if used(example.Code)["must"] {
			found = append(found, example.Name)
		}
	}
	assert.Equal(t, []string{"A"}, found)
}

func parsed(t *testing.T, pattern string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	set := gotoken.NewFileSet()
	for _, name := range names {
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		require.NoError(t, err)
		if strings.HasSuffix(file.Name.Name, "_test") {
			files = append(files, file)
		}
	}
	return files
}

// declared are the names that the files declare at their top.
func declared(files []*ast.File) map[string]bool {
	names := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range s.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// used are the names in a body that it does not declare itself.
func used(body ast.Node) map[string]bool {
	names, skip := map[string]bool{}, map[*ast.Ident]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			skip[n.Sel] = true
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Obj == nil {
				skip[key] = true // a field
			}
		}
		return true
	})
	inside := func(p gotoken.Pos) bool { return body.Pos() <= p && p < body.End() }
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !skip[id] && (id.Obj == nil || !inside(id.Obj.Pos())) {
			names[id.Name] = true
		}
		return true
	})
	return names
}
