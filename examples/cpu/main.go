// Command cpu prints how busy the EC2 instances of many accounts are, in every region
// of AWS and of China: the mean of CPUUtilization, and its busiest hour.
//
//	cpu -profile global -accounts 111111111111,222222222222 \
//	    -china-profile cn -china-accounts 333333333333 -since 24h
//
// The regions are those that each account has enabled. An account or a region that
// fails stops no other; the exit code is then 1.
//
// This file has what awsauth does, and the flags. cloudwatch.go has the calls to
// CloudWatch.
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
	"strings"
	"text/tabwriter"
	"time"

	"github.com/chaoxiaodi/awsauth"
)

// world is AWS or China: the profile to start from, and the accounts to enter.
type world struct {
	partition awsauth.Partition
	profile   string
	accounts  string
}

// measure enters the accounts of one world. It returns a row for each of their
// instances, and an error that names each account and region that failed.
func (w world) measure(ctx context.Context, role string, since time.Time) (rows []string, err error) {
	if w.accounts == "" {
		return nil, nil
	}
	start, err := awsauth.New(awsauth.WithProfile(w.profile), awsauth.WithPartition(w.partition))
	if err != nil {
		return nil, err
	}
	found, err := awsauth.Collect(ctx, start, strings.Split(w.accounts, ","),
		func(ctx context.Context, account *awsauth.Session) (usage, error) {
			return look(ctx, account.Config(), since)
		}, awsauth.WithRole(role))

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

// run reads the flags, measures both worlds and prints the table.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	global, china := world{partition: awsauth.AWS}, world{partition: awsauth.China}
	flags := flag.NewFlagSet("cpu", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&global.profile, "profile", "", "profile for the accounts in AWS")
	flags.StringVar(&global.accounts, "accounts", "", "accounts in AWS, with commas between")
	flags.StringVar(&china.profile, "china-profile", "", "profile for the accounts in China")
	flags.StringVar(&china.accounts, "china-accounts", "", "accounts in China, with commas between")
	role := flags.String("role", "", "role to assume in each account (default "+awsauth.DefaultRole+")")
	since := flags.Duration("since", 24*time.Hour, "how far to look back")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var rows []string
	var failed []error
	for _, w := range []world{global, china} {
		found, err := w.measure(ctx, *role, time.Now().Add(-*since))
		rows, failed = append(rows, found...), append(failed, err)
	}
	slices.Sort(rows)
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ACCOUNT\tREGION\tINSTANCE\tMEAN\tBUSIEST HOUR")
	for _, row := range rows {
		fmt.Fprintln(out, row)
	}
	return errors.Join(append(failed, out.Flush())...)
}
