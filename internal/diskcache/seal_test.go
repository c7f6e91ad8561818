package diskcache_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestSealed writes with a key: no file of the directory shows anything of the entry,
// and a plain store and one with another key do not get it.
func TestSealed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	plain, sealed, wrong := openHouse(dir, nil), openHouse(dir, secret32("k")), openHouse(dir, secret32("x"))
	sealed.get(t, "ASIASEALED")
	for _, name := range mustReadDir(t, dir) {
		data := string(read(t, filepath.Join(dir, name)))
		for _, part := range []string{"ASIASEALED", testSecret, testToken, "role", "123456789012", "dev"} {
			assert.NotContains(t, strings.TrimPrefix(data, string(read(t, filepath.Join(dir, "CACHEDIR.TAG")))), part, name)
		}
	}
	assert.Equal(t, "ASIAPLAIN", plain.get(t, "ASIAPLAIN").AccessKeyID)
	assert.Equal(t, "ASIASEALED", sealed.get(t, "ASIASECOND").AccessKeyID, "the plain entry is not read, and has replaced nothing")
	assert.Equal(t, "ASIAPLAIN", plain.get(t, "ASIASECOND").AccessKeyID)
	first := read(t, sealed.file(".sealed"))

	assert.Equal(t, "ASIAWRONG", wrong.get(t, "ASIAWRONG").AccessKeyID)
	wrong.assertTold(t, "another key")
	assert.Equal(t, "ASIATHIRD", sealed.get(t, "ASIATHIRD").AccessKeyID)
	sealed.assertTold(t, "another key")
	assert.NotEqual(t, first[:29], read(t, sealed.file(".sealed"))[:29], "each file has a nonce of its own")
	plain.assertTold(t)
}

// TestSealedReplacesPlain begins to encrypt: the plain entry goes when the sealed one
// is there, and not before.
func TestSealedReplacesPlain(t *testing.T) {
	plain := newHouse(t)
	sealed := openHouse(plain.dir, secret32("k"))
	plain.get(t, "ASIAPLAIN")
	_, err := sealed.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
		assert.FileExists(t, plain.file(".json"))
		return diskcache.Entry{}, errors.New("down")
	})
	assert.EqualError(t, err, "down")
	assertKept(t, plain.dir, "ASIAPLAIN")
	assert.Equal(t, "ASIASEALED", sealed.get(t, "ASIASEALED").AccessKeyID)
	assert.NoFileExists(t, plain.file(".json"))
	assert.FileExists(t, sealed.file(".sealed"))
}

// TestKeyFails has key funcs that give no key: the credentials are fetched, and
// nothing is read or written.
func TestKeyFails(t *testing.T) {
	for _, c := range []struct {
		name string
		key  func(context.Context) ([]byte, error)
		warn string
	}{
		{"an error", func(context.Context) ([]byte, error) { return nil, errors.New("the keychain is locked") }, "the keychain is locked"},
		{"an error beside a key", func(context.Context) ([]byte, error) { return secret32("k"), errors.New("stale") }, "stale"},
		{"nil", func(context.Context) ([]byte, error) { return nil, nil }, "0 bytes; give 32"},
		{"16 bytes", func(context.Context) ([]byte, error) { return make([]byte, 16), nil }, "16 bytes; give 32"},
		{"33 bytes", func(context.Context) ([]byte, error) { return make([]byte, 33), nil }, "33 bytes; give 32"},
		{"a panic", func(context.Context) ([]byte, error) { panic(testSecret) }, "panicked"},
		{"its goroutine ends", func(context.Context) ([]byte, error) { runtime.Goexit(); return nil, nil }, "ended its goroutine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.get(t, "ASIAPLAIN")
			var asked atomic.Int32
			sealed := &house{dir: h.dir}
			sealed.Store = diskcache.Open(diskcache.Config{Dir: h.dir, Warn: sealed.add, Key: func(ctx context.Context) ([]byte, error) {
				asked.Add(1)
				return c.key(ctx)
			}})
			assert.Equal(t, "ASIAFIRST", sealed.get(t, "ASIAFIRST").AccessKeyID)
			assert.Equal(t, "ASIASECOND", sealed.get(t, "ASIASECOND").AccessKeyID)
			sealed.assertTold(t, "encryption key", c.warn)
			assert.NoFileExists(t, h.file(".sealed"))
			assertKept(t, h.dir, "ASIAPLAIN")
			assert.EqualValues(t, 1, asked.Load(), "a failure is not tried again at once")
		})
	}
}

// TestKeyTimes has a key func that takes a while, and one that fails at first.
func TestKeyTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, fail := 0, true
		h := &house{dir: filepath.Join(t.TempDir(), "cache")}
		h.Store = diskcache.Open(diskcache.Config{Dir: h.dir, Warn: h.add, Key: func(ctx context.Context) ([]byte, error) {
			asked++
			<-time.After(time.Second)
			if fail {
				return nil, errors.New("locked")
			}
			return secret32("k"), nil
		}})
		crowd := func() {
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					_, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIAFIRST"), nil })
					assert.NoError(t, err)
				})
			}
			wg.Wait()
		}
		crowd()
		assert.Equal(t, 1, asked, "one call for all")
		<-time.After(59 * time.Second)
		crowd()
		assert.Equal(t, 1, asked, "not before a minute")
		fail = false
		<-time.After(time.Second)
		crowd()
		assert.Equal(t, 2, asked, "after a minute")
		crowd()
		<-time.After(24 * time.Hour)
		crowd()
		assert.Equal(t, 2, asked, "never again after a success")
		assert.FileExists(t, h.file(".sealed"))
	})
}

// TestKeySlow has a person who is slow to unlock a keychain: the callers go on
// without the cache, and those who come later have it.
func TestKeySlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{dir: filepath.Join(t.TempDir(), "cache")}
		h.Store = diskcache.Open(diskcache.Config{Dir: h.dir, Warn: h.add, Key: func(ctx context.Context) ([]byte, error) {
			select {
			case <-time.After(time.Minute):
				return secret32("k"), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := h.Through(ctx, diskcache.Request{Key: testKey}, failing)
		assert.ErrorIs(t, err, context.DeadlineExceeded, "a caller leaves when its context ends")
		assert.Equal(t, time.Second, time.Since(began))
		h.assertTold(t)
		h.get(t, "ASIAFIRST")
		assert.Equal(t, 21*time.Second, time.Since(began))
		h.assertTold(t, "encryption key", "in time")
		h.get(t, "ASIASECOND")
		assert.Equal(t, 21*time.Second, time.Since(began), "nobody waits as long again")
		<-time.After(40 * time.Second)
		h.get(t, "ASIATHIRD")
		assert.FileExists(t, h.file(".sealed"))
	})
}

// TestKeySecret has a key that is kept at a service, whose words are shown on one
// line and without what it repeats of the request.
func TestKeySecret(t *testing.T) {
	h := &house{dir: filepath.Join(t.TempDir(), "cache")}
	h.Store = diskcache.Open(diskcache.Config{Dir: h.dir, Warn: h.add, Key: func(context.Context) ([]byte, error) {
		return nil, errors.New("refused:\nx-amz-security-token:" + testToken + "\nhost:kms")
	}})
	h.get(t, "ASIAFIRST")
	h.assertTold(t, "encryption key", "refused: x-amz-security-token:…")
}

// TestSealedBytes writes one entry twice: nothing of the two files but the head is
// the same.
func TestSealedBytes(t *testing.T) {
	a, b := goodFile(t, secret32("k")), goodFile(t, secret32("k"))
	assert.Equal(t, "awsauth-sealed-1\n", string(a[:17]))
	assert.False(t, bytes.Equal(a[17:29], b[17:29]))
}
