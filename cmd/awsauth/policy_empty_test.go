package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPolicyEmptyFile: a file without a policy, as a command that failed leaves one
// behind, is refused: the session would have all that the role may do.
func TestPolicyEmptyFile(t *testing.T) {
	cloud, url := fleet(t)
	for name, text := range map[string]string{"empty": "", "blank": " \n\n"} {
		t.Run(name, func(t *testing.T) {
			cloud.ResetCalls()
			path := filepath.Join(t.TempDir(), "policy.json")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			got := runProcess(t, "whoami", "--account", accountA, "--no-cache", "--sts-endpoint", url, "--policy", "@"+path)
			assert.NotEqual(t, exitOK, got.code)
			assert.Contains(t, got.stderr, path)
			assert.Empty(t, cloud.Calls("AssumeRole"))
		})
	}
}
