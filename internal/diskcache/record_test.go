package diskcache_test

import (
	"bytes"
	"context"
	"encoding/json"
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

// with changes one field of an entry's JSON; a nil value removes it.
func with(t *testing.T, good []byte, field string, value any) []byte {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal(good, &fields))
	require.Contains(t, fields, field)
	if fields[field] = value; value == nil {
		delete(fields, field)
	}
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	return data
}

// TestBadEntries has contents that count as absent and are replaced. None hangs, and
// no warning quotes them.
func TestBadEntries(t *testing.T) {
	good := goodFile(t, nil)
	past := time.Now().Add(-time.Second)
	for _, c := range []struct {
		name  string
		data  []byte
		warns []string
	}{
		{"empty", nil, []string{"damaged"}},
		{"cut", good[:len(good)/2], []string{"damaged"}},
		{"cut by one", good[:len(good)-1], []string{"damaged"}},
		{"two in one", append(bytes.Clone(good), good...), []string{"damaged"}},
		{"zeros", make([]byte, len(good)), []string{"damaged"}},
		{"null", []byte("null"), []string{"another version"}},
		{"an array", []byte("[]"), []string{"damaged"}},
		{"a number for a key", with(t, good, "SecretAccessKey", 1), []string{"damaged"}},
		{"of another version", with(t, good, "Version", 2), []string{"another version"}},
		{"of no version", with(t, good, "Version", nil), []string{"another version"}},
		{"a copy", with(t, good, "Key", diskcache.NewKey().Sum().String()), []string{"copy"}},
		{"no key of its own", with(t, good, "Key", nil), []string{"copy"}},
		{"no secret", with(t, good, "SecretAccessKey", nil), []string{"damaged"}},
		{"no key id", with(t, good, "AccessKeyId", ""), []string{"damaged"}},
		{"no expiry", with(t, good, "Expires", nil), []string{"damaged"}},
		{"expired", with(t, good, "Expires", past), nil},
		{"expiry is a number", with(t, good, "Expires", 1799999999), []string{"damaged"}},
		{"encrypted", diskcache.Seal(good, testKey, secret32("k")), []string{"damaged"}},
		{"deep", []byte(strings.Repeat("[", 100_000)), []string{"damaged"}},
		{"too large", append(bytes.Clone(good), bytes.Repeat([]byte(" "), 256<<10)...), []string{"256 KiB"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			require.NoError(t, os.Mkdir(h.dir, 0o700))
			write(t, h.file(".json"), c.data)
			assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
			h.assertTold(t, c.warns...)
			assertKept(t, h.dir, "ASIAFIRST")
		})
	}
	t.Run("a field of a later version", func(t *testing.T) {
		h := newHouse(t)
		require.NoError(t, os.Mkdir(h.dir, 0o700))
		write(t, h.file(".json"), append([]byte(`{"Later":[1],`), good[1:]...))
		assert.Equal(t, "ASIAGOOD", h.get(t, "ASIAFIRST").AccessKeyID)
	})
}

// goodFile is what a store writes for testKey.
func goodFile(t testing.TB, secret []byte) []byte {
	dir := filepath.Join(t.TempDir(), "cache")
	h := openHouse(dir, secret)
	_, err := h.Through(context.Background(), diskcache.Request{Key: testKey}, func(context.Context) (diskcache.Entry, error) { return newEntry("ASIAGOOD"), nil })
	require.NoError(t, err)
	suffix := ".json"
	if secret != nil {
		suffix = ".sealed"
	}
	data, err := os.ReadFile(h.file(suffix))
	require.NoError(t, err)
	return data
}

func TestBadSealedEntries(t *testing.T) {
	k := secret32("k")
	good, plain := goodFile(t, k), goodFile(t, nil)
	type row struct {
		name string
		data []byte
	}
	rows := []row{
		{"empty", nil},
		{"plain", plain},
		{"the head alone", good[:17]},
		{"cut", good[:len(good)-1]},
		{"longer", append(bytes.Clone(good), 0)},
		{"of another key", diskcache.Seal(plain, testKey, secret32("x"))},
		{"of another name", diskcache.Seal(plain, diskcache.NewKey().Sum(), k)},
	}
	for _, at := range []int{0, 16, 17, 28, 29, len(good) / 2, len(good) - 1} {
		changed := bytes.Clone(good)
		changed[at] ^= 1
		rows = append(rows, row{fmt.Sprintf("byte %d changed", at), changed})
	}
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			h := openHouse(filepath.Join(t.TempDir(), "cache"), k)
			require.NoError(t, os.Mkdir(h.dir, 0o700))
			write(t, h.file(".sealed"), c.data)
			assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID)
			h.assertTold(t, "cannot be decrypted")
			other := openHouse(h.dir, k)
			assert.Equal(t, "ASIAFIRST", other.get(t, "ASIASECOND").AccessKeyID)
			other.assertTold(t)
		})
	}
	h := openHouse(filepath.Join(t.TempDir(), "cache"), k)
	require.NoError(t, os.Mkdir(h.dir, 0o700))
	write(t, h.file(".sealed"), diskcache.Seal(with(t, plain, "Expires", time.Now()), testKey, k))
	assert.Equal(t, "ASIAFIRST", h.get(t, "ASIAFIRST").AccessKeyID, "an expired one")
	h.assertTold(t)
}

// FuzzEntry reads any bytes as an entry, plain and encrypted. What is accepted is
// complete, unexpired, and bound to its name; no error quotes it.
func FuzzEntry(f *testing.F) {
	good, k := goodFile(f, nil), secret32("k")
	f.Add(good, false)
	f.Add(goodFile(f, k), true)
	f.Add(good[:len(good)-2], false)
	f.Add([]byte(`{"Version":1,"Expires":"9999-12-31T23:59:59Z"}`), false)
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		now, secret := time.Now(), []byte(nil)
		if sealed {
			secret = k
		}
		check := func(data, secret []byte) {
			e, err := diskcache.Decode(data, testKey, secret, now)
			if err != nil {
				assert.Less(t, len(err.Error()), 100)
				return
			}
			assert.True(t, e.HasKeys() && e.CanExpire && e.Expires.After(now))
			_, err = diskcache.Decode(data, diskcache.NewKey().Sum(), secret, now)
			assert.Error(t, err, "under another name")
		}
		check(data, secret)
		check(diskcache.Seal(data, testKey, k), k) // what only a holder of the key can write
	})
}
