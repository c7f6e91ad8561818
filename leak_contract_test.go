package awsauth_test

import (
	"bytes"
	"encoding/gob"
	"encoding/xml"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// leak is one case of the contract: a place whose secrets are noted, and the paper
// that shows what was printed.
type leak struct {
	*lab.Place
	t     *testing.T
	paper *lab.Paper
}

// secret notes a secret and returns it.
func (l *leak) secret(what, text string) string {
	l.Spy.Note(what, text)
	return text
}

// print prints values in all ways, and in those that need no fmt verb.
func (l *leak) print(values ...any) {
	for _, v := range values {
		l.paper.All(v)
		for _, encode := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return gob.NewEncoder(b).Encode(v) },
			func(b *bytes.Buffer) error { return xml.NewEncoder(b).Encode(v) },
			func(b *bytes.Buffer) error { return template.Must(template.New("").Parse("{{.}}")).Execute(b, v) },
		} {
			var b bytes.Buffer
			_ = encode(&b) // what was written before an error counts too
			_, _ = l.paper.Write(b.Bytes())
		}
	}
}

// log is a logger at debug level that writes on the paper.
func (l *leak) log() awsauth.Option {
	return awsauth.WithLogger(slog.New(slog.NewJSONHandler(l.paper, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

// show opens a session, asks it for credentials and shows it before and after.
func (l *leak) show(opts ...awsauth.Option) error {
	l.t.Helper()
	for _, o := range opts {
		l.paper.Print(o)
	}
	s, err := l.Try(append(opts, l.log())...)
	if err != nil {
		l.print(err)
		return err
	}
	l.Show(l.paper, s)
	creds, err := s.Retrieve(l.t.Context())
	l.secret("secret key", creds.SecretAccessKey)
	l.secret("session token", creds.SessionToken)
	if err != nil {
		l.print(err)
	}
	l.Show(l.paper, s)
	return err
}

// works is show where it must work.
func (l *leak) works(opts ...awsauth.Option) {
	l.t.Helper()
	require.NoError(l.t, l.show(opts...))
}

// fails is show where it must not.
func (l *leak) fails(opts ...awsauth.Option) {
	l.t.Helper()
	require.Error(l.t, l.show(opts...))
}

// everyTrouble runs f once for each way in which AWS fails.
func (l *leak) everyTrouble(f func()) {
	for _, fault := range []awsauthtest.Fault{
		{Kind: awsauthtest.Refuse, Code: "AccessDenied"}, {Kind: awsauthtest.Refuse, Code: "SignatureDoesNotMatch"},
		{Kind: awsauthtest.Malformed}, {Kind: awsauthtest.ServerError}, {Kind: awsauthtest.Reset},
	} {
		remove := l.Inject(fault)
		f()
		remove()
	}
}

// leakCases are the cases, by the names that they cover.
func leakCases() map[string]func(*leak) {
	all := map[string]func(*leak){}
	for _, part := range []map[string]func(*leak){
		leaksOfSources(), leaksOfProofs(), leaksOfDisk(), leaksOfOptions(), leaksOfRoleOptions(), leaksOfCalls(), leaksOfQuestions(), leaksOfSessions(), leaksOfErrors(), leaksOfFuncs(), leaksOfSecondHand(),
	} {
		maps.Copy(all, part)
	}
	return all
}

// holdsNothing are the names without a case, and why.
var holdsNothing = map[string]string{
	"Option":      "an interface; each option has a case",
	"RoleOption":  "an interface; each option has a case",
	"FleetOption": "an interface; each option has a case",
	"Kind":        "one of the constants",
	"Kind.Error":  "one of the constants",
	"Status":      "one of the constants",
	"Partition":   "one of the constants",
	"PartitionOf": "takes a region, returns a constant",
	"Step":        "a row of Report",
}

// TestLeakContract: whatever is exported has a case that prints it, and each case
// really uses it. A new func, type or method without one fails here.
func TestLeakContract(t *testing.T) {
	names, types := exportedNames(t)
	require.Greater(t, len(names), 60)
	cases, uses := map[string]bool{}, usesOfCases(t)
	for group := range leakCases() {
		for name := range strings.SplitSeq(group, ", ") {
			cases[name] = true
		}
	}
	for _, name := range names {
		_, harmless := holdsNothing[name]
		if !assert.True(t, harmless != cases[name], "%s: has neither a case in leak_*_test.go nor a reason, or has both", name) || harmless {
			continue
		}
		if !types[name] {
			word := name[strings.Index(name, ".")+1:]
			assert.True(t, uses[name][word] || printsItself(word), "the case of %s does not use it", name)
		}
	}
	for name := range cases {
		assert.Contains(t, names, name, "a case of what does not exist")
	}
}

// printsItself reports whether the paper calls a method of that name by itself.
func printsItself(method string) bool {
	return slices.Contains([]string{"Error", "Format", "GoString", "LogValue", "MarshalJSON", "MarshalText", "String", "Unwrap"}, method)
}

// TestExportedLeaksNothing runs the cases, on a clock of their own: some wait for
// retries. Each of them must have had a secret to leak.
func TestExportedLeaksNothing(t *testing.T) {
	for name, run := range leakCases() {
		t.Run(name, func(t *testing.T) {
			overSocket := name == "GitHubActionsToken"
			lab.OnAnyClock(t, overSocket, func(t *testing.T, w *lab.Place) {
				w.Watched()
				l := &leak{Place: w, t: t, paper: &lab.Paper{}}
				run(l)
				require.NotEmpty(t, w.Spy.Seen, "there was nothing to leak")
				l.paper.Clean(t, w.Spy.Seen)
			})
		})
	}
}

// filesOf are the package's files whose names fit, those of other systems included.
func filesOf(t *testing.T, fit func(name string) bool) (files []*ast.File) {
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if fit(name) {
			f, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	require.NotEmpty(t, files)
	return files
}

// exportedNames are the names of all funcs, types, variables and methods of the
// package, and which of them are types.
func exportedNames(t *testing.T) (names []string, types map[string]bool) {
	types = map[string]bool{}
	for _, f := range filesOf(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = receiverOf(d.Recv.List[0].Type) + "." + name
				}
				if isExported(name) {
					names = append(names, name)
				}
			case *ast.GenDecl:
				for _, name := range exportedBy(d) {
					names, types[name] = append(names, name), d.Tok == gotoken.TYPE
				}
			}
		}
	}
	slices.Sort(names)
	return names, types
}

// exportedBy are the exported types and variables of a declaration. Constants hold no
// secret.
func exportedBy(d *ast.GenDecl) (names []string) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, n := range spec.Names {
				if d.Tok == gotoken.VAR && n.IsExported() {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

// receiverOf is the name of a method's type.
func receiverOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverOf(e.X)
	case *ast.IndexExpr:
		return receiverOf(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// isExported reports whether both parts of a name are.
func isExported(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !ast.IsExported(part) {
			return false
		}
	}
	return true
}

// usesOfCases are the selectors in each case: in the func that stands behind its name.
func usesOfCases(t *testing.T) map[string]map[string]bool {
	uses := map[string]map[string]bool{}
	for _, f := range filesOf(t, func(name string) bool { return strings.HasPrefix(name, "leak_") }) {
		ast.Inspect(f, func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := pair.Key.(*ast.BasicLit); ok {
				for name := range strings.SplitSeq(strings.Trim(key.Value, `"`), ", ") {
					uses[name] = selectors(f, pair.Value)
				}
			}
			return true
		})
	}
	return uses
}

// selectors are the names behind a dot in a func, which the file may declare elsewhere.
func selectors(f *ast.File, fn ast.Node) map[string]bool {
	if name, ok := fn.(*ast.Ident); ok {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == name.Name {
				fn = d
			}
		}
	}
	used := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			used[s.Sel.Name] = true
		}
		return true
	})
	return used
}
