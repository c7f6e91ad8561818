package awsauth_test

import (
	"context"
	"fmt"
	"log"

	"github.com/chaoxiaodi/awsauth"
)

// A func runs in every account, and what fails is told at the end. Nobody let ana
// into the third account here.
func ExampleSession_ForEachAccount() {
	s, err := awsauth.New()
	if err != nil {
		log.Fatal(err)
	}
	accounts := []string{"222222222222", "555555555555", "444444444444"}
	err = s.ForEachAccount(context.Background(), accounts,
		func(ctx context.Context, s *awsauth.Session) error {
			id, err := s.Identity(ctx) // or any call of ec2.NewFromConfig(s.Config())
			if err != nil {
				return err
			}
			fmt.Println("in", id.Account)
			return nil
		}, awsauth.WithRole("audit"))
	for _, failed := range awsauth.AccountErrors(err) {
		fmt.Println("not in", failed.Account)
	}
	// Unordered output:
	// in 222222222222
	// in 555555555555
	// not in 444444444444
}

// The results of all accounts in one map, and why some are missing there.
func ExampleCollect() {
	s, err := awsauth.New()
	if err != nil {
		log.Fatal(err)
	}
	accounts := []string{"222222222222", "444444444444"}
	arns, err := awsauth.Collect(context.Background(), s, accounts,
		func(ctx context.Context, s *awsauth.Session) (string, error) {
			id, err := s.Identity(ctx)
			return id.ARN, err
		}, awsauth.WithRole("audit"), awsauth.WithSessionName("nightly"))
	fmt.Println(arns)
	for _, failed := range awsauth.AccountErrors(err) {
		fmt.Println("not in", failed.Account)
	}
	// Output:
	// map[222222222222:arn:aws:sts::222222222222:assumed-role/audit/nightly]
	// not in 444444444444
}
