package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// How much of their life is to be left of keys from the disk cache that are handed to
// another program. A third of it is enough in any case.
const (
	// leftForSDK is for a program that asks again when keys end soon. boto3 does with
	// less than 15 minutes left, before every call of its own.
	leftForSDK = 15 * time.Minute
	// leftForGood is for a program that cannot ask again: a third of any life.
	leftForGood = 12 * time.Hour
)

// lasting is a provider whose keys have so much of their life left, even if they are
// from the disk cache.
type lasting struct {
	aws.CredentialsProvider
	left time.Duration
}

func (l lasting) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return l.CredentialsProvider.Retrieve(diskcache.WithAtLeast(ctx, l.left))
}
