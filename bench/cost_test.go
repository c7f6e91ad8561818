package bench

import (
	"context"
	"testing"
	"time"
)

// One op is 320 accounts: 20 rounds of 16, against a STS that answers at once,
// so that what is measured is the peer.
func BenchmarkForEachAccount(b *testing.B) {
	s, err := StartSTS(0)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const n = 320
	accounts := Accounts(n)
	for _, w := range Walkers() {
		b.Run(w.Name, func(b *testing.B) {
			b.ReportAllocs()
			if _, err := s.Take(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := w.Walk(context.Background(), s.URL, accounts); err != nil {
					b.Fatal(err)
				}
			}
			c, err := s.Take()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(c.Calls)/float64(b.N*n), "STS-calls/account")
			b.ReportMetric(float64(c.Connections)/float64(b.N), "connections/op")
		})
	}
}

// New alone, and New with the first credentials from a STS in memory.
func BenchmarkNew(b *testing.B) {
	for _, from := range []string{"environment", "profile"} {
		for _, start := range Starts() {
			b.Run(from+"/"+start.Name, func(b *testing.B) { benchStart(b, start, from, false) })
		}
	}
}

func BenchmarkNewAndRetrieve(b *testing.B) {
	for _, from := range []string{"environment", "profile"} {
		for _, start := range Starts() {
			b.Run(from+"/"+start.Name, func(b *testing.B) { benchStart(b, start, from, true) })
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		times []time.Duration
		want  time.Duration
	}{
		{nil, 0},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1, 5}, 5},
	} {
		if got := Median(c.times); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.times, got, c.want)
		}
	}
}
