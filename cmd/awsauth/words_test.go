package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

func TestInFlags(t *testing.T) {
	for text, want := range map[string]string{
		`WithAccount("12"): no`:           `--account "12": no`,
		`WithRole("a\"b)"): no`:           `--role "a\"b)": no`,
		`WithDuration(4h0m0s): no`:        `--duration 4h0m0s: no`,
		`lower WithDuration or`:           `lower --duration or`,
		`pass WithAccount or WithRoleARN`: `pass --account or --role-arn`,
		`pass WithMFA("arn", code) with a func that returns the current code`:                        `run this at a terminal, where it asks for the code`,
		`pass WithMFA("arn", code) with a func that returns the current code, for example PromptMFA`: `run this at a terminal, where it asks for the code`,
		`run it at a terminal, or pass WithMFA a func that gets the code elsewhere`:                  `run it at a terminal, or give --mfa-process a command that prints the code`,
		`WithMFA("arn"): no`:                                                         `--mfa-serial "arn": no`,
		`WithTemporaryOnly: these`:                                                   `the option temporary-only: these`,
		`config.WithEC2IMDSEndpoint: no`:                                             `the option ec2-imdsendpoint: no`,
		`WithSTSEndpoint("https://x"): bad`:                                          `--sts-endpoint "https://x": bad`,
		`has ended; run: aws sso login --profile my dev`:                             `has ended; run: awsauth login --profile my dev, or aws sso login --profile my dev`,
		`pass WithPartition(awsauth.China); else`:                                    `pass --partition aws-cn; else`,
		`pass WithPartition(awsauth.China) or WithPartition(awsauth.GovCloud); else`: `pass --partition aws-cn or --partition aws-us-gov; else`,
		`pass WithPartition("aws-us-gov")`:                                           `pass --partition "aws-us-gov"`,
		`in the profile, the environment or WithLoadOptions`:                         `in the profile, the environment`,
		`nothing`: `nothing`,
	} {
		assert.Equal(t, want, inFlags(text))
	}
}

// goWords are what a person who typed flags should never read.
var goWords = regexp.MustCompile(`\bawsauth\.[A-Z]|\bWith[A-Z]|\bstscreds\.|\bconfig\.[A-Z]|\[\]string|\b(ForEachAccount|ConsoleURL|PromptMFA)\b`)

// middleware are names of ours that the SDK knows, and nobody reads.
var middleware = regexp.MustCompile(`^awsauth\.[a-z]+$`)

// TestNoGoInTexts: every text of the library, whatever it is for, comes out in the
// words of the command line. It reads the library's source, so that a text that is
// written tomorrow is looked at too.
func TestNoGoInTexts(t *testing.T) {
	root := filepath.Join("..", "..")
	looked := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() && rel != "." && rel != "internal" && !strings.HasPrefix(rel, "internal"+string(filepath.Separator)) {
			return filepath.SkipDir
		}
		if d.IsDir() && (d.Name() == "lab" || d.Name() == "housetest") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			if middleware.MatchString(text) {
				return true
			}
			looked++
			if got := inFlags(text); goWords.MatchString(got) {
				t.Errorf("%s: %q becomes %q", path, text, got)
			}
			return true
		})
		return nil
	}))
	assert.Greater(t, looked, 1000)
}

// TestKinds: the texts of errors of many kinds, as a person sees them.
func TestKinds(t *testing.T) {
	served(t, ana)
	for _, options := range [][]awsauth.Option{
		{awsauth.WithProfile("missing")},
		{awsauth.WithAccount("1"), awsauth.WithRole("/x"), awsauth.WithRoleARN("arn:x"), awsauth.WithSessionName("?"), awsauth.WithDuration(1)},
		{awsauth.WithRegion("us-east-1"), awsauth.WithPartition(awsauth.China)},
		{awsauth.WithRole("x"), awsauth.WithPolicy("{"), awsauth.WithPolicyARNs("x"), awsauth.WithTags(map[string]string{"": "x"})},
		{awsauth.WithTemporaryOnly()},
		{awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "", "")},
		{awsauth.WithSTSEndpoint("ftp://x"), awsauth.WithSourceIdentity("?"), awsauth.WithExternalID("?")},
		{awsauth.WithWebIdentity("", nil), awsauth.WithTransitiveTags(map[string]string{"a": "b"})},
	} {
		_, err := awsauth.New(options...)
		require.Error(t, err)
		assert.NotRegexp(t, goWords, inFlags(err.Error()))
	}
	s, err := awsauth.New(awsauth.WithAccount(accountA))
	require.NoError(t, err)
	for _, step := range flagged(s.Explain()).Steps {
		assert.NotRegexp(t, goWords, step.Source+" "+step.Detail)
		assert.NotContains(t, step.Source, "static keys", "it has no flag")
	}
}
