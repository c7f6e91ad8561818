package bench

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// Tables says how much is to be measured.
type Tables struct {
	Dir      string // of this module
	Runs     int    // of each walk, in turn; the best is shown
	Rounds   int    // of each benchmark, in turn; the best is shown
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
	Full  = Tables{Dir: ".", Runs: 5, Rounds: 30, Accounts: 1_000, Many: 10_000, Slow: 100, Starts: 40, Warm: 200, Logins: 10, Sessions: 10_000, Fleet: Starters, Callers: 100, Crowd: 2_000, Bench: "50ms"}
	Smoke = Tables{Dir: ".", Runs: 1, Rounds: 1, Accounts: 32, Many: 64, Slow: 16, Starts: 1, Warm: 1, Logins: 1, Sessions: 500, Callers: 5, Crowd: 60, Bench: "5ms",
		Fleet: Fleet{Clients: 1_000, Hours: 3, Lifetime: time.Hour, Every: 30 * time.Second}}
)

// Parts are the names of the tables, in their order. The last ones run on the
// machine's clock.
var Parts = []string{"rotation", "crowds", "fleet", "memory", "hot", "accounts", "new", "start", "warm", "login"}

// Print measures those parts and writes them as Markdown.
func (t Tables) Print(w io.Writer, parts ...string) error {
	prints := map[string]func(io.Writer) error{"rotation": t.rotation, "crowds": t.crowds, "fleet": t.spread, "memory": t.memory,
		"hot": t.hot, "accounts": t.walk, "new": t.news, "start": t.programs, "warm": t.warm, "login": t.login}
	fmt.Fprintf(w, "%s, %s/%s, %d cores, %s\n", time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, part := range parts {
		print := prints[part]
		if print == nil {
			return fmt.Errorf("no table has the name %q; the names are %s", part, strings.Join(Parts, ","))
		}
		if err := print(w); err != nil {
			return err
		}
	}
	return nil
}

func (t Tables) rotation(w io.Writer) error {
	table := newTable("scenario", "cache", "calls", "errors", "longest wait", "STS calls")
	for _, s := range Scenarios(t.Callers) {
		for _, cache := range []string{SDK, SDK5, Ours} {
			var o Outcome
			if err := InBubble(func() (err error) { o, err = s.Run(cache); return err }); err != nil {
				return err
			}
			table.row(s.What, cache, thousands(o.Calls), thousands(o.Errors), waitText(o.MaxWait), thousands(o.STS))
		}
	}
	table.note("On the clock of testing/synctest, STS at %s, keys of 1 h; the wait for the very first keys does not count. A caller who waits makes fewer calls.", waitText(Latency))
	return table.print(w, "Rotation")
}

func (t Tables) crowds(w io.Writer) error {
	table := newTable("scenario", "cache", "calls", "errors", "longest wait", "calls to the source", "beside that")
	for _, c := range Crowds(t.Crowd) {
		for _, cache := range c.Caches {
			var f Felt
			if err := InBubble(func() (err error) { f, err = c.Run(cache); return err }); err != nil {
				return err
			}
			table.row(c.What, cache, thousands(f.Calls), thousands(f.Errors), waitText(f.MaxWait), thousands(f.STS), c.Tell(f))
		}
	}
	table.note("On the clock of testing/synctest, keys of 1 h, STS at 50 ms; the sessions of aws.CredentialsCache share one STS client. A session has to renew where its cache says so: at the expiry, in the window, or in the middle third of the lifetime.")
	return table.print(w, "Crowds")
}

func (t Tables) hot(w io.Writer) error {
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
	return table.print(w, "Hot path")
}

func (t Tables) memory(w io.Writer) error {
	table := newTable(thousands(t.Sessions)+" role sessions", "heap per session", "left when dropped", "goroutines while idle")
	for _, cache := range []string{SDK, Ours} {
		f, err := Remember(cache, t.Sessions)
		if err != nil {
			return err
		}
		table.row(cache, KiB(f.Bytes), fmt.Sprintf("%.0f B", max(0, f.Left)), fmt.Sprint(f.Goroutines))
	}
	return table.print(w, "Memory")
}

func (t Tables) spread(w io.Writer) error {
	heads := []string{"worst minute over mean, in hour"}
	for h := range t.Fleet.Hours {
		heads = append(heads, fmt.Sprint(h+1))
	}
	table := newTable(append(heads, "worst minute of the last hour", "calls per client and hour")...)
	for _, cache := range []string{SDK, SDK5, Ours} {
		minutes := t.Fleet.Model(cache, 1)
		hours := ByHour(minutes)
		cells := []string{cache}
		all := 0
		for _, n := range minutes {
			all += n
		}
		for _, h := range hours {
			cells = append(cells, fmt.Sprintf("%.1f", h.PeakToMean()))
		}
		cells = append(cells, thousands(hours[len(hours)-1].Peak), fmt.Sprintf("%.1f", float64(all)/float64(t.Fleet.Clients*t.Fleet.Hours)))
		table.row(cells...)
	}
	table.note("%s clients that start together, keys of %s, each used every %s on average.", thousands(t.Fleet.Clients), hoursText(t.Fleet.Lifetime), tickText(t.Fleet.Every))
	return table.print(w, "A fleet that starts together")
}

// stsLatency of the walks; and what STS takes from another continent.
const (
	stsLatency    = 5 * time.Millisecond
	farSTSLatency = 50 * time.Millisecond
)

// walkRow is one line of the table of walks.
type walkRow struct {
	Walker
	accounts int
	far      bool
	results  []WalkResult
}

func (t Tables) walkRows() []*walkRow {
	rows := []*walkRow{{Walker: BareHTTP, accounts: t.Accounts}}
	for _, walker := range Walkers() {
		n := t.Accounts
		if strings.HasPrefix(walker.Name, "aws-sdk-go-base") {
			n = t.Slow
		}
		rows = append(rows, &walkRow{Walker: walker, accounts: n})
	}
	rows = append(rows, &walkRow{Walker: BareHTTP, accounts: t.Accounts, far: true})
	for _, walker := range Walkers()[:2] {
		rows = append(rows, &walkRow{Walker: walker, accounts: t.Accounts, far: true})
	}
	return append(rows, &walkRow{Walker: Walkers()[0], accounts: t.Many})
}

func (t Tables) walk(w io.Writer) error {
	near, err := StartSTS(stsLatency)
	if err != nil {
		return err
	}
	defer near.Close()
	far, err := StartSTS(farSTSLatency)
	if err != nil {
		return err
	}
	defer far.Close()
	rows := t.walkRows()
	for run := range t.Runs {
		for _, row := range rows { // in turn, so that a noisy minute is everybody's
			if run > 1 && (row.far || row.accounts > t.Accounts) {
				continue // these take seconds
			}
			sts, latency := near, stsLatency
			if row.far {
				sts, latency = far, farSTSLatency
			}
			r, err := sts.Measure(row.Walker, row.accounts, latency)
			if err != nil {
				return err
			}
			row.results = append(row.results, r)
		}
	}
	table := newTable("way", "STS", "accounts", "time", "over the limit", "over bare HTTP", "STS calls per account", "connections", "allocated per account", "allocations per account", "kept per account")
	floor := map[bool]float64{}
	add := func(name string, isFar bool, r WalkResult) {
		if r.Unobtainable != "" {
			table.row(name, "skipped: "+r.Unobtainable)
			return
		}
		if name == BareHTTP.Name {
			floor[isFar] = r.OfTheLimit
		}
		latency := stsLatency
		if isFar {
			latency = farSTSLatency
		}
		cells := []string{name, waitText(latency), thousands(r.Accounts), waitText(r.Took), ratio(r.OfTheLimit, 1), ratio(r.OfTheLimit, floor[isFar]),
			fmt.Sprintf("%.2f", float64(r.Counts.Calls)/float64(r.Accounts)), thousands(int(r.Counts.Connections))}
		if r.FromPython {
			cells = append(cells, "", "", KiB(r.Kept))
		} else {
			cells = append(cells, KiB(r.Bytes), fmt.Sprintf("%.0f", r.Allocs), KiB(r.Kept))
		}
		table.row(cells...)
	}
	for _, row := range rows {
		add(row.Name, row.far, bestWalk(row.results))
	}
	python, err := near.MeasurePython(filepath.Join(t.Dir, "python", "walk.py"), t.Slow, stsLatency)
	if err != nil {
		return err
	}
	add("the class in Python, boto3", false, python)
	table.note("%d at a time, the class one by one. The limit is rounds × the latency of STS; what bare net/http needs over it is this machine's and the STS's timer. Each in a process of its own; the best of up to %d runs.", Concurrency, t.Runs)
	return table.print(w, "Credentials in many accounts")
}

// bestWalk is the fastest walk.
func bestWalk(all []WalkResult) WalkResult {
	return slices.MinFunc(all, func(a, b WalkResult) int { return cmp.Compare(a.Took, b.Took) })
}

func (t Tables) news(w io.Writer) error {
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
	return table.print(w, "New")
}

func (t Tables) programs(w io.Writer) error {
	s, err := StartSTS(0)
	if err != nil {
		return err
	}
	defer s.Close()
	dir, err := os.MkdirTemp("", "awsauth-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs, err := MeasurePrograms(t.Dir, dir, s.URL, t.Starts)
	if err != nil {
		return err
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
				return err
			}
			modules = fmt.Sprint(n)
		}
		table.row(p.Name, millis(p.Median()), ratio(float64(p.Median()), float64(sdk)), ratio(float64(p.Median()), float64(ours)), modules)
	}
	table.note("From the start of the process to the first credentials of a role and its end, STS without latency, keys in the environment.")
	return table.print(w, "Process start")
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

// mdTable is a Markdown table under way.
type mdTable struct {
	rows  [][]string
	notes []string
}

func newTable(heads ...string) *mdTable { return &mdTable{rows: [][]string{heads}} }

func (t *mdTable) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *mdTable) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *mdTable) print(w io.Writer, title string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", title)
	for i, row := range t.rows {
		for len(row) < len(t.rows[0]) {
			row = append(row, "")
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(row)-1))
		}
	}
	for _, note := range t.notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
