// Command sdk gets the first credentials of a role with the bare SDK.
package main

import (
	"context"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::123456789012:role/manage-role",
		func(o *stscreds.AssumeRoleOptions) { o.Duration = time.Hour })
	if _, err := aws.NewCredentialsCache(role).Retrieve(ctx); err != nil {
		log.Fatal(err)
	}
}
