package diskcache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// hold makes another process of the house fetch, and holds it there until release
// is called; then its entry has this id. An empty id: its fetch fails.
func hold(t *testing.T, dir, id string) (release func()) {
	other, fetching, ended := openHouse(dir, nil), make(chan struct{}), make(chan struct{})
	finish := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = other.Through(context.Background(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
			close(fetching)
			<-finish
			if id == "" {
				return diskcache.Entry{}, errFetch
			}
			return newEntry(id), nil
		})
	}()
	<-fetching
	release = sync.OnceFunc(func() { close(finish); <-ended })
	t.Cleanup(release)
	return release
}

func TestWait(t *testing.T) {
	t.Run("the holder writes", func(t *testing.T) {
		h := newHouse(t)
		release := hold(t, h.dir, "ASIAHOLDER")
		time.AfterFunc(30*time.Millisecond, release)
		assert.Equal(t, "ASIAHOLDER", h.get(t, "ASIAFIRST").AccessKeyID)
		h.assertTold(t)
	})
	t.Run("the holder fails", func(t *testing.T) {
		h := newHouse(t)
		release := hold(t, h.dir, "")
		time.AfterFunc(30*time.Millisecond, release)
		assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
		h.assertTold(t)
	})
	t.Run("too long", func(t *testing.T) {
		h := newHouse(t)
		hold(t, h.dir, "ASIAHOLDER")
		began := time.Now()
		got, err := h.Through(t.Context(), diskcache.Request{Key: testKey, Wait: 50 * time.Millisecond}, func(context.Context) (diskcache.Entry, error) {
			return newEntry("ASIAFIRST"), nil
		})
		require.NoError(t, err)
		assert.Equal(t, "ASIAFIRST", got.AccessKeyID)
		assert.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
		h.assertTold(t, "lock", "another process")
		assertKept(t, h.dir, "ASIAFIRST")
	})
	t.Run("ctx ends", func(t *testing.T) {
		h := newHouse(t)
		hold(t, h.dir, "ASIAHOLDER")
		for _, wait := range []time.Duration{0, time.Hour} {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(20*time.Millisecond, func() { cancel(errFetch) })
			began := time.Now()
			_, err := h.Through(ctx, diskcache.Request{Key: testKey, Wait: wait}, failing)
			assert.Same(t, context.Canceled, err)
			assert.Less(t, time.Since(began), 5*time.Second)
		}
		h.assertTold(t)
	})
	t.Run("others go on", func(t *testing.T) {
		h := newHouse(t)
		hold(t, h.dir, "ASIAHOLDER")
		_, err := h.Through(t.Context(), diskcache.Request{Key: diskcache.NewKey().Sum()}, failing)
		assert.Same(t, errFetch, err, "the lock is that of one entry")
	})
}

// TestWaitPauses: the pause before the next look at a lock is a sixteenth of the time
// that it has been waited for, from a half of that to one and a half. It is at least 10 ms
// and at most 200.
func TestWaitPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var began, last time.Time
		h.HoldLock(func() {
			if !last.IsZero() {
				waited, pause := last.Sub(began), time.Since(last)
				mean := min(max(10*time.Millisecond, waited/16), 200*time.Millisecond)
				require.GreaterOrEqual(t, pause, mean/2, "after %v", waited)
				require.Less(t, pause, mean*3/2, "after %v", waited)
			}
			last = time.Now()
		})
		for range 50 {
			began, last = time.Now(), time.Time{}
			_, err := h.Through(t.Context(), diskcache.Request{Key: testKey, Wait: time.Minute}, failing)
			require.ErrorIs(t, err, errFetch)
			require.Equal(t, time.Minute, time.Since(began))
		}
		h.assertTold(t, "lock", "another process")
	})
}

// TestLockAtTheEnd: ctx ends as the lock is had. The fetch says what comes of it, and the
// lock is free afterwards.
func TestLockAtTheEnd(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	h.RaceLock(func(string) {}, func(string) { cancel() })
	got, err := h.Through(ctx, diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIAFIRST"), nil })
	require.NoError(t, err)
	assert.Equal(t, "ASIAFIRST", got.AccessKeyID)
	h.Drop(t.Context(), testKey, "ASIAFIRST")
	other := openHouse(h.dir, nil)
	_, err = other.Through(t.Context(), diskcache.Request{Key: testKey, Wait: time.Millisecond}, failing)
	require.ErrorIs(t, err, errFetch)
	other.assertTold(t)
}

// TestLockOfDeafFetch: a fetch that does not end with ctx holds up nobody once ctx has
// ended.
func TestLockOfDeafFetch(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := h.Through(ctx, diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
		cancel()
		other := openHouse(h.dir, nil)
		assert.Equal(t, "ASIAFIRST", other.get(t, "ASIAFIRST").AccessKeyID)
		other.assertTold(t)
		return failing(ctx)
	})
	require.ErrorIs(t, err, errFetch)
}

// TestLockRemoved removes the lock file while it is held and waited for: one fetches
// at a time all the same, as soon as all see the new file.
func TestLockRemoved(t *testing.T) {
	h := newHouse(t)
	var holders, most atomic.Int32
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for range 20 {
				err := diskcache.WithLock(t.Context(), filepath.Join(filepath.Dir(h.dir), "token"), 0, nil, func(context.Context) error {
					most.Store(max(most.Load(), holders.Add(1)))
					<-time.After(100 * time.Microsecond)
					holders.Add(-1)
					return nil
				})
				assert.NoError(t, err)
			}
		})
	}
	go func() { wg.Wait(); close(stop) }()
	for {
		select {
		case <-stop:
			assert.EqualValues(t, 1, most.Load())
			return
		case <-time.After(time.Millisecond):
			diskcache.RemoveLock(filepath.Join(filepath.Dir(h.dir), "token.lock"))
		}
	}
}

// TestLockRaces removes the lock file at the worst moments. The lock is taken again,
// so that the others find it under its name.
func TestLockRaces(t *testing.T) {
	leave := func(string) {}
	remove := func(path string) { assert.NoError(t, os.Remove(path)) }
	replace := func(path string) { remove(path); write(t, path, nil) }
	for _, c := range []struct {
		name          string
		before, after func(string)
	}{
		{"removed before", remove, leave},
		{"removed after", leave, remove},
		{"replaced after", leave, replace},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.RaceLock(c.before, c.after)
			_, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
				other := openHouse(h.dir, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
				defer cancel()
				_, err := other.Through(ctx, diskcache.Request{Key: testKey}, failing)
				assert.ErrorIs(t, err, context.DeadlineExceeded, "another process finds the lock taken")
				other.assertTold(t)
				return newEntry("ASIAFIRST"), nil
			})
			require.NoError(t, err)
			h.assertTold(t)
		})
	}
}

func TestWithLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.json")
	var w warnings
	var inside atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := diskcache.WithLock(t.Context(), path, 0, w.add, func(context.Context) error {
				assert.EqualValues(t, 1, inside.Add(1))
				<-time.After(time.Millisecond)
				inside.Add(-1)
				return errFetch
			})
			assert.Same(t, errFetch, err)
		})
	}
	wg.Wait()
	info, err := os.Stat(path + ".lock")
	require.NoError(t, err)
	assert.Zero(t, info.Size())
	assert.NoFileExists(t, path)
	w.assertTold(t)
}

func TestWithLockTrouble(t *testing.T) {
	called := errors.New("called")
	call := func(context.Context) error { return called }
	for _, c := range []struct {
		name  string
		path  func(t *testing.T, dir string) string
		wait  time.Duration
		warns []string
	}{
		{"no directory", func(_ *testing.T, dir string) string { return filepath.Join(dir, "none", "token") }, 0, nil},
		{"a directory in its place", func(t *testing.T, dir string) string {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "token.lock"), 0o700))
			return filepath.Join(dir, "token")
		}, 0, []string{"token file", "directory"}},
		{"held for too long", func(t *testing.T, dir string) string {
			holding, release := make(chan struct{}), make(chan struct{})
			path, done := filepath.Join(dir, "token"), make(chan struct{})
			go func() {
				defer close(done)
				_ = diskcache.WithLock(context.Background(), path, 0, nil, func(context.Context) error { close(holding); <-release; return nil })
			}()
			<-holding
			t.Cleanup(func() { close(release); <-done })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			assert.Equal(t, context.DeadlineExceeded, diskcache.WithLock(ctx, path, time.Hour, nil, call))
			return path
		}, 20 * time.Millisecond, []string{"token file", "another process"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w warnings
			path := c.path(t, t.TempDir())
			assert.Same(t, called, diskcache.WithLock(t.Context(), path, c.wait, w.add, call))
			w.assertTold(t, c.warns...)
			assert.Same(t, called, diskcache.WithLock(t.Context(), path, c.wait, nil, call))
		})
	}
}
