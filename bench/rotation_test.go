package bench

import (
	"testing"
	"testing/synctest"
	"time"
)

// Each scenario shows what the tables and charts say it shows.
func TestScenarios(t *testing.T) {
	t.Parallel()
	const never = -1
	want := map[string]map[string]struct {
		errors bool
		wait   time.Duration // at most; never: more than the latency of STS
		sts    int           // at most
	}{
		"expiry, busy":       {SDK: {false, Latency, 2}, Ours: {false, 0, 3}},
		"expiry, idle":       {SDK: {false, Latency, 2}, Ours: {false, Latency, 2}},
		"outage, keys good":  {SDK5: {true, never, 5000}, Ours: {false, 0, 40}},
		"outage over expiry": {SDK: {true, never, 5000}, Ours: {false, 0, 80}},
		"hung refresh":       {SDK: {true, never, 1}, Ours: {false, 0, 4}},
	}
	for _, s := range Scenarios(100) {
		for cache, want := range want[s.Name] {
			t.Run(s.Name+"/"+cache, func(t *testing.T) {
				var o Outcome
				var err error
				synctest.Test(t, func(*testing.T) { o, err = s.Run(cache) })
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", o)
				if (o.Errors > 0) != want.errors {
					t.Errorf("%d errors", o.Errors)
				}
				if want.wait == never && o.MaxWait <= Latency || want.wait != never && o.MaxWait > want.wait {
					t.Errorf("the longest wait was %v", o.MaxWait)
				}
				if o.STS > want.sts {
					t.Errorf("%d STS calls", o.STS)
				}
			})
		}
	}
}
