//go:build unix

package rolesanywhere_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// TestFilesPipe does not wait for a pipe's writer.
func TestFilesPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := rolesanywhere.Files(pipe, pipe)(t.Context())
	require.ErrorContains(t, err, pipe+": it is a pipe, not a regular file")
}
