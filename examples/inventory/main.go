// Command inventory lists the EC2 instances of many accounts, in AWS and in
// China, in one table.
//
//	inventory -profile global -accounts 111111111111,222222222222 \
//	          -china-profile cn -china-accounts 333333333333 -role auditor
//
// Each world has keys of its own, hence two profiles. Without a profile the
// usual places are looked at: environment, container, instance. Progress and
// the accounts that failed go to stderr, the table to stdout; the exit code is 1
// if any account failed.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

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

// world is one AWS: what to start from, and where to look.
type world struct{ name, profile, accounts, region string }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	global, china := world{name: "aws"}, world{name: "aws-cn"}
	flags := flag.NewFlagSet("inventory", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&global.profile, "profile", "", "profile for the accounts in AWS")
	flags.StringVar(&global.accounts, "accounts", "", "accounts in AWS, with commas between")
	flags.StringVar(&global.region, "region", "", "region to look in")
	flags.StringVar(&china.profile, "china-profile", "", "profile for the accounts in China")
	flags.StringVar(&china.accounts, "china-accounts", "", "accounts in China, with commas between")
	flags.StringVar(&china.region, "china-region", "", "region to look in, in China")
	role := flags.String("role", "", "role to assume in each account (default "+awsauth.DefaultRole+")")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var found table
	err := errors.Join(
		global.list(ctx, *role, &found, stderr),
		china.list(ctx, *role, &found, stderr),
	)
	return errors.Join(found.print(stdout), err)
}

// list adds the instances of one world's accounts to the table.
func (w world) list(ctx context.Context, role string, found *table, stderr io.Writer) error {
	accounts := strings.FieldsFunc(w.accounts, func(r rune) bool { return r == ',' || r == ' ' })
	if len(accounts) == 0 {
		return nil
	}
	s, err := awsauth.New(awsauth.WithProfile(w.profile), awsauth.WithPartition(awsauth.Partition(w.name)), awsauth.WithRegion(w.region))
	if err != nil {
		return err
	}
	return s.ForEachAccount(ctx, accounts, func(ctx context.Context, s *awsauth.Session) error {
		id, err := s.Identity(ctx)
		if err != nil {
			return err
		}
		pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(s.Config()), &ec2.DescribeInstancesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, reservation := range page.Reservations {
				found.add(id.Account, s.Config().Region, reservation.Instances)
			}
		}
		return nil
	}, awsauth.WithRole(role), awsauth.WithProgress(func(p awsauth.Progress) {
		outcome := "ok"
		if p.Err != nil {
			outcome = "FAILED"
		}
		fmt.Fprintf(stderr, "%s  %d/%d  %s  %s\n", w.name, p.Done, p.Total, p.Account, outcome)
	}))
}

// table gathers what the accounts, many at a time, have.
type table struct {
	mu   sync.Mutex
	rows [][5]string
}

func (t *table) add(account, region string, instances []types.Instance) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, i := range instances {
		state := ""
		if i.State != nil {
			state = string(i.State.Name)
		}
		t.rows = append(t.rows, [5]string{account, region, aws.ToString(i.InstanceId), string(i.InstanceType), state})
	}
}

func (t *table) print(w io.Writer) error {
	slices.SortFunc(t.rows, func(a, b [5]string) int { return cmp.Compare(strings.Join(a[:], " "), strings.Join(b[:], " ")) })
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ACCOUNT\tREGION\tINSTANCE\tTYPE\tSTATE")
	for _, row := range t.rows {
		fmt.Fprintln(out, strings.Join(row[:], "\t"))
	}
	return out.Flush()
}
