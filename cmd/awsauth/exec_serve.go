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
	server, err := serve.Start(ctx, speaking{x.session}, func(err error) { x.note(oneLine(err.Error())) })
	switch {
	case errors.Is(err, serve.ErrLongLived):
		return &failure{errors.New("awsauth: exec --serve: these keys never end, so there is nothing to renew; leave out --serve, or name a role with --account or --role-arn")}
	case err != nil:
		return failed(err)
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "awsauth-exec-")
	if err != nil {
		return &failure{fmt.Errorf("awsauth: exec --serve: %w", err)}
	}
	defer os.RemoveAll(dir)
	files, err := emptyFiles(dir, x.session.Config().Region)
	if err != nil {
		return &failure{fmt.Errorf("awsauth: exec --serve: %w", err)}
	}
	x.serving.Store(true)
	x.asker.hush() // from here on the terminal is the command's
	environ := with(x.environ, regionVariables(x.session.Config().Region)...)
	return x.runBeside(with(withoutFiles(environ), append(files,
		variable{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL()},
		variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN", server.Token()})...))
}

// speaking is a provider whose errors are in the words of the command line: the
// child's SDK may show them.
type speaking struct{ aws.CredentialsProvider }

func (p speaking) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, spoken{err}
	}
	return keys, nil
}

type spoken struct{ err error }

func (s spoken) Error() string { return inFlags(s.err.Error()) }
func (s spoken) Unwrap() error { return s.err }

// emptyFiles are shared files with a region and no identity, for the time that the
// command runs. Every SDK looks for keys in the files before it asks an endpoint, so
// with the caller's own files a profile "default" with keys would win.
func emptyFiles(dir, region string) ([]variable, error) {
	config, credentials := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	if err := os.WriteFile(config, []byte("[default]\nregion = "+region+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(credentials, nil, 0o600); err != nil {
		return nil, err
	}
	return []variable{{"AWS_CONFIG_FILE", config}, {"AWS_SHARED_CREDENTIALS_FILE", credentials}}, nil
}

// withoutFiles is an environment that names no shared files, and does not switch the
// endpoint off.
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
