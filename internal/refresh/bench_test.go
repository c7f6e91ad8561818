package refresh_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

func hourly(context.Context) (refresh.Issued, error) {
	return refresh.Issued{Credentials: aws.Credentials{AccessKeyID: "K", CanExpire: true, Expires: time.Now().Add(time.Hour)}}, nil
}

// BenchmarkRetrieve is the hot path: keys in memory, not yet to be renewed.
func BenchmarkRetrieve(b *testing.B) {
	c := refresh.New(refresh.Config{Fetch: hourly})
	ctx := b.Context()
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Retrieve(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.Retrieve(ctx); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkAccepted is what every answered request costs.
func BenchmarkAccepted(b *testing.B) {
	c := refresh.New(refresh.Config{Fetch: hourly})
	if _, err := c.Retrieve(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Accepted("K")
	}
}
