package names_test

import (
	"os"
	"os/user"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/names"
)

func TestIs(t *testing.T) {
	for _, c := range []struct {
		s, signs    string
		least, most int
		want        bool
	}{
		{"ab", names.Signs, 2, 64, true},
		{"a", names.Signs, 2, 64, false},
		{strings.Repeat("a", 64), names.Signs, 2, 64, true},
		{strings.Repeat("a", 65), names.Signs, 2, 64, false},
		{"az09AZ_+=,.@-", names.Signs, 2, 64, true},
		{"a/b", names.Signs, 2, 64, false},
		{"a/b", names.Signs + "/", 2, 64, true},
		{"a b", names.Signs, 2, 64, false},
		{"añb", names.Signs, 2, 64, false},
		{"`a{", "", 1, 9, false}, {"@a[", "", 1, 9, false}, {"/0:", "", 1, 9, false},
	} {
		assert.Equal(t, c.want, names.Is(c.s, c.signs, c.least, c.most), c.s)
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name string
		rule func(string) bool
		yes  []string
		no   []string
	}{
		{"digits", names.IsDigits, []string{"0", "0123456789"}, []string{"", "1a", "-1", "１"}},
		{"account", names.IsAccount, []string{"123456789012"}, []string{"12345678901", "1234567890123", "12345678901x", ""}},
		{"tag text", names.IsTagText, []string{"", "team a", "größe_.:/=+-@", "予算"}, []string{"a*", "a\n", "a#", "a,b"}},
		{"path", names.IsPath, []string{"", "a/", "a/b/", "a!~/"}, []string{"/", "/a/", "a", "a//b/", "a b/", "ä/"}},
		{"printable", names.IsPrintable, []string{"", "!~"}, []string{" ", "\x7f", "ä", "\n"}},
		{"key id", names.IsKeyID, []string{"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"},
			[]string{"AIDAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLe", "AKIAIOSFODNN7EXAMPLEE", ""}},
		{"session", names.IsSession, []string{"ab", "ana@laptop"}, []string{"a", "a b", strings.Repeat("x", 65)}},
	} {
		for _, s := range c.yes {
			assert.Truef(t, c.rule(s), "%s: %q", c.name, s)
		}
		for _, s := range c.no {
			assert.Falsef(t, c.rule(s), "%s: %q", c.name, s)
		}
	}
}

func TestSession(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct{ who, host, want string }{
		{"ana", "laptop", "ana@laptop"},
		{"ana", "laptop.example.com", "ana@laptop"},
		{`CORP\ana`, "laptop", "ana@laptop"},
		{"ana smith", "büro", "ana-smith@b-ro"},
		{"ana", "", "ana"},
		{"a", "", "aawsauth"},
		{long, long, strings.Repeat("x", 32) + "@" + strings.Repeat("x", 31)},
	} {
		assert.Equal(t, c.want, names.Session(c.who, c.host), "%s, %s", c.who, c.host)
	}
}

func TestDefaultSession(t *testing.T) {
	u, err := user.Current()
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	t.Setenv("SUDO_USER", "")
	assert.Equal(t, names.Session(u.Username, host), names.DefaultSession())
	t.Setenv("SUDO_USER", "ana")
	who := u.Username // sudo counts where it made the user root
	if who == "root" {
		who = "ana"
	}
	assert.Equal(t, names.Session(who, host), names.DefaultSession())
}

func FuzzSession(f *testing.F) {
	f.Add("ana", "laptop")
	f.Add(`CORP\ana`, "büro.example.com")
	pattern := regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	f.Fuzz(func(t *testing.T, who, host string) {
		name := names.Session(who, host)
		if !pattern.MatchString(name) || !names.IsSession(name) {
			t.Errorf("Session(%q, %q) = %q", who, host, name)
		}
	})
}
