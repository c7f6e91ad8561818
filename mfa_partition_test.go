package awsauth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestPartitionOfADevice: where a device's serial named the partition and STS there
// does not know the key, the error says so.
func TestPartitionOfADevice(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_REGION=us-east-1")
	code := func(context.Context) (string, error) { return "123456", nil }
	err := w.Fetch(w.Static(), awsauth.WithMFA("arn:aws-cn:iam::"+lab.Home+":mfa/ana", code))
	lab.RequireBad(t, err, awsauth.InvalidKey, "aws-cn was taken from", "mfa/ana")
}

// TestMFASerialBesideSSO: a mfa_serial whose role is assumed from SSO cannot be
// followed with WithMFA, so the error does not ask for that.
func TestMFASerialBesideSSO(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOLogin("corp")
	w.Files(w.Text("[profile ops]\nrole_arn = $MIDDLE\nsource_profile = sso\nmfa_serial = "+lab.MFASerial+"\n[profile sso]\n"+lab.SSOSession+lab.CorpSection), "")
	_, err := w.Try(awsauth.WithProfile("ops"))
	lab.RequireBad(t, err, awsauth.InvalidOption, "/config:4", "mfa_serial")
	assert.NotContains(t, err.Error(), "pass WithMFA")
}

// TestPanicOfACodeFunc names the func that panicked.
func TestPanicOfACodeFunc(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	err := w.Fetch(w.Static(), awsauth.WithMFA(lab.MFASerial, func(context.Context) (string, error) { panic(lab.SomeSecret) }))
	assert.ErrorContains(t, err, "code func")
	assert.NotContains(t, err.Error(), lab.SomeSecret)
	assert.NotContains(t, err.Error(), "credentials provider")
}
