package bench

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"
)

// These are benchmarks as functions, for go test -bench and for cmd/table.

// benchStart makes providers from a source, "environment" or "profile".
func benchStart(b *testing.B, start Start, from string, retrieve bool) {
	b.ReportAllocs()
	profile, restore := FromKeys()
	if from == "profile" {
		restore()
		dir, err := os.MkdirTemp("", "awsauth-bench")
		if err != nil {
			b.Fatal(err)
		}
		defer os.RemoveAll(dir)
		profile, restore, err = FromProfile(dir)
		if err != nil {
			b.Fatal(err)
		}
	}
	defer restore()
	var client *http.Client
	if retrieve {
		client = MemorySTS()
	}
	for b.Loop() {
		p, err := start.New(profile, client)
		if err != nil {
			b.Fatal(err)
		}
		if retrieve {
			if _, err := p.Retrieve(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchHot retrieves what is in the cache.
func benchHot(b *testing.B, cache string, parallel bool) {
	b.ReportAllocs()
	ctx := context.Background()
	p, err := OverKeys(cache, &Keys{Lifetime: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Retrieve(ctx); err != nil {
		b.Fatal(err)
	}
	if !parallel {
		for b.Loop() {
			if _, err := p.Retrieve(ctx); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := p.Retrieve(ctx); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
