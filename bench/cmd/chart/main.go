// Command chart measures both caches and draws docs/rotation.svg and
// docs/spread.svg.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chaoxiaodi/awsauth/bench"
)

func main() {
	out := flag.String("out", "../docs", "the directory for the pictures")
	bench.Main(func() error { return draw(*out) })
}

func draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	day, err := bench.RunDay()
	if err != nil {
		return err
	}
	perMinute := map[string][]int{}
	for _, cache := range []string{bench.SDK, bench.SDK5, bench.Ours} {
		perMinute[cache] = bench.Starters.Model(cache, 1)
	}
	for name, picture := range map[string][]byte{
		"rotation.svg": bench.RotationSVG(day),
		"spread.svg":   bench.SpreadSVG(bench.Starters, perMinute),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, picture, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes\n", path, len(picture))
	}
	return nil
}
