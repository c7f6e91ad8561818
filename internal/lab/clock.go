package lab

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// OnItsClock runs f on a clock of its own, with a place made there. The test
// fails if f leaves a goroutine behind.
func OnItsClock(t *testing.T, f func(t *testing.T, w *Place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute) // for what still runs behind the callers
		f(t, New(t, awsauth.AWS))
	})
}

// OnAnyClock runs f with a place, on a clock of its own unless it is not to.
func OnAnyClock(t *testing.T, realTime bool, f func(t *testing.T, w *Place)) {
	t.Helper()
	if realTime {
		f(t, New(t, awsauth.AWS))
		return
	}
	OnItsClock(t, f)
}

// Get asks for credentials, which must come and be good.
func Get(t testing.TB, s aws.CredentialsProvider) aws.Credentials {
	t.Helper()
	c, err := s.Retrieve(context.Background())
	require.NoError(t, err)
	require.True(t, c.HasKeys())
	require.False(t, c.Expired(), "expired %v ago", time.Since(c.Expires))
	return c
}

// Outcome is what one caller got, and after how long.
type Outcome struct {
	Creds aws.Credentials
	Err   error
	Took  time.Duration
}

// Ask makes one caller's request.
func Ask(ctx context.Context, s aws.CredentialsProvider) Outcome {
	start := time.Now()
	c, err := s.Retrieve(ctx)
	return Outcome{c, err, time.Since(start)}
}

// Crowd asks for n callers at the same time.
func Crowd(s aws.CredentialsProvider, n int) []Outcome {
	all := make([]Outcome, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = Ask(context.Background(), s) })
	}
	wg.Wait()
	return all
}

// Busy asks s every step for so long, and returns the access keys it got, each
// once, in order. Each must come at once (in the bubble's time) and be good. A refresh
// that the last call began behind it has ended, or waits for something.
func Busy(t testing.TB, s aws.CredentialsProvider, step, long time.Duration) (keys []string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < long; time.Sleep(step) {
		o := Ask(context.Background(), s)
		if o.Err != nil || o.Took != 0 || o.Creds.Expired() {
			require.NoError(t, o.Err, "after %v", time.Since(start))
			require.Zero(t, o.Took, "a caller waited after %v", time.Since(start))
			require.False(t, o.Creds.Expired(), "expired keys after %v", time.Since(start))
		}
		if id := o.Creds.AccessKeyID; !slices.Contains(keys, id) {
			keys = append(keys, id)
		}
	}
	synctest.Wait()
	return keys
}

// Soon waits, in real time, until it is so, 5 s at most. (assert.Eventually makes
// goroutines.)
func Soon(t testing.TB, so func() bool, message string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(message)
		}
	}
}
