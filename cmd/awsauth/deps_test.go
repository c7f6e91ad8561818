package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImporterDependencies: a module that imports the library builds nothing that only
// the command needs, nor what only tests need.
func TestImporterDependencies(t *testing.T) {
	needs(t, "go")
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/importer\n\ngo 1.25.0\n\nrequire github.com/chaoxiaodi/awsauth v0.0.0\n\nreplace github.com/chaoxiaodi/awsauth => " + root + "\n",
		"main.go": "package main\n\nimport \"github.com/chaoxiaodi/awsauth\"\n\nfunc main() { _, _ = awsauth.New() }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600))
	deps := func(dir string, args ...string) []string {
		c := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, args...)...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
		out, err := c.Output()
		if err != nil {
			var failed *exec.ExitError
			require.ErrorAs(t, err, &failed)
			require.NoError(t, err, "%s", failed.Stderr)
		}
		return strings.Fields(string(out))
	}
	importer := deps(dir, "-mod=mod", ".")
	assert.Contains(t, importer, "github.com/chaoxiaodi/awsauth")
	assert.Contains(t, importer, "github.com/aws/aws-sdk-go-v2/service/sts")
	command := deps(root, "./cmd/awsauth")
	for _, unwanted := range []string{
		"github.com/urfave/cli/v3", "github.com/aws/aws-sdk-go-v2/service/organizations", "golang.org/x/term",
		"github.com/chaoxiaodi/awsauth/awsauthtest", "github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/serve",
	} {
		assert.NotContains(t, importer, unwanted)
		assert.Contains(t, command, unwanted, "the command has it: this test would see it")
	}
	for _, dep := range importer {
		for _, unwanted := range []string{"/cmd/", "stretchr/testify", "yaml", "testing", "internal/lab", "internal/ptytest"} {
			assert.NotContains(t, strings.TrimPrefix(dep, "github.com/aws/"), unwanted, dep)
		}
	}
}
