package bench

import (
	"slices"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		runs []string
		want string
	}{
		{[]string{"73.0 ns"}, "73.0 ns"},
		{[]string{"73.0 ns", "80.2 ns", "71.5 ns"}, "73.0 ns (71.5–80.2)"},
		{[]string{"12", "12", "12"}, "12"},
		{[]string{"1.16×", "1.45×", "1.30×"}, "1.30× (1.16–1.45)"},
		{[]string{"+1.88 ms", "+1.70 ms", "+2.10 ms"}, "+1.88 ms (1.70–2.10)"},
		{[]string{"1.0 s", "682 ms", "700 ms"}, "700 ms (682 ms–1.0 s)"},
		{[]string{"1,000", "900", "10,000"}, "1,000 (900–10,000)"},
		{[]string{"88, 190", "88, 190", "88, 191"}, "88, 190 (190–191)"},
		{[]string{"11.6 KiB, 22.8 KiB", "11.6 KiB, 22.9 KiB", "11.7 KiB, 22.8 KiB"}, "11.6 KiB (11.6–11.7), 22.8 KiB (22.8–22.9)"},
		{[]string{"awsauth", "awsauth", "awsauth"}, "awsauth"},
		{[]string{"", "", ""}, ""},
		{[]string{"skipped: no AWS CLI", "1 ms", "2 ms"}, "skipped: no AWS CLI"},
		{[]string{"3 ms", "1 ms", "2 ms", "4 ms"}, "2 ms (1–4)"}, // of an even number the lower middle
	} {
		if got := mergeCells(c.runs); got != c.want {
			t.Errorf("%q: %q, want %q", c.runs, got, c.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]number{
		"0":                     {0, 0, 0},
		"35,492":                {35492, 35492, 35492},
		"1.8 KiB":               {1843.2, 1843.2, 1843.2},
		"0.65×":                 {0.65, 0.65, 0.65},
		"+1.88 ms (1.70–2.10)":  {1.88e6, 1.70e6, 2.10e6},
		"700 ms (682 ms–1.0 s)": {700e6, 682e6, 1e9},
		"1,000 (900–10,000)":    {1000, 900, 10000},
	} {
		got, ok := parseNumber(text)
		if !ok || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "–", "awsauth", "skipped: 1 ms", "1 of 5", "2.0 s each"} {
		if got, ok := parseNumber(text); ok {
			t.Errorf("%q is the number %v", text, got)
		}
	}
}

// TestTableText: a table is read as it is written; a short row gets its empty cells.
func TestTableText(t *testing.T) {
	table := newTable("way", "time", "calls")
	table.row("awsauth", "1 ms", "2")
	table.row("boto3", "skipped")
	table.note("Of %d runs.", 3)
	text := table.String()
	if want := "| way | time | calls |\n|---|---:|---:|\n| awsauth | 1 ms | 2 |\n| boto3 | skipped |  |\n\nOf 3 runs.\n"; text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	again := parseTable(text)
	if again.String() != text {
		t.Errorf("read and written again:\n%s", again)
	}
	if got, err := again.cell("calls", "*auth", "1 ms"); got != "2" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range [][]string{{"calls", "aws"}, {"calls", "awsauth", "2 ms"}, {"bytes", "awsauth"}} {
		if got, err := again.cell(bad[0], bad[1:]...); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

// TestWideTable: a table that is written as two is read as one, also when runs are merged.
func TestWideTable(t *testing.T) {
	run := func(bytes string) *mdTable {
		table := newTable("way", "STS", "time", "calls", "bytes")
		table.keys, table.second = 2, 3
		table.row("awsauth", "5 ms", "1 ms", "2", bytes)
		table.row("boto3", "5 ms", "skipped")
		table.note("A note.")
		return table
	}
	text := merge([]*mdTable{run("7"), run("8"), run("9")}).String()
	want := "| way | STS | time |\n|---|---:|---:|\n| awsauth | 5 ms | 1 ms |\n| boto3 | 5 ms | skipped |\n\n" +
		"| way | STS | calls | bytes |\n|---|---:|---:|---:|\n| awsauth | 5 ms | 2 | 8 (7–9) |\n| boto3 | 5 ms |  |  |\n\nA note.\n"
	if text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	again := parseTable(text)
	if again.String() != text {
		t.Errorf("read and written again:\n%s", again)
	}
	if got, err := again.cell("bytes", "awsauth", "5 ms", "1 ms"); got != "8 (7–9)" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestMerge(t *testing.T) {
	run := func(took string) *mdTable {
		table := newTable("way", "time")
		table.row("awsauth", took)
		return table
	}
	got := merge([]*mdTable{run("2 ms"), run("1 ms"), run("3 ms")}).rows
	if want := []string{"awsauth", "2 ms (1–3)"}; !slices.Equal(got[1], want) {
		t.Errorf("%q, want %q", got[1], want)
	}
}

func TestVerdicts(t *testing.T) {
	f := func(text string) figure {
		n, ok := parseNumber(text)
		return figure{number: n, text: text, known: ok}
	}
	for _, c := range []struct{ got, want string }{
		{f("1.05× (0.90–1.10)").atMost(1.1), met},
		{f("1.05× (0.90–1.11)").atMost(1.1), unclear},
		{f("1.05×").atMost(1), missed},
		{f("skipped").atMost(1), unknown},
		{f("76× (19–80)").atLeast(20), unclear},
		{f("76×").atLeast(20), met},
		{f("12×").atLeast(20), missed},
		{f("3").below(f("3")), met},
		{f("4").below(f("3")), missed},
		{f("4").below(f("")), unknown},
		{f("6 ms (5–7)").over(f("3 ms (2–4)")).text, "2.00×"},
		{f("6 ms (5–7)").over(f("3 ms (2–4)")).atMost(2), unclear},
		{f("6 ms").over(f("–")).String(), "–"},
		{all("time", met, "calls", met), met},
		{all("calls", met, "bytes", met, "time", missed), "calls and bytes met; time missed"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
