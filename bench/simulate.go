package bench

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Fleet is many clients that start in the same second, each with a role of its
// own that it uses at random times, and a cache.
type Fleet struct {
	Clients  int
	Hours    int
	Lifetime time.Duration // of the credentials
	Every    time.Duration // mean time between two uses by one client
}

// Starters is the fleet of the table and the chart.
var Starters = Fleet{Clients: 100_000, Hours: 12, Lifetime: time.Hour, Every: 30 * time.Second}

// RefreshTime is the policy of a cache, as a model: how long after they were
// fetched keys are renewed, at the first use from then on.
func RefreshTime(cache string, lifetime time.Duration, random func() float64) time.Duration {
	switch cache {
	case SDK:
		return lifetime
	case SDK5:
		return lifetime - SDKWindow + time.Duration(random()*SDKWindowJitter*float64(SDKWindow))
	}
	third := min(lifetime, longestLead) / 3 // as in internal/refresh
	return lifetime - third - time.Duration(random()*float64(third))
}

// longestLead bounds the lifetime from whose middle third our cache draws its
// moment: of a longer one, only the last three hours count.
const longestLead = 3 * time.Hour

// Model computes when STS is called, without running a cache: calls per
// minute. TestModelAgreesWithCaches holds it against the real ones.
func (f Fleet) Model(cache string, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, seed))
	end := time.Duration(f.Hours) * time.Hour
	perMinute := make([]int, f.Hours*60)
	for range f.Clients {
		for at := time.Duration(0); at < end; {
			perMinute[at/time.Minute]++
			at += RefreshTime(cache, f.Lifetime, r.Float64)
			at += time.Duration(r.ExpFloat64() * float64(f.Every)) // until the next use
		}
	}
	return perMinute
}

// Real runs the caches themselves: calls per minute. It belongs into a bubble.
func (f Fleet) Real(cache string, seed uint64) ([]int, error) {
	start := time.Now()
	end := time.Duration(f.Hours) * time.Hour
	perMinute := make([]int, f.Hours*60)
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, seed))
	due := make(uses, 0, f.Clients)
	for range f.Clients {
		p, err := OverKeys(cache, &Keys{Lifetime: f.Lifetime, OnCall: func() {
			mu.Lock()
			defer mu.Unlock()
			if at := time.Since(start); at < end {
				perMinute[at/time.Minute]++
			}
		}})
		if err != nil {
			return nil, err
		}
		due = append(due, use{0, p.Retrieve})
	}
	for due[0].at < end {
		time.Sleep(due[0].at - time.Since(start))
		if _, err := due[0].retrieve(context.Background()); err != nil {
			return nil, err
		}
		due[0].at += time.Duration(r.ExpFloat64() * float64(f.Every))
		heap.Fix(&due, 0)
	}
	time.Sleep(time.Second) // for refreshes in the background
	return perMinute, nil
}

// use is the next use by one client.
type use struct {
	at       time.Duration
	retrieve func(context.Context) (aws.Credentials, error)
}

// uses is a heap, the next one first.
type uses []use

func (u uses) Len() int           { return len(u) }
func (u uses) Less(i, j int) bool { return u[i].at < u[j].at }
func (u uses) Swap(i, j int)      { u[i], u[j] = u[j], u[i] }
func (u *uses) Push(x any)        { *u = append(*u, x.(use)) }
func (u *uses) Pop() any          { panic("the heap only turns over") }

// Hour is one hour of a fleet's calls.
type Hour struct {
	Peak int     // calls in the worst minute
	Mean float64 // calls a minute
}

// PeakToMean is 1 for a fleet that is spread evenly.
func (h Hour) PeakToMean() float64 {
	if h.Mean == 0 {
		return 0
	}
	return float64(h.Peak) / h.Mean
}

// ByHour sums minutes up. Hour 0 begins with the start itself.
func ByHour(perMinute []int) []Hour {
	hours := make([]Hour, len(perMinute)/60)
	for i := range hours {
		sum := 0
		for _, n := range perMinute[i*60 : (i+1)*60] {
			hours[i].Peak = max(hours[i].Peak, n)
			sum += n
		}
		hours[i].Mean = float64(sum) / 60
	}
	return hours
}
