package bench

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// The model, which stands for a hundred thousand clients, must say what the
// real caches do: the share of all calls that have been made by the end of each
// minute never differs by more than chance explains (Kolmogorov and Smirnov's
// distance).
func TestModelAgreesWithCaches(t *testing.T) {
	t.Parallel()
	fleet := Fleet{Clients: 2_000, Hours: 8, Lifetime: time.Hour, Every: time.Minute}
	for _, cache := range []string{SDK, SDK5, Ours} {
		t.Run(cache, func(t *testing.T) {
			var real []int
			var err error
			synctest.Test(t, func(*testing.T) { real, err = fleet.Real(cache, 1) })
			if err != nil {
				t.Fatal(err)
			}
			many := fleet
			many.Clients = 50_000
			model := many.Model(cache, 2)
			perClient := func(minutes []int, clients int) float64 { return float64(sum(minutes)) / float64(clients) }
			got, want := perClient(real, fleet.Clients), perClient(model, many.Clients)
			t.Logf("calls per client: %.2f, the model says %.2f; distance %.4f", got, want, distance(real, model))
			if math.Abs(got-want) > 0.01*want {
				t.Errorf("%.2f calls per client, the model says %.2f", got, want)
			}
			// 1.95 / √n is passed by one sample in a thousand; calls of one client are not independent, so n counts clients.
			if d, most := distance(real, model), 1.95/math.Sqrt(float64(fleet.Clients)); d > most {
				t.Errorf("the calls of real caches and of the model differ by %.4f, more than %.4f", d, most)
			}
			// The same, hour by hour, for what the table shows.
			r, m := ByHour(real), ByHour(model)
			for i := range r {
				// The worst of 60 minutes is over its expectation by some standard deviations of one, which 2,000 clients make large.
				noise := 4 / math.Sqrt(perClient(real[60*i:60*(i+1)], 60))
				if got, want := r[i].PeakToMean(), m[i].PeakToMean(); math.Abs(got-want) > 0.25*want+noise {
					t.Errorf("hour %d: peak to mean %.2f, the model says %.2f", i, got, want)
				}
			}
		})
	}
}

// TestFleetGoals: a fleet that starts together has spread out after two hours,
// and costs little more than two calls an hour and client. The SDK's cache with
// a window still comes in bursts.
func TestFleetGoals(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 30 * time.Second} {
		fleet := Starters
		fleet.Every, fleet.Hours = every, 8
		ours, window := fleet.Model(Ours, 1), ByHour(fleet.Model(SDK5, 1))
		for i, hour := range ByHour(ours) {
			most := 1.2
			switch i {
			case 0: // begins with the start itself
				continue
			case 1:
				most = 1.6
			}
			calls := 60 * hour.Mean / float64(fleet.Clients)
			t.Logf("used every %v, hour %d: worst over mean %.2f, with the SDK's window %.1f; %.2f calls a client", every, i+1, hour.PeakToMean(), window[i].PeakToMean(), calls)
			if got := hour.PeakToMean(); got > most {
				t.Errorf("used every %v, hour %d: worst over mean %.2f, want %.1f at most", every, i+1, got, most)
			}
			if calls > 2.1 {
				t.Errorf("used every %v, hour %d: %.2f calls a client", every, i+1, calls)
			}
		}
		// With uses far apart chance itself spreads the SDK's fleet a little.
		least := map[time.Duration]float64{time.Second: 12, 30 * time.Second: 10}[every]
		if got := window[5].PeakToMean(); got < least {
			t.Errorf("used every %v, hour 6: worst over mean %.1f with the SDK's window: it spreads better than we say", every, got)
		}
	}
}

func sum(minutes []int) (n int) {
	for _, m := range minutes {
		n += m
	}
	return n
}

func distance(a, b []int) (most float64) {
	all, bll := float64(sum(a)), float64(sum(b))
	var ca, cb float64
	for i := range a {
		ca += float64(a[i]) / all
		cb += float64(b[i]) / bll
		most = max(most, math.Abs(ca-cb))
	}
	return most
}

func TestByHour(t *testing.T) {
	minutes := make([]int, 120)
	minutes[3], minutes[59] = 60, 60
	for i := 60; i < 120; i++ {
		minutes[i] = 5
	}
	hours := ByHour(minutes)
	if got := hours[0]; got != (Hour{60, 2}) || got.PeakToMean() != 30 {
		t.Errorf("hour 0: %+v", got)
	}
	if got := hours[1]; got.PeakToMean() != 1 {
		t.Errorf("hour 1: %+v", got)
	}
	if got := (Hour{}).PeakToMean(); got != 0 {
		t.Errorf("an hour without calls: %v", got)
	}
}
