package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

// busy lets an instance have been so busy, an hour each, up to so long ago.
func busy(t *testing.T, region, account, instance string, until time.Duration, percent ...float64) {
	t.Helper()
	s, err := awsauth.New(awsauth.WithRegion(region), awsauth.WithAccount(account))
	if err != nil {
		t.Fatal(err)
	}
	var data []types.MetricDatum
	for i, value := range percent {
		data = append(data, types.MetricDatum{
			MetricName: aws.String("CPUUtilization"), Value: aws.Float64(value), Timestamp: aws.Time(time.Now().Add(-until - time.Duration(i)*time.Hour)),
			Dimensions: []types.Dimension{{Name: aws.String("InstanceId"), Value: aws.String(instance)}},
		})
	}
	if _, err := cloudwatch.NewFromConfig(s.Config()).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/EC2"), MetricData: data}); err != nil {
		t.Fatal(err)
	}
}

func TestCPU(t *testing.T) {
	mototest.Start(t, "444444444444", "eu-west-3")
	busy(t, "us-east-1", "111111111111", "i-one", time.Hour, 10, 20, 60)
	busy(t, "us-east-1", "111111111111", "i-idle", time.Hour, 0)
	busy(t, "us-east-1", "111111111111", "i-gone", 25*time.Hour, 100)
	busy(t, "eu-central-1", "111111111111", "i-two", time.Hour, 50)
	busy(t, "eu-central-1", "222222222222", "i-three", time.Hour, 1, 2)
	busy(t, "cn-northwest-1", "333333333333", "i-four", time.Hour, 99.5)

	var stdout, stderr strings.Builder
	err := run(t.Context(), []string{"-accounts", "222222222222,444444444444,111111111111", "-china-accounts", "333333333333"}, &stdout, &stderr)
	var got []string
	for line := range strings.Lines(stdout.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"ACCOUNT REGION INSTANCE MEAN BUSIEST HOUR",
		"111111111111 eu-central-1 i-two 50.0 % 50.0 %",
		"111111111111 us-east-1 i-idle 0.0 % 0.0 %",
		"111111111111 us-east-1 i-one 30.0 % 60.0 %",
		"222222222222 eu-central-1 i-three 1.5 % 2.0 %",
		"333333333333 cn-northwest-1 i-four 99.5 % 99.5 %",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", &stdout)
	}
	var told []string
	if err != nil {
		told = strings.Split(err.Error(), "\n")
	}
	for i, failed := range []string{"444444444444: assume role ", "111111111111 in eu-west-3: ", "222222222222 in eu-west-3: "} {
		if len(told) != 3 || !strings.HasPrefix(told[i], failed) {
			t.Errorf("the account and the region that failed are told, and no other: %v", err)
		}
	}
}
