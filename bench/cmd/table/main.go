// Command table measures awsauth and its peers and prints the tables of
// README.md. It takes some minutes; -only has those tables alone that are named,
// and -smoke only sees whether all works.
package main

import (
	"flag"
	"os"
	"strings"

	"github.com/chaoxiaodi/awsauth/bench"
)

func main() {
	smoke := flag.Bool("smoke", false, "measure next to nothing")
	only := flag.String("only", strings.Join(bench.Parts, ","), "the tables, separated by commas")
	dir := flag.String("dir", ".", "the directory of the bench module")
	bench.Main(func() error {
		tables := bench.Full
		if *smoke {
			tables = bench.Smoke
		}
		tables.Dir = *dir
		return tables.Print(os.Stdout, strings.Split(*only, ",")...)
	})
}
