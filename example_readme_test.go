package awsauth_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// The five uses of the README, as it has them.
func Example_fiveUses() {
	defer demo()()
	accessKeyID, secretAccessKey := os.Getenv("VAULT_KEY_ID"), os.Getenv("VAULT_SECRET_KEY")

	show("whatever is there", func() (*awsauth.Session, error) {
		s, err := awsauth.New()
		return s, err
	})
	show("keys", func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithStaticCredentials(accessKeyID, secretAccessKey, ""))
		return s, err
	})
	show("profile and account", func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
		return s, err
	})
	show("in China", func() (*awsauth.Session, error) {
		s, err := awsauth.New(awsauth.WithProfile("china"), awsauth.WithPartition(awsauth.China), awsauth.WithAccount("123456789012"))
		return s, err
	})
	show("role to role", func() (*awsauth.Session, error) {
		hub, err := awsauth.New(awsauth.WithAccount("222222222222"), awsauth.WithRole("hub"))
		if err != nil {
			return nil, err
		}
		s, err := hub.Assume(awsauth.WithAccount("123456789012"), awsauth.WithSessionName("nightly-sync"))
		return s, err
	})
	// Output:
	// whatever is there: arn:aws:iam::111111111111:user/ana in us-east-1
	// keys: arn:aws:iam::111111111111:user/ops in us-east-1
	// profile and account: arn:aws:sts::123456789012:assumed-role/manage-role/… in us-east-1
	// in China: arn:aws-cn:sts::123456789012:assumed-role/manage-role/… in cn-north-1
	// role to role: arn:aws:sts::123456789012:assumed-role/manage-role/nightly-sync in us-east-1
}

// show prints who a session is; a default session name, which is this user at
// this host, is left out.
func show(use string, open func() (*awsauth.Session, error)) {
	s, err := open()
	must(err)
	id, err := s.Identity(context.Background())
	must(err)
	arn := id.ARN
	if i := strings.LastIndexByte(arn, '/'); strings.Contains(arn[i:], "@") {
		arn = arn[:i] + "/…"
	}
	fmt.Println(use+":", arn, "in", s.Config().Region)
}

// Many accounts, as the README has it.
func Example_manyAccounts() {
	defer demo()()
	ctx := context.Background()
	s, err := awsauth.New()
	must(err)
	inventory := func(ctx context.Context, client *sts.Client) error {
		_, err := client.GetCallerIdentity(ctx, nil)
		return err
	}
	accounts := []string{"123456789012", "222222222222"}

	err = s.ForEachAccount(ctx, accounts, func(ctx context.Context, s *awsauth.Session) error {
		return inventory(ctx, sts.NewFromConfig(s.Config()))
	}, awsauth.WithRole("hub"), awsauth.WithSessionName("audit"), awsauth.WithConcurrency(32))
	fmt.Println(err)
	// Output:
	// 123456789012: assume role arn:aws:iam::123456789012:role/hub as arn:aws:iam::111111111111:user/ana: access denied; check that the role exists, that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: no external id, no MFA)
}

// A test of a user's own cross-account code, as the README has it.
func TestReadmeTesting(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::123456789012:role/manage-role", Trust: []string{"111111111111"}})
	s, err := awsauth.New(awsauth.WithCredentialsProvider(keys.Provider()), awsauth.WithAccount("123456789012"),
		awsauth.WithLoadOptions(cloud.LoadOptions()))
	require.NoError(t, err)
	id, err := s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "123456789012", id.Account)
}

// A job that starts from a token, as the README has it.
func TestReadmeWebIdentity(t *testing.T) {
	s, err := awsauth.New(awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", stscreds.IdentityTokenFile("/run/token")))
	require.NoError(t, err)
	assert.Contains(t, s.Explain().Source, "role/deploy")
}

// TestReadmeErrors: what the README shows when it does not work is what an
// example prints.
func TestReadmeErrors(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_errors_test.go")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(readme), "```text\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	for line := range strings.Lines(block) {
		if line = strings.TrimSpace(line); line != "" {
			assert.Contains(t, string(example), "\t// "+line+"\n")
		}
	}
}

// TestReadmeCompiles: each line of the README's Go code that speaks of this
// package stands in this file, too, and so compiles and runs.
func TestReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	here, err := os.ReadFile("example_readme_test.go")
	require.NoError(t, err)
	checked := 0
	for i, block := range strings.Split(string(readme), "```go\n") {
		if i == 0 {
			continue
		}
		code, _, _ := strings.Cut(block, "```")
		for line := range strings.Lines(code) {
			if line = strings.TrimSpace(line); strings.Contains(line, "awsauth") {
				checked++
				assert.Contains(t, string(here), line)
			}
		}
	}
	assert.Greater(t, checked, 10)
}
