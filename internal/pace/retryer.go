package pace

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// RetryerOptions are those of NewRetryer. The zero value is what an STS call
// gets unless its caller says otherwise.
type RetryerOptions struct {
	Attempts    int           // most attempts; 0: 8, which take about 15 s under throttling
	Unreachable int           // most of them that have no connection, because the host is unknown or refuses; 0: 2
	MaxDelay    time.Duration // between two attempts; 0: 4 s
}

const (
	defaultAttempts    = 8
	defaultUnreachable = 2
	defaultMaxDelay    = 4 * time.Second
	firstDelay         = time.Second // the most before the second attempt; it doubles from there
)

// NewRetryer returns a retryer for STS calls. It keeps nothing between calls, so
// one serves all of them: there is no budget that a thousand calls would use up
// in the first second of throttling. It retries what the SDK deems worth it
// (retry.DefaultRetryables) and what STS documents so, after exponential delays
// with jitter.
func NewRetryer(o RetryerOptions) aws.RetryerV2 {
	if o.Attempts == 0 {
		o.Attempts = defaultAttempts
	}
	if o.Unreachable == 0 {
		o.Unreachable = defaultUnreachable
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = defaultMaxDelay
	}
	return &retryer{o}
}

type retryer struct{ RetryerOptions }

// IsErrorRetryable implements aws.Retryer.
func (r *retryer) IsErrorRetryable(err error) bool {
	switch {
	case canceled(err), settled(err):
		return false
	case Throttled(err), Unreached(err), codeOf(err) == "IDPCommunicationError":
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool()
}

// MaxAttempts implements aws.Retryer.
func (r *retryer) MaxAttempts() int { return r.Attempts }

// RetryDelay is drawn evenly from between nothing and a maximum, which doubles
// with each attempt. Under throttling it is drawn from the upper half: the
// attempts are then to outlast it.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	most := firstDelay
	for i := 1; i < attempt && most < r.MaxDelay; i++ {
		most *= 2
	}
	most = min(most, r.MaxDelay)
	if Throttled(err) {
		return most/2 + rand.N(most/2+1), nil
	}
	return rand.N(most + 1), nil
}

// GetRetryToken implements aws.Retryer: every retry is allowed.
func (r *retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return noRelease, nil
}

// GetInitialToken implements aws.Retryer.
func (r *retryer) GetInitialToken() func(error) error { return noRelease }

// GetAttemptToken implements aws.RetryerV2.
func (r *retryer) GetAttemptToken(context.Context) (func(error) error, error) {
	return noRelease, nil
}

func noRelease(error) error { return nil }
