package bench

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

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

// walks measures the peers' walks and makes the table of them.
func (t Tables) walks() (*mdTable, error) {
	near, err := StartSTS(stsLatency)
	if err != nil {
		return nil, err
	}
	defer near.Close()
	far, err := StartSTS(farSTSLatency)
	if err != nil {
		return nil, err
	}
	defer far.Close()
	rows := t.walkRows()
	if err := t.measureWalks(rows, near, far); err != nil {
		return nil, err
	}
	python, err := near.MeasurePython(filepath.Join(t.Dir, "python", "walk.py"), t.Slow, stsLatency)
	if err != nil {
		return nil, err
	}
	table := walkTable{mdTable: newTable("way", "STS", "accounts", "time", "over the limit", "over bare HTTP", "STS calls per account",
		"connections", "allocated per account", "allocations per account", "kept per account"), floor: map[bool]float64{}}
	table.keys, table.second = 3, 7
	for _, row := range rows {
		table.add(row.Name, row.far, bestWalk(row.results))
	}
	table.add("the class in Python, boto3", false, python)
	table.note("%d at a time, the class one by one. The limit is rounds × the latency of STS; what bare net/http needs over it is this machine's and the STS's timer. Each in a process of its own; the best of up to %d walks.", Concurrency, t.Walks)
	return table.mdTable, nil
}

// measureWalks lets the peers take turns, so that a noisy minute is everybody's.
func (t Tables) measureWalks(rows []*walkRow, near, far *STS) error {
	for turn := range t.Walks {
		for _, row := range rows {
			if turn > 1 && (row.far || row.accounts > t.Accounts) {
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
	return nil
}

// walkTable is the table under way; floor is what bare HTTP needed over the limit,
// with the near STS and with the far one. Its rows come first.
type walkTable struct {
	*mdTable
	floor map[bool]float64
}

func (t walkTable) add(name string, far bool, r WalkResult) {
	if r.Unobtainable != "" {
		t.row(name, "skipped: "+r.Unobtainable)
		return
	}
	if name == BareHTTP.Name {
		t.floor[far] = r.OfTheLimit
	}
	latency := stsLatency
	if far {
		latency = farSTSLatency
	}
	cells := []string{name, waitText(latency), thousands(r.Accounts), waitText(r.Took), ratio(r.OfTheLimit, 1), ratio(r.OfTheLimit, t.floor[far]),
		fmt.Sprintf("%.2f", float64(r.Counts.Calls)/float64(r.Accounts)), thousands(int(r.Counts.Connections))}
	if r.FromPython {
		cells = append(cells, "", "", KiB(r.Kept))
	} else {
		cells = append(cells, KiB(r.Bytes), fmt.Sprintf("%.0f", r.Allocs), KiB(r.Kept))
	}
	t.row(cells...)
}

// bestWalk is the fastest walk.
func bestWalk(all []WalkResult) WalkResult {
	return slices.MinFunc(all, func(a, b WalkResult) int { return cmp.Compare(a.Took, b.Took) })
}
