package docs_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

var blocks = regexp.MustCompile("(?ms)^```([a-z0-9]*)\n(.*?)^```$")

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// oneLine is a text whose white space does not matter.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func glob(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	return files
}

// TestFirstSentence: a page says first for whom it is.
func TestFirstSentence(t *testing.T) {
	for _, file := range glob(t, "*.md") {
		assert.Regexp(t, `\A# [^\n]+\n\nThis page is for `, read(t, file), file)
	}
}

// TestLinks: each relative link leads to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, file := range glob(t, "*.md", "../*.md", "../bench/README.md", "../examples/README.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(target); !assert.NoError(t, err, "%s: %s", file, m[1]) || anchor == "" {
				continue
			}
			assert.Contains(t, anchors(read(t, target)), anchor, "%s: %s", file, m[1])
		}
	}
}

// anchors are the names that GitHub gives to headings, and those that a page sets.
func anchors(text string) (names []string) {
	for _, m := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// TestGo: each block of Go stands in a test or an example, so it compiles and runs.
// Those of testing.md are whole files, which TestDocsTesting of the root runs; those
// of languages.md are run by the command's tests.
func TestGo(t *testing.T) {
	code := ""
	for _, file := range glob(t, "*_test.go", "../*_test.go") {
		code += oneLine(read(t, file))
	}
	n := 0
	for _, file := range glob(t, "*.md") {
		for _, block := range blocks.FindAllStringSubmatch(read(t, file), -1) {
			if block[1] == "go" && file != "testing.md" && file != "languages.md" {
				n++
				assert.True(t, strings.Contains(code, oneLine(block[2])), "%s: no test runs this:\n%s", file, block[2])
			}
		}
	}
	assert.Greater(t, n, 8)
}

// TestLanguages: nothing is shown in a language that no test looks at.
func TestLanguages(t *testing.T) {
	held := []string{"go", "sh", "ini", "json", "text", "python", "crontab", "js", "systemd", "dockerfile", "make"}
	for _, file := range glob(t, "*.md") {
		for _, block := range blocks.FindAllStringSubmatch(read(t, file), -1) {
			assert.Contains(t, held, block[1], file)
		}
	}
}

// TestProfiles: each profile of the config files in the pages can be opened.
func TestProfiles(t *testing.T) {
	for _, file := range []string{"chain.md", "languages.md"} {
		for _, block := range blocks.FindAllStringSubmatch(read(t, file), -1) {
			if block[1] != "ini" {
				continue
			}
			w := lab.New(t, awsauth.AWS)
			w.Files(block[2], "")
			for _, m := range regexp.MustCompile(`\[profile (\w+)\]`).FindAllStringSubmatch(block[2], -1) {
				s := w.Open(awsauth.WithProfile(m[1]))
				if !strings.Contains(s.String(), "process") { // TestCommand runs it
					lab.Get(t, s)
				}
			}
		}
	}
}

// TestPartitionTable: region and host of each partition are those that are used.
func TestPartitionTable(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `(\\w+)` \\| (\\S+) \\| `(\\S+)` \\|$").FindAllStringSubmatch(read(t, "partitions.md"), -1)
	require.Len(t, rows, 8)
	for _, row := range rows {
		w := lab.New(t, awsauth.Partition(row[1]))
		s := w.Open(w.Static(), awsauth.WithPartition(w.Partition))
		_ = w.IdentityOf(s)
		assert.Equal(t, row[3], s.Config().Region)
		assert.Equal(t, row[4], w.Calls()[0].Host)
		assert.Contains(t, read(t, "../partition.go"), fmt.Sprintf("\t%s ", row[2]))
	}
}

// TestTestsThatAreNamed: the tests that the pages name as proof exist.
func TestTestsThatAreNamed(t *testing.T) {
	code := ""
	for _, file := range glob(t, "*_test.go", "../*_test.go", "../awsauthtest/*_test.go", "../internal/*/*_test.go", "../cmd/awsauth/*_test.go", "../bench/*_test.go") {
		code += read(t, file)
	}
	n := 0
	for _, file := range glob(t, "*.md") {
		for _, m := range regexp.MustCompile("`(Test[A-Z]\\w+|Example\\w*)`").FindAllStringSubmatch(read(t, file), -1) {
			n++
			assert.True(t, strings.Contains(code, "\nfunc "+m[1]+"("), "%s names %s", file, m[1])
		}
	}
	assert.Greater(t, n, 10)
}

// TestPython: the Python of the pages can be read by Python.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here")
	}
	for _, block := range blocks.FindAllStringSubmatch(read(t, "languages.md"), -1) {
		if block[1] == "python" {
			cmd := exec.Command(python, "-c", "import ast, sys; ast.parse(sys.stdin.read())")
			cmd.Stdin = strings.NewReader(block[2])
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", out)
		}
	}
}

// TestMap: the map of the house in CONTRIBUTING has each file and package.
func TestMap(t *testing.T) {
	var patterns []string
	for _, m := range regexp.MustCompile("`([\\w/.*]+)`").FindAllStringSubmatch(read(t, "../CONTRIBUTING.md"), -1) {
		patterns = append(patterns, m[1])
	}
	for _, file := range glob(t, "../*.go", "../internal/*") {
		name, _ := filepath.Rel("..", file)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		assert.True(t, slices.ContainsFunc(patterns, func(p string) bool { ok, _ := filepath.Match(p, filepath.ToSlash(name)); return ok }), "%s is not on the map", name)
	}
	for _, p := range patterns {
		if strings.HasPrefix(p, "internal/") || strings.HasSuffix(p, ".go") && !strings.Contains(p, "_test") && !strings.HasPrefix(p, "x.") {
			assert.NotEmpty(t, glob(t, filepath.Join("..", p)), p)
		}
	}
}

// TestWaysIn: what CONTRIBUTING tells a reader to look for, in order to add something,
// is declared somewhere.
func TestWaysIn(t *testing.T) {
	_, text, found := strings.Cut(read(t, "../CONTRIBUTING.md"), "\n### To add a source\n")
	require.True(t, found)
	text, _, _ = strings.Cut(text, "\n### To change a page\n")
	code := ""
	for _, file := range glob(t, "*_test.go", "../*.go", "../cmd/awsauth/*.go") {
		code += read(t, file)
	}
	n := 0
	for _, m := range regexp.MustCompile("`(\\w+)(?:\\(…?\\))?`").FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"awsauthtest", "docs", "gorelease"}, m[1]) {
			n++
			assert.Regexp(t, `(?m)^\s*(func |type |var )?`+m[1]+`\b`, code, "CONTRIBUTING names %s", m[1])
		}
	}
	assert.Greater(t, n, 10)
}

// TestBadges: the badges are of this module, and of a workflow that exists.
func TestBadges(t *testing.T) {
	badge := regexp.MustCompile(`(?m)^\[!\[[^\]]+\]\(([^)]+)\)\]\(([^)]+)\)`)
	pages := map[string][][]string{}
	for _, file := range []string{"../README.md", "../README.zh-CN.md"} {
		pages[file] = badge.FindAllStringSubmatch(read(t, file), -1)
		require.Len(t, pages[file], 4)
	}
	assert.Equal(t, pages["../README.md"], pages["../README.zh-CN.md"])
	const module = "github.com/chaoxiaodi/awsauth"
	assert.Contains(t, read(t, "../go.mod"), "module "+module+"\n")
	for _, m := range pages["../README.md"] {
		if m[2] == "LICENSE" {
			assert.Contains(t, m[1], "Apache--2.0")
			assert.Contains(t, read(t, "../LICENSE"), "Apache License")
			continue
		}
		assert.Contains(t, m[1], module)
		assert.Contains(t, m[2], module)
		if _, name, found := strings.Cut(m[2], "/actions/workflows/"); found {
			assert.Equal(t, m[2]+"/badge.svg", m[1])
			assert.FileExists(t, "../.github/workflows/"+name)
		}
	}
}

// TestLinkedTests: a test that a page links is in the file that the link leads to. It is
// named by the link's text, or by its title: [yes](x_test.go "TestX").
func TestLinkedTests(t *testing.T) {
	n := 0
	for _, file := range glob(t, "*.md") {
		for _, m := range regexp.MustCompile(`\[(\w+)\]\(([^ )]+)(?: "(\w+)")?\)`).FindAllStringSubmatch(read(t, file), -1) {
			name := cmp.Or(m[3], m[1])
			if strings.HasPrefix(name, "Test") {
				n++
				assert.True(t, strings.Contains(read(t, m[2]), "\nfunc "+name+"("), "%s: %s is not in %s", file, name, m[2])
			}
		}
	}
	assert.Greater(t, n, 15)
}

// TestComparison: each yes of ours names a test, each no of the others says how it
// was found, and each way of finding is used.
func TestComparison(t *testing.T) {
	text := read(t, "comparison.md")
	table, _, _ := strings.Cut(text, "What they have and awsauth has not")
	used := map[string]bool{}
	rows := regexp.MustCompile(`(?m)^\| [^|]+ \| \[?yes.*$`).FindAllString(table, -1)
	assert.Greater(t, len(rows), 15)
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if !assert.Len(t, cells, 9, row) {
			continue
		}
		assert.Regexp(t, `^\[yes\]\(\S+ "Test\w+"\)$`, cells[1])
		for _, cell := range cells[2:] {
			m := regexp.MustCompile(`^(yes|no|part|–|not looked at)(?: \[(\d+)\]\(#(\d+)\))?$`).FindStringSubmatch(cell)
			if !assert.NotNil(t, m, "%s: %q", cells[0], cell) {
				continue
			}
			assert.Equal(t, m[2], m[3], cell)
			assert.False(t, (m[1] == "no" || m[1] == "part") && m[2] == "", "%s: how was it found?", row)
			used[m[2]] = true
		}
	}
	for _, m := range regexp.MustCompile(`<a id="(\d+)"></a>(\d+) \|`).FindAllStringSubmatch(text, -1) {
		assert.Equal(t, m[1], m[2])
		assert.True(t, used[m[1]], "nothing is found by %s", m[1])
		delete(used, m[1])
	}
	delete(used, "")
	assert.Empty(t, used, "how were these found?")
}
