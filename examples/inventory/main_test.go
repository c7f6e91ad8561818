package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

// launch starts n instances in a region of an account, and returns the beginnings of
// their rows.
func launch(t *testing.T, region, account string, n int32) (rows []string) {
	t.Helper()
	s, err := awsauth.New(awsauth.WithRegion(region), awsauth.WithAccount(account))
	if err != nil {
		t.Fatal(err)
	}
	out, err := ec2.NewFromConfig(s.Config()).RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int32(n), MaxCount: aws.Int32(n)})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range out.Instances {
		rows = append(rows, account+" "+region+" "+*i.InstanceId)
	}
	return rows
}

// inventory runs the program and returns the beginnings of its rows.
func inventory(t *testing.T, args ...string) (rows []string, stderr string, err error) {
	t.Helper()
	var stdout, talk strings.Builder
	err = run(t.Context(), args, &stdout, &talk)
	for _, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n")[1:] {
		rows = append(rows, strings.Join(strings.Fields(line)[:3], " "))
	}
	return rows, talk.String(), err
}

func TestInventory(t *testing.T) {
	mototest.Start(t, "444444444444", "eu-west-3")
	want := slices.Concat(
		launch(t, "us-east-1", "111111111111", 2), launch(t, "us-east-1", "222222222222", 1), launch(t, "cn-north-1", "333333333333", 1))
	slices.Sort(want)
	two, three, far := launch(t, "eu-central-1", "111111111111", 1), launch(t, "eu-central-1", "222222222222", 1), launch(t, "cn-northwest-1", "333333333333", 1)
	accounts := []string{"-accounts", "222222222222,111111111111,444444444444", "-china-accounts", "333333333333"}

	t.Run("one region", func(t *testing.T) {
		got, stderr, err := inventory(t, accounts...)
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "444444444444: assume role arn:aws:iam::444444444444:role/manage-role") || strings.Contains(err.Error(), "eu-west-3") {
			t.Errorf("the account that failed is not named: %v", err)
		}
		if !strings.Contains(stderr, "aws  3/3  ") || !strings.Contains(stderr, "444444444444  FAILED") || !strings.Contains(stderr, "aws-cn  1/1  333333333333  entered") {
			t.Errorf("progress:\n%s", stderr)
		}
	})
	t.Run("all regions", func(t *testing.T) {
		want := slices.Concat(want, two, three, far)
		slices.Sort(want)
		got, _, err := inventory(t, append(accounts, "-regions", "all")...)
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for _, told := range []string{"444444444444: assume role", "\n111111111111 in eu-west-3: ", "\n222222222222 in eu-west-3: ", "UnauthorizedOperation"} {
			if err == nil || !strings.Contains(err.Error(), told) {
				t.Errorf("%q is not told: %v", told, err)
			}
		}
		if strings.Count(err.Error(), " in ") != 2 {
			t.Errorf("only the two failed: %v", err)
		}
	})
	t.Run("two regions, one of each world", func(t *testing.T) {
		got, _, err := inventory(t, "-accounts", "222222222222", "-china-accounts", "333333333333", "-regions", "eu-central-1,cn-northwest-1")
		if want := slices.Concat(three, far); !slices.Equal(got, want) || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	})
}
