package bench

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCrowds: each scenario shows what the table says it shows, of our cache in
// full size, of the SDK's with fewer.
func TestCrowds(t *testing.T) {
	t.Parallel()
	bounds := map[string]struct {
		errors  bool // of our callers
		wait    time.Duration
		source  int // calls
		sdk     func(Felt) bool
		because string
	}{
		// The errors while there is nothing usable are nobody's fault.
		"failing refresh":  {true, time.Second, 10, func(f Felt) bool { return f.STS > 50 }, "asks a source that fails over and over"},
		"dying keys":       {false, Latency, 2, func(f Felt) bool { return f.Dying == f.Calls }, "hands out keys that end"},
		"one person":       {false, 0, 300, func(f Felt) bool { return f.Person.Errors > 0 }, "lets the person fail"},
		"accounts at once": {false, time.Minute, 2 * 2000, func(f Felt) bool { return f.Errors > f.Calls/2 }, "fails in most accounts"},
		"accounts in turn": {false, 2 * time.Second, 2200, func(f Felt) bool { return f.STS > f.Calls*21/20 }, "wastes calls"},
		"refused":          {true, 2 * time.Second, 200, func(f Felt) bool { return f.Errors == f.Calls }, "fails"},
		"unknown host":     {true, 2 * time.Second, 200, func(f Felt) bool { return f.Errors == f.Calls }, "fails"},
	}
	run := func(t *testing.T, c Crowd, cache string) (f Felt) {
		synctest.Test(t, func(t *testing.T) {
			var err error
			if f, err = c.Run(cache); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%+v: %s", f, c.Tell(f))
		return f
	}
	small := Crowds(400)
	for i, c := range Crowds(2_000) {
		b, ok := bounds[c.Name]
		if !ok {
			t.Fatal("no bounds for", c.Name)
		}
		t.Run(c.Name+"/"+Ours, func(t *testing.T) {
			f := run(t, c, Ours)
			if (f.Errors > 0) != b.errors || f.MaxWait > b.wait || f.STS > b.source {
				t.Errorf("%d errors, longest wait %v, %d calls to the source", f.Errors, f.MaxWait, f.STS)
			}
			if f.Dying > 0 || f.Back > 4*time.Second || f.Person.Errors > 0 || f.Person.MaxWait > 2*time.Second {
				t.Errorf("%d got dying keys, %v until it was good again, the person: %+v", f.Dying, f.Back, f.Person)
			}
		})
		t.Run(c.Name+"/"+SDK, func(t *testing.T) {
			if f := run(t, small[i], SDK); !b.sdk(f) {
				t.Errorf("the SDK's cache no longer %s: %s", b.because, c.Tell(f))
			}
		})
	}
}
