package bench

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// Tables says how much is to be measured.
type Tables struct {
	Dir      string // of this module
	Walks    int    // over the same accounts, in turn; the best counts
	Rounds   int    // of each benchmark, in turn; the best counts
	Accounts int    // of the walk
	Many     int    // of the walk that only ours does
	Slow     int    // of the walks that take too long for Accounts
	Starts   int    // of each program
	Warm     int    // of each program that finds its credentials on the disk
	Logins   int    // expired logins
	Sessions int
	Fleet    Fleet
	Callers  int    // of the scenarios of rotation
	Crowd    int    // sessions of the crowds
	Bench    string // the length of each benchmark, as for -benchtime
}

// Full are the tables of README.md, Smoke is enough to see that they work.
var (
	Full  = Tables{Dir: ".", Walks: 3, Rounds: 30, Accounts: 1_000, Many: 10_000, Slow: 100, Starts: 40, Warm: 100, Logins: 10, Sessions: 10_000, Fleet: Starters, Callers: 100, Crowd: 2_000, Bench: "50ms"}
	Smoke = Tables{Dir: ".", Walks: 1, Rounds: 1, Accounts: 32, Many: 64, Slow: 16, Starts: 1, Warm: 1, Logins: 1, Sessions: 500, Callers: 5, Crowd: 60, Bench: "5ms",
		Fleet: Fleet{Clients: 1_000, Hours: 3, Lifetime: time.Hour, Every: 30 * time.Second}}
)

func (t Tables) rotation() (*mdTable, error) {
	table := newTable("scenario", "cache", "calls", "errors", "longest wait", "STS calls")
	for _, s := range Scenarios(t.Callers) {
		for _, cache := range []string{SDK, SDK5, Ours} {
			var o Outcome
			if err := InBubble(func() (err error) { o, err = s.Run(cache); return err }); err != nil {
				return nil, err
			}
			table.row(s.What, cache, thousands(o.Calls), thousands(o.Errors), waitText(o.MaxWait), thousands(o.STS))
		}
	}
	table.note("On the clock of testing/synctest, STS at %s, keys of 1 h; the wait for the very first keys does not count. A caller who waits makes fewer calls.", waitText(Latency))
	return table, nil
}

func (t Tables) crowds() (*mdTable, error) {
	table := newTable("scenario", "cache", "calls", "errors", "longest wait", "calls to the source", "beside that")
	for _, c := range Crowds(t.Crowd) {
		for _, cache := range c.Caches {
			var f Felt
			if err := InBubble(func() (err error) { f, err = c.Run(cache); return err }); err != nil {
				return nil, err
			}
			table.row(c.What, cache, thousands(f.Calls), thousands(f.Errors), waitText(f.MaxWait), thousands(f.STS), c.Tell(f))
		}
	}
	table.note("On the clock of testing/synctest, keys of 1 h, STS at 50 ms; the sessions of aws.CredentialsCache share one STS client. A session has to renew where its cache says so: at the expiry, in the window, or in the middle third of the lifetime.")
	return table, nil
}

func (t Tables) hot() (*mdTable, error) {
	table := newTable("keys in memory", "SDK", "awsauth", "ratio", "allocations")
	for _, parallel := range []bool{false, true} {
		results := t.best(func(b *testing.B) { benchHot(b, SDK, parallel) }, func(b *testing.B) { benchHot(b, Ours, parallel) })
		name := "one caller"
		if parallel {
			name = fmt.Sprintf("%d callers at once", runtime.GOMAXPROCS(0))
		}
		sdk, ours := results[0], results[1]
		table.row(name, nanos(sdk), nanos(ours), ratio(perOp(ours), perOp(sdk)), fmt.Sprintf("%d, %d", sdk.AllocsPerOp(), ours.AllocsPerOp()))
	}
	return table, nil
}

func (t Tables) memory() (*mdTable, error) {
	table := newTable(thousands(t.Sessions)+" role sessions", "heap per session", "left when dropped", "goroutines while idle")
	for _, cache := range []string{SDK, Ours} {
		f, err := Remember(cache, t.Sessions)
		if err != nil {
			return nil, err
		}
		table.row(cache, KiB(f.Bytes), fmt.Sprintf("%.0f B", max(0, f.Left)), fmt.Sprint(f.Goroutines))
	}
	return table, nil
}

// spread has an hour in each row: a column for each hour is more than a page holds.
func (t Tables) spread() (*mdTable, error) {
	heads, hours := []string{"worst minute over mean, in hour"}, [][]string{}
	for h := range t.Fleet.Hours {
		hours = append(hours, []string{fmt.Sprint(h + 1)})
	}
	worst, calls := []string{lastWorst}, []string{callsPerHour}
	often := t.Fleet
	often.Every = time.Second
	for _, fleet := range []Fleet{t.Fleet, often} {
		for _, cache := range []string{SDK, SDK5, Ours} {
			heads = append(heads, fleetHead(cache, tickText(fleet.Every)))
			minutes := fleet.Model(cache, 1)
			all := 0
			for _, n := range minutes {
				all += n
			}
			byHour := ByHour(minutes)
			for h := range hours {
				hours[h] = append(hours[h], fmt.Sprintf("%.1f", byHour[h].PeakToMean()))
			}
			worst = append(worst, thousands(byHour[len(byHour)-1].Peak))
			calls = append(calls, fmt.Sprintf("%.1f", float64(all)/float64(fleet.Clients*fleet.Hours)))
		}
	}
	table := newTable(heads...)
	for _, row := range append(hours, worst, calls) {
		table.row(row...)
	}
	table.note("%s clients that start together, keys of %s. Each client uses them every %s on average, or every %s. SDK is %s, without a window and with one of 5 min.",
		thousands(t.Fleet.Clients), hoursText(t.Fleet.Lifetime), tickText(t.Fleet.Every), tickText(often.Every), SDK)
	return table, nil
}

// The last rows of the table of the fleet.
const (
	lastWorst    = "calls in the worst minute of the last hour"
	callsPerHour = "calls per client and hour"
)

// fleetHead is the head of a cache's column in the table of the fleet: short, as there
// are six.
func fleetHead(cache, every string) string {
	return map[string]string{SDK: "SDK", SDK5: "SDK, window", Ours: Ours}[cache] + ", " + every
}

func (t Tables) news() (*mdTable, error) {
	table := newTable("in a program that runs", "identity from", "LoadDefaultConfig + stscreds", "awsauth", "ratio", "allocations", "bytes")
	for _, retrieve := range []bool{false, true} {
		what := "session"
		if retrieve {
			what = "session and first credentials"
		}
		for _, from := range []string{"environment", "profile"} {
			var both []func(*testing.B)
			for _, start := range Starts() {
				both = append(both, func(b *testing.B) { benchStart(b, start, from, retrieve) })
			}
			results := t.best(both...)
			sdk, ours := results[0], results[1]
			table.row(what, from, micros(sdk), micros(ours), ratio(perOp(ours), perOp(sdk)),
				fmt.Sprintf("%d, %d", sdk.AllocsPerOp(), ours.AllocsPerOp()), fmt.Sprintf("%s, %s", KiB(float64(sdk.AllocedBytesPerOp())), KiB(float64(ours.AllocedBytesPerOp()))))
		}
	}
	table.note("STS in memory, no latency. awsauth makes its STS client with the first credentials, the SDK's way before.")
	return table, nil
}

func (t Tables) programs() (*mdTable, error) {
	var programs []*Program
	err := withSTS(0, func(s *STS, dir string) (err error) {
		programs, err = MeasurePrograms(t.Dir, dir, s.URL, t.Starts)
		return err
	})
	if err != nil {
		return nil, err
	}
	table := newTable("program", "median", "over the bare SDK", "awsauth is faster by", "modules")
	sdk, ours := programs[0].Median(), programs[1].Median()
	for i, p := range programs {
		if p.Unobtainable != "" {
			table.row(p.Name, "skipped: "+p.Unobtainable)
			continue
		}
		modules := ""
		if i < 2 {
			n, err := ModulesOf(t.Dir, []string{"./cold/sdk", "./cold/awsauth"}[i])
			if err != nil {
				return nil, err
			}
			modules = fmt.Sprint(n)
		}
		table.row(p.Name, millis(p.Median()), ratio(float64(p.Median()), float64(sdk)), ratio(float64(p.Median()), float64(ours)), modules)
	}
	table.note("From the start of the process to the first credentials of a role and its end, STS without latency, keys in the environment.")
	return table, nil
}

// best runs benchmarks in turn and returns the fastest round of each: what is
// slower is the machine's doing. Many short rounds find a quiet moment of a busy
// machine sooner than a few long ones.
func (t Tables) best(fs ...func(*testing.B)) []testing.BenchmarkResult {
	if err := flag.Set("test.benchtime", t.Bench); err != nil {
		panic(err)
	}
	best := make([]testing.BenchmarkResult, len(fs))
	for round := range t.Rounds {
		for i, f := range fs {
			if r := testing.Benchmark(f); round == 0 || perOp(r) < perOp(best[i]) {
				best[i] = r
			}
		}
	}
	return best
}

func perOp(r testing.BenchmarkResult) float64 {
	return float64(r.T.Nanoseconds()) / float64(max(r.N, 1))
}
func nanos(r testing.BenchmarkResult) string  { return fmt.Sprintf("%.1f ns", perOp(r)) }
func micros(r testing.BenchmarkResult) string { return fmt.Sprintf("%.1f µs", perOp(r)/1e3) }
func millis(d time.Duration) string           { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func ratio(ours, theirs float64) string {
	if ours >= 10*theirs {
		return fmt.Sprintf("%.0f×", ours/theirs)
	}
	return fmt.Sprintf("%.2f×", ours/theirs)
}
