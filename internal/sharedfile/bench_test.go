package sharedfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// BenchmarkRead reads the files of one person.
func BenchmarkRead(b *testing.B) {
	_, config, credentials := write(b, "[default]\nregion = us-east-1\n[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = default\n", "[default]\n"+pair)
	b.ReportAllocs()
	for b.Loop() {
		files := sharedfile.Read([]string{config}, []string{credentials})
		require.True(b, files.Has("ops"))
	}
}

// BenchmarkReadLong reads files of as many lines as nobody has. The time of a line
// should not grow with their number.
func BenchmarkReadLong(b *testing.B) {
	for name, line := range map[string]string{"headings": "[p%d]\n", "profiles": "[profile p%d]\n", "a value": " y%d\n", "settings": " k%d = v\n"} {
		for _, n := range []int{1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				text := "[default]\nx = y\n"
				if name == "settings" {
					text = "[default]\ns3 =\n"
				}
				var all strings.Builder
				for i := range n {
					fmt.Fprintf(&all, line, i)
				}
				_, config, credentials := write(b, text+all.String(), "")
				for b.Loop() {
					sharedfile.Read([]string{config}, []string{credentials})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
			})
		}
	}
}
