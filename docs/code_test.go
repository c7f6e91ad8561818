package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMain puts the code of the pages on the laptop of the examples.
func TestMain(m *testing.M) { os.Exit(lab.OnLaptop(m.Run)) }

// The tests in this file are the code of the pages, as it stands there.

func TestChain(t *testing.T) {
	s, err := awsauth.New(awsauth.WithAccount("123456789012"))
	if err != nil {
		var e *awsauth.Error
		if errors.As(err, &e) {
			if report, ok := e.Report(); ok {
				fmt.Print(report) // the table up to the fault
			}
		}
		log.Fatal(err)
	}
	fmt.Print(s.Explain()) // the whole table
	assert.Contains(t, s.Explain().String(), `profile "default"`)
}

func TestRotation(t *testing.T) {
	ctx := t.Context()
	s, err := awsauth.New(awsauth.WithAccount("123456789012"))
	if err != nil {
		log.Fatal(err)
	}
	client := sts.NewFromConfig(s.Config()) // make sessions and clients once, and keep them
	for range 3 {
		_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			log.Fatal(err)
		}
	}
	id, err := s.Identity(ctx)
	require.NoError(t, err)
	assert.Equal(t, "123456789012", id.Account)
}

func TestPartitions(t *testing.T) {
	s, err := awsauth.New(awsauth.WithProfile("china"), awsauth.WithPartition(awsauth.China),
		awsauth.WithAccount("123456789012"))
	require.NoError(t, err)
	id, err := s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, awsauth.China, id.Partition)
}

func TestBothWorlds(t *testing.T) {
	global, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithPartition(awsauth.AWS))
	if err != nil {
		log.Fatal(err)
	}
	china, err := awsauth.New(awsauth.WithProfile("china"), awsauth.WithPartition(awsauth.China))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range []*awsauth.Session{global, china} {
		fmt.Println(s.Config().Region)
	}
	assert.Equal(t, "us-east-1", global.Config().Region)
	assert.Equal(t, "cn-north-1", china.Config().Region)
}

func TestAccounts(t *testing.T) {
	ctx, accounts := t.Context(), []string{"222222222222", "444444444444"}
	s, err := awsauth.New()
	require.NoError(t, err)

	arns, err := awsauth.Collect(ctx, s, accounts,
		func(ctx context.Context, account *awsauth.Session) (string, error) {
			id, err := account.Identity(ctx)
			return id.ARN, err
		}, awsauth.WithRole("audit"), awsauth.WithConcurrency(32))
	for account, arn := range arns {
		fmt.Println(account, arn)
	}
	for _, failed := range awsauth.AccountErrors(err) {
		fmt.Println(failed)
	}
	assert.Len(t, arns, 1)
	assert.Len(t, awsauth.AccountErrors(err), 1)

	accounts = accounts[:1]
	err = s.ForEachAccount(ctx, accounts, func(ctx context.Context, account *awsauth.Session) error {
		for _, region := range []string{"eu-west-1", "eu-central-1"} {
			cfg := account.Config()
			cfg.Region = region
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", region, err)
			}
		}
		return nil
	}, awsauth.WithRole("audit"))
	require.NoError(t, err)
}

func TestAllowed(t *testing.T) {
	guarded, err := awsauth.New(awsauth.WithAllowedAccounts("222222222222", "555555555555"))
	require.NoError(t, err)
	_, err = guarded.Assume(awsauth.WithAccount("222222222222"), awsauth.WithRole("audit"))
	require.NoError(t, err)
	_, err = guarded.Assume(awsauth.WithAccount("123456789012"))
	require.ErrorIs(t, err, awsauth.WrongAccount)
}

func TestMovingFromTheSDK(t *testing.T) {
	ctx := t.Context()
	bare := func() (*sts.Client, error) {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			log.Fatal(err)
		}
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg),
			"arn:aws:iam::123456789012:role/manage-role")
		cfg.Credentials = aws.NewCredentialsCache(provider)
		return sts.NewFromConfig(cfg), err
	}
	ours := func() (*sts.Client, error) {
		s, err := awsauth.New(awsauth.WithRoleARN("arn:aws:iam::123456789012:role/manage-role"))
		if err != nil {
			log.Fatal(err)
		}
		cfg := s.Config()
		return sts.NewFromConfig(cfg), err
	}
	t.Setenv("AWS_REGION", "us-east-1") // which the bare SDK needs
	for _, client := range []func() (*sts.Client, error){bare, ours} {
		c, err := client()
		require.NoError(t, err)
		out, err := c.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		require.NoError(t, err)
		assert.Equal(t, "123456789012", *out.Account)
	}
}
