// Command table measures awsauth and its peers and prints the tables of
// README.md. It takes some minutes; -only has those tables alone that are named,
// and -smoke only sees whether all works. -update writes the tables into README.md,
// judges the goals there anew, and brings the numbers of the library's READMEs up to
// date; with -only none it does the latter two alone.
package main

import (
	"flag"
	"os"
	"strings"

	"github.com/chaoxiaodi/awsauth/bench"
)

func main() {
	smoke := flag.Bool("smoke", false, "measure next to nothing")
	only := flag.String("only", strings.Join(bench.Parts(), ","), "the tables, separated by commas, or none")
	runs := flag.Int("runs", 3, "how often each table of times is measured")
	dir := flag.String("dir", ".", "the directory of the bench module")
	update := flag.Bool("update", false, "write the tables into README.md")
	bench.Main(func() error {
		tables := bench.Full
		if *smoke {
			tables = bench.Smoke
		}
		tables.Dir = *dir
		var names []string
		if *only != "none" {
			names = strings.Split(*only, ",")
		}
		report, err := tables.Measure(os.Stderr, max(1, *runs), names...)
		if err != nil {
			return err
		}
		if err := report.Print(os.Stdout); err != nil || !*update {
			return err
		}
		return report.Update(*dir)
	})
}
