package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// build makes the command.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "awsauth")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, "../cmd/awsauth").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// help is what the command says of one of its commands, "" if it has none of that name.
func help(t *testing.T, program, command string) string {
	t.Helper()
	out, err := exec.Command(program, command, "--help").Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// TestCommand builds the command once, for what the pages say of it.
func TestCommand(t *testing.T) {
	program := build(t)
	t.Run("calls", func(t *testing.T) { checkCalls(t, program) })
	t.Run("recipes", func(t *testing.T) { runRecipes(t, program) })
	t.Run("demo", func(t *testing.T) { runDemo(t, program) })
	t.Run("modules", func(t *testing.T) { checkModules(t, program) })
}

// runDemo: the demo works in the program as it is installed, where no test runs around
// its hours.
func runDemo(t *testing.T, program string) {
	out, err := exec.Command(program, "demo").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "All 14 steps came out as they should.")
}

// checkCalls: each call of awsauth in the pages is one of a command that is there,
// with flags that it has; and a shell can read the blocks.
func checkCalls(t *testing.T, program string) {
	helps, n := map[string]string{}, 0
	for _, file := range glob(t, "*.md", "../README.md", "../examples/README.md") {
		for _, block := range blocks.FindAllStringSubmatch(read(t, file), -1) {
			if block[1] == "sh" {
				assertShell(t, block[2])
			}
			if block[1] == "go" || block[1] == "text" {
				continue
			}
			for _, call := range calls(block[2]) {
				n++
				if _, ok := helps[call.command]; !ok {
					helps[call.command] = help(t, program, call.command)
				}
				require.NotEmpty(t, helps[call.command], "%s: %s", file, call)
				for _, flag := range call.flags {
					assert.True(t, strings.Contains(helps[call.command], flag+" "), "%s: %s has no %s", file, call.command, flag)
				}
			}
		}
	}
	assert.Greater(t, n, 20)
}

func assertShell(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// call is one call of the command.
type call struct {
	command string
	flags   []string
}

// calls are those in a text: from the word awsauth to what is run by it, or to the
// end of the shell's command.
func calls(text string) (all []call) {
	text = strings.NewReplacer(`"`, " ", ",", " ", "[", " ", "$(", " ", ")", " ) ").Replace(text)
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		for i, word := range words {
			if filepath.Base(word) != "awsauth" || i+1 == len(words) {
				continue
			}
			c := call{}
			for j := i + 1; j < len(words) && !slices.Contains([]string{"--", "|", ")", "#", ";"}, words[j]); j++ {
				switch {
				case strings.HasPrefix(words[j], "--"):
					c.flags = append(c.flags, words[j])
				case c.command == "" && (j == i+1 || !strings.HasPrefix(words[j-1], "--")):
					c.command = words[j]
				}
			}
			if regexp.MustCompile(`^[a-z]+$`).MatchString(c.command) && !strings.HasPrefix(words[i], "COPY") {
				all = append(all, c)
			}
		}
	}
	return all
}

func TestCalls(t *testing.T) {
	all := calls("eval \"$(awsauth env --account 1)\"\nawsauth --profile ops each --accounts - -- awsauth --no\nENTRYPOINT [\"/bin/awsauth\", \"exec\", \"--serve\"]\n")
	assert.Equal(t, []call{
		{"env", []string{"--account"}}, {"each", []string{"--profile", "--accounts"}}, {"exec", []string{"--serve"}},
	}, all)
}

// runRecipes runs what the pages on other languages and on recipes show, against an AWS
// on a socket.
func runRecipes(t *testing.T, program string) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	r := &recipes{Place: lab.New(t, awsauth.AWS), program: program, page: read(t, "languages.md") + read(t, "recipes.md")}
	url, err := r.Serve()
	require.NoError(t, err)
	china := r.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::333333333333:user/ops"})
	r.AddRole(awsauthtest.Role{ARN: lab.ChinaRole, Trust: []string{"333333333333"}})
	r.Files(strings.ReplaceAll(r.block("ini", ""), "/usr/local/bin/awsauth", program)+
		"[profile ops]\nregion = eu-west-1\n"+lab.KeyLines+"[default]\nregion = eu-west-1\n"+lab.KeyLines+"[profile china]\naws_access_key_id = "+china.AccessKeyID+"\naws_secret_access_key = "+china.SecretAccessKey+"\n", "")
	r.Env("AWS_ENDPOINT_URL_STS="+url, "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "HOME=$DIR", "XDG_CACHE_HOME=$DIR/cache")
	r.Write("shows", "#!/bin/sh\necho \"keys ${AWS_ACCESS_KEY_ID:+given} address ${AWS_CONTAINER_CREDENTIALS_FULL_URI:+given}\"\n")
	require.NoError(t, os.Chmod(filepath.Join(r.Dir, "shows"), 0o700))

	const keys, address = "keys given address \n", "keys  address given\n"
	assert.Equal(t, keys, r.run(cut(r.block("crontab", ""), "*/15 * * * * ")))
	assert.Equal(t, address, r.run(cut(r.block("systemd", ""), "ExecStart=")))
	assert.Equal(t, keys, r.run(cut(r.block("sh", "exec --profile ops"), "")))
	assert.Equal(t, address, r.run(cut(r.block("sh", "exec --serve"), "")))
	assert.Equal(t, keys, r.run(cut(r.block("sh", "--partition aws-cn"), "")))
	assert.Equal(t, address, r.run(strings.Join(append(words(t, r.block("dockerfile", ""), "ENTRYPOINT "), words(t, r.block("dockerfile", ""), "CMD ")...), " ")))
	for _, role := range []string{lab.ManageRole, lab.ChinaRole} {
		assert.NotEmpty(t, r.CallsTo(role), role)
	}
	r.makefile(t)
	r.python(t)
}

type recipes struct {
	*lab.Place
	program, page string
}

// block is the first block of a language that has the text in it.
func (r *recipes) block(language, has string) string {
	for _, block := range blocks.FindAllStringSubmatch(r.page, -1) {
		if block[1] == language && strings.Contains(block[2], has) {
			return block[2]
		}
	}
	r.T.Fatalf("no block of %s with %q", language, has)
	return ""
}

// cut is the rest of the first line with a prefix.
func cut(text, prefix string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok && rest != "" {
			return rest
		}
	}
	return ""
}

// words are those of a Dockerfile's line in JSON.
func words(t *testing.T, text, prefix string) (all []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(cut(text, prefix)), &all))
	return all
}

// run runs a line in a shell, with the program "shows" for what the line is to run.
func (r *recipes) run(line string) string {
	r.T.Helper()
	before, _, found := strings.Cut(strings.ReplaceAll(line, "/usr/local/bin/awsauth", r.program), " -- ")
	require.True(r.T, found, line)
	out, err := exec.Command("sh", "-c", before+" -- "+filepath.Join(r.Dir, "shows")).CombinedOutput()
	require.NoError(r.T, err, "%s: %s", line, out)
	return string(out)
}

// makefile runs make, where it is.
func (r *recipes) makefile(t *testing.T) {
	path, err := exec.LookPath("make")
	if err != nil {
		t.Log("make is not here")
		return
	}
	r.Write("Makefile", strings.ReplaceAll(r.block("make", ""), "aws sts get-caller-identity", "./shows"))
	out, err := exec.Command(path, "-s", "-C", r.Dir, "whoami").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "keys given")
}

// python runs the program in Python, where boto3 is: by the line in the config file.
func (r *recipes) python(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Log("boto3 is not here")
		return
	}
	cmd := exec.Command("python3", "-")
	cmd.Stdin = strings.NewReader(r.block("python", ""))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "arn:aws:sts::123456789012:assumed-role/manage-role/")
}
