package main

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The code that the demo prints is the code that it runs: step by step, the
// body of its func is code, with the option local added to each New, and a return.
func TestDemoShowsWhatItRuns(t *testing.T) {
	want := 0
	for _, part := range parts {
		want += len(part.steps)
	}
	got := 0
	for _, file := range []string{"demo_steps.go", "demo_mistakes.go", "demo_longer.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			fields := fieldsOf(lit)
			shown, _ := fields["code"].(*ast.BasicLit)
			var run *ast.FuncLit
			for _, name := range []string{"run", "hours", "fleet"} {
				if lit, ok := fields[name].(*ast.FuncLit); ok {
					assert.Nil(t, run, "one func")
					run = lit
				}
			}
			if shown == nil && run == nil {
				return true
			}
			got++
			require.NotNil(t, shown, "code is a literal")
			require.NotNil(t, run, "the func is a literal")
			compareStep(t, shown, run)
			return false
		})
	}
	assert.Equal(t, want, got, "every step was looked at")
}

// compareStep holds the code of one step against its run.
func compareStep(t *testing.T, shown *ast.BasicLit, run *ast.FuncLit) {
	t.Helper()
	code, err := strconv.Unquote(shown.Value)
	require.NoError(t, err)
	formatted, err := format.Source([]byte(code))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), code, "the code is as gofmt has it")

	parsed, err := parser.ParseFile(token.NewFileSet(), "code", "package p\nfunc f() {\n"+code+"\n}", parser.SkipObjectResolution)
	require.NoError(t, err)
	printed := parsed.Decls[0].(*ast.FuncDecl).Body.List

	ran := run.Body.List
	require.NotEmpty(t, ran)
	assert.Regexp(t, "^return (s|errs|found), err$", sourceOf(t, ran[len(ran)-1]))
	ran = ran[:len(ran)-1]
	withoutLocal(t, run)
	require.Equal(t, dump(t, printed), dump(t, ran), "code and run differ:\n%s", code)
}

// withoutLocal takes the option local out of every call of awsauth.New; it must
// be there, once and last.
func withoutLocal(t *testing.T, run *ast.FuncLit) {
	t.Helper()
	ast.Inspect(run, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || sourceOf(t, call.Fun) != "awsauth.New" {
			return true
		}
		require.NotEmpty(t, call.Args)
		last := len(call.Args) - 1
		require.Equal(t, "local", sourceOf(t, call.Args[last]))
		if call.Args = call.Args[:last]; last == 0 {
			call.Args = nil
		}
		return true
	})
}

// fieldsOf are the values of a struct literal by their names.
func fieldsOf(lit *ast.CompositeLit) map[string]ast.Expr {
	fields := map[string]ast.Expr{}
	for _, e := range lit.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := pair.Key.(*ast.Ident); ok {
				fields[name.Name] = pair.Value
			}
		}
	}
	return fields
}

// sourceOf is the source of one node on one line.
func sourceOf(t *testing.T, node ast.Node) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, format.Node(&b, token.NewFileSet(), node))
	return b.String()
}

// dump prints a tree without the places in the file.
func dump(t *testing.T, list []ast.Stmt) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, ast.Fprint(&b, nil, list, func(_ string, v reflect.Value) bool {
		return v.Type() != reflect.TypeFor[token.Pos]()
	}))
	return b.String()
}
