package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExamples: each program has a test, a line in both READMEs and a section or a line
// in the page beside it. What that page runs is there, with the flags that it names.
func TestExamples(t *testing.T) {
	entries, err := os.ReadDir("../examples")
	require.NoError(t, err)
	page := read(t, "../examples/README.md")
	assert.Regexp(t, `\A# [^\n]+\n\nThis page is for `, page)

	for _, e := range entries {
		if !e.IsDir() || e.Name() == "internal" {
			continue
		}
		glob(t, filepath.Join("../examples", e.Name(), "*_test.go"))
		for _, file := range []string{"../README.md", "../README.zh-CN.md"} {
			assert.Contains(t, read(t, file), "\n| ["+e.Name()+"](examples/"+e.Name()+") | ", file)
		}
		assert.True(t, strings.Contains(page, "\n## "+e.Name()+"\n") || strings.Contains(page, "\n- ["+e.Name()+"]("+e.Name()+"/"), e.Name())
	}

	calls := regexp.MustCompile(`go run \./(\w+)((?:[^\n]|\\\n)*)`).FindAllStringSubmatch(page, -1)
	assert.Greater(t, len(calls), 3)
	for _, call := range calls {
		program := read(t, filepath.Join("../examples", call[1], "main.go"))
		for _, flag := range regexp.MustCompile(` -([a-z-]+)`).FindAllStringSubmatch(call[2], -1) {
			assert.Regexp(t, `flags\.\w+\((&[\w.]+, )?"`+flag[1]+`", `, program, "%s has no flag -%s", call[1], flag[1])
		}
	}
}
