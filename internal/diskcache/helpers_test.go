package diskcache_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

const (
	testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	testToken  = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
)

// testKey is the key of most tests' entry.
var testKey = diskcache.NewKey().Add("role", "arn:aws:iam::123456789012:role/ops").Sum()

func newEntry(id string) diskcache.Entry {
	return diskcache.Entry{
		Credentials: aws.Credentials{
			AccessKeyID: id, SecretAccessKey: testSecret, SessionToken: testToken, Source: "test", AccountID: "123456789012",
			CanExpire: true, Expires: time.Now().UTC().Add(time.Hour).Round(0),
		},
		ARN: "arn:aws:sts::123456789012:assumed-role/ops/me", UserID: "AROAEXAMPLE:me", Fetched: time.Now().UTC().Round(0),
		What: "role ops", From: "profile dev",
	}
}

// warnings collects what a store warns of.
type warnings struct {
	mu    sync.Mutex
	lines []string
}

func (w *warnings) add(_ context.Context, msg string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := msg
	if err != nil {
		line += ": " + err.Error()
	}
	w.lines = append(w.lines, line)
}

// take returns the warnings since the last call.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines
	w.lines = nil
	return lines
}

// assertTold checks that there was one warning, and that it has these words. No
// word: that there was none.
func (w *warnings) assertTold(t *testing.T, words ...string) {
	t.Helper()
	lines := w.take()
	if len(words) == 0 {
		assert.Empty(t, lines)
		return
	}
	if assert.Len(t, lines, 1, "%q", lines) {
		for _, word := range words {
			assert.Contains(t, lines[0], word)
		}
		assert.NotContains(t, lines[0], testSecret)
		assert.NotContains(t, lines[0], testToken)
	}
}

// house is a store in a directory of its own, as one process has it.
type house struct {
	*diskcache.Store
	warnings
	dir     string
	fetches int // of the last fetch's keys
}

func newHouse(t *testing.T) *house { return openHouse(filepath.Join(t.TempDir(), "cache"), nil) }

// openHouse opens a directory as another process would.
func openHouse(dir string, secret []byte) *house {
	h := &house{dir: dir}
	c := diskcache.Config{Dir: dir, Warn: h.add}
	if secret != nil {
		c.Key = func(context.Context) ([]byte, error) { return secret, nil }
	}
	h.Store = diskcache.Open(c)
	return h
}

func (h *house) file(suffix string) string { return filepath.Join(h.dir, testKey.String()+suffix) }

// get asks for the entry of testKey; a fetch gives keys of this id.
func (h *house) get(t *testing.T, id string) diskcache.Entry {
	t.Helper()
	e, err := h.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) {
		h.fetches++
		return newEntry(id), nil
	})
	require.NoError(t, err)
	return e
}

// assertKept checks that another process finds the keys of this id.
func assertKept(t *testing.T, dir, id string) {
	t.Helper()
	other := openHouse(dir, nil)
	assert.Equal(t, id, other.get(t, "ASIAOTHER").AccessKeyID)
	other.assertTold(t)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

var errFetch = errors.New("fetch failed")

func failing(context.Context) (diskcache.Entry, error) { return diskcache.Entry{}, errFetch }

// secret32 is an encryption key that is all of one letter.
func secret32(letter string) []byte { return bytes.Repeat([]byte(letter), 32) }

// long is a text of so many KiB.
func long(kib int) string { return strings.Repeat("0123456789abcdef", kib*64) }
