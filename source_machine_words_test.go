package awsauth_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestLineEndInTheTokenFile: a container's authorization token of two lines is not
// sent, and the error is about the file: no endpoint has answered.
func TestLineEndInTheTokenFile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Write("auth", "one\r\nX-Two: 2\n")
	w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+filepath.Join(w.Dir, "auth"))
	err := w.Fetch()
	lab.RequireBad(t, err, awsauth.NoCredentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "line end")
	assert.NotContains(t, err.Error(), "not JSON")
}

// TestWhoNamedTheFile: a path that came by an option is not mended by a variable,
// which would not be read.
func TestWhoNamedTheFile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for name, option := range map[string]config.LoadOptionsFunc{
		"config.WithSharedConfigFiles":      config.WithSharedConfigFiles([]string{w.Dir}),
		"config.WithSharedCredentialsFiles": config.WithSharedCredentialsFiles([]string{w.Dir}),
	} {
		_, err := w.Try(awsauth.WithLoadOptions(option))
		lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir, name)
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		w.Files("", "")
		w.Env(name + "=$DIR")
		_, err := w.Try()
		lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir, name)
		assert.NotContains(t, err.Error(), "config.With")
	}
}

// TestHeadingWithoutAName: the mend of a heading is one that would be accepted.
func TestHeadingWithoutAName(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("", "[profile '']\n"+w.Text(lab.KeyLines))
	_, err := w.Try()
	lab.RequireBad(t, err, awsauth.InvalidOption, "/credentials:1")
	assert.NotContains(t, err.Error(), "write []")
}
