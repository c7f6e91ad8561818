package sharedfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// TestDamagedHeadings: who asks for what a damaged heading means is told what to write.
func TestDamagedHeadings(t *testing.T) {
	for heading, mend := range map[string]struct{ profile, config, credentials string }{
		`["profile ops"]`:     {"ops", "[profile ops]", "[ops]"},
		"[[profile ops]]":     {"ops", "[profile ops]", "[ops]"},
		"[profile ops]]":      {"ops", "[profile ops]", "[ops]"},
		"[profile:ops]":       {"ops", "[profile ops]", ""},
		"[profile\vops]":      {"ops", "[profile ops]", "[ops]"},
		`[profile "ops]`:      {"ops", "[profile ops]", "[ops]"},
		`[profile a\ b]`:      {"a b", "[profile 'a b']", "[a b]"},
		"[profile ops # old]": {"ops", "[profile ops]", ""},
		"[ｄｅｆａｕｌｔ]":           {"default", "[default]", "[default]"},
		"[defualt]":           {"default", "[default]", "[default]"},
		"[“default”]":         {"default", "[default]", "[default]"},
		"[default:]":          {"default", "[default]", "[default]"},
		"[default][ops]":      {"ops", "each on a line of its own", "each on a line of its own"},
	} {
		for _, credentials := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, []byte(heading+"\nregion = us-east-1\n"), 0o600))
			files, want := sharedfile.Read([]string{path}, nil), mend.config
			if credentials {
				files, want = sharedfile.Read(nil, []string{path}), mend.credentials
			}
			if want == "" {
				continue
			}
			problems := files.Problems(mend.profile)
			require.Len(t, problems, 1, "%q", heading)
			assert.Equal(t, path+":1", problems[0].Place(), "%q", heading)
			assert.Equal(t, "write "+want, problems[0].Mend, "%q", heading)
		}
	}
	for _, heading := range []string{"[profile o'brien]", "[profile corp\\ana]", "[profile 'a b']", "[profile a b]", "[profile ops:x]", "[profile defaults]", "[default]"} {
		path := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(path, []byte(heading+"\nregion = us-east-1\n"), 0o600))
		files := sharedfile.Read([]string{path}, nil)
		for _, name := range append(files.Names(), "default") {
			assert.Empty(t, files.Problems(name), "%q %s", heading, name)
		}
	}
}
