// Command inventory lists the EC2 instances of many accounts, in AWS and in
// China, in one table.
//
//	inventory -profile global -accounts 111111111111,222222222222 \
//	          -china-profile cn -china-accounts 333333333333 -role auditor -regions all
//
// Each world has keys of its own, hence two profiles. Without a profile the
// usual places are looked at: environment, container, instance. The regions are
// those that each account has enabled; without -regions it is the profile's. An
// account or a region that fails stops no other. Progress and failures go to
// stderr, the table to stdout; the exit code is 1 if anything failed.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
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

// world is one AWS: what to start from, and which accounts to enter.
type world struct {
	partition         awsauth.Partition
	profile, accounts string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	global, china := world{partition: awsauth.AWS}, world{partition: awsauth.China}
	flags := flag.NewFlagSet("inventory", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&global.profile, "profile", "", "profile for the accounts in AWS")
	flags.StringVar(&global.accounts, "accounts", "", "accounts in AWS, with commas between")
	flags.StringVar(&china.profile, "china-profile", "", "profile for the accounts in China")
	flags.StringVar(&china.accounts, "china-accounts", "", "accounts in China, with commas between")
	role := flags.String("role", "", "role to assume in each account (default "+awsauth.DefaultRole+")")
	regions := flags.String("regions", "", "all, or some with commas between (default that of the profile)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var rows []string
	var failed []error
	for _, w := range []world{global, china} {
		found, err := w.list(ctx, *role, *regions, stderr)
		rows, failed = append(rows, found...), append(failed, err)
	}
	slices.Sort(rows)
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ACCOUNT\tREGION\tINSTANCE\tTYPE\tSTATE")
	for _, row := range rows {
		fmt.Fprintln(out, row)
	}
	return errors.Join(append(failed, out.Flush())...)
}

// list returns a row for each instance of one world's accounts.
func (w world) list(ctx context.Context, role, regions string, stderr io.Writer) (rows []string, err error) {
	accounts := split(w.accounts)
	if len(accounts) == 0 {
		return nil, nil
	}
	s, err := awsauth.New(awsauth.WithProfile(w.profile), awsauth.WithPartition(w.partition))
	if err != nil {
		return nil, err
	}
	progress := func(p awsauth.Progress) {
		outcome := "entered"
		if p.Err != nil {
			outcome = "FAILED"
		}
		fmt.Fprintf(stderr, "%s  %d/%d  %s  %s\n", w.partition, p.Done, p.Total, p.Account, outcome)
	}
	found, err := awsauth.Collect(ctx, s, accounts, func(ctx context.Context, s *awsauth.Session) (account, error) {
		return visit(ctx, s, w.partition, regions)
	}, awsauth.WithRole(role), awsauth.WithProgress(progress))
	failed := []error{err}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		rows, failed = append(rows, found[id].rows...), append(failed, found[id].failed...)
	}
	return rows, errors.Join(failed...)
}

// account is what one account has, and where it could not be seen.
type account struct {
	rows   []string
	failed []error
}

// visit looks into the regions of one account.
func visit(ctx context.Context, s *awsauth.Session, partition awsauth.Partition, regions string) (found account, err error) {
	id, err := s.Identity(ctx)
	if err != nil {
		return account{}, err
	}
	cfg := s.Config()
	names, err := choose(ctx, cfg, partition, regions)
	if err != nil {
		return account{}, err
	}
	for _, name := range names {
		cfg.Region = name
		rows, err := instances(ctx, cfg, id.Account)
		found.rows = append(found.rows, rows...)
		if err != nil {
			found.failed = append(found.failed, fmt.Errorf("%s in %s: %w", id.Account, name, err))
		}
	}
	return found, nil
}

// instances returns a row for each instance in cfg's region.
func instances(ctx context.Context, cfg aws.Config, account string) (rows []string, err error) {
	pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(cfg), &ec2.DescribeInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return rows, err
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				state := cmp.Or(i.State, &types.InstanceState{}).Name
				rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", account, cfg.Region, aws.ToString(i.InstanceId), i.InstanceType, state))
			}
		}
	}
	return rows, nil
}

// choose returns the regions to look into: those of the partition that were named, or
// all that the account has enabled.
func choose(ctx context.Context, cfg aws.Config, partition awsauth.Partition, regions string) (names []string, err error) {
	switch regions {
	case "":
		return []string{cfg.Region}, nil
	case "all":
		enabled, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
		if err != nil {
			return nil, err
		}
		for _, r := range enabled.Regions {
			names = append(names, aws.ToString(r.RegionName))
		}
		return names, nil
	}
	return slices.DeleteFunc(split(regions), func(name string) bool {
		of, known := awsauth.PartitionOf(name)
		return known && of != partition
	}), nil
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
