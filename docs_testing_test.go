package awsauth_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// pageFile is a file of docs/testing.md: its name, and the block that follows.
var pageFile = regexp.MustCompile("(?s)`([a-z_/]+\\.go)`:\n\n```go\n(.*?)```")

// TestDocsTesting does what docs/testing.md says in an empty directory, where the module
// is this one: each block is a file, and the tests of the page pass,
// and the program of the page serves what it says.
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
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
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
	program := filepath.Join(dir, "cloud.exe") // Windows wants the ending
	for _, args := range [][]string{{"vet", "-mod=mod", "./..."}, {"test", "-mod=mod", "./..."}, {"build", "-mod=mod", "-o", program, "./cloud"}} {
		command := exec.CommandContext(t.Context(), goCommand, args...)
		command.Dir, command.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "AWS_PROFILE=somebody-elses")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "go %s: %s", args[0], out)
	}
	for i, arn := range docsServed(t, program) {
		assert.Contains(t, arn, []string{"arn:aws:iam::111111111111:user/ana", "arn:aws:sts::123456789012:assumed-role/manage-role/"}[i])
	}
}

// docsServed starts the page's program, sets the variables that it prints, and says who
// one is with them: without a role, and with the one of the page's commands.
func docsServed(t *testing.T, program string) [2]string {
	t.Helper()
	awsauthtest.Isolate(t)
	command := exec.CommandContext(t.Context(), program)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	for lines := bufio.NewScanner(out); os.Getenv("AWS_SECRET_ACCESS_KEY") == "" && lines.Scan(); {
		for pair := range strings.FieldsSeq(strings.TrimPrefix(lines.Text(), "export ")) {
			name, value, _ := strings.Cut(pair, "=")
			t.Setenv(name, value)
		}
	}
	require.NoError(t, os.Unsetenv("AWS_ENDPOINT_URL_STS")) // that of Isolate
	alone, err := awsauth.New()
	require.NoError(t, err)
	in, err := alone.Assume(awsauth.WithAccount("123456789012"))
	require.NoError(t, err)
	user, err := alone.Identity(t.Context())
	require.NoError(t, err)
	role, err := in.Identity(t.Context())
	require.NoError(t, err)
	return [2]string{user.ARN, role.ARN}
}
