// Command organization enters every account of an AWS organization, as AWS
// Organizations lists them, and says who it is there.
//
//	organization -profile management -role OrganizationAccountAccessRole
//
// The profile must be one of the management account, or of a delegated
// administrator. Without a profile the usual places are looked at.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/chaoxiaodi/awsauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("organization", flag.ContinueOnError)
	flags.SetOutput(stderr)
	profile := flags.String("profile", "", "profile of the management account")
	role := flags.String("role", "OrganizationAccountAccessRole", "role to assume in each account")
	if err := flags.Parse(args); err != nil {
		return err
	}
	management, err := awsauth.New(awsauth.WithProfile(*profile))
	if err != nil {
		return err
	}
	accounts, err := list(ctx, management)
	if err != nil {
		return err
	}
	return management.ForEachAccount(ctx, accounts, func(ctx context.Context, s *awsauth.Session) error {
		_, err := s.Identity(ctx)
		return err
	}, awsauth.WithRole(*role), awsauth.WithProgress(func(p awsauth.Progress) {
		if p.Err == nil {
			fmt.Fprintln(stdout, p.Account, "ok")
		} else {
			fmt.Fprintln(stdout, p.Account, "FAILED")
		}
	}))
}

// list returns the organization's accounts that can be entered: the active
// ones, without the management account, where there is no role to assume.
func list(ctx context.Context, s *awsauth.Session) (accounts []string, err error) {
	self, err := s.Identity(ctx)
	if err != nil {
		return nil, err
	}
	pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(s.Config()), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, account := range page.Accounts {
			if id := aws.ToString(account.Id); account.State == types.AccountStateActive && id != self.Account {
				accounts = append(accounts, id)
			}
		}
	}
	return accounts, nil
}
