package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The command is built and run: only as a program of its own does it start the
// STS and the walks as it does for README.md.
func TestTableCommand(t *testing.T) {
	t.Parallel()
	exe := filepath.Join(t.TempDir(), "table")
	if out, err := exec.Command("go", "build", "-o", exe, "./cmd/table").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(exe, "-smoke", "-runs", "2")
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
	for _, want := range []string{"2 runs", "run 2 of 2: login", "### Rotation", "### Crowds", "### Hot path", "### Memory", "### A fleet", "### Credentials in many accounts", "### New", "### Process start", "### Warm start", "### One login, many processes",
		"| aws.CredentialsCache |", "| awsauth |", "aws-sdk-go-base", "| bare SDK |"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in the output", want)
		}
	}
	if strings.Contains(string(out), "NaN") || strings.Contains(string(out), "PASS") {
		t.Error("the output has NaN or PASS in it")
	}
}
