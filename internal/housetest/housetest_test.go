package housetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/housetest"
)

func TestCircles(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		pairs int // references between files
		holds []string
	}{
		{"floors", map[string]string{
			"top.go":  "package house\nfunc top() { middle() }",
			"mid.go":  "package house\nfunc middle() { var x low; x.method() }",
			"low.go":  "package house\ntype low struct{}\nfunc (low) method() {}",
			"tiny.go": "package house",
		}, 2, nil},
		{"a method of a higher file", map[string]string{
			"type.go":   "package house\ntype thing struct{ n int }\nfunc make() int { return thing{}.count() }",
			"method.go": "package house\nfunc (t thing) count() int { return t.n }",
		}, 2, []string{"method.go:2: method.go uses thing of type.go", "type.go:3: type.go uses count of method.go"}},
		{"a circle of three", map[string]string{
			"a.go": "package house\nfunc a() { b() }",
			"b.go": "package house\nfunc b() { c() }",
			"c.go": "package house\nfunc c() { a() }",
			"d.go": "package house\nfunc d() { a() }",
		}, 4, []string{"a.go:2: a.go uses b of b.go", "b.go:2: b.go uses c of c.go", "c.go:2: c.go uses a of a.go"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module house\n\ngo 1.25\n"), 0o600))
			for name, text := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			all, err := housetest.References(dir)
			require.NoError(t, err)
			assert.Len(t, all, c.pairs)
			var holds []string
			for _, circle := range housetest.Circles(all) {
				for _, r := range circle {
					holds = append(holds, r.String())
				}
			}
			assert.Equal(t, c.holds, holds)
		})
	}
}
