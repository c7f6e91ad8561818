package diskcache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

func TestList(t *testing.T) {
	h := newHouse(t)
	sealed := openHouse(h.dir, secret32("k"))
	sealed.get(t, "ASIASEALED")
	want := h.get(t, "ASIAPLAIN")
	expired := diskcache.NewKey().Add("expired").Sum()
	past := time.Now().UTC().Add(-time.Hour)
	write(t, filepath.Join(h.dir, expired.String()+".json"), with(t, with(t, read(t, h.file(".json")), "Expires", past), "Key", expired.String()))
	damaged := filepath.Join(h.dir, diskcache.NewKey().Add("damaged").Sum().String()+".json")
	write(t, damaged, nil)
	write(t, filepath.Join(h.dir, "notes.json"), nil)

	full := func(file string, encrypted bool, expires time.Time) diskcache.Item {
		return diskcache.Item{File: file, Encrypted: encrypted, What: want.What, From: want.From, Account: want.AccountID, ARN: want.ARN, Expires: expires}
	}
	items, err := h.List(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []diskcache.Item{
		full(h.file(".json"), false, want.Expires),
		full(filepath.Join(h.dir, expired.String()+".json"), false, past),
		{File: damaged},
		{File: h.file(".sealed"), Encrypted: true},
	}, items)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		assert.NotContains(t, fmt.Sprintf(verb, items), testSecret)
	}

	items, err = sealed.List(t.Context())
	require.NoError(t, err)
	require.Len(t, items, 4)
	for _, item := range items {
		assert.Equal(t, item.Encrypted, item.What != "", "only its own are read: %v", item)
	}
	sealed.assertTold(t)

	locked := &house{dir: h.dir}
	locked.Store = diskcache.Open(diskcache.Config{Dir: h.dir, Warn: locked.add, Key: func(context.Context) ([]byte, error) { return nil, errors.New("locked") }})
	items, err = locked.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, items, 4)
	for _, item := range items {
		assert.Empty(t, item.What, "plain entries are not read where there is a key")
	}
	locked.assertTold(t, "locked")
	locked.Drop(t.Context(), testKey, "ASIASEALED")
	assert.FileExists(t, h.file(".sealed"), "what it holds is not known")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = h.List(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	_, err = h.Clear(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.FileExists(t, h.file(".json"))
}

func TestClear(t *testing.T) {
	h := newHouse(t)
	openHouse(h.dir, secret32("k")).get(t, "ASIASEALED")
	h.get(t, "ASIAPLAIN")
	write(t, filepath.Join(h.dir, "awsauth-123.tmp"), nil)
	digits := strings.Repeat("0a", 32)
	others := []string{
		"notes.json", digits, digits[1:] + ".json", digits + "a.json", digits + ".json.bak", digits + ".txt",
		strings.ToUpper(digits) + ".json", strings.Repeat("0g", 32) + ".json",
		"awsauth-notes.tmp", "awsauth-123", "123.tmp", "notes-123.tmp", "awsauth-123.tmp.old",
	}
	for _, name := range others {
		write(t, filepath.Join(h.dir, name), nil)
	}
	n, err := h.Clear(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	assert.ElementsMatch(t, append(others, "CACHEDIR.TAG"), mustReadDir(t, h.dir))

	release := hold(t, h.dir, "ASIAHOLDER")
	n, err = h.Clear(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.FileExists(t, h.file(".lock"), "a lock that is held stays")
	release()
	assertKept(t, h.dir, "ASIAHOLDER")
}

func TestDrop(t *testing.T) {
	for _, secret := range [][]byte{nil, secret32("k")} {
		h := openHouse(filepath.Join(t.TempDir(), "cache"), secret)
		h.get(t, "ASIAFIRST")
		h.Drop(t.Context(), testKey, "ASIAOTHER")
		h.Drop(t.Context(), diskcache.NewKey().Sum(), "ASIAFIRST")
		assert.NoFileExists(t, filepath.Join(h.dir, diskcache.NewKey().Sum().String()+".lock"), "there is nothing to lock for")
		assert.Equal(t, "ASIAFIRST", h.get(t, "ASIASECOND").AccessKeyID, "a newer entry stays")
		h.Drop(t.Context(), testKey, "ASIAFIRST")
		assert.Equal(t, "ASIATHIRD", h.get(t, "ASIATHIRD").AccessKeyID)

		_, err := h.Through(t.Context(), diskcache.Request{Key: testKey, Good: func(diskcache.Entry) bool { return false }},
			func(ctx context.Context) (diskcache.Entry, error) {
				h.Drop(ctx, testKey, "ASIATHIRD") // the lock is held here: it is not waited for
				return failing(ctx)
			})
		assert.Same(t, errFetch, err)
		assert.Equal(t, "ASIAFOURTH", h.get(t, "ASIAFOURTH").AccessKeyID)
		h.assertTold(t)
	}
}

// TestDropNewer has another process write a newer entry between the look and the lock.
func TestDropNewer(t *testing.T) {
	h := newHouse(t)
	h.get(t, "ASIAFIRST")
	newer := with(t, read(t, h.file(".json")), "AccessKeyId", "ASIANEWER")
	h.RaceLock(func(string) { write(t, h.file(".json"), newer) }, func(string) {})
	h.Drop(t.Context(), testKey, "ASIAFIRST")
	assertKept(t, h.dir, "ASIANEWER")
}

// TestSweep has files of all kinds and ages. Those of others are never removed, and
// a temporary file is never read.
func TestSweep(t *testing.T) {
	key := func(n int) string { return diskcache.NewKey().Add("n", fmt.Sprint(n)).Sum().String() }
	dir, now := t.TempDir(), time.Now()
	for name, c := range map[string]struct {
		age  time.Duration
		kept bool
	}{
		"awsauth-1.tmp":      {59 * time.Minute, true},
		"awsauth-2.tmp":      {61 * time.Minute, false},
		key(1) + ".json":     {47 * time.Hour, true},
		key(2) + ".json":     {49 * time.Hour, false},
		key(3) + ".sealed":   {49 * time.Hour, false},
		key(4) + ".lock":     {47 * time.Hour, true},
		key(5) + ".lock":     {49 * time.Hour, false},
		key(6) + ".json.bak": {999 * time.Hour, true},
		"x" + key(7)[1:]:     {999 * time.Hour, true},
		"config.json":        {999 * time.Hour, true},
		"awsauth-notes":      {999 * time.Hour, true},
		"CACHEDIR.TAG":       {999 * time.Hour, true},
	} {
		write(t, filepath.Join(dir, name), nil)
		then := now.Add(-c.age)
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), then, then))
		defer func() { assert.Equal(t, c.kept, exists(t, filepath.Join(dir, name)), name) }()
	}
	diskcache.Sweep(dir, now)
	diskcache.Sweep(filepath.Join(dir, "none"), now)
}

func exists(t *testing.T, path string) bool {
	_, err := os.Lstat(path)
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	return err == nil
}

// TestSweepHeld leaves an old lock that is held, and sweeps at the first write.
func TestSweepHeld(t *testing.T) {
	h := newHouse(t)
	release := hold(t, h.dir, "ASIAHOLDER")
	then := time.Now().Add(-99 * time.Hour)
	require.NoError(t, os.Chtimes(h.file(".lock"), then, then))
	leftover := filepath.Join(h.dir, "awsauth-1.tmp")
	write(t, leftover, nil)
	require.NoError(t, os.Chtimes(leftover, then, then))

	_, err := h.Through(t.Context(), diskcache.Request{Key: diskcache.NewKey().Sum()}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIAFIRST"), nil })
	require.NoError(t, err)
	assert.NoFileExists(t, leftover)
	assert.FileExists(t, h.file(".lock"))
	release()
}
