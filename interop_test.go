package awsauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// childTime bounds a program of somebody else's.
const childTime = 60 * time.Second

// child prepares a program with an environment that holds nothing but what it
// needs to run, and env. The test is skipped where the program is not installed.
func child(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: this test needs it on PATH", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), childTime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONUNBUFFERED=1"}, env...)
	return cmd
}

// moto is somebody else's AWS, with its IAM authentication.
type moto struct {
	t   *testing.T
	url string
}

// startMoto starts it on a free port and stops it when the test ends.
func startMoto(t *testing.T) *moto {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())

	cmd := child(t, nil, "moto_server", "-H", "127.0.0.1", "-p", port)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if !stopped {
			<-ended
		}
		if t.Failed() {
			t.Logf("moto_server said:\n%s", output.String())
		}
	})
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if conn, err := net.Dial("tcp", address); err == nil {
			require.NoError(t, conn.Close())
			tick.Stop()
			return &moto{t, "http://" + address}
		}
		select {
		case <-tick.C:
		case err := <-ended:
			stopped = true
			t.Fatalf("moto_server ended: %v\n%s", err, output.String())
		}
	}
}

// iam makes an unauthenticated call to moto's IAM in a region.
func (m *moto) iam(region string, form url.Values) (answer motoAnswer) {
	m.t.Helper()
	form.Set("Version", "2010-05-08")
	ask := func() (status int, body string) {
		req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url, strings.NewReader(form.Encode()))
		require.NoError(m.t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20250101/"+region+"/iam/aws4_request, SignedHeaders=host, Signature=0")
		return m.send(req)
	}
	status, body := ask()
	for range 5 { // moto's first answer under load may be that of its STS
		if status == http.StatusOK || !strings.Contains(body, "InvalidAction") {
			break
		}
		status, body = ask()
	}
	require.Equal(m.t, http.StatusOK, status, "%s", body)
	require.NoError(m.t, xml.Unmarshal([]byte(body), &answer))
	return answer
}

type motoAnswer struct {
	RoleARN string `xml:"CreateRoleResult>Role>Arn"`
	KeyID   string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
	Secret  string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
}

func (m *moto) send(req *http.Request) (status int, body string) {
	m.t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(m.t, err)
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	require.NoError(m.t, err)
	return res.StatusCode, string(all)
}

// authenticate switches IAM authentication on.
func (m *moto) authenticate() {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url+"/moto-api/reset-auth", strings.NewReader("0"))
	require.NoError(m.t, err)
	status, body := m.send(req)
	require.Equal(m.t, http.StatusOK, status, "%s", body)
}

// motoUser makes a user who may assume the role that is made with it.
func (m *moto) motoUser(p awsauth.Partition, name string) (keyID, secret string) {
	m.t.Helper()
	region := lab.DefaultRegion(p)
	trust := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:%s:iam::%s:user/%s"}, "Action": "sts:AssumeRole"}}`, p, lab.Target, name)
	allow := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}`
	m.iam(region, url.Values{"Action": {"CreateUser"}, "UserName": {name}})
	m.iam(region, url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"assume"}, "PolicyDocument": {allow}})
	role := m.iam(region, url.Values{"Action": {"CreateRole"}, "RoleName": {"role-" + name}, "AssumeRolePolicyDocument": {trust}})
	require.Equal(m.t, fmt.Sprintf("arn:%s:iam::%s:role/role-%s", p, lab.Target, name), role.RoleARN)
	keys := m.iam(region, url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}})
	return keys.KeyID, keys.Secret
}

// TestMoto: an AWS that shares no line with awsauthtest accepts what the library
// sends, with IAM authentication on, in both worlds.
func TestMoto(t *testing.T) {
	awsauthtest.Isolate(t)
	m := startMoto(t)
	partitions := map[awsauth.Partition]string{awsauth.AWS: "ana", awsauth.China: "wang"}
	keys := map[awsauth.Partition][2]string{}
	for p, name := range partitions {
		id, secret := m.motoUser(p, name)
		keys[p] = [2]string{id, secret}
	}
	m.authenticate()
	for p, name := range partitions {
		t.Run(string(p), func(t *testing.T) {
			id, secret := keys[p][0], keys[p][1]
			opts := []awsauth.Option{
				awsauth.WithSTSEndpoint(m.url), awsauth.WithPartition(p), awsauth.WithAccount(lab.Target), awsauth.WithRole("role-" + name),
				awsauth.WithSessionName("interop"),
			}
			s, err := awsauth.New(append(opts, awsauth.WithStaticCredentials(id, secret, ""))...)
			require.NoError(t, err)
			who, err := s.Identity(t.Context())
			require.NoError(t, err)
			assert.Equal(t, lab.Target, who.Account)
			assert.Equal(t, p, who.Partition)
			assert.Equal(t, fmt.Sprintf("arn:%s:sts::%s:assumed-role/role-%s/interop", p, lab.Target, name), who.ARN)
			assert.Equal(t, lab.DefaultRegion(p), s.Config().Region)
			creds, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			assert.InDelta(t, time.Hour.Seconds(), time.Until(creds.Expires).Seconds(), 60)

			s, err = awsauth.New(append(opts, awsauth.WithStaticCredentials(id, lab.SomeSecret, ""))...)
			require.NoError(t, err)
			_, err = s.Retrieve(t.Context())
			// moto says SignatureDoesNotMatch in a form that newer SDKs alone can read.
			require.True(t, errors.Is(err, awsauth.InvalidKey) || errors.Is(err, awsauth.AccessDenied), "%v", err)
			var refused *awshttp.ResponseError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, http.StatusForbidden, refused.HTTPStatusCode())
		})
	}
}

// TestKeysForTheCLI: the keys of a session, in the environment of the real AWS
// CLI, are those of the role.
func TestKeysForTheCLI(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		t.Run(string(p), func(t *testing.T) {
			w := lab.New(t, p)
			address, err := w.Serve()
			require.NoError(t, err)
			s := w.Open(w.Static(), awsauth.WithPartition(p), awsauth.WithAccount(lab.Target), awsauth.WithSessionName("interop"))
			creds, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			cmd := child(t, []string{
				"AWS_ACCESS_KEY_ID=" + creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + creds.SecretAccessKey,
				"AWS_SESSION_TOKEN=" + creds.SessionToken, "AWS_REGION=" + s.Config().Region,
				"AWS_DEFAULT_REGION=" + s.Config().Region, "AWS_EC2_METADATA_DISABLED=true",
			}, "aws", "sts", "get-caller-identity", "--endpoint-url", address, "--output", "json")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			require.NoError(t, err, stderr.String())
			var who struct{ Account, Arn string }
			require.NoError(t, json.Unmarshal(out, &who))
			assert.Equal(t, lab.Target, who.Account)
			assert.Equal(t, w.Became(lab.Target, "manage-role")+"/interop", who.Arn)
		})
	}
}
