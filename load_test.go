package awsauth_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestCABundleWithCustomClient: the SDK refuses any HTTP client but its own
// when AWS_CA_BUNDLE is set; here the two go together.
func TestCABundleWithCustomClient(t *testing.T) {
	for _, src := range lab.Sources() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Write("ca.pem", testCA)
			opts := src.Fill(w, "")
			w.Env("AWS_REGION=us-east-1", "AWS_CA_BUNDLE=$DIR/ca.pem")
			s := w.Open(append(opts, awsauth.WithAccount(lab.Target))...)
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
		})
	}
}

// testCA is a certificate that signs nothing: AWS_CA_BUNDLE wants a real one.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBhDCCASugAwIBAgIUJiAr5z9im0nhOCzHI99HMEAzIdswCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMYXdzYXV0aC10ZXN0MCAXDTI2MTEyMzEyNDkyMVoYDzIxMjYx
MDMwMTI0OTIxWjAXMRUwEwYDVQQDDAxhd3NhdXRoLXRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATgHCHyzsnNvcKZKZ4ybIQAg3G+OnbV8AuJqWfGUqdZ0c/b
0BeZiBrrJg/zw3hbFu4N1jpEcQBesqnBk7+PIfq8o1MwUTAdBgNVHQ4EFgQUvm4/
EmvFIrchdf0c2DyZ6jUUwZkwHwYDVR0jBBgwFoAUvm4/EmvFIrchdf0c2DyZ6jUU
wZkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAMPl3SZLi2/yfY
YP9bOlFlF/bPs8Fr+x/dslb0VIK1OQIgbdmU3tbl7w3yw7kEjIRE2F49oCF6MO+R
hLvlaxN3Jsw=
-----END CERTIFICATE-----
`

// TestNoCallWhenWrong: with a wrong option there is no call, wherever New might
// have learnt a region.
func TestNoCallWhenWrong(t *testing.T) {
	auto := []string{"AWS_DEFAULTS_MODE=auto", "AWS_EXECUTION_ENV=AWS_EC2"}
	const onInstance = "[profile ops]\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n"
	long := awsauth.WithDuration(2 * time.Hour)
	ask := awsauth.WithLoadOptions(config.WithEC2IMDSRegion())
	for _, tt := range []struct {
		name, config string
		env          []string
		opts         []awsauth.Option
		kind         awsauth.Kind
		says         string
	}{
		{"option", "", nil, []awsauth.Option{awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"option, mode auto", "", auto, []awsauth.Option{awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"option, WithEC2IMDSRegion", "", nil, []awsauth.Option{ask, awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"chained duration", onInstance, nil, []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), long},
			awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"chained duration, mode auto and WithEC2IMDSRegion", onInstance, auto,
			[]awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), long}, awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"profile that is not there", "", append([]string{"AWS_PROFILE=ops"}, auto...), []awsauth.Option{ask}, awsauth.ProfileNotFound, "AWS_PROFILE"},
		{"long-term keys", "[profile ops]\n" + lab.KeyLines, auto, []awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithTemporaryOnly()},
			awsauth.LongTermCredentials, "WithTemporaryOnly"},
		{"container URI", "", append([]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=ftp://127.0.0.1/"}, auto...), []awsauth.Option{ask},
			awsauth.InvalidOption, "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Files(tt.config, "")
			w.Env(tt.env...)
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, tt.kind, tt.says)
			require.Empty(t, w.Said())
		})
	}
}
