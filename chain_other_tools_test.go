package awsauth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// TestStrayPathUnasked: a name of a missing file is no error where the files do not
// decide who one is, as for boto3 and the SDK.
func TestStrayPathUnasked(t *testing.T) {
	keys := awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
	for _, path := range []string{"$NOT_SET_HERE/.aws/config", `"/x/config"`, "/x/config "} {
		t.Run(path, func(t *testing.T) {
			t.Setenv("AWS_CONFIG_FILE", path)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
			t.Setenv("AWS_PROFILE", "")
			_, err := awsauth.New(keys)
			assert.NoError(t, err, "static keys")
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
			_, err = awsauth.New()
			assert.NoError(t, err, "keys of the environment")
		})
	}
}

// TestContentForAPath: a variable that holds the file's text in place of its name, as
// a CI variable of the wrong type does, does not show the secret.
func TestContentForAPath(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	for _, text := range []string{"[default]\naws_secret_access_key = " + secret + "\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", `"` + secret + `"`, "aws_secret_access_key: " + secret, "AWS_SECRET_ACCESS_KEY=" + secret, "export AWS_SECRET_ACCESS_KEY=" + secret, `{"SecretAccessKey":"` + secret + `"}`, "aws_secret_access_key=" + secret, "aws_secret_access_key " + secret} {
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", text)
		_, err := awsauth.New()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), secret)
	}
}

// TestFalseInOtherWords: what every SDK and boto3 take for false, and is meant so, is
// accepted.
func TestFalseInOtherWords(t *testing.T) {
	for _, word := range []string{"no", "0", "off"} {
		path := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(path, []byte("[default]\nuse_fips_endpoint = "+word+"\nuse_dualstack_endpoint = "+word+"\n"), 0o600))
		t.Setenv("AWS_CONFIG_FILE", path)
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
		t.Setenv("AWS_PROFILE", "")
		_, err := awsauth.New(awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""))
		assert.NoError(t, err, word)
	}
}

// TestBundleOfTheOption: where WithCustomCABundle decides, AWS_CA_BUNDLE is not read,
// and may be what it likes.
func TestBundleOfTheOption(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", t.TempDir()) // no regular file
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_PROFILE", "")
	_, err := awsauth.New(awsauth.WithStaticCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
		awsauth.WithLoadOptions(config.WithCustomCABundle(strings.NewReader(testCA))))
	assert.NoError(t, err)
}
