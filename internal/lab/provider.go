package lab

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Issued are keys that last so long from now on.
func Issued(id string, lifetime time.Duration) aws.Credentials {
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: SomeSecret, SessionToken: "token", CanExpire: true, Expires: time.Now().Add(lifetime)}
}

// NoKeys is a provider that must not be asked.
type NoKeys struct{}

// Retrieve fails.
func (NoKeys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("this provider was not to be asked")
}

// WithFiles names the shared files: one config file, no credentials file.
func WithFiles(configPath string) func(*config.LoadOptions) error {
	return func(o *config.LoadOptions) error {
		o.SharedConfigFiles, o.SharedCredentialsFiles = []string{configPath}, []string{}
		return nil
	}
}
