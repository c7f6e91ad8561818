package awsauth_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// onItsClock runs f on a clock of its own, with a place made there. The test
// fails if f leaves a goroutine behind.
func onItsClock(t *testing.T, f func(t *testing.T, w *place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute) // for what still runs behind the callers
		f(t, newPlace(t, awsauth.AWS))
	})
}

// inRole is a session in the target account's role.
func (w *place) inRole(opts ...awsauth.Option) *awsauth.Session {
	w.t.Helper()
	return w.open(append([]awsauth.Option{w.static(), awsauth.WithAccount(target)}, opts...)...)
}

// assumed is how often STS was asked for a role.
func (w *place) assumed() int { return len(w.Calls("AssumeRole")) }

// down makes STS fail to give roles, in this way.
func (w *place) down(kind awsauthtest.FaultKind) (up func()) {
	return w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: kind})
}

// slow makes every answer of STS take so long.
func (w *place) slow(d time.Duration) (remove func()) {
	return w.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: d})
}

// get asks for credentials, which must come and be good.
func get(t testing.TB, s aws.CredentialsProvider) aws.Credentials {
	t.Helper()
	c, err := s.Retrieve(context.Background())
	require.NoError(t, err)
	require.True(t, c.HasKeys())
	require.False(t, c.Expired(), "expired %v ago", time.Since(c.Expires))
	return c
}

// outcome is what one caller got, and after how long.
type outcome struct {
	creds aws.Credentials
	err   error
	took  time.Duration
}

// ask is one caller.
func ask(ctx context.Context, s aws.CredentialsProvider) outcome {
	start := time.Now()
	c, err := s.Retrieve(ctx)
	return outcome{c, err, time.Since(start)}
}

// crowd is n callers at the same time.
func crowd(s aws.CredentialsProvider, n int) []outcome {
	all := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = ask(context.Background(), s) })
	}
	wg.Wait()
	return all
}

// busy asks s every step for so long, and returns the access keys it got, each
// once, in order. Each must come at once (in the bubble's time) and be good.
func busy(t testing.TB, s aws.CredentialsProvider, step, long time.Duration) (keys []string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < long; time.Sleep(step) {
		o := ask(context.Background(), s)
		if o.err != nil || o.took != 0 || o.creds.Expired() {
			require.NoError(t, o.err, "after %v", time.Since(start))
			require.Zero(t, o.took, "a caller waited after %v", time.Since(start))
			require.False(t, o.creds.Expired(), "expired keys after %v", time.Since(start))
		}
		if id := o.creds.AccessKeyID; !slices.Contains(keys, id) {
			keys = append(keys, id)
		}
	}
	return keys
}

// providerFunc is a provider that the caller brings.
type providerFunc func(context.Context) (aws.Credentials, error)

func (f providerFunc) Retrieve(ctx context.Context) (aws.Credentials, error) { return f(ctx) }

// issued are keys that last so long from now on.
func issued(id string, lifetime time.Duration) aws.Credentials {
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: someSecret, SessionToken: "token", CanExpire: true, Expires: time.Now().Add(lifetime)}
}

// records is a slog handler that keeps what it gets.
type records struct {
	mu  sync.Mutex
	all []slog.Record
}

func (r *records) option() awsauth.Option { return awsauth.WithLogger(slog.New(r)) }

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

func (r *records) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rec.Clone())
	return nil
}

// record is one record, its attributes by name.
type record struct {
	text  string
	attrs map[string]slog.Value
}

// at returns the records of one level and forgets all.
func (r *records) at(level slog.Level) (found []record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		if rec.Level != level {
			continue
		}
		one := record{rec.Message, map[string]slog.Value{}}
		rec.Attrs(func(a slog.Attr) bool { one.attrs[a.Key] = a.Value.Resolve(); return true })
		found = append(found, one)
	}
	r.all = nil
	return found
}

// soon waits, in real time, until it is so. (assert.Eventually makes goroutines.)
func soon(t testing.TB, so func() bool, message string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(message)
		}
	}
}
