package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/chaoxiaodi/awsauth"
)

// contents is what one account has, and an error for each region that failed.
type contents struct {
	rows   []string
	failed []error
}

// look looks into the regions of one account.
func look(ctx context.Context, cfg aws.Config, partition awsauth.Partition, regions string) (found contents, err error) {
	names, err := choose(ctx, cfg, partition, regions)
	if err != nil {
		return contents{}, err
	}
	for _, name := range names {
		cfg.Region = name
		rows, err := instances(ctx, cfg)
		found.rows = append(found.rows, rows...)
		if err != nil {
			found.failed = append(found.failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	return found, nil
}

// choose returns the regions to look into: the one of cfg, all that the account has
// enabled, or those that are named and belong to the partition.
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

// instances returns a row for each instance in cfg's region.
func instances(ctx context.Context, cfg aws.Config) (rows []string, err error) {
	pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(cfg), &ec2.DescribeInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return rows, err
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				state := cmp.Or(i.State, &types.InstanceState{}).Name
				rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", cfg.Region, aws.ToString(i.InstanceId), i.InstanceType, state))
			}
		}
	}
	return rows, nil
}

// split returns the words of a list with commas between.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
