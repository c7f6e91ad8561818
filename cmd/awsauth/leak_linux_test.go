package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// household is a user at home whose every file is below one directory: what a run of
// the command leaves behind is found there.
type household struct {
	dir    string
	cloud  *awsauthtest.Cloud
	keys   awsauthtest.Keys // of the user, in the profile "ana"
	url    string
	device string
}

// newHousehold puts the user's keys into the shared files and other keys into the
// environment, where they have no business in a child.
func newHousehold(t *testing.T) *household {
	t.Helper()
	h := &household{dir: t.TempDir(), device: "arn:aws:iam::111111111111:mfa/ana"}
	h.cloud, _, h.url = served(t, ana)
	h.keys = h.cloud.AddUser(awsauthtest.User{ARN: ana, MFASerial: h.device})
	for _, id := range []string{accountA, accountB} {
		h.cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + id + ":role/manage-role", Trust: []string{ana}})
	}
	for name, path := range map[string]string{
		"HOME": ".", "TMPDIR": "tmp", "XDG_CACHE_HOME": ".cache", cacheVariable: ".cache/awsauth", "AWS_CONFIG_FILE": ".aws/config", "AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials",
	} {
		t.Setenv(name, filepath.Join(h.dir, path))
	}
	for _, dir := range []string{"tmp", ".aws"} {
		require.NoError(t, os.Mkdir(filepath.Join(h.dir, dir), 0o700))
	}
	h.write(t, ".aws/config", "[profile ana]\nregion = eu-west-1\n[profile asked]\nregion = eu-west-1\ncredential_process = sh "+filepath.Join(h.dir, "keys.sh")+"\n")
	h.write(t, ".aws/credentials", "[ana]\naws_access_key_id = "+h.keys.AccessKeyID+"\naws_secret_access_key = "+h.keys.SecretAccessKey+"\n")
	h.write(t, "keys.sh", look("process")+fmt.Sprintf("\necho '{\"Version\":1,\"AccessKeyId\":%q,\"SecretAccessKey\":%q}'\n", h.keys.AccessKeyID, h.keys.SecretAccessKey))
	shadows(t)
	t.Setenv("AWS_PROFILE", "the-callers")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATHECALLERS000001")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "the-callers-secret")
	t.Setenv("AWS_SESSION_TOKEN", "the-callers-token")
	return h
}

func (h *household) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600))
}

// run runs a command as ana.
func (h *household) run(t *testing.T, name string, args ...string) ran {
	t.Helper()
	return runProcess(t, append([]string{name, "--sts-endpoint", h.url, "--profile", "ana"}, args...)...)
}

// look is a script that writes what a child can see: its environment, the command
// lines of itself and of its parent, and what it and its own children have open.
func look(name string) string {
	return `env >"$HOME/` + name + `.env"
tr '\0' ' ' </proc/$$/cmdline >"$HOME/` + name + `.line"; tr '\0' ' ' </proc/$PPID/cmdline >>"$HOME/` + name + `.line"
ls -l /proc/self/fd >"$HOME/` + name + `.open"
`
}

// seen is what a child saw.
type seen struct {
	env         map[string]string
	lines, open string
}

func (h *household) seen(t *testing.T, name string) seen {
	t.Helper()
	read := func(kind string) string {
		text, err := os.ReadFile(filepath.Join(h.dir, name+kind))
		require.NoError(t, err)
		return string(text)
	}
	return seen{environOf(read(".env")), read(".line"), read(".open")}
}

// TestChildrenSee: a child has the keys that it is meant to have, no secret of its
// caller or of the command, none on a command line, and no file of the command open.
func TestChildrenSee(t *testing.T) {
	sh := shell(t)
	for name, tt := range map[string]struct {
		args []string
		keys bool // the role's keys are in the environment
		held []string
	}{
		"exec":        {[]string{"exec", "--account", accountA, "--"}, true, nil},
		"exec, again": {[]string{"exec", "--account", accountA, "--cache-dir", "$HOME/own", "--"}, true, nil},
		"exec, served": {[]string{"exec", "--serve", "--account", accountA, "--"}, false, []string{
			"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		}},
		"each": {[]string{"each", "--accounts", accountA, "--"}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHousehold(t)
			for i := range tt.args {
				tt.args[i] = os.ExpandEnv(tt.args[i])
			}
			got := h.run(t, tt.args[0], append(tt.args[1:], sh, "-c", look("child")+"true")...)
			require.Equal(t, exitOK, got.code, got.stderr)
			saw := h.seen(t, "child")
			var identity []string
			for name := range saw.env {
				if isShadowing(name) && !strings.HasSuffix(name, "_REGION") && !strings.HasPrefix(name, "AWSAUTH_") {
					identity = append(identity, name)
				}
			}
			if tt.keys {
				assert.ElementsMatch(t, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID"}, identity)
				assert.Regexp(t, "^ASIA", saw.env["AWS_ACCESS_KEY_ID"])
			} else {
				assert.ElementsMatch(t, tt.held, identity)
			}
			whole := fmt.Sprint(saw.env)
			for _, secret := range []string{h.keys.SecretAccessKey, "the-callers"} {
				assert.NotContains(t, whole, secret)
			}
			for _, secret := range []string{h.keys.SecretAccessKey, "the-callers", saw.env["AWS_SECRET_ACCESS_KEY"], saw.env["AWS_SESSION_TOKEN"], saw.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]} {
				if secret != "" {
					assert.NotContains(t, saw.lines, secret)
					assert.NotContains(t, got.stdout+got.stderr, secret)
				}
			}
			h.assertNothingOpen(t, saw.open)
		})
	}
}

// assertNothingOpen asks that a child has no more files open than one that the test
// starts by itself.
func (h *household) assertNothingOpen(t *testing.T, open string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), shell(t), "-c", look("plain")+"true")
	c.Stdout, c.Stderr = &heard{}, &heard{}
	require.NoError(t, c.Run())
	numbers := func(open string) (all []string) {
		for _, m := range regexp.MustCompile(`(?m) (\d+) -> `).FindAllStringSubmatch(open, -1) {
			all = append(all, m[1])
		}
		return all
	}
	plain := numbers(h.seen(t, "plain").open)
	require.Subset(t, plain, []string{"0", "1", "2"})
	assert.ElementsMatch(t, plain, numbers(open), "%s", open)
}

// TestAskedChildrenSee: the commands of --mfa-process and credential_process have the
// environment of the caller, and of the command nothing: no keys of a role, no address
// of an endpoint, no file.
func TestAskedChildrenSee(t *testing.T) {
	sh := shell(t)
	h := newHousehold(t)
	for _, args := range [][]string{
		{"exec", "--sts-endpoint", h.url, "--profile", "asked", "--account", accountA, "--", sh, "-c", "true"},
		{"exec", "--serve", "--sts-endpoint", h.url, "--profile", "asked", "--account", accountB, "--", sh, "-c", "true"},
	} {
		got := runProcess(t, args...)
		require.Equal(t, exitOK, got.code, got.stderr)
		assertCallers(t, h, h.seen(t, "process"))
	}
	code := h.cloud.MFACode(h.device)
	h.write(t, "code.sh", look("code")+"echo "+code+"\n")
	got := h.run(t, "exec", "--serve", "--mfa-serial", h.device, "--mfa-process", "sh "+filepath.Join(h.dir, "code.sh"), "--account", accountA, "--", sh, "-c", look("child")+"true")
	require.Equal(t, exitOK, got.code, got.stderr)
	assertCallers(t, h, h.seen(t, "code"))
	require.Len(t, h.cloud.Calls("GetSessionToken"), 1)
	saw := h.seen(t, "child")
	assert.NotRegexp(t, `\b`+code+`\b`, fmt.Sprint(saw.env)+saw.lines+got.stdout+got.stderr, "the code is for STS alone")
}

// assertCallers asks that a child's environment is the caller's.
func assertCallers(t *testing.T, h *household, saw seen) {
	t.Helper()
	assert.Equal(t, "AKIATHECALLERS000001", saw.env["AWS_ACCESS_KEY_ID"])
	assert.Equal(t, "the-callers", saw.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
	assert.NotContains(t, fmt.Sprint(saw.env), "ASIA")
	assert.NotContains(t, fmt.Sprint(saw.env)+saw.lines, h.keys.SecretAccessKey)
	h.assertNothingOpen(t, saw.open)
}

// TestEachChildrenApart: no child of each has the keys of another account.
func TestEachChildrenApart(t *testing.T) {
	sh := shell(t)
	h := newHousehold(t)
	got := h.run(t, "each", "--accounts", accountA+","+accountB, "--", sh, "-c", `env >"$HOME/$AWSAUTH_ACCOUNT.env"`)
	require.Equal(t, exitOK, got.code, got.stderr)
	whole := map[string]string{}
	for _, id := range []string{accountA, accountB} {
		text, err := os.ReadFile(filepath.Join(h.dir, id+".env"))
		require.NoError(t, err)
		whole[id] = string(text)
	}
	for id, other := range map[string]string{accountA: accountB, accountB: accountA} {
		env := environOf(whole[id])
		assert.Equal(t, id, env["AWS_ACCOUNT_ID"])
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
			require.NotEmpty(t, env[name])
			assert.NotContains(t, whole[other], env[name])
		}
	}
}

// runAll runs every command that gets credentials, and returns the secret keys that a
// child of each had.
func (h *household) runAll(t *testing.T, sh string) map[string]bool {
	t.Helper()
	secrets := map[string]bool{}
	for _, args := range [][]string{
		{"whoami"}, {"explain"}, {"whoami", "--account", accountA}, {"env", "--account", accountA}, {"process", "--account", accountA},
		{"exec", "--account", accountA, "--", sh, "-c", "true"}, {"exec", "--serve", "--account", accountA, "--", sh, "-c", "true"},
		{"each", "--accounts", accountA + "," + accountB, "--", sh, "-c", `echo "$AWS_SECRET_ACCESS_KEY"`}, {"cache", "list"},
	} {
		full := append([]string{args[0], "--sts-endpoint", h.url, "--profile", "ana"}, args[1:]...)
		if args[0] == "cache" {
			full = args
		}
		got := runProcess(t, full...)
		require.Equal(t, exitOK, got.code, "%s: %s", args, got.stderr)
		if args[0] == "each" {
			for line := range strings.Lines(got.stdout) {
				secrets[strings.TrimSpace(line[strings.LastIndex(line, " "):])] = true
			}
		}
	}
	return secrets
}

// TestFilesOfCommand: after runs of every command, and one that was killed, each file
// and directory is closed to others; a secret of the user is in his own files alone,
// and one of a role in the entries of the disk cache alone.
func TestFilesOfCommand(t *testing.T) {
	sh := shell(t)
	h := newHousehold(t)
	secrets := h.runAll(t, sh)
	require.Len(t, secrets, 2)

	c, _, stderr := process(t, "exec", "--serve", "--sts-endpoint", h.url, "--profile", "ana", "--account", accountA, "--", sh, "-c", look("killed")+`: >"$HOME/ready"; kill -9 $PPID; exit 0`)
	require.Error(t, c.Run(), stderr)
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(h.dir, "ready")); return err == nil }, 10*time.Second, time.Millisecond)
	token := h.seen(t, "killed").env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
	require.NotEmpty(t, token)
	left, err := filepath.Glob(filepath.Join(h.dir, "tmp", "*", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, left, "who is killed leaves its files behind, or this test shows nothing")

	entries := 0
	require.NoError(t, filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name := strings.TrimPrefix(path, h.dir)
		if strings.HasPrefix(name, "/killed.") || name == "/ready" || name == "" {
			return nil // the child of the test wrote it
		}
		info, err := d.Info()
		require.NoError(t, err)
		if d.IsDir() {
			if name != "/.cache" { // the user's, and perhaps older
				assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), name)
			}
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		entry := strings.HasPrefix(name, "/.cache/awsauth/") && strings.HasSuffix(name, ".json")
		if filepath.Base(name) != "CACHEDIR.TAG" {
			assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), name)
		}
		if !strings.HasPrefix(name, "/.aws/") && name != "/keys.sh" {
			assert.NotContains(t, string(text), h.keys.SecretAccessKey, name)
		}
		assert.NotContains(t, string(text), token, name)
		for secret := range secrets {
			if entry && strings.Contains(string(text), secret) {
				entries++
				continue
			}
			assert.NotContains(t, string(text), secret, name)
		}
		return nil
	}))
	assert.Equal(t, 2, entries, "the secrets are where this test looks for them")
}
