package awsauth

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// metadataTimeout bounds one question to the instance metadata, retries
// included. Off EC2 nothing answers there, and a person is waiting.
const metadataTimeout = 2 * time.Second

// metadataClient asks the instance metadata for the role's keys, once, and notes
// when they really expire: the SDK's provider says one hour at most.
type metadataClient struct {
	ask    func() *imds.Client
	expiry time.Time
}

// GetMetadata implements the interface of the SDK's provider.
func (c *metadataClient) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	out, err := c.ask().GetMetadata(ctx, in, append(opts, metadataRetries)...)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(out.Content)
	if err != nil {
		return nil, err
	}
	var keys struct{ Expiration time.Time }
	if json.Unmarshal(text, &keys) == nil && !keys.Expiration.IsZero() {
		c.expiry = keys.Expiration
	}
	out.Content = io.NopCloser(bytes.NewReader(text))
	return out, nil
}

// metadataRetries lets a question to the metadata be asked again, without a
// budget: an outage spends it, and the first question after it would fail.
func metadataRetries(o *imds.Options) {
	o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
		so.RateLimiter = ratelimit.None
		so.MaxBackoff = 100 * time.Millisecond
	})
}

// instanceRegion asks the instance metadata for the region: the only call that
// New may make, for one second at most. It returns "" if there is no answer.
func instanceRegion(ask func() *imds.Client) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := ask().GetRegion(ctx, &imds.GetRegionInput{}, metadataRetries)
	if err != nil {
		return ""
	}
	if _, ok := PartitionOf(out.Region); !ok {
		return ""
	}
	return out.Region
}
