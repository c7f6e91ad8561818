package awsauth_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestNilHTTPClient: a nil *http.Client is refused, as a nil provider is, and New
// does not panic.
func TestNilHTTPClient(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("", "[default]\n"+w.Text(lab.KeyLines))
	var err error
	require.NotPanics(t, func() { _, err = w.Try(awsauth.WithLoadOptions(config.WithHTTPClient((*http.Client)(nil)))) })
	lab.RequireBad(t, err, awsauth.InvalidOption, "config.WithHTTPClient")
}

// TestRetryerOfNothing: where config.WithRetryer's func returns nil the SDK takes its
// own retryer. So do the calls of this package: today Retrieve fails, and Identity
// ends the process from a goroutine of its own.
func TestRetryerOfNothing(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithRetryer(func() aws.Retryer { return nil })))
	_, err := s.Retrieve(t.Context())
	assert.NoError(t, err)
}

// TestHalfAStaticProvider: half a pair in the SDK's static provider is half a pair,
// and the error says which half is missing.
func TestHalfAStaticProvider(t *testing.T) {
	for name, option := range map[string]func(aws.CredentialsProvider) awsauth.Option{
		"WithCredentialsProvider": awsauth.WithCredentialsProvider,
		"config.WithCredentialsProvider": func(p aws.CredentialsProvider) awsauth.Option {
			return awsauth.WithLoadOptions(config.WithCredentialsProvider(p))
		},
	} {
		for missing, p := range map[string]aws.CredentialsProvider{
			"secret access key": credentials.NewStaticCredentialsProvider(lab.SomeID, "", ""),
			"access key id":     credentials.NewStaticCredentialsProvider("", lab.SomeSecret, ""),
		} {
			t.Run(name+" without "+missing, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				err := w.Fetch(option(p))
				require.Error(t, err)
				assert.ErrorContains(t, err, missing)
				assert.NotContains(t, err.Error(), lab.SomeSecret)
				assert.Empty(t, w.Said())
			})
		}
	}
}
