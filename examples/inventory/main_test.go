package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

// launch starts n instances in an account, and returns their ids.
func launch(t *testing.T, partition awsauth.Partition, account string, n int32) (ids []string) {
	t.Helper()
	s, err := awsauth.New(awsauth.WithPartition(partition), awsauth.WithAccount(account))
	if err != nil {
		t.Fatal(err)
	}
	client := ec2.NewFromConfig(s.Config())
	images, err := client.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
	if err != nil || len(images.Images) == 0 {
		t.Fatal("no image", err)
	}
	out, err := client.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: images.Images[0].ImageId, MinCount: aws.Int32(n), MaxCount: aws.Int32(n)})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range out.Instances {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

func TestInventory(t *testing.T) {
	mototest.Start(t, "444444444444")
	one := launch(t, awsauth.AWS, "111111111111", 2)
	two := launch(t, awsauth.AWS, "222222222222", 1)
	three := launch(t, awsauth.China, "333333333333", 1)

	var stdout, stderr strings.Builder
	err := run(t.Context(), []string{"-accounts", "111111111111,222222222222,444444444444", "-china-accounts", "333333333333"}, &stdout, &stderr)
	want := map[string]bool{}
	for place, ids := range map[string][]string{"111111111111 us-east-1": one, "222222222222 us-east-1": two, "333333333333 cn-north-1": three} {
		for _, id := range ids {
			want[place+" "+id] = true
		}
	}
	got := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n")[1:] {
		got[strings.Join(strings.Fields(line)[:3], " ")] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "444444444444: assume role arn:aws:iam::444444444444:role/manage-role") {
		t.Errorf("the failed account is not named: %v", err)
	}
	if !strings.Contains(stderr.String(), "aws  3/3  ") || !strings.Contains(stderr.String(), "444444444444  FAILED") || !strings.Contains(stderr.String(), "aws-cn  1/1  333333333333  ok") {
		t.Errorf("progress:\n%s", &stderr)
	}
}
