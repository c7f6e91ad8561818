package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// usage is how busy one account is, and an error for each region that failed.
type usage struct {
	rows   []string
	failed []error
}

// look looks into all regions that one account has enabled.
func look(ctx context.Context, cfg aws.Config, since time.Time) (all usage, err error) {
	enabled, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return usage{}, err
	}
	for _, region := range enabled.Regions {
		cfg.Region = aws.ToString(region.RegionName)
		hours, err := cpu(ctx, cloudwatch.NewFromConfig(cfg), since)
		if err != nil {
			all.failed = append(all.failed, fmt.Errorf("%s: %w", cfg.Region, err))
		}
		for instance, values := range hours {
			all.rows = append(all.rows, fmt.Sprintf("%s\t%s\t%.1f %%\t%.1f %%", cfg.Region, instance, mean(values), slices.Max(values)))
		}
	}
	return all, nil
}

// cpu returns the hourly averages of each instance of a region.
func cpu(ctx context.Context, client *cloudwatch.Client, since time.Time) (map[string][]float64, error) {
	hours := map[string][]float64{}
	pages := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{
		Namespace:  aws.String("AWS/EC2"),
		MetricName: aws.String("CPUUtilization"),
		Dimensions: []types.DimensionFilter{{Name: aws.String("InstanceId")}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return hours, err
		}
		if err := add(ctx, client, page.Metrics, since, hours); err != nil {
			return hours, err
		}
	}
	return hours, nil
}

// add adds the hourly averages of one page of metrics. A page of ListMetrics has at
// most 500, which is also what one GetMetricData takes.
func add(ctx context.Context, client *cloudwatch.Client, metrics []types.Metric, since time.Time, hours map[string][]float64) error {
	if len(metrics) == 0 {
		return nil
	}
	var queries []types.MetricDataQuery
	for i, m := range metrics {
		queries = append(queries, types.MetricDataQuery{
			Id:         aws.String(fmt.Sprint("m", i)),
			Label:      m.Dimensions[0].Value, // the instance
			MetricStat: &types.MetricStat{Metric: &m, Period: aws.Int32(3600), Stat: aws.String("Average")},
		})
	}
	pages := cloudwatch.NewGetMetricDataPaginator(client, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: &since, EndTime: aws.Time(time.Now()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.MetricDataResults {
			if len(r.Values) == 0 {
				continue // the instance ended before the time that is looked at
			}
			instance := aws.ToString(r.Label)
			hours[instance] = append(hours[instance], r.Values...)
		}
	}
	return nil
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
