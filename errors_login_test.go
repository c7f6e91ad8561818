package awsauth_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/signin/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSDKTexts holds the only texts of the SDK that errors_source.go and load.go go
// by, where the SDK gives no type to go by. An SDK that changes one makes an error
// less precise; this test says which.
func TestSDKTexts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the processes are a shell's")
	}
	lab.New(t, "aws")
	dir := t.TempDir()
	process := func(command string) func() error {
		return func() error {
			_, err := processcreds.NewProvider(command, func(o *processcreds.Options) { o.Timeout = 5 * time.Second }).Retrieve(t.Context())
			return err
		}
	}
	for _, tt := range []struct {
		says string
		err  func() error
	}{
		{"parse failed", process("echo no json")},
		{"wrong version", process(`echo '{"Version": 2}'`)},
		{"missing AccessKeyId", process(`echo '{"Version": 1}'`)},
		{"missing SecretAccessKey", process(`echo '{"Version": 1, "AccessKeyId": "x"}'`)},
		{"timed out", func() error {
			_, err := processcreds.NewProvider("sleep 5", func(o *processcreds.Options) { o.Timeout = time.Millisecond }).Retrieve(t.Context())
			return err
		}},
		{"Time.UnmarshalJSON", process(`echo '{"Version": 1, "Expiration": 5}'`)},
		{"reauthenticate", func() error { return login(t, filepath.Join(dir, "none"), nil) }},
		{"reauthenticate", func() error { return login(t, expiredLogin(t, dir), refused(types.OAuth2ErrorCodeTokenExpired)) }},
		{"reauthenticate", func() error {
			return login(t, expiredLogin(t, dir), refused(types.OAuth2ErrorCodeUserCredentialsChanged))
		}},
		{"insufficient permissions", func() error {
			return login(t, expiredLogin(t, dir), refused(types.OAuth2ErrorCodeInsufficientPermissions))
		}},
		{"login token", func() error {
			path := filepath.Join(dir, "empty")
			require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
			return login(t, path, nil)
		}},
		{"empty EC2 IMDS role list", func() error {
			_, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = noRoles{} }).Retrieve(t.Context())
			return err
		}},
		{"custom CA bundle PEM file", func() error {
			path := filepath.Join(dir, "bundle")
			require.NoError(t, os.WriteFile(path, []byte("no certificate"), 0o600))
			t.Setenv("AWS_CA_BUNDLE", path)
			_, err := config.LoadDefaultConfig(t.Context())
			return err
		}},
	} {
		err := tt.err()
		if assert.Error(t, err, tt.says) {
			assert.Contains(t, err.Error(), tt.says)
		}
	}
}

// noRoles is the metadata of an instance without a role.
type noRoles struct{}

func (noRoles) GetMetadata(context.Context, *imds.GetMetadataInput, ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(""))}, nil
}

// signIn is the sign-in service's answer.
type signIn struct{ err error }

func (s signIn) CreateOAuth2Token(context.Context, *signin.CreateOAuth2TokenInput, ...func(*signin.Options)) (*signin.CreateOAuth2TokenOutput, error) {
	return nil, s.err
}

func refused(code types.OAuth2ErrorCode) error { return &types.AccessDeniedException{Error_: code} }

func login(t *testing.T, path string, err error) error {
	_, err = logincreds.New(signIn{err}, path).Retrieve(t.Context())
	return err
}

// expiredLogin is the file of a login whose keys have expired.
func expiredLogin(t *testing.T, dir string) string {
	path := filepath.Join(dir, "login")
	text := `{"accessToken": {"accessKeyId": "x", "secretAccessKey": "x", "sessionToken": "x", "accountId": "111111111111", "expiresAt": "2020-01-01T00:00:00Z"},
		"tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4", "refreshToken": "x", "identityToken": "x", "clientId": "x", "dpopKey": "x"}`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
