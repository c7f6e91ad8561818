package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// The code of the README, as it stands there. It runs on the laptop of the examples,
// where ana's keys are the default ones.
var readmeUses = map[string]func() (*awsauth.Session, error){
	"the first": func() (*awsauth.Session, error) {
		ec2 := struct{ NewFromConfig func(aws.Config) *sts.Client }{func(c aws.Config) *sts.Client { return sts.NewFromConfig(c) }}
		s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
		if err != nil {
			log.Fatal(err)
		}
		client := ec2.NewFromConfig(s.Config()) // any client of the SDK
		_, err = client.GetCallerIdentity(context.Background(), nil)
		return s, err
	},
	"whatever is there": func() (*awsauth.Session, error) {
		s, err := awsauth.New()
		return s, err
	},
	"keys": func() (*awsauth.Session, error) {
		accessKeyID, secretAccessKey := os.Getenv("VAULT_KEY_ID"), os.Getenv("VAULT_SECRET_KEY")
		s, err := awsauth.New(awsauth.WithStaticCredentials(accessKeyID, secretAccessKey, ""))
		return s, err
	},
	"profile and account": func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"),
			awsauth.WithRole("team/reader"))
		return s, err
	},
	"in China": func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithProfile("china"), awsauth.WithPartition(awsauth.China),
			awsauth.WithAccount("123456789012"))
		return s, err
	},
	"role to role": func() (*awsauth.Session, error) {
		hub, err := awsauth.New(awsauth.WithAccount("222222222222"), awsauth.WithRole("hub"))
		if err != nil {
			log.Fatal(err)
		}
		s, err := hub.Assume(awsauth.WithAccount("123456789012"), awsauth.WithSessionName("nightly-sync"))
		return s, err
	},
	"logging": func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithLogger(slog.Default()))
		return s, err
	},
	"jump host": func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"),
			awsauth.WithSourceIdentity(os.Getenv("SUDO_USER")), awsauth.WithDiskCache(""))
		return s, err
	},
}

// TestReadmeUses: each of the README's sessions is who the README says.
func TestReadmeUses(t *testing.T) {
	t.Setenv("SUDO_USER", "ana")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // macOS has its cache there
	for use, want := range map[string]string{
		"the first":           "arn:aws:sts::123456789012:assumed-role/manage-role/",
		"whatever is there":   "arn:aws:iam::111111111111:user/ana",
		"keys":                "arn:aws:iam::111111111111:user/ops",
		"profile and account": "arn:aws:sts::123456789012:assumed-role/reader/",
		"in China":            "arn:aws-cn:sts::123456789012:assumed-role/manage-role/",
		"role to role":        "arn:aws:sts::123456789012:assumed-role/manage-role/nightly-sync",
		"logging":             "arn:aws:iam::111111111111:user/ana",
		"jump host":           "arn:aws:sts::123456789012:assumed-role/manage-role/",
	} {
		s, err := readmeUses[use]()
		require.NoError(t, err, use)
		id, err := s.Identity(t.Context())
		require.NoError(t, err, use)
		assert.Contains(t, id.ARN, want, use)
	}
	assert.Len(t, readmeUses, 8)
}

// TestReadmeAccounts: results and failures of many accounts.
func TestReadmeAccounts(t *testing.T) {
	ctx := t.Context()
	s, err := awsauth.New()
	require.NoError(t, err)
	countUsers := func(ctx context.Context, cfg aws.Config) (int, error) {
		_, err := cfg.Credentials.Retrieve(ctx)
		return 7, err
	}
	accounts := []string{"222222222222", "444444444444"}

	users, err := awsauth.Collect(ctx, s, accounts,
		func(ctx context.Context, account *awsauth.Session) (int, error) {
			return countUsers(ctx, account.Config())
		}, awsauth.WithRole("audit"), awsauth.WithConcurrency(32))
	for account, n := range users {
		fmt.Printf("%s: %d users\n", account, n)
	}
	for _, failed := range awsauth.AccountErrors(err) {
		fmt.Println(failed) // begins with the account
	}
	assert.Equal(t, map[string]int{"222222222222": 7}, users)
	require.Len(t, awsauth.AccountErrors(err), 1)
	require.ErrorIs(t, err, awsauth.AccessDenied)
}

// TestReadmeTesting: a test of a user's own cross-account code.
func TestReadmeTesting(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{
		ARN:   "arn:aws:iam::123456789012:role/manage-role",
		Trust: []string{"111111111111"},
	})
	s, err := awsauth.New(awsauth.WithCredentialsProvider(keys.Provider()),
		awsauth.WithAccount("123456789012"), awsauth.WithLoadOptions(cloud.LoadOptions()))
	require.NoError(t, err)
	id, err := s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "123456789012", id.Account)
}

// TestReadmeSources: the line of a job that starts from a token.
func TestReadmeSources(t *testing.T) {
	s, err := awsauth.New(awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", stscreds.IdentityTokenFile("/run/token")))
	require.NoError(t, err)
	assert.Contains(t, s.Explain().Source, "role/deploy")
}

// TestReadmeErrors: what the README shows when it does not work is what happens.
func TestReadmeErrors(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/hub", Trust: []string{"111111111111"}})
	hidden := strings.NewReplacer(filepath.Dir(os.Getenv("AWS_CONFIG_FILE")), "/home/ana/.aws",
		names.DefaultSession(), "ana@laptop", "…"+keys.AccessKeyID[16:], "…MHM6")
	open := func(opts ...awsauth.Option) *awsauth.Session {
		s, err := awsauth.New(append(opts, awsauth.WithLoadOptions(cloud.LoadOptions()))...)
		require.NoError(t, err)
		return s
	}
	readme := oneLine(page(t, "README.md"))
	shows := func(v any) {
		text := hidden.Replace(fmt.Sprint(v))
		assert.True(t, strings.Contains(readme, oneLine(text)), "the README does not show:\n%s", text)
	}

	_, err := open().Retrieve(t.Context())
	shows(err)
	mine := awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, "")
	_, err = open(mine, awsauth.WithPartition(awsauth.China), awsauth.WithAccount("123456789012")).Retrieve(t.Context())
	shows(err)
	hub := open(mine, awsauth.WithAccount("222222222222"), awsauth.WithRole("hub"))
	spoke, err := hub.Assume(awsauth.WithAccount("123456789012"))
	require.NoError(t, err)
	_, err = spoke.Retrieve(t.Context())
	shows(err)

	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	t.Setenv("AWS_PROFILE", "ops")
	lines := "[ops]\naws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey + "\n"
	require.NoError(t, os.MkdirAll(filepath.Dir(os.Getenv("AWS_CONFIG_FILE")), 0o700))
	require.NoError(t, os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte(lines), 0o600))
	shows(open().Explain())
}

// TestReadmeCode: each block of Go in the README stands in this file or in an
// example, so it compiles and runs.
func TestReadmeCode(t *testing.T) {
	code := ""
	for _, file := range []string{"readme_test.go", "example_boto3_test.go", "example_test.go"} {
		code += oneLine(page(t, file))
	}
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(page(t, "README.md"), -1)
	for _, block := range blocks {
		assert.True(t, strings.Contains(code, oneLine(block[1])), "no test runs this:\n%s", block[1])
	}
	assert.Greater(t, len(blocks), 8)
}

// TestReadmeMistakes: the kinds in the README's lines are those that errors have.
func TestReadmeMistakes(t *testing.T) {
	_, err := awsauth.New(awsauth.WithRole("audit"))
	require.ErrorIs(t, err, awsauth.InvalidOption, "a role without an account")
	_, err = awsauth.New(awsauth.WithAccount("12345678901"))
	require.ErrorIs(t, err, awsauth.InvalidOption, "11 digits")
	assert.False(t, errors.Is(err, awsauth.AccessDenied))
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// oneLine is a text whose white space does not matter.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestReadmeChinese: the README in Chinese has the same blocks of code, in the same
// order.
func TestReadmeChinese(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```[a-z]*\n.*?^```$")
	want := blocks.FindAllString(page(t, "README.md"), -1)
	assert.Greater(t, len(want), 15)
	assert.Equal(t, want, blocks.FindAllString(page(t, "README.zh-CN.md"), -1))
}

// TestReadmeWidth: pkg.go.dev cuts code that is wider than 100 columns, and shows
// the source of a mermaid diagram.
func TestReadmeWidth(t *testing.T) {
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(page(t, "README.md"), -1) {
		assert.Contains(t, []string{"go", "sh", "text"}, block[1])
		for line := range strings.Lines(block[2]) {
			line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		}
	}
}
