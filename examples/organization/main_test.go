package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

func TestOrganization(t *testing.T) {
	mototest.Start(t)
	s, err := awsauth.New()
	if err != nil {
		t.Fatal(err)
	}
	client := organizations.NewFromConfig(s.Config())
	if _, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"dev", "prod"} {
		out, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: aws.String(name + "@example.com")})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, *out.CreateAccountStatus.AccountId)
	}
	var stdout, stderr strings.Builder
	if err := run(t.Context(), nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	for _, id := range want {
		if !strings.Contains(stdout.String(), id+" ok\n") {
			t.Errorf("account %s is missing in\n%s", id, &stdout)
		}
	}
	if got := strings.Count(stdout.String(), "\n"); got != len(want) {
		t.Errorf("%d accounts, want %d:\n%s", got, len(want), &stdout)
	}
}
