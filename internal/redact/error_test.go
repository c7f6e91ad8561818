package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	oidctypes "github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	head = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><SecretAccessKey>GEHEIM</SecretAccessKey>`
	tail = `</Credentials></AssumeRoleResult></AssumeRoleResponse>`
)

// hostile are answers of something that is not AWS, or not all of AWS's answer.
var hostile = map[string]struct {
	status   int
	kind     string
	body     string
	readable bool // an API error comes out of it
}{
	"cut in a value":    {200, "text/xml", head + `<SessionToken>GEHEIM`, false},
	"cut in a tag":      {200, "text/xml", head + `<GEHEIM`, false},
	"wrong end tag":     {200, "text/xml", head + `<SessionToken></GEHEIM>`, false},
	"bad entity":        {200, "text/xml", head + `<SessionToken>&GEHEIM;</SessionToken>` + tail, false},
	"secret as time":    {200, "text/xml", head + `<Expiration>GEHEIM</Expiration>` + tail, false},
	"control character": {200, "text/xml", head + "<SessionToken>\x1bGEHEIM</SessionToken>" + tail, false},
	"JSON":              {200, "application/json", `{"SecretAccessKey":"GEHEIM"`, false},
	"HTML":              {200, "text/html", `<html><body>GEHEIM<br></body></html>`, false},
	"empty error":       {500, "text/xml", ``, false},
	"HTML error":        {502, "text/html", `<!DOCTYPE html><html><head><title>GEHEIM</title><meta charset=x></head>`, false},
	"cut error":         {400, "text/xml", `<ErrorResponse><Error><Code>X</Code><Message>GEHEIM`, false},
	"hostile code":      {400, "text/xml", "<ErrorResponse><Error><Code>A\u009b2J\u202e</Code><Message>\u009b2Jx\u202e\n" + strings.Repeat("word ", 100_000) + "</Message></Error></ErrorResponse>", true},
	"echoed MFA code":   {400, "text/xml", `<ErrorResponse><Error><Code>ValidationError</Code><Message>1 validation error detected: Value 'GEHEIM' at 'tokenCode' failed</Message></Error></ErrorResponse>`, true},
	"echoed token":      {403, "text/xml", "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>should have been\n'POST\nx-amz-security-token:GEHEIM\n'</Message></Error></ErrorResponse>", true},
	"modeled, echoed":   {400, "text/xml", "<ErrorResponse><Error><Code>PackedPolicyTooLarge</Code><Message>Value 'GEHEIM' at 'webIdentityToken'\u009b</Message></Error></ErrorResponse>", true},
	"captive portal":    {307, "text/html", `<a href="GEHEIM">`, false},
	"much of nothing":   {400, "text/plain", strings.Repeat("GEHEIM", 100_000), false},
}

func TestErrorSTS(t *testing.T) {
	leaking := 0
	for name, a := range hostile {
		client := sts.NewFromConfig(sdkConfig(answering(a.status, a.kind, a.body)))
		_, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("x"), TokenCode: aws.String(geheim),
		})
		if err == nil {
			continue // one version of the SDK passes over what another refuses
		}
		if strings.Contains(shown(err), geheim) {
			leaking++
		}
		clean := redact.Error(err)
		t.Run(name, func(t *testing.T) { assertClean(t, clean) })

		var operation *smithy.OperationError
		require.ErrorAs(t, clean, &operation, name)
		assert.Equal(t, "AssumeRole", operation.OperationName)
		var response *awshttp.ResponseError
		require.ErrorAs(t, clean, &response, name)
		assert.Equal(t, a.status, response.HTTPStatusCode())
		assert.Equal(t, "req-�[2J1", response.ServiceRequestID())
		assert.Equal(t, "https://…@portal/?t=…", response.Response.Header.Get("Location"))
		var api smithy.APIError
		var unreadable *redact.UnreadableError
		if a.readable {
			require.ErrorAs(t, clean, &api, name)
		} else if !errors.As(clean, &api) { // some SDKs make an UnknownError of it
			require.ErrorAs(t, clean, &unreadable, name)
			assert.NotEmpty(t, unreadable.Reason)
		}
	}
	assert.Greater(t, leaking, 5, "the SDK's own errors show it, or this test shows nothing")
}

func TestErrorModeled(t *testing.T) {
	a := hostile["modeled, echoed"]
	_, err := sts.NewFromConfig(sdkConfig(answering(a.status, a.kind, a.body))).AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("x")})
	var before, after *ststypes.PackedPolicyTooLargeException
	require.ErrorAs(t, err, &before)
	require.ErrorAs(t, redact.Error(err), &after)
	assert.Equal(t, "Value '…' at 'webIdentityToken'�", after.ErrorMessage())
	assert.Contains(t, before.ErrorMessage(), geheim, "the original is not changed: others may hold it")
}

// The other services and endpoints that are asked for credentials.
func TestErrorSources(t *testing.T) {
	bodies := map[string]string{
		"cut":        `{"roleCredentials":{"secretAccessKey":"GEHEIM`,
		"wrong type": `{"roleCredentials":{"expiration":"GEHEIM"},"Expiration":"GEHEIM","expiresIn":"GEHEIM","AccessKeyId":"A","SecretAccessKey":"B"}`,
		"not JSON":   "GEHEIM\x1b[2J",
		"HTML":       "<html>\u009bGEHEIM",
	}
	for name, body := range bodies {
		for _, status := range []int{200, 400, 403, 500} {
			c := answering(status, "application/json", body)
			oneself := smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPut { // the token
					return answering(403, "text/plain", "").Do(r)
				}
				if strings.HasSuffix(r.URL.Path, "/") {
					return answering(200, "text/plain", "my-role").Do(r)
				}
				return c.Do(r)
			})
			for source, ask := range map[string]func() error{
				"SSO": func() error {
					_, err := sso.NewFromConfig(sdkConfig(c)).GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{
						AccessToken: aws.String(geheim), AccountId: aws.String("1"), RoleName: aws.String("x")})
					return err
				},
				"OIDC": func() error {
					_, err := ssooidc.NewFromConfig(sdkConfig(c)).CreateToken(t.Context(), &ssooidc.CreateTokenInput{
						ClientId: aws.String("x"), ClientSecret: aws.String(geheim), GrantType: aws.String("refresh_token"), RefreshToken: aws.String(geheim)})
					return err
				},
				"container": func() error {
					_, err := endpointcreds.New("http://127.0.0.1/x", func(o *endpointcreds.Options) {
						o.HTTPClient, o.AuthorizationToken, o.Retryer = c, geheim, aws.NopRetryer{}
					}).Retrieve(t.Context())
					return err
				},
				"instance": func() error {
					_, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
						o.Client = imds.New(imds.Options{HTTPClient: oneself, ClientEnableState: imds.ClientEnabled, Retryer: aws.NopRetryer{}})
					}).Retrieve(t.Context())
					return err
				},
			} {
				if err := ask(); err != nil {
					t.Run(fmt.Sprint(source, " ", name, " ", status), func(t *testing.T) {
						if source == "container" && status != 200 && name != "cut" {
							return // what the agent says is shown, see TestErrorContainer
						}
						assertClean(t, redact.Error(err))
					})
				}
			}
		}
	}
}

// An agent's words are shown, on one line and clipped.
func TestErrorContainer(t *testing.T) {
	_, err := endpointcreds.New("http://127.0.0.1/x", func(o *endpointcreds.Options) {
		o.HTTPClient, o.Retryer = answering(400, "application/json", `{"code":"AccessDeniedException","message":"No\u001b[2J `+strings.Repeat("word ", 1000)+`"}`), aws.NopRetryer{}
	}).Retrieve(t.Context())
	clean := redact.Error(err)
	assertClean(t, clean)
	var api smithy.APIError
	require.ErrorAs(t, clean, &api)
	assert.Equal(t, "AccessDeniedException", api.ErrorCode())
	assert.True(t, strings.HasPrefix(api.ErrorMessage(), "No�[2J word"), api.ErrorMessage())
	var status interface{ HTTPStatusCode() int }
	require.ErrorAs(t, clean, &status)
	assert.Equal(t, 400, status.HTTPStatusCode())
}

func TestErrorModeledFields(t *testing.T) {
	body := `{"error":"invalid_grant","error_description":"gone\u001b[2J ` + strings.Repeat("x", 999) + `"}`
	c := smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		response, err := answering(400, "application/json", body).Do(r)
		response.Header.Set("X-Amzn-Errortype", "InvalidGrantException")
		return response, err
	})
	_, err := ssooidc.NewFromConfig(sdkConfig(c)).CreateToken(t.Context(), &ssooidc.CreateTokenInput{
		ClientId: aws.String("x"), ClientSecret: aws.String(geheim), GrantType: aws.String("refresh_token")})
	clean := redact.Error(err)
	assertClean(t, clean)
	var invalid *oidctypes.InvalidGrantException
	require.ErrorAs(t, clean, &invalid)
	assert.Equal(t, "invalid_grant", aws.ToString(invalid.Error_))
	assert.Len(t, []rune(aws.ToString(invalid.Error_description)), 500)
}

func TestErrorMetadata(t *testing.T) {
	client := imds.New(imds.Options{HTTPClient: answering(404, "text/html", geheim), ClientEnableState: imds.ClientEnabled, Retryer: aws.NopRetryer{}})
	_, err := client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "iam/"})
	clean := redact.Error(err)
	assertClean(t, clean)
	assert.ErrorContains(t, clean, "StatusCode: 404, request to EC2 IMDS failed")
	var unreadable *redact.UnreadableError
	assert.False(t, errors.As(clean, &unreadable))
}

// What is not HTTP at all is quoted by net/http.
func TestErrorNotHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"a body":        `{"SecretAccessKey":"GEHEIM"}` + "\r\n\r\n",
		"a header":      "HTTP/1.1 200 OK\r\nGEHEIM\r\n\r\n",
		"a header line": "HTTP/1.1 200 OK\r\n GEHEIM: x\r\nx\x1bGEHEIM\r\n\r\n",
		"a status":      "HTTP/1.1 GEHEIM\r\n\r\n",
		"a version":     "HTTP/GEHEIM 200 OK\r\n\r\n",
		"a length":      "HTTP/1.1 200 OK\r\nContent-Length: GEHEIM\r\n\r\n",
		"an encoding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: GEHEIM\r\n\r\n",
		"a chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nGEHEIM\r\n",
		"a location":    "HTTP/1.1 307 x\r\nLocation: :GEHEIM\x1b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = conn.Write([]byte(answer))
					_ = conn.Close()
				}
			}()
			cfg := sdkConfig(awshttp.NewBuildableClient())
			cfg.BaseEndpoint = aws.String("http://" + listener.Addr().String())
			_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
			require.Error(t, err)
			assertClean(t, redact.Error(err))
		})
	}
}

func TestErrorProcess(t *testing.T) {
	for _, script := range []string{`echo GEHEIM`, `echo '{"SecretAccessKey":"GEHEIM"'`, `echo GEHEIM; exit 3`, `echo GEHEIM >&2; exit 3`} {
		provider := processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, "sh", "-c", script), nil
		}))
		_, err := provider.Retrieve(t.Context())
		require.Error(t, err)
		clean := redact.Error(err)
		assertClean(t, clean)
		var typed *processcreds.ProviderError
		assert.ErrorAs(t, clean, &typed)
		var exit *exec.ExitError
		assert.Equal(t, strings.HasSuffix(script, "exit 3"), errors.As(clean, &exit), script)
	}
}

// TestErrorKeeps holds what errors.Is and errors.As find after cleaning.
func TestErrorKeeps(t *testing.T) {
	sentinel := errors.New("not logged in")
	refused := &url.Error{Op: "Post", URL: "https://me:GEHEIM@sts.example.com/?x=GEHEIM", Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
	for name, test := range map[string]struct {
		err error
		is  error
	}{
		"canceled":          {&smithy.OperationError{Err: &aws.RequestCanceledError{Err: context.Canceled}}, context.Canceled},
		"deadline":          {fmt.Errorf("x: %w", &smithy.CanceledError{Err: context.DeadlineExceeded}), context.DeadlineExceeded},
		"refused":           {&smithy.OperationError{Err: &smithyhttp.RequestSendError{Err: refused}}, syscall.ECONNREFUSED},
		"caller's":          {fmt.Errorf("ask the vault: %w", sentinel), sentinel},
		"joined":            {errors.Join(io.EOF, sentinel), sentinel},
		"below an answer":   {&smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 200}}, Err: sentinel}, sentinel},
		"cut short":         {&smithy.DeserializationError{Err: io.ErrUnexpectedEOF}, io.ErrUnexpectedEOF},
		"missing file":      {fmt.Errorf("read: %w", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}), fs.ErrNotExist},
		"answer without it": {&smithyhttp.ResponseError{Err: context.Canceled}, context.Canceled},
	} {
		clean := redact.Error(test.err)
		assert.ErrorIs(t, clean, test.is, name)
		assert.NotErrorIs(t, clean, io.ErrShortWrite, name)
		if name != "answer without it" {
			assertClean(t, clean)
		}
	}
	assert.NoError(t, redact.Error(nil))
	assert.EqualError(t, redact.Error(refused), `Post "https://…@sts.example.com/?x=…": dial tcp: connect: connection refused`)

	var timeout net.Error
	require.ErrorAs(t, redact.Error(fmt.Errorf("x: %w", &timeoutError{})), &timeout)
	assert.True(t, timeout.Timeout())
	assert.False(t, errors.As(redact.Error(sentinel), &timeout))
}

type timeoutError struct{}

func (*timeoutError) Error() string   { return "slow" }
func (*timeoutError) Timeout() bool   { return true }
func (*timeoutError) Temporary() bool { return true }

// vaultError is an error type of a caller's provider.
type vaultError struct{ Code int }

func (e vaultError) Error() string { return fmt.Sprintf("vault says \x1b[31m%d", e.Code) }

// Callers find their own types, and the SDK's about files and SSO.
func TestErrorTypes(t *testing.T) {
	clean := redact.Error(&smithy.OperationError{Err: fmt.Errorf("get credentials: %w", vaultError{7})})
	var vault vaultError
	require.ErrorAs(t, clean, &vault)
	assert.Equal(t, 7, vault.Code)
	assert.Contains(t, clean.Error(), "get credentials: vault says �[31m7")

	below := redact.Error(&smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 200}}, Err: fmt.Errorf("x: %w", vaultError{8})})
	require.ErrorAs(t, below, &vault)
	assert.Equal(t, 8, vault.Code)
	assert.Contains(t, below.Error(), "vault says �[31m8", "a caller's own middleware may speak")

	_, err := config.LoadSharedConfigProfile(t.Context(), "gone", func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{os.DevNull}, []string{os.DevNull}
	})
	var missing config.SharedConfigProfileNotExistError
	require.ErrorAs(t, redact.Error(fmt.Errorf("x: %w", err)), &missing)
	assert.Equal(t, "gone", missing.Profile)

	var token *ssocreds.InvalidTokenError
	assert.ErrorAs(t, redact.Error(fmt.Errorf("x: %w", &ssocreds.InvalidTokenError{Err: io.EOF})), &token)
}
