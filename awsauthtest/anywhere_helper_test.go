package awsauthtest_test

import (
	"crypto"
	"encoding/hex"
	"encoding/json"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/certtest"
)

// TestAnywhereHelper lets AWS's own program sign in: it shows that what the Cloud
// verifies is what AWS's client signs.
func TestAnywhereHelper(t *testing.T) {
	program := findHelper(t)
	for name, key := range map[string]crypto.Signer{"RSA": certtest.RSA(t), "ECDSA": certtest.ECDSA(t)} {
		for _, between := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", an intermediate"}[between], func(t *testing.T) {
				a := newAnywhere(t, "eu-west-1", fleet)
				ca := a.ca
				if between {
					ca = ca.Sub(t, "Example Intermediate")
				}
				cert := ca.Issue(t, "host-7", key)
				dir := t.TempDir()
				write := func(name string, data []byte) string {
					name = filepath.Join(dir, name)
					require.NoError(t, os.WriteFile(name, data, 0o600))
					return name
				}
				url, err := a.Serve()
				require.NoError(t, err)
				args := []string{
					"credential-process", "--endpoint", url, "--session-duration", "1800",
					"--certificate", write("client.pem", certtest.PEM(cert.Certificate[0])),
					"--private-key", write("client.key", certtest.KeyPEM(t, key)),
					"--trust-anchor-arn", a.request.TrustAnchorARN, "--profile-arn", a.request.ProfileARN, "--role-arn", fleet,
				}
				if between {
					args = append(args, "--intermediates", write("chain.pem", certtest.PEM(cert.Certificate[1])))
				}
				out, err := exec.CommandContext(t.Context(), program, args...).Output()
				require.NoError(t, err, "%v", a.Calls())

				var keys struct {
					AccessKeyID     string `json:"AccessKeyId"`
					SecretAccessKey string
					SessionToken    string
					Expiration      time.Time
				}
				require.NoError(t, json.Unmarshal(out, &keys))
				assert.WithinDuration(t, time.Now().Add(30*time.Minute), keys.Expiration, time.Minute)
				who, err := client(a.Cloud, "eu-west-1", awsauthtest.Keys{
					AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
				}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
				require.NoError(t, err)
				assert.Equal(t, "arn:aws:sts::222222222222:assumed-role/device/"+hex.EncodeToString(cert.Leaf.SerialNumber.Bytes()), *who.Arn)
			})
		}
	}
}

// findHelper looks where programs are and where go install puts them.
func findHelper(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"rolesanywhere-credential-helper", "aws_signing_helper"} {
		for _, place := range []string{name, filepath.Join(build.Default.GOPATH, "bin", name)} {
			if program, err := exec.LookPath(place); err == nil {
				return program
			}
		}
	}
	t.Skip("AWS's helper is not here: go install github.com/aws/rolesanywhere-credential-helper@latest")
	return ""
}
