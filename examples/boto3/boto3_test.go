// Package boto3 runs an existing script in another account, unchanged, in two ways: the
// command awsauth stands before it, or is named in the config file.
package boto3

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

// command builds awsauth, and returns its path.
func command(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "awsauth")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../..", "-o", path, "./cmd/awsauth").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// output runs a program, and returns what it says.
func output(t *testing.T, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, talk strings.Builder
	c := exec.CommandContext(t.Context(), name, args...)
	c.Stdout, c.Stderr = &out, &talk
	err = c.Run()
	return out.String(), talk.String(), err
}

func TestReport(t *testing.T) {
	mototest.Start(t, "333333333333")
	if out, err := exec.CommandContext(t.Context(), "python3", "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("python3 with boto3 is not here; pip install boto3 brings it: %v\n%s", err, out)
	}
	awsauthCommand := command(t)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_DEFAULT_REGION", "us-east-1") // boto3 knows no other
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	makeBucket := "import boto3; boto3.client('s3').create_bucket(Bucket='ledger-2026')"
	if _, stderr, err := output(t, awsauthCommand, "exec", "--account", "222222222222", "--", "python3", "-c", makeBucket); err != nil {
		t.Fatal(err, stderr)
	}
	const there, here = "222222222222\n  ledger-2026\n", "123456789012\n"

	t.Run("by itself", func(t *testing.T) {
		if out, stderr, err := output(t, "python3", "report.py"); out != here || err != nil {
			t.Errorf("got %q, %v, %s", out, err, stderr)
		}
	})
	t.Run("exec", func(t *testing.T) {
		if out, stderr, err := output(t, awsauthCommand, "exec", "--account", "222222222222", "--role", "audit", "--", "python3", "report.py"); out != there || err != nil {
			t.Errorf("got %q, %v, %s", out, err, stderr)
		}
	})
	t.Run("exec --serve", func(t *testing.T) {
		if out, stderr, err := output(t, awsauthCommand, "exec", "--serve", "--account", "222222222222", "--", "python3", "report.py"); out != there || err != nil {
			t.Errorf("got %q, %v, %s", out, err, stderr)
		}
	})
	t.Run("exec, refused", func(t *testing.T) {
		out, stderr, err := output(t, awsauthCommand, "exec", "--account", "333333333333", "--", "python3", "report.py")
		if out != "" || err == nil || !strings.Contains(stderr, "assume role arn:aws:iam::333333333333:role/manage-role") || strings.Contains(stderr, "Traceback") {
			t.Errorf("the script is not to run: got %q, %v, %s", out, err, stderr)
		}
	})
	t.Run("credential_process", func(t *testing.T) {
		lines, err := os.ReadFile("config")
		if err != nil {
			t.Fatal(err)
		}
		config := strings.ReplaceAll(string(lines), "/usr/local/bin/awsauth", awsauthCommand) +
			"[profile ops]\naws_access_key_id = " + os.Getenv("AWS_ACCESS_KEY_ID") + "\naws_secret_access_key = " + os.Getenv("AWS_SECRET_ACCESS_KEY") + "\n"
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"AWS_CONFIG_FILE": path, "AWS_PROFILE": "audited", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""} {
			t.Setenv(name, value)
		}
		if out, stderr, err := output(t, "python3", "report.py"); out != there || err != nil {
			t.Errorf("got %q, %v, %s", out, err, stderr)
		}
	})
}
