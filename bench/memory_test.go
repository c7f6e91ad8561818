package bench

import "testing"

func TestSessionsLeaveNothingBehind(t *testing.T) {
	f, err := Remember(Ours, 2_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	if f.Bytes > 8<<10 {
		t.Errorf("%.0f bytes per session", f.Bytes)
	}
	if f.Left > 256 { // the map keeps its buckets
		t.Errorf("%.0f bytes per session stay when the sessions are dropped", f.Left)
	}
	if f.Goroutines > 0 {
		t.Errorf("%d goroutines run for idle sessions", f.Goroutines)
	}
}

func BenchmarkMemory(b *testing.B) {
	for _, cache := range []string{SDK, Ours} {
		b.Run(cache, func(b *testing.B) {
			var f Footprint
			for b.Loop() {
				var err error
				if f, err = Remember(cache, 10_000); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(f.Bytes, "heap-bytes/session")
			b.ReportMetric(f.Left, "left-bytes/session")
		})
	}
}
