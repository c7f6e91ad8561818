// Command table measures awsauth and its peers and prints the tables of
// README.md. It takes a minute or two; -smoke only sees whether all works.
package main

import (
	"flag"
	"os"

	"github.com/chaoxiaodi/awsauth/bench"
)

func main() {
	smoke := flag.Bool("smoke", false, "measure next to nothing")
	dir := flag.String("dir", ".", "the directory of the bench module")
	bench.Main(func() error {
		tables := bench.Full
		if *smoke {
			tables = bench.Smoke
		}
		tables.Dir = *dir
		return tables.Print(os.Stdout)
	})
}
