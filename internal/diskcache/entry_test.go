package diskcache_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestEntryShowsNoSecret prints an entry in every way.
func TestEntryShowsNoSecret(t *testing.T) {
	e := newEntry("ASIAIOSFODNN7EXAMPLE")
	var log bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&log, nil))
	l.Info("entry", "value", e, "pointer", &e, "within", struct{ E diskcache.Entry }{e})
	shown := []string{log.String(), e.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, e), fmt.Sprintf(verb, &e), fmt.Sprintf(verb, []diskcache.Entry{e}),
			fmt.Sprintf(verb, struct{ E diskcache.Entry }{e}))
	}
	for _, v := range []any{e, &e, map[string]diskcache.Entry{"e": e}} {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		shown = append(shown, string(data))
	}
	for _, text := range shown {
		assert.NotContains(t, text, testSecret)
		assert.NotContains(t, text, testToken)
		assert.NotContains(t, text, "ASIAIOSFODNN7EXAMPLE")
		assert.Contains(t, text, "assumed-role/ops/me", "it says whose they are")
	}
}

// TestEntrySays: an entry says whose key it is and until when, as far as it is known.
func TestEntrySays(t *testing.T) {
	e := newEntry("ASIAIOSFODNN7EXAMPLE")
	e.Expires = time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	assert.Equal(t, "credentials ASIA…MPLE of arn:aws:sts::123456789012:assumed-role/ops/me until 2030-01-02T02:04:05Z", e.String())
	assert.Equal(t, slog.StringValue(e.String()), e.LogValue())
	e.ARN, e.CanExpire = "", false
	assert.Equal(t, "credentials ASIA…MPLE", e.String())
}

func TestKey(t *testing.T) {
	type fields = *diskcache.KeyBuilder
	seen := map[diskcache.Key]string{}
	for name, add := range map[string]func(fields) fields{
		"none":             func(b fields) fields { return b },
		"a field":          func(b fields) fields { return b.Add("a", "b") },
		"another name":     func(b fields) fields { return b.Add("b", "b") },
		"another value":    func(b fields) fields { return b.Add("a", "c") },
		"no value":         func(b fields) fields { return b.Add("a") },
		"an empty value":   func(b fields) fields { return b.Add("a", "") },
		"two empty values": func(b fields) fields { return b.Add("a", "", "") },
		"name and value":   func(b fields) fields { return b.Add("ab", "") },
		"empty name":       func(b fields) fields { return b.Add("", "ab") },
		"two values":       func(b fields) fields { return b.Add("a", "b", "c") },
		"joined and empty": func(b fields) fields { return b.Add("a", "bc", "") },
		"empty and joined": func(b fields) fields { return b.Add("a", "", "bc") },
		"joined":           func(b fields) fields { return b.Add("a", "bc") },
		"split elsewhere":  func(b fields) fields { return b.Add("a", "b", "", "c") },
		"other order":      func(b fields) fields { return b.Add("a", "c", "b") },
		"two fields":       func(b fields) fields { return b.Add("a", "b").Add("c") },
		"fields swapped":   func(b fields) fields { return b.Add("c").Add("a", "b") },
		"the same twice":   func(b fields) fields { return b.Add("a", "b").Add("a", "b") },
		"NUL":              func(b fields) fields { return b.Add("a", "b\x00c") },
	} {
		k := add(diskcache.NewKey()).Sum()
		assert.Empty(t, seen[k], name)
		assert.Len(t, k.String(), 64)
		seen[k] = name
		assert.Equal(t, k, add(diskcache.NewKey()).Sum(), "the same fields give the same key")
	}
	b := diskcache.NewKey().Add("a")
	assert.Equal(t, b.Sum(), b.Sum(), "Sum changes nothing")
}
