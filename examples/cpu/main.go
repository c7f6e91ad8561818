// Command cpu prints how busy the EC2 instances of many accounts are, in every region
// of AWS and of China: the mean of CPUUtilization, and its busiest hour.
//
//	cpu -profile global -accounts 111111111111,222222222222 \
//	    -china-profile cn -china-accounts 333333333333 -since 24h
//
// The regions are those that each account has enabled. An account or a region that
// fails stops no other; the exit code is then 1.
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

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
	flags := flag.NewFlagSet("cpu", flag.ContinueOnError)
	flags.SetOutput(stderr)
	profile := flags.String("profile", "", "profile for the accounts in AWS")
	accounts := flags.String("accounts", "", "accounts in AWS, with commas between")
	chinaProfile := flags.String("china-profile", "", "profile for the accounts in China")
	chinaAccounts := flags.String("china-accounts", "", "accounts in China, with commas between")
	role := flags.String("role", "", "role to assume in each account (default "+awsauth.DefaultRole+")")
	since := flags.Duration("since", 24*time.Hour, "how far to look back")
	if err := flags.Parse(args); err != nil {
		return err
	}
	start := time.Now().Add(-*since)
	var rows []string
	var failed []error
	for _, world := range []struct {
		partition         awsauth.Partition
		profile, accounts string
	}{
		{awsauth.AWS, *profile, *accounts},
		{awsauth.China, *chinaProfile, *chinaAccounts},
	} {
		if world.accounts == "" {
			continue
		}
		s, err := awsauth.New(awsauth.WithPartition(world.partition), awsauth.WithProfile(world.profile))
		if err != nil {
			failed = append(failed, err)
			continue
		}
		found, err := awsauth.Collect(ctx, s, strings.Split(world.accounts, ","), func(ctx context.Context, s *awsauth.Session) (usage, error) {
			return measure(ctx, s, start)
		}, awsauth.WithRole(*role))
		failed = append(failed, err)
		for _, id := range slices.Sorted(maps.Keys(found)) {
			rows, failed = append(rows, found[id].rows...), append(failed, found[id].failed)
		}
	}
	slices.Sort(rows)
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ACCOUNT\tREGION\tINSTANCE\tMEAN\tBUSIEST HOUR")
	for _, row := range rows {
		fmt.Fprintln(out, row)
	}
	return errors.Join(append(failed, out.Flush())...)
}

// usage is how busy one account is, and which regions could not be seen.
type usage struct {
	rows   []string
	failed error
}

// measure looks into all regions of one account.
func measure(ctx context.Context, s *awsauth.Session, start time.Time) (all usage, err error) {
	id, err := s.Identity(ctx)
	if err != nil {
		return usage{}, err
	}
	cfg := s.Config()
	enabled, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return usage{}, err
	}
	for _, region := range enabled.Regions {
		cfg.Region = aws.ToString(region.RegionName)
		hours, err := cpu(ctx, cloudwatch.NewFromConfig(cfg), start)
		if err != nil {
			all.failed = errors.Join(all.failed, fmt.Errorf("%s in %s: %w", id.Account, cfg.Region, err))
		}
		for instance, values := range hours {
			sum := 0.0
			for _, v := range values {
				sum += v
			}
			all.rows = append(all.rows, fmt.Sprintf("%s\t%s\t%s\t%.1f %%\t%.1f %%", id.Account, cfg.Region, instance, sum/float64(len(values)), slices.Max(values)))
		}
	}
	return all, nil
}

// cpu returns the hourly averages of each instance of a region. A page of ListMetrics
// has as many metrics as one GetMetricData takes: 500.
func cpu(ctx context.Context, client *cloudwatch.Client, start time.Time) (map[string][]float64, error) {
	hours := map[string][]float64{}
	metrics := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{
		Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"), Dimensions: []types.DimensionFilter{{Name: aws.String("InstanceId")}},
	})
	for metrics.HasMorePages() {
		page, err := metrics.NextPage(ctx)
		if err != nil {
			return hours, err
		}
		var queries []types.MetricDataQuery
		for i, m := range page.Metrics {
			queries = append(queries, types.MetricDataQuery{
				Id: aws.String(fmt.Sprint("m", i)), Label: m.Dimensions[0].Value,
				MetricStat: &types.MetricStat{Metric: &m, Period: aws.Int32(3600), Stat: aws.String("Average")},
			})
		}
		if len(queries) == 0 {
			continue
		}
		data := cloudwatch.NewGetMetricDataPaginator(client, &cloudwatch.GetMetricDataInput{MetricDataQueries: queries, StartTime: &start, EndTime: aws.Time(time.Now())})
		for data.HasMorePages() {
			page, err := data.NextPage(ctx)
			if err != nil {
				return hours, err
			}
			for _, r := range page.MetricDataResults {
				if instance := aws.ToString(r.Label); len(r.Values) > 0 { // none: it is gone since
					hours[instance] = append(hours[instance], r.Values...)
				}
			}
		}
	}
	return hours, nil
}
