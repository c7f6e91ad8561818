package diskcache_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

func TestThrough(t *testing.T) {
	h := newHouse(t)
	want := newEntry("ASIAFIRST")
	got, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return want, nil })
	require.NoError(t, err)
	assert.True(t, want == got, "what was fetched is returned as it is")

	other := openHouse(h.dir, nil)
	got = other.get(t, "ASIASECOND")
	assert.True(t, want == got, "all fields come back from the file: %v, want %v", got, want)
	assert.Zero(t, other.fetches)

	apart, err := other.Through(t.Context(), diskcache.Request{Key: diskcache.NewKey().Sum()}, func(context.Context) (diskcache.Entry, error) {
		return newEntry("ASIATHIRD"), nil
	})
	require.NoError(t, err)
	assert.Equal(t, "ASIATHIRD", apart.AccessKeyID, "another key is another entry")
	h.assertTold(t)
	other.assertTold(t)
}

func TestThroughGood(t *testing.T) {
	h := newHouse(t)
	h.get(t, "ASIAFIRST")
	var asked []string
	got, err := h.Through(t.Context(), diskcache.Request{Key: testKey, Good: func(e diskcache.Entry) bool {
		asked = append(asked, e.AccessKeyID)
		return e.AccessKeyID != "ASIAFIRST"
	}}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIASECOND"), nil })
	require.NoError(t, err)
	assert.Equal(t, "ASIASECOND", got.AccessKeyID)
	assert.Equal(t, []string{"ASIAFIRST", "ASIAFIRST"}, asked, "before and under the lock")
	assertKept(t, h.dir, "ASIASECOND")
}

// TestThroughFetch has fetches whose outcome is returned and not written.
func TestThroughFetch(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*diskcache.Entry)
		warns  []string
	}{
		{"no expiry", func(e *diskcache.Entry) { e.CanExpire = false }, nil},
		{"a zero expiry", func(e *diskcache.Entry) { e.Expires = time.Time{} }, nil},
		{"expired", func(e *diskcache.Entry) { e.Expires = time.Now().Add(-time.Nanosecond) }, nil},
		{"no secret", func(e *diskcache.Entry) { e.SecretAccessKey = "" }, nil},
		{"after the year 9999", func(e *diskcache.Entry) { e.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{"9999"}},
		{"a token that is no text", func(e *diskcache.Entry) { e.SessionToken = "\xff" }, []string{"UTF-8"}},
		{"too large", func(e *diskcache.Entry) { e.SessionToken = long(256) }, []string{"256 KiB"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, want := newHouse(t), newEntry("ASIAFIRST")
			c.change(&want)
			got, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return want, nil })
			require.NoError(t, err)
			assert.True(t, want == got)
			assert.NoFileExists(t, h.file(".json"))
			h.assertTold(t, c.warns...)
		})
	}
}

func TestThroughFails(t *testing.T) {
	h := newHouse(t)
	_, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, failing)
	assert.Same(t, errFetch, err)
	for _, f := range mustReadDir(t, h.dir) {
		assert.NotContains(t, string(read(t, filepath.Join(h.dir, f))), errFetch.Error())
	}
	assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID, "the next one fetches")

	assert.PanicsWithValue(t, "bug", func() {
		_, _ = h.Through(t.Context(), diskcache.Request{Key: diskcache.NewKey().Sum()}, func(context.Context) (diskcache.Entry, error) { panic("bug") })
	})
	_, err = h.Through(t.Context(), diskcache.Request{Key: diskcache.NewKey().Sum(), Wait: time.Millisecond}, failing)
	assert.Same(t, errFetch, err)
	h.assertTold(t) // the panic has left no lock
}

// TestThroughOnce has many goroutines, each with a store of its own and all with
// one: the locks of one process exclude each other too.
func TestThroughOnce(t *testing.T) {
	shared := newHouse(t)
	for _, c := range []struct {
		name string
		open func() *house
	}{
		{"one store", func() *house { return shared }},
		{"a store each", func() *house { return openHouse(shared.dir, nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := diskcache.NewKey().Add("test", c.name).Sum()
			var fetches atomic.Int32
			var wg sync.WaitGroup
			for range 50 {
				h := c.open()
				wg.Go(func() {
					got, err := h.Through(t.Context(), diskcache.Request{Key: key}, func(context.Context) (diskcache.Entry, error) {
						fetches.Add(1)
						return newEntry("ASIAFIRST"), nil
					})
					assert.NoError(t, err)
					assert.Equal(t, "ASIAFIRST", got.AccessKeyID)
					h.assertTold(t)
				})
			}
			wg.Wait()
			assert.EqualValues(t, 1, fetches.Load())
		})
	}
}

// TestThroughNested fetches one entry through another, as a role behind MFA does.
func TestThroughNested(t *testing.T) {
	h := newHouse(t)
	outer := diskcache.NewKey().Add("role", "outer").Sum()
	got, err := h.Through(t.Context(), diskcache.Request{Key: outer}, func(context.Context) (diskcache.Entry, error) {
		return newEntry(h.get(t, "ASIAINNER").AccessKeyID + "OUTER"), nil
	})
	require.NoError(t, err)
	assert.Equal(t, "ASIAINNEROUTER", got.AccessKeyID)
	assertKept(t, h.dir, "ASIAINNER")
}

func TestThroughTokens(t *testing.T) {
	for _, kib := range []int{0, 4, 12} {
		for _, secret := range [][]byte{nil, secret32("k")} {
			dir, want := filepath.Join(t.TempDir(), "cache"), newEntry("ASIAFIRST")
			want.SessionToken = long(kib)
			_, err := openHouse(dir, secret).Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return want, nil })
			require.NoError(t, err)
			got := openHouse(dir, secret).get(t, "ASIASECOND")
			assert.True(t, want == got, "%d KiB", kib)
		}
	}
}

// TestThroughLate keeps what was fetched for a caller that has gone: a person may
// have typed a code for it.
func TestThroughLate(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := h.Through(ctx, diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
		cancel()
		return newEntry("ASIAFIRST"), nil
	})
	require.NoError(t, err)
	assertKept(t, h.dir, "ASIAFIRST")

	got, err := h.Through(ctx, diskcache.Request{Key: testKey}, failing)
	require.NoError(t, err, "a good entry costs no waiting")
	assert.Equal(t, "ASIAFIRST", got.AccessKeyID)
	_, err = h.Through(ctx, diskcache.Request{Key: diskcache.NewKey().Sum()}, failing)
	assert.ErrorIs(t, err, context.Canceled)
}

// TestOpen does no I/O: the directory is made at first use, and a store that is
// never used asks for no key.
func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := diskcache.Open(diskcache.Config{Dir: dir, Key: func(context.Context) ([]byte, error) { panic("not asked") }})
	assert.NoDirExists(t, filepath.Dir(dir))
	items, err := s.List(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, items)
	n, err := s.Clear(t.Context())
	assert.NoError(t, err)
	assert.Zero(t, n)
	s.Drop(t.Context(), testKey, "ASIAFIRST")
	assert.NoDirExists(t, filepath.Dir(dir))
}

func TestOpenRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	h := openHouse("cache", nil)
	t.Chdir(t.TempDir())
	h.get(t, "ASIAFIRST")
	assert.NoDirExists(t, "cache", "the directory is the one of when the store was opened")
	h.assertTold(t)
}

func TestFetchWithoutCredentials(t *testing.T) {
	h := newHouse(t)
	got, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
		return diskcache.Entry{Credentials: aws.Credentials{}}, nil
	})
	require.NoError(t, err)
	assert.False(t, got.HasKeys())
	assert.NoFileExists(t, h.file(".json"))
}

func mustReadDir(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestTag(t *testing.T) {
	h := newHouse(t)
	h.get(t, "ASIAFIRST")
	text := string(read(t, filepath.Join(h.dir, "CACHEDIR.TAG")))
	assert.True(t, strings.HasPrefix(text, "Signature: 8a477f597d28d172789f06886806bc55\n"))
	require.NoError(t, os.Remove(filepath.Join(h.dir, "CACHEDIR.TAG")))
	h.Drop(t.Context(), testKey, "ASIAFIRST")
	h.get(t, "ASIASECOND")
	assert.NoFileExists(t, filepath.Join(h.dir, "CACHEDIR.TAG"), "a process looks after it once")

	mixed := openHouse(t.TempDir(), nil)
	write(t, filepath.Join(mixed.dir, "thesis.txt"), nil)
	require.NoError(t, os.Chmod(mixed.dir, 0o700))
	mixed.get(t, "ASIAFIRST")
	assert.NoFileExists(t, filepath.Join(mixed.dir, "CACHEDIR.TAG"), "backups must not pass over the files of others")
	mixed.assertTold(t)
}
