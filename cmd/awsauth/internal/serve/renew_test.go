package serve_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestShortLived: keys of fifteen minutes are looked after every fifteen seconds, and
// handed out from memory while a third of their time is left, the first as the next.
func TestShortLived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{keys: keys("ASIA1", 15*time.Minute)}
		s := startDeaf(t, from, quiet(t))
		for _, id := range []string{"ASIA2", "ASIA3"} {
			from.set(func(f *source) { f.asked = 0 })
			<-time.After(time.Minute + time.Second)
			assert.Equal(t, 4, from.count(), "looks in a minute")
			<-time.After(8 * time.Minute)
			from.set(func(f *source) { f.asked = 0 })
			status, _ := ask(t, s)
			assert.Equal(t, http.StatusOK, status)
			assert.Zero(t, from.count(), "almost six minutes are left")
			from.set(func(f *source) { f.keys = keys(id, 15*time.Minute) })
			<-time.After(15 * time.Second)
			_, fields := ask(t, s)
			assert.Equal(t, id, fields["AccessKeyId"])
		}
		require.NoError(t, s.Close())
	})
}

// TestLonger: keys of the same name that live longer are those that are handed out, and
// their new end with them.
func TestLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{keys: keys("ASIA1", time.Hour)}
		s := startDeaf(t, from, quiet(t))
		from.set(func(f *source) { f.keys = keys("ASIA1", 2*time.Hour) })
		<-time.After(90 * time.Minute)
		status, fields := ask(t, s)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, from.keys.Expires.UTC().Format("2006-01-02T15:04:05Z"), fields["Expiration"])
		require.NoError(t, s.Close())
	})
}

// TestTold: a failure is told once, its end is not, and the next failure is told again.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{keys: keys("ASIA1", time.Hour)}
		var told []string
		s := startDeaf(t, from, func(err error) {
			require.Error(t, err)
			told = append(told, err.Error())
		})
		for range 2 {
			from.set(func(f *source) { f.err = errors.New("STS is down") })
			<-time.After(5 * time.Minute)
			from.set(func(f *source) { f.err = nil })
			<-time.After(5 * time.Minute)
		}
		require.NoError(t, s.Close())
		assert.Equal(t, []string{"STS is down", "STS is down"}, told)
	})
}

// TestWhy: the answer says how the renewal failed that the request waited for, or how the
// one before failed where this one only ended too early, or brought nothing new.
func TestWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		before, now func(*source)
		says        string
	}{
		"another failure": {func(f *source) { f.err = errors.New("STS is down") }, func(f *source) { f.err = errors.New("the role is gone") }, "the role is gone"},
		"no answer":       {func(f *source) { f.err = errors.New("STS is down") }, func(f *source) { f.hangs = true }, "STS is down"},
		"the old keys":    {func(f *source) { f.err = errors.New("STS is down") }, func(f *source) { f.err = nil }, "STS is down"},
		"nothing is told": {func(*source) {}, func(*source) {}, "the keys expired, and there are no new ones yet"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &source{keys: keys("ASIA1", time.Hour)}
				s := startDeaf(t, from, func(error) {})
				from.set(tt.before)
				<-time.After(time.Hour + 30*time.Second)
				from.set(tt.now)
				status, fields := ask(t, s)
				assert.Equal(t, http.StatusServiceUnavailable, status)
				assert.Equal(t, tt.says, fields["message"])
				require.NoError(t, s.Close())
			})
		})
	}
}

// TestHeaders: an answer is JSON, and nobody on the way keeps it.
func TestHeaders(t *testing.T) {
	s := start(t, &source{keys: keys("ASIA1", time.Hour)}, quiet(t))
	for _, token := range []string{s.Token(), "wrong"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), nil)
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
}
