package diskcache_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// BenchmarkThrough is what a fresh process does with a warm cache: one read of an
// entry with a token of 4 KiB.
func BenchmarkThrough(b *testing.B) {
	for name, key := range map[string]func(context.Context) ([]byte, error){
		"plain":  nil,
		"sealed": func(context.Context) ([]byte, error) { return secret32("k"), nil },
	} {
		b.Run(name, func(b *testing.B) {
			c := diskcache.Config{Dir: filepath.Join(b.TempDir(), "cache"), Key: key}
			fetch := func(context.Context) (diskcache.Entry, error) {
				e := newEntry("ASIAFIRST")
				e.SessionToken = long(4)
				return e, nil
			}
			_, err := diskcache.Open(c).Through(b.Context(), diskcache.Request{Key: testKey}, fetch)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, err := diskcache.Open(c).Through(b.Context(), diskcache.Request{Key: testKey}, failing)
				require.NoError(b, err)
			}
		})
	}
}
