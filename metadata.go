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

// metadataClient asks the instance metadata for the role's credentials.
type metadataClient struct{ wire *wire }

func (c metadataClient) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	out, err := c.wire.metadata().GetMetadata(ctx, in, append(opts, metadataRetries)...)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(out.Content)
	if err != nil {
		return nil, err
	}
	c.wire.noteExpiry(text)
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

// noteExpiry keeps the expiry that the instance's credentials really have: the
// SDK's provider says one hour at most.
func (w *wire) noteExpiry(document []byte) {
	var keys struct{ Expiration time.Time }
	if json.Unmarshal(document, &keys) == nil && !keys.Expiration.IsZero() {
		w.instanceKeys.Store(&keys.Expiration)
	}
}
