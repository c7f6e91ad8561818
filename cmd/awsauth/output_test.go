package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fullDisk is an output that takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestOutputLost: what cannot be written is a failure, and said as one.
func TestOutputLost(t *testing.T) {
	_, url := fleet(t)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	t.Setenv("AWS_REGION", "us-east-1")
	cache := filepath.Join(t.TempDir(), "cache")
	for _, line := range []string{
		"--version", "--help", "help whoami", "completion bash", "completion zsh", "whoami", "whoami --json", "explain", "explain --json", "env", "process",
		"cache list --cache-dir " + cache, "cache list --json --cache-dir " + cache, "cache clear --json --cache-dir " + cache,
	} {
		t.Setenv(processDepth, "") // which process counts up
		var stderr bytes.Buffer
		code := run(context.Background(), append([]string{"awsauth"}, strings.Fields(line)...), fullDisk{}, &stderr)
		assert.Equal(t, exitFailed, code, line)
		assert.Regexp(t, `^awsauth: .*(no space left|cannot be written|closed or full)\n$`, stderr.String(), line)
	}
}
