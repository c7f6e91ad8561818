package awsauth_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pageFile is a file of docs/testing.md: its name, and the block that follows.
var pageFile = regexp.MustCompile("(?s)`([a-z_]+\\.go)`:\n\n```go\n(.*?)```")

// TestDocsTesting does what docs/testing.md says in an empty directory, where the module
// is this one: each block is a file, and the tests of the page pass.
func TestDocsTesting(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a module of its own")
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not on PATH")
	}
	page, err := os.ReadFile("docs/testing.md")
	require.NoError(t, err)
	files := pageFile.FindAllStringSubmatch(string(page), -1)
	require.Len(t, files, strings.Count(string(page), "```go\n"), "each block of Go has a name")
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, f := range files {
		write(f[1], f[2])
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	mod, err := os.ReadFile("go.mod") // go get would ask the network for what it lists
	require.NoError(t, err)
	write("go.mod", strings.Replace(string(mod), "module github.com/chaoxiaodi/awsauth\n", "module example.com/audit\n", 1)+
		"\nrequire github.com/chaoxiaodi/awsauth v0.0.0\n\nreplace github.com/chaoxiaodi/awsauth => "+here+"\n")
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write("go.sum", string(sum))
	for _, args := range [][]string{{"vet", "-mod=mod", "./..."}, {"test", "-mod=mod", "./..."}} {
		command := exec.CommandContext(t.Context(), goCommand, args...)
		command.Dir, command.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "AWS_PROFILE=somebody-elses")
		out, err := command.CombinedOutput()
		assert.NoError(t, err, "go %s: %s", args[0], out)
	}
}
