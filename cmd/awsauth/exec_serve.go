package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/serve"
)

// serve runs the command beside an endpoint that renews its keys.
func (x *execution) serve(ctx context.Context) error {
	server, err := serve.Start(ctx, speaking{lasting{x.session, leftForSDK}}, func(err error) { x.note(oneLine(err.Error())) })
	switch {
	case errors.Is(err, serve.ErrNoEnd):
		why := "these keys never end, so there is nothing to renew"
		if x.keys.SessionToken != "" {
			why = "these keys are temporary, and awsauth has nothing to renew them with"
		}
		return &failure{errors.New("awsauth: exec --serve: " + why + "; leave out --serve, or name a role with --account or --role-arn")}
	case err != nil:
		return failed(err)
	}
	defer server.Close()
	dir, err := temporaryDirectory()
	if err != nil {
		return &failure{fmt.Errorf("awsauth: exec --serve: %w", err)}
	}
	defer os.RemoveAll(dir)
	files, err := emptyFiles(dir, x.session.Config().Region)
	if err != nil {
		return &failure{fmt.Errorf("awsauth: exec --serve: %w", err)}
	}
	x.serving.Store(true)
	x.codes.hush() // from here on the terminal is the command's
	environ := with(x.environ, regionVariables(x.session.Config().Region)...)
	return x.runBeside(with(withoutFiles(environ), append(files,
		variable{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL()},
		variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN", server.Token()})...))
}

// temporaryDirectory makes a directory of ours. Its path is whole: TMPDIR may be a relative
// one, and COMMAND may go elsewhere.
func temporaryDirectory() (string, error) {
	dir, err := filepath.Abs(os.TempDir())
	if err == nil {
		dir, err = os.MkdirTemp(dir, "awsauth-exec-")
	}
	if err != nil {
		return "", fmt.Errorf("no directory for the command's files: %w; name one in %s that can be written to", err, temporaryVariable)
	}
	return dir, nil
}

// speaking is a provider whose errors are in the words of the command line: the
// child's SDK may show them.
type speaking struct{ aws.CredentialsProvider }

func (p speaking) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, said{inFlags(err.Error()), err}
	}
	return keys, nil
}

// emptyFiles are shared files without an identity, for the time that the command
// runs. Every SDK looks for keys in the files before it asks an endpoint, so with the
// caller's own files a profile "default" with keys would win. The region and the
// settings that name nobody are those that the command would find without --serve.
func emptyFiles(dir, region string) ([]variable, error) {
	config, credentials := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	text := "[default]\nregion = " + region + "\n"
	if files, err := sharedFiles(); err == nil {
		text += strings.TrimPrefix(files.Extract("default", "default", namesNobody), "[default]\n")
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(credentials, nil, 0o600); err != nil {
		return nil, err
	}
	return []variable{{"AWS_CONFIG_FILE", config}, {"AWS_SHARED_CREDENTIALS_FILE", credentials}}, nil
}

// namesNobody reports whether a setting of a profile is known to say nothing of who
// one is. One that is not known may: it stays out.
func namesNobody(key string) bool {
	switch key {
	case "output", "cli_pager", "cli_timestamp_format", "cli_binary_format", "cli_history", "cli_follow_urlparam",
		"retry_mode", "max_attempts", "defaults_mode", "ca_bundle", "tcp_keepalive", "parameter_validation", "sdk_ua_app_id",
		"use_fips_endpoint", "use_dualstack_endpoint", "sts_regional_endpoints", "account_id_endpoint_mode",
		"endpoint_url", "ignore_configured_endpoint_urls", "services", "s3", "api_versions",
		"request_checksum_calculation", "response_checksum_validation", "disable_request_compression", "request_min_compression_size_bytes":
		return true
	}
	return false
}

// withoutFiles is an environment that names no shared files.
func withoutFiles(environ []string) []string {
	var rest []string
	for _, pair := range environ {
		switch name, _, _ := strings.Cut(pair, "="); strings.ToUpper(name) {
		case "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE":
		default:
			rest = append(rest, pair)
		}
	}
	return rest
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
