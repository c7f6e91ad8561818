package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// The keys of most tests last an hour. They are fresh for 20 minutes at least,
// stale after 40 minutes at most, and ending two minutes before the hour.
const (
	hour        = time.Hour
	stillFresh  = 20*time.Minute - time.Nanosecond
	surelyStale = 40 * time.Minute
	nowEnding   = 58 * time.Minute
)

var errDown = errors.New("the source is down")

// bubble runs f on a clock of its own. The test fails if f leaves a goroutine
// behind that does not end within a minute.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute)
		f(t)
	})
}

// source is what is behind a cache: it issues keys K1, K2 and so on.
type source struct {
	mu    sync.Mutex
	life  time.Duration
	delay time.Duration // of each answer; ended by the context
	err   error         // instead of keys
	calls []time.Time
	fetch func(ctx context.Context, n int) (refresh.Issued, error) // instead of all this; n counts from 1
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// fails makes the source fail from now on; nil ends that.
func (s *source) fails(err error) { s.set(func(s *source) { s.err = err }) }

// times are when the source was asked.
func (s *source) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// asked is how often the source was asked.
func (s *source) asked() int { return len(s.times()) }

func (s *source) Fetch(ctx context.Context) (refresh.Issued, error) {
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	n, life, delay, fetch := len(s.calls), s.life, s.delay, s.fetch
	s.mu.Unlock()
	if fetch != nil {
		return fetch(ctx, n)
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return refresh.Issued{}, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return refresh.Issued{}, s.err
	}
	return issued(fmt.Sprint("K", n), life), nil
}

// issued are keys that last so long from now on.
func issued(id string, life time.Duration) refresh.Issued {
	return refresh.Issued{
		Credentials: aws.Credentials{AccessKeyID: id, SecretAccessKey: "secret of " + id, SessionToken: "token", CanExpire: true, Expires: time.Now().Add(life)},
		ARN:         "arn of " + id,
	}
}

// cached is a cache over keys that last an hour.
func cached(changes ...func(*refresh.Config)) (*refresh.Cache, *source, *events) {
	s, log := &source{life: hour}, &events{}
	c := refresh.Config{Fetch: s.Fetch, Observer: log}
	for _, change := range changes {
		change(&c)
	}
	return refresh.New(c), s, log
}

// outcome is what one caller got, and after how long.
type outcome struct {
	keys refresh.Issued
	err  error
	took time.Duration
}

func ask(ctx context.Context, c *refresh.Cache) outcome {
	start := time.Now()
	keys, err := c.Retrieve(ctx)
	o := outcome{err: err, took: time.Since(start)}
	if keys != nil {
		o.keys = *keys
	}
	return o
}

// get asks for keys, which must come and be good.
func get(t testing.TB, c *refresh.Cache) refresh.Issued {
	t.Helper()
	o := ask(context.Background(), c)
	require.NoError(t, o.err)
	require.True(t, o.keys.HasKeys())
	require.False(t, o.keys.Expired(), "expired %v ago", time.Since(o.keys.Expires))
	return o.keys
}

// crowd is n callers at the same time.
func crowd(c *refresh.Cache, n int) []outcome {
	all := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = ask(context.Background(), c) })
	}
	wg.Wait()
	return all
}

// busy asks c every step for so long, and returns the ids of the keys it got,
// each once, in order. Each must come at once and be good.
func busy(t testing.TB, c *refresh.Cache, step, long time.Duration) (ids []string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < long; time.Sleep(step) {
		o := ask(context.Background(), c)
		if o.err != nil || o.took != 0 || o.keys.Expired() {
			require.NoError(t, o.err, "after %v", time.Since(start))
			require.Zero(t, o.took, "a caller waited after %v", time.Since(start))
			require.False(t, o.keys.Expired(), "expired keys after %v", time.Since(start))
		}
		if !slices.Contains(ids, o.keys.AccessKeyID) {
			ids = append(ids, o.keys.AccessKeyID)
		}
	}
	return ids
}

// later runs f in a goroutine; the channel gives its result.
func later[T any](f func() T) <-chan T {
	result := make(chan T, 1)
	go func() { result <- f() }()
	synctest.Wait()
	return result
}

// event is one thing that an Observer heard.
type event struct {
	at   time.Time
	kind string // refreshed, kept, failed, refused
	key  string
	left time.Duration
	next time.Duration
	err  error
	why  refresh.Refusal

	effort refresh.Effort // of a failure
}

// events is an Observer that keeps what it hears.
type events struct {
	mu  sync.Mutex
	all []event
}

func (o *events) add(e event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e.at = time.Now()
	o.all = append(o.all, e)
}

func (o *events) Refreshed(r refresh.Refreshed) {
	o.add(event{kind: "refreshed", key: r.Keys.AccessKeyID, left: r.Left})
}

func (o *events) Kept(k refresh.Kept) {
	o.add(event{kind: "kept", key: k.Keys.AccessKeyID, left: k.Left, next: k.NextTry, err: k.Err})
}

func (o *events) Failed(f refresh.Failed) {
	o.add(event{kind: "failed", err: f.Err, effort: f.Effort})
}

func (o *events) Refused(id string, why refresh.Refusal) {
	o.add(event{kind: "refused", key: id, why: why})
}

// of returns the events of one kind and forgets all.
func (o *events) of(kind string) (found []event) {
	synctest.Wait() // callers get the result before the Observer hears of it
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.all {
		if e.kind == kind {
			found = append(found, e)
		}
	}
	o.all = nil
	return found
}

// asks is the Prompts of a source that asks a person.
func asks() bool { return true }
