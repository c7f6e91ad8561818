package awsauth_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// docsBlock finds a block of code in a page, with its language.
var docsBlock = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// docsBlocks are the blocks of one language in a page.
func docsBlocks(t *testing.T, page, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, m := range docsBlock.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// folded is a text whose white space does not matter.
func folded(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestDocs holds the pages about MFA and the disk cache to the library: each says
// first whom it is for; each block of Go stands as it is in
// an example, so it compiles; each other block is JSON, commands that the example's
// comment has too, or held to the library by the tests below.
func TestDocs(t *testing.T) {
	var examples strings.Builder
	files, err := filepath.Glob("example_*test.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		examples.Write(text)
	}
	code := folded(examples.String())
	for _, page := range []string{"docs/mfa.md", "docs/disk-cache.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			assert.Regexp(t, `\A# [^\n]+\n\nThis page is for `, string(text))
			for _, m := range docsBlock.FindAllStringSubmatch(string(text), -1) {
				switch m[1] {
				case "go":
					assert.Contains(t, code, folded(m[2]))
				case "sh":
					for line := range strings.Lines(m[2]) {
						assert.Contains(t, examples.String(), "//\t"+line)
					}
				case "json":
					assert.True(t, json.Valid([]byte(m[2])), m[2])
				case "ini", "text":
				default:
					t.Errorf("nothing holds a block of %q to the library", m[1])
				}
			}
			for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(text), -1) {
				assert.FileExists(t, filepath.Join("docs", link[1]))
			}
		})
	}
}

// TestDocsProfiles: the profiles of the page about MFA work with its line of Go.
func TestDocsProfiles(t *testing.T) {
	blocks := docsBlocks(t, "docs/mfa.md", "ini")
	require.Len(t, blocks, 1)
	assert.Contains(t, blocks[0], lab.MFASerial)
	for profile, became := range map[string]string{"ana": "arn:aws:iam::111111111111:user/ci", "ops": "arn:aws:sts::123456789012:assumed-role/manage-role"} {
		w := lab.New(t, awsauth.AWS)
		device := w.Device()
		w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, RequireMFA: true})
		w.Files(strings.NewReplacer("AKIA...", "$ID", "aws_secret_access_key = ...", "aws_secret_access_key = $SECRET").Replace(blocks[0]), "")
		s := w.Open(awsauth.WithProfile(profile), awsauth.WithMFA("", device.Code))
		lab.Get(t, s)
		assert.Equal(t, became, w.IdentityOf(s))
		assert.Equal(t, 1, device.Asked())
	}
}

// TestDocsPrompt: what the page shows of the prompt is what TestPromptMFA sees.
func TestDocsPrompt(t *testing.T) {
	assert.Equal(t, []string{mfaQuestion + "\n"}, docsBlocks(t, "docs/mfa.md", "text"))
}

// TestDocsCommands runs the examples of the pages. Where these ask other programs, the
// test puts programs of their names on the path.
func TestDocsCommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, RequireMFA: true})
	url, err := w.Serve()
	require.NoError(t, err)
	w.Files("[profile ana]\n"+lab.KeyLines+"[default]\n"+lab.KeyLines, "")
	w.Env("AWS_ENDPOINT_URL_STS="+url, "PATH=$DIR:"+os.Getenv("PATH"), "HOME=$DIR", "XDG_CACHE_HOME=$DIR/cache")
	program := func(name, args, prints string) {
		script := fmt.Sprintf("#!/bin/sh\n[ \"$*\" = '%s' ] && echo '%s'\n", args, prints)
		require.NoError(t, os.WriteFile(filepath.Join(w.Dir, name), []byte(script), 0o700))
	}
	program("op", "item get AWS --otp", w.MFACode(device.Serial))
	assert.Contains(t, printed(t, ExampleWithMFA), "arn:aws:sts::123456789012:assumed-role/manage-role/")
	assert.Len(t, w.Calls("GetSessionToken"), 1)

	w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}})
	w.ResetCalls()
	assert.Equal(t, "the same credentials: true\n", printed(t, ExampleWithDiskCache))
	assert.Len(t, w.Calls("AssumeRole"), 1)

	key := strings.Repeat("0f", 32)
	program("security", "find-generic-password -s awsauth -w", key)
	program("secret-tool", "lookup service awsauth", key)
	assert.Contains(t, printed(t, ExampleWithDiskCacheKey), "arn:aws:sts::123456789012:assumed-role/manage-role/")
	sealed, err := filepath.Glob(filepath.Join(w.Dir, "*", "awsauth", "*.sealed")) // macOS: ~/Library/Caches
	require.NoError(t, err)
	if runtime.GOOS == "linux" {
		assert.Len(t, sealed, 1)
	}
}

// printed is what an example prints.
func printed(t *testing.T, example func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	old := os.Stdout
	os.Stdout = file
	defer func() { os.Stdout = old }()
	example()
	require.NoError(t, file.Close())
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(text)
}

// TestDocsShell: the commands of the pages are ones that a shell can read.
func TestDocsShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	for _, block := range docsBlocks(t, "docs/disk-cache.md", "sh") {
		cmd := exec.Command(sh, "-n")
		cmd.Stdin = strings.NewReader(block)
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}
