package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// mishaps are the examples of the page about troubleshooting, one for each Kind.
var mishaps = map[awsauth.Kind]func(*lab.Place) error{
	awsauth.InvalidOption: func(w *lab.Place) error { return w.JustNew(w.Static(), awsauth.WithAccount("12345678901")) },
	awsauth.NoCredentials: func(w *lab.Place) error { return w.Fetch() },
	awsauth.ProfileNotFound: func(w *lab.Place) error {
		w.Files("[profile prod-admin]\nregion = eu-west-1\n", "")
		return w.JustNew(awsauth.WithProfile("prod-admn"))
	},
	awsauth.Expired: func(w *lab.Place) error { w.SSOProfile(); return w.Fetch(awsauth.WithProfile("dev")) },
	awsauth.MFARequired: func(w *lab.Place) error {
		w.MFAProfile()
		return w.JustNew(awsauth.WithProfile("admin"))
	},
	awsauth.LongTermCredentials: func(w *lab.Place) error { return w.JustNew(w.Static(), awsauth.WithTemporaryOnly()) },
	awsauth.AccessDenied: func(w *lab.Place) error {
		w.AddRole(awsauthtest.Role{ARN: lab.ManageRole})
		return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
	},
	awsauth.InvalidKey: func(w *lab.Place) error {
		return w.Fetch(w.Static(), awsauth.WithRoleARN(lab.ChinaRole))
	},
	awsauth.WrongPartition: func(w *lab.Place) error {
		return w.JustNew(w.Static(), awsauth.WithRoleARN(lab.ChinaRole), awsauth.WithRegion("us-east-1"))
	},
	awsauth.WrongAccount: func(w *lab.Place) error {
		return w.JustNew(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts("222222222222"))
	},
	awsauth.InvalidDuration: func(w *lab.Place) error {
		hub := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
		_, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithDuration(4*time.Hour))
		return err
	},
	awsauth.Throttled: func(w *lab.Place) error {
		w.Down(awsauthtest.Throttle)
		return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
	},
	awsauth.Unreachable: func(w *lab.Place) error {
		w.Down(awsauthtest.Hang)
		return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
	},
}

// TestKinds: the page has a section for each Kind, with an error that really is of
// that Kind.
func TestKinds(t *testing.T) {
	text := read(t, "troubleshooting.md")
	for kind, name := range kindsOf(t) {
		t.Run(name, func(t *testing.T) {
			require.True(t, mishaps[kind] != nil, "no example of it among mishaps")
			_, section, found := strings.Cut(text, "\n## "+name+"\n")
			require.True(t, found, "no section in troubleshooting.md")
			section, _, _ = strings.Cut(section, "\n## ")
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				w.Files("", "")
				err := mishaps[kind](w)
				require.ErrorIs(t, err, kind)
				said := strings.NewReplacer(w.Dir, "/home/ana/.aws", "…"+w.Keys.AccessKeyID[16:], "…MPLE").Replace(err.Error())
				said = regexp.MustCompile(`attempts in \d+s`).ReplaceAllString(said, "attempts in 21s")
				assert.True(t, strings.Contains(oneLine(section), oneLine(said)), "the page does not show:\n%s", said)
			})
		})
	}
}

// kindsOf reads the kinds, with the names of their constants, from the source.
func kindsOf(t *testing.T) map[awsauth.Kind]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../errors.go", nil, 0)
	require.NoError(t, err)
	kinds := map[awsauth.Kind]string{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if name, ok := value.Type.(*ast.Ident); ok && name.Name == "Kind" {
				kinds[awsauth.Kind(strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`))] = value.Names[0].Name
			}
		}
	}
	require.GreaterOrEqual(t, len(kinds), len(mishaps))
	return kinds
}
