package crossaccount

import (
	"errors"
	"testing"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/examples/internal/mototest"
)

const arrived = "arn:aws:sts::222222222222:assumed-role/deploy/release"

// TestWithAwsauthtest: in memory, in a millisecond. The role's trust decides, so the
// test sees what happens in an account that does not trust the caller, or in one whose
// role asks for more.
func TestWithAwsauthtest(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::222222222222:role/deploy", Trust: []string{"111111111111"}})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::333333333333:role/deploy", Trust: []string{"999999999999"}})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::444444444444:role/deploy", Trust: []string{"111111111111"}, ExternalID: "contract-42"})
	as := func(account string, opts ...awsauth.Option) (string, error) {
		return Whereabouts(t.Context(), account, append(opts, awsauth.WithCredentialsProvider(keys.Provider()), awsauth.WithLoadOptions(cloud.LoadOptions()))...)
	}
	if arn, err := as("222222222222"); err != nil || arn != arrived {
		t.Errorf("got %q, %v", arn, err)
	}
	for _, account := range []string{"333333333333", "444444444444", "555555555555"} {
		if arn, err := as(account); !errors.Is(err, awsauth.AccessDenied) {
			t.Errorf("account %s: got %q, %v", account, arn, err)
		}
	}
	if _, err := as("444444444444", awsauth.WithExternalID("contract-42")); err != nil {
		t.Error(err)
	}
}

// TestWithMoto: a server of its own, which takes seconds to start and has all of AWS's
// services. Any key may assume any role, whether it exists or not: what a test of
// crossing accounts is most about does not fail there. (mototest refuses one account.)
func TestWithMoto(t *testing.T) {
	mototest.Start(t, "333333333333")
	if arn, err := Whereabouts(t.Context(), "222222222222"); err != nil || arn != arrived {
		t.Errorf("got %q, %v", arn, err)
	}
	if arn, err := Whereabouts(t.Context(), "333333333333"); !errors.Is(err, awsauth.AccessDenied) {
		t.Errorf("got %q, %v", arn, err)
	}
	if _, err := Whereabouts(t.Context(), "555555555555"); err != nil {
		t.Errorf("moto knows now who may assume what (%v): say so in this test's comment", err)
	}
}
