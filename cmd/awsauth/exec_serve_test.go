//go:build unix

package main

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// defaultKeys puts a profile "default" with keys into the shared files, which every
// SDK reads before it asks an endpoint.
func defaultKeys(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	keys := "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = made-up\n"
	for name, variable := range map[string]string{"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(keys), 0o600))
		t.Setenv(variable, path)
	}
}

// TestServeTemporary: the files of a child are found from any directory, also where TMPDIR
// is a relative path. Where there can be none, the error names the variable.
func TestServeTemporary(t *testing.T) {
	_, url := fleet(t)
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", ".")
	args := []string{"exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--", shell(t), "-c", `cd / && cat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"`}
	got := runProcess(t, args...)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, "[default]\nregion = us-east-1\n", got.stdout)
	t.Setenv("TMPDIR", "missing")
	got = runProcess(t, args...)
	assert.Equal(t, exitFailed, got.code)
	assert.Regexp(t, `^awsauth: exec --serve: no directory for the command's files: .*missing.*; name one in TMPDIR that can be written to\n$`, got.stderr)
}

// TestServeEnvironment: a child has the endpoint and no keys. When it ends, nothing
// listens any more, and nothing is left on disk.
func TestServeEnvironment(t *testing.T) {
	cloud, url := fleet(t)
	shadows(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	got := runProcess(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--region", "eu-west-1", "--",
		shell(t), "-c", "env; cat \"$AWS_CONFIG_FILE\"; ls -l \"$AWS_CONFIG_FILE\"")
	require.Equal(t, exitOK, got.code, got.stderr)
	env := environOf(got.stdout)
	assert.NotContains(t, got.stdout, "the-callers")
	assert.Equal(t, []string{"AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_DEFAULT_REGION",
		"AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL_STS", "AWS_REGION", "AWS_SHARED_CREDENTIALS_FILE"}, namesWith(env, "AWS_"))
	assert.Regexp(t, `^http://127\.0\.0\.1:[0-9]+/[A-Z2-7]{26}$`, env["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
	assert.Contains(t, got.stdout, "[default]\nregion = eu-west-1\n-rw-------")
	assert.Empty(t, got.stderr)
	assert.Len(t, cloud.Calls(), 1, "the keys are there before the child asks")

	address, _, _ := strings.Cut(strings.TrimPrefix(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], "http://"), "/")
	_, err := net.DialTimeout("tcp", address, time.Second)
	require.Error(t, err, "nothing listens")
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing is left")
}

// TestServeSettings: a child keeps the settings of its files, and no identity of them.
func TestServeSettings(t *testing.T) {
	_, url := fleet(t)
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[default]\noutput = yaml\nretry_mode = adaptive\nregion = us-west-2\ncredential_process = /bin/false\n"+
		"aws_secret_acces_key = misspelt\nrole_arn = arn:aws:iam::111111111111:role/x\ns3 =\n  addressing_style = path\nservices = local\n"+
		"[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n[profile other]\nregion = x\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	got := runProcess(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--", shell(t), "-c", `cat "$AWS_CONFIG_FILE"`)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, "[default]\nregion = us-west-2\noutput = yaml\nretry_mode = adaptive\ns3 = \n  addressing_style = path\nservices = local\n"+
		"[services local]\ndynamodb = \n  endpoint_url = http://localhost:8000\n", got.stdout)
}

// TestServeBeatsDefault: keys in the profile "default" do not win over the endpoint.
func TestServeBeatsDefault(t *testing.T) {
	_, url := fleet(t)
	defaultKeys(t)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	for name, client := range map[string]func(*testing.T) []string{
		"aws":   func(t *testing.T) []string { return []string{needs(t, "aws"), "sts", "get-caller-identity"} },
		"boto3": func(t *testing.T) []string { return []string{needsBoto(t), "-c", botoLoop, "1"} },
	} {
		t.Run(name, func(t *testing.T) {
			got := runProcess(t, append([]string{"exec", "--serve", "--account", accountA, "--session-name", "me", "--"}, client(t)...)...)
			require.Equal(t, exitOK, got.code, got.stderr)
			assert.Contains(t, got.stdout, "arn:aws:sts::"+accountA+":assumed-role/manage-role/me")
		})
	}
}

// TestServeForbidden: without the token, and under another name, there are no keys.
func TestServeForbidden(t *testing.T) {
	_, url := fleet(t)
	c, _, stderr := process(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--",
		shell(t), "-c", `echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; echo "$AWS_CONTAINER_AUTHORIZATION_TOKEN"; read line`)
	c.Stdout = nil
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewReader(out)
	address, err := lines.ReadString('\n')
	require.NoError(t, err, stderr.String())
	token, err := lines.ReadString('\n')
	require.NoError(t, err)
	for _, tt := range []struct {
		token, host string
		status      int
	}{
		{strings.TrimSpace(token), "", http.StatusOK},
		{"wrong", "", http.StatusForbidden},
		{strings.TrimSpace(token), "evil.example.com", http.StatusForbidden},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSpace(address), nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", tt.token)
		r.Host = tt.host
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, tt.status, res.StatusCode)
	}
	require.NoError(t, in.Close())
	_ = c.Wait()
}

// TestServeSignals: what is sent to awsauth reaches the child, which decides.
func TestServeSignals(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	for sent, name := range map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGHUP: "HUP", syscall.SIGUSR1: "USR1", syscall.SIGINT: "INT"} {
		t.Run(name, func(t *testing.T) {
			if signal.Ignored(sent) {
				t.Skip("this test was started to ignore it, as by nohup, and so are its children")
			}
			c, _, stderr := process(t, "exec", "--serve", "--sts-endpoint", url, "--account", accountA, "--",
				sh, "-c", `trap "echo got `+name+`; exit 9" `+name+`; echo ready; while :; do sleep 0.05; done`)
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal that would send it to both
			c.Stdout = nil
			out, err := c.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			lines := bufio.NewReader(out)
			line, err := lines.ReadString('\n')
			require.NoError(t, err, stderr.String())
			require.Equal(t, "ready\n", line)
			require.NoError(t, c.Process.Signal(sent))
			line, err = lines.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "got "+name+"\n", line)
			_ = c.Wait()
			assert.Equal(t, 9, c.ProcessState.ExitCode())
			assert.Empty(t, stderr.String())
		})
	}
}

// TestServeOutage: where the keys cannot be renewed, awsauth says so on its stderr, and
// once they have ended the child is told, and gets no keys.
func TestServeOutage(t *testing.T) {
	curl, sh := needs(t, "curl"), shell(t)
	cloud, _, url := served(t, ana)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		require.NoError(t, os.Unsetenv(name))
	}
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url+cloud.SetContainer(&awsauthtest.Container{RoleARN: "arn:aws:iam::111111111111:role/task", Lifetime: 4 * time.Second}))
	cloud.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Match: func(awsauthtest.Call) bool { return len(cloud.Calls()) > 1 }})
	got := runProcess(t, "exec", "--serve", "--region", "us-east-1", "--", sh, "-c",
		`ask() { "$0" -s -w ' %{http_code}\n' --noproxy '*' -H "Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN" "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; }; ask; sleep 6; ask`, curl)
	require.Equal(t, exitOK, got.code, got.stderr)
	answers := strings.Split(strings.TrimSpace(got.stdout), "\n")
	require.Len(t, answers, 2, got.stdout)
	assert.Contains(t, answers[0], `"AccessKeyId":"ASIA`)
	assert.True(t, strings.HasSuffix(answers[0], " 200"), answers[0])
	assert.Contains(t, answers[1], `"Message":"awsauth: `)
	assert.NotContains(t, answers[1], "AccessKeyId")
	assert.True(t, strings.HasSuffix(answers[1], " 503"), answers[1])
	for line := range strings.Lines(got.stderr) {
		assert.True(t, strings.HasPrefix(line, "awsauth: "), line)
	}
	assert.NotEmpty(t, got.stderr)
	assert.NotRegexp(t, goWords, got.stdout+got.stderr)
}

// TestServeNothingToRenew: keys that nothing renews are refused, for the reason that is
// theirs.
func TestServeNothingToRenew(t *testing.T) {
	_, url := fleet(t)
	refused := func(why string, args ...string) {
		t.Helper()
		got := runProcess(t, append(append([]string{"exec", "--serve"}, args...), "--", shell(t), "-c", "echo ran")...)
		assert.Equal(t, exitFailed, got.code)
		assert.Empty(t, got.stdout)
		assert.Equal(t, "awsauth: exec --serve: these keys "+why+"; leave out --serve, or name a role with --account or --role-arn\n", got.stderr)
	}
	const temporary = "are temporary, and awsauth has nothing to renew them with"
	refused("never end, so there is nothing to renew", "--sts-endpoint", url)
	asTheRole(t, url)
	refused(temporary)
	t.Setenv("AWS_CREDENTIAL_EXPIRATION", "")
	refused(temporary)
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[profile temporary]\nregion = eu-west-1\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\n"+
		"aws_secret_access_key = made-up\naws_session_token = made-up\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	refused(temporary, "--profile", "temporary")
}
