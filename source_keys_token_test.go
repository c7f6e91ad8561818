package awsauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestOldTokenVariable: AWS_SECURITY_TOKEN, which boto3 reads, is the token of the
// environment's keys where AWS_SESSION_TOKEN is not set, as aws_security_token is in
// the files. Alone it is half a pair.
func TestOldTokenVariable(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.OnInstance()
	t.Setenv("AWS_SECURITY_TOKEN", "token")
	_, err := w.Try()
	lab.RequireBad(t, err, awsauth.InvalidOption, "AWS_SECURITY_TOKEN")
	k := w.SessionKeys()
	w.Env("AWS_ACCESS_KEY_ID="+k.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+k.SecretAccessKey, "AWS_SECURITY_TOKEN="+k.SessionToken)
	assert.Equal(t, k.SessionToken, lab.Get(t, w.Open()).SessionToken)
	w.Env("AWS_ACCESS_KEY_ID="+w.Keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+w.Keys.SecretAccessKey, "AWS_SECURITY_TOKEN="+k.SessionToken)
	assert.Empty(t, lab.Get(t, w.Open()).SessionToken, "a long-lived key has none")
}
