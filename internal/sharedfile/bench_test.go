package sharedfile_test

import (
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
