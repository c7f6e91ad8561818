// Command inventory lists the EC2 instances of many accounts, in AWS and in
// China, in one table.
//
//	inventory -profile global -accounts 111111111111,222222222222 \
//	          -china-profile cn -china-accounts 333333333333 -role auditor -regions all
//
// AWS and China have different keys, hence two profiles. Without a profile the
// usual places are looked at: environment, container, instance. With -regions all
// it looks into every region that an account has enabled, without -regions into
// the profile's region. An account or a region that fails stops no other. Progress
// and failures go to stderr, the table to stdout; the exit code is 1 if anything
// failed.
//
// This file has what awsauth does, and the flags. regions.go has the calls to EC2.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"

	"github.com/chaoxiaodi/awsauth"
)

// world is AWS or China: the profile to start from, and the accounts to enter.
type world struct {
	partition awsauth.Partition
	profile   string
	accounts  string
}

// list enters the accounts of one world. It returns a row for each of their
// instances, and an error that names each account and region that failed.
func (w world) list(ctx context.Context, role, regions string, stderr io.Writer) (rows []string, err error) {
	if w.accounts == "" {
		return nil, nil
	}
	start, err := awsauth.New(awsauth.WithProfile(w.profile), awsauth.WithPartition(w.partition))
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
	found, err := awsauth.Collect(ctx, start, split(w.accounts),
		func(ctx context.Context, account *awsauth.Session) (contents, error) {
			if _, err := account.Retrieve(ctx); err != nil { // the role cannot be assumed
				return contents{}, err
			}
			return look(ctx, account.Config(), w.partition, regions)
		}, awsauth.WithRole(role), awsauth.WithProgress(progress))

	failed := []error{err} // the accounts that could not be entered
	for _, id := range slices.Sorted(maps.Keys(found)) {
		for _, row := range found[id].rows {
			rows = append(rows, id+"\t"+row)
		}
		for _, err := range found[id].failed {
			failed = append(failed, fmt.Errorf("%s in %w", id, err))
		}
	}
	return rows, errors.Join(failed...)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run reads the flags, lists both worlds and prints the table.
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
