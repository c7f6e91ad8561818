package diskcache_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestFaults lets one call of the system fail: the credentials are there all the
// same, there is one warning, and no temporary file is left.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(*diskcache.Store)
		warn []string
		kept bool
	}{
		{"the disk is full", func(s *diskcache.Store) { s.FailSync(syscall.ENOSPC) }, []string{"cannot be written", syscall.ENOSPC.Error()}, false},
		{"the quota is used up", func(s *diskcache.Store) { s.FailRename(errors.New("quota")) }, []string{"cannot be written", "quota"}, false},
		{"no locks here", func(s *diskcache.Store) { s.FailLock(syscall.EINVAL) }, []string{"lock", syscall.EINVAL.Error()}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			c.fail(h.Store)
			assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
			h.assertTold(t, c.warn...)
			want := map[bool]string{true: "ASIAFIRST", false: "ASIASECOND"}[c.kept]
			assert.Equal(t, want, h.get(t, "ASIASECOND").AccessKeyID)
			h.assertTold(t)
			for _, name := range mustReadDir(t, h.dir) {
				assert.NotContains(t, name, ".tmp")
			}
		})
	}
}

// TestFailedRenameKeeps: an entry that cannot be replaced stays as it was.
func TestFailedRenameKeeps(t *testing.T) {
	h := newHouse(t)
	h.get(t, "ASIAFIRST")
	other := openHouse(h.dir, nil)
	other.FailRename(errors.New("quota"))
	_, err := other.Through(t.Context(), diskcache.Request{Key: testKey, Good: func(diskcache.Entry) bool { return false }},
		func(context.Context) (diskcache.Entry, error) { return newEntry("ASIASECOND"), nil })
	require.NoError(t, err)
	other.assertTold(t, "cannot be written", "quota")
	assertKept(t, h.dir, "ASIAFIRST")
}

// TestWarnOnce has every kind of trouble twice, each told once.
func TestWarnOnce(t *testing.T) {
	h := newHouse(t)
	h.FailSync(syscall.ENOSPC)
	h.FailLock(syscall.EINVAL)
	require.NoError(t, os.Mkdir(h.dir, 0o700))
	write(t, h.file(".json"), []byte("damaged"))
	h.get(t, "ASIAFIRST")
	h.get(t, "ASIASECOND")
	lines := h.take()
	assert.Len(t, lines, 3, "%s", strings.Join(lines, "\n"))

	silent := diskcache.Open(diskcache.Config{Dir: h.dir})
	_, err := silent.Through(t.Context(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIAFIRST"), nil })
	assert.NoError(t, err, "nobody is told, and nothing is wrong")
}

// TestRetryWhile has what Windows says of a file that another process has open.
func TestRetryWhile(t *testing.T) {
	blocked := errors.New("blocked")
	isBlocked := func(err error) bool { return errors.Is(err, blocked) }
	for _, c := range []struct {
		name  string
		errs  []error // of the tries; the last one for all that follow
		want  error
		tries int
		takes time.Duration
	}{
		{"at once", []error{nil}, nil, 1, 0},
		{"another error", []error{errFetch}, errFetch, 1, 0},
		{"after a while", []error{blocked, blocked, blocked, nil}, nil, 4, 7 * time.Millisecond},
		{"another error later", []error{blocked, errFetch}, errFetch, 2, time.Millisecond},
		{"never", []error{blocked}, blocked, 9, 255 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, tries := time.Now(), 0
				err := diskcache.RetryWhile(isBlocked, func() error {
					tries++
					return c.errs[min(tries, len(c.errs))-1]
				})
				assert.Equal(t, c.want, err)
				assert.Equal(t, c.tries, tries)
				assert.Equal(t, c.takes, time.Since(began))
			})
		})
	}
}
