package awsauth_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestHalfKeyPairs: one half never falls through to another identity, wherever
// it stands. An instance waits at the end of the chain, and good keys in the
// next source.
func TestHalfKeyPairs(t *testing.T) {
	ops := awsauth.WithProfile("ops")
	requireHalf(t, []halfPair{
		{"id in the environment", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"}},
		{"secret in the environment", []string{"AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not"}},
		{"token in the environment", []string{"AWS_SESSION_TOKEN=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SESSION_TOKEN is set but"}},
		{"id and token in the environment", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SESSION_TOKEN=" + lab.SomeSecret}, "", "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"old id", []string{"AWS_ACCESS_KEY=" + lab.SomeID}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_ACCESS_KEY is set but"}},
		{"old secret", []string{"AWS_SECRET_KEY=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_SECRET_KEY is set but"}},
		{"empty secret", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SECRET_ACCESS_KEY="}, "", "", nil, []string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"web identity without role", []string{"AWS_WEB_IDENTITY_TOKEN_FILE=/token"}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_ROLE_ARN is not"}},
		{"id in the environment, beside a profile", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID}, "[profile ops]\n" + lab.SomePair, "", []awsauth.Option{ops},
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"secret in the environment, beside static keys", []string{"AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret}, "", "",
			[]awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")}, []string{"AWS_ACCESS_KEY_ID is not"}},
		{"id in the environment, beside AWS_PROFILE", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_PROFILE=ops"}, "[profile ops]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"half an option beside a profile", nil, "[profile ops]\n" + lab.SomePair, "",
			[]awsauth.Option{ops, awsauth.WithStaticCredentials(lab.SomeID, "", "")}, []string{"WithStaticCredentials"}},
		{"half an option beside a good environment", lab.SomeEnv, "", "",
			[]awsauth.Option{awsauth.WithStaticCredentials("", lab.SomeSecret, "")}, []string{"WithStaticCredentials"}},
	})
}

// TestHalfKeyPairsOfFiles is that for the shared files.
func TestHalfKeyPairsOfFiles(t *testing.T) {
	ops := awsauth.WithProfile("ops")
	requireHalf(t, []halfPair{
		{"id in the config file", nil, "[profile ops]\naws_access_key_id = " + lab.SomeID + "\n", "", []awsauth.Option{ops},
			[]string{"/config:2", "no aws_secret_access_key"}},
		{"secret in the config file", nil, "[profile ops]\n\naws_secret_access_key = " + lab.SomeSecret + "\n", "", []awsauth.Option{ops},
			[]string{"/config:3", "no aws_access_key_id"}},
		{"id in the credentials file", nil, "", "[default]\naws_access_key_id = " + lab.SomeID + "\n", nil, []string{"/credentials:2"}},
		{"id in the config file, masked by the credentials file", nil, "[default]\naws_access_key_id = " + lab.SomeID + "\n", "[default]\n" + lab.SomePair, nil,
			[]string{"/config:2"}},
		{"id in the credentials file, over a pair in the config file", nil, "[default]\n" + lab.SomePair, "[default]\naws_access_key_id = " + lab.SomeID + "\n", nil,
			[]string{"/credentials:2"}},
		{"id in one file, secret in the other", nil, "[default]\naws_access_key_id = " + lab.SomeID + "\n", "[default]\naws_secret_access_key = " + lab.SomeSecret + "\n", nil,
			[]string{"/config:2"}},
		{"empty secret in a file", nil, "", "[default]\naws_access_key_id = " + lab.SomeID + "\naws_secret_access_key =\n", nil, []string{"/credentials:"}},
		{"id in a source profile", nil, "[profile ops]\nrole_arn = " + lab.ManageRole + "\nsource_profile = keys\n[profile keys]\naws_access_key_id = " + lab.SomeID + "\n", "",
			[]awsauth.Option{ops}, []string{"/config:5", `"keys"`}},
		{"token alone in a file", nil, "", "[default]\naws_session_token = " + lab.SomeSecret + "\n", nil, []string{"/credentials:2"}},
	})
}

// halfPair is half a pair of keys, somewhere.
type halfPair struct {
	name                string
	env                 []string
	config, credentials string
	opts                []awsauth.Option
	text                []string
}

func requireHalf(t *testing.T, tests []halfPair) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Env(tt.env...)
			w.Files(tt.config, tt.credentials)
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, awsauth.InvalidOption, tt.text...)
			assert.Empty(t, w.Said())
		})
	}
}

// TestSwappedKeysNeverLeave: a secret in the place of the id would be sent in clear, in
// the header of the signature.
func TestSwappedKeysNeverLeave(t *testing.T) {
	for name, set := range map[string]func(c *cast) []awsauth.Option{
		"environment": func(c *cast) []awsauth.Option {
			c.Env("AWS_ACCESS_KEY_ID=$SECRET", "AWS_SECRET_ACCESS_KEY=$ID")
			return nil
		},
		"profile": func(c *cast) []awsauth.Option {
			c.Files(c.text("[profile ops]\naws_access_key_id = $SECRET\naws_secret_access_key = $ID\n"), "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"provider": func(c *cast) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: c.Keys.SecretAccessKey, SecretAccessKey: c.Keys.AccessKeyID}, nil
			}))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			err := c.Who(set(c)...)
			assert.Contains(t, err.Error(), "swapped")
			assert.Empty(t, c.Calls(), "a call was made: the secret went out")
		})
	}
}

// TestQuotedKeysInTheEnvironment: docker --env-file keeps the quotes of a value.
func TestQuotedKeysInTheEnvironment(t *testing.T) {
	for _, q := range []string{`"`, "'"} {
		c := newCast(t, awsauth.AWS)
		c.Env("AWS_ACCESS_KEY_ID="+q+"$ID"+q, "AWS_SECRET_ACCESS_KEY="+q+"$SECRET"+q)
		err := c.Who()
		assert.Contains(t, err.Error(), "AWS_ACCESS_KEY_ID")
		assert.NotContains(t, err.Error(), "China")
		assert.Empty(t, c.Calls())
	}
}
