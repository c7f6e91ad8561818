package bench

import "testing"

func BenchmarkHot(b *testing.B) {
	for _, name := range []string{SDK, Ours} {
		b.Run("serial/"+name, func(b *testing.B) { benchHot(b, name, false) })
	}
	for _, name := range []string{SDK, Ours} {
		b.Run("parallel/"+name, func(b *testing.B) { benchHot(b, name, true) })
	}
}

// One op is the whole scenario, on the clock of testing/synctest: look at the
// metrics, not at ns/op.
func BenchmarkRotation(b *testing.B) {
	for _, s := range Scenarios(100) {
		for _, cache := range []string{SDK, SDK5, Ours} {
			b.Run(s.Name+"/"+cache, func(b *testing.B) {
				var o Outcome
				for b.Loop() {
					if err := InBubble(func() (err error) { o, err = s.Run(cache); return err }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(o.MaxWait.Milliseconds()), "max-wait-ms")
				b.ReportMetric(float64(o.Errors), "errors")
				b.ReportMetric(float64(o.STS), "STS-calls")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
