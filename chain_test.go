package awsauth_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// profileText is the config file, with the region line in its place.
func (b baseSource) profileText(w *place, region string) string {
	line := ""
	if region != "" {
		line = "region = " + region
	}
	return strings.NewReplacer("$SSOREGION", regionsOf[w.p].main, "$REGION", line).Replace(b.config)
}

// wire fills host and scope into a source's calls.
func (b baseSource) wire(region string) (lines []string) {
	domain := strings.TrimPrefix(stsHost(region), "sts.")
	for _, c := range b.calls {
		lines = append(lines, strings.NewReplacer("HOST", stsHost(region), "DOMAIN", domain, "REGION", region).Replace(c))
	}
	return lines
}

// TestEverySource takes each source alone, with a region of its own partition,
// and compares all that went over the wire.
func TestEverySource(t *testing.T) {
	for _, src := range baseSources() {
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			opts := src.fill(w, "")
			w.env("AWS_REGION=us-east-1")
			s := w.open(opts...)
			assert.Empty(t, w.said(), "calls in New")

			got := w.identity(s)
			want := w.arn(home, "user/ci")
			if src.role != "" {
				want = w.became(home, src.role)
			}
			assert.Equal(t, want, got)

			calls := src.wire("us-east-1")
			switch {
			case src.role == "":
				calls = append(calls, "GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 user")
			case src.service:
				calls = append(calls, "GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 session")
			}
			assert.Equal(t, calls, w.said())

			w.ResetCalls()
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			_ = w.identity(s)
			assert.Empty(t, w.said(), "calls for what is known already")
		})
	}
}

// TestPrecedence has two sources each time; the user's keys are in the one
// that must win, and the other holds keys that nobody issued.
func TestPrecedence(t *testing.T) {
	bad := "aws_access_key_id = " + someID + "\naws_secret_access_key = " + someSecret + "\n"
	badEnv := []string{"AWS_ACCESS_KEY_ID=" + someID, "AWS_SECRET_ACCESS_KEY=" + someSecret}
	goodEnv := []string{"AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET"}
	badKeys := awsauth.WithStaticCredentials(someID, someSecret, "")
	badProvider := awsauth.WithCredentialsProvider(awsauthtest.Keys{AccessKeyID: someID, SecretAccessKey: someSecret}.Provider())
	ops := awsauth.WithProfile("ops")
	tests := []struct {
		name                string
		env                 []string
		config, credentials string
		opts                func(w *place) []awsauth.Option
	}{
		{"profile before static keys", nil, "[profile ops]\n" + keyLines, "",
			func(*place) []awsauth.Option { return []awsauth.Option{badKeys, ops} }},
		{"profile before a provider", nil, "[profile ops]\n" + keyLines, "",
			func(*place) []awsauth.Option { return []awsauth.Option{ops, badProvider} }},
		{"profile before the environment", badEnv, "[profile ops]\n" + keyLines, "",
			func(*place) []awsauth.Option { return []awsauth.Option{ops} }},
		{"option before AWS_PROFILE", []string{"AWS_PROFILE=other"}, "[profile ops]\n" + keyLines + "[profile other]\n" + bad, "",
			func(*place) []awsauth.Option { return []awsauth.Option{ops} }},
		{"static keys before a provider", nil, "", "",
			func(w *place) []awsauth.Option { return []awsauth.Option{badProvider, w.static()} }},
		{"static keys before the environment", badEnv, "[default]\n" + bad, "",
			func(w *place) []awsauth.Option { return []awsauth.Option{w.static()} }},
		{"static keys before AWS_PROFILE", []string{"AWS_PROFILE=ops"}, "[profile ops]\n" + bad, "",
			func(w *place) []awsauth.Option { return []awsauth.Option{w.static()} }},
		{"provider before the environment", badEnv, "[default]\n" + bad, "",
			func(w *place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithCredentialsProvider(w.keys.Provider())}
			}},
		{"environment before AWS_PROFILE", append([]string{"AWS_PROFILE=ops"}, goodEnv...), "[profile ops]\n" + bad, "", nil},
		{"environment before the default profile", goodEnv, "[default]\n" + bad, "[default]\n" + bad, nil},
		{"environment before web identity", append([]string{"AWS_WEB_IDENTITY_TOKEN_FILE=/none", "AWS_ROLE_ARN=$BASE"}, goodEnv...), "", "", nil},
		{"environment before the container", append([]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/none"}, goodEnv...), "", "", nil},
		{"AWS_PROFILE before AWS_DEFAULT_PROFILE", []string{"AWS_PROFILE=ops", "AWS_DEFAULT_PROFILE=other"},
			"[profile ops]\n" + keyLines + "[profile other]\n" + bad, "", nil},
		{"AWS_PROFILE before an AWS_DEFAULT_PROFILE that does not exist", []string{"AWS_PROFILE=ops", "AWS_DEFAULT_PROFILE=nowhere"},
			"[profile ops]\n" + keyLines, "", nil},
		{"AWS_PROFILE before the default profile", []string{"AWS_PROFILE=ops"}, "[profile ops]\n" + keyLines + "[default]\n" + bad, "", nil},
		{"credentials file before config file", nil, "[default]\n" + bad, "[default]\n" + keyLines, nil},
		{"default profile before the container", []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/none"}, "[default]\n" + keyLines, "", nil},
		{"last option of a kind", nil, "", "",
			func(w *place) []awsauth.Option { return []awsauth.Option{badKeys, w.static()} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.env(tt.env...)
			w.files(tt.config, tt.credentials)
			var opts []awsauth.Option
			if tt.opts != nil {
				opts = tt.opts(w)
			}
			s := w.open(opts...)
			assert.Equal(t, w.arn(home, "user/ci"), w.identity(s))
			assert.Equal(t, []string{"GetCallerIdentity sts.us-east-1.amazonaws.com us-east-1 user"}, w.said())
		})
	}
}

// TestRegionOnlyProfile: a profile without credentials is an error when the
// caller named it, and says no more than a region when the environment did.
func TestRegionOnlyProfile(t *testing.T) {
	const config = "[profile where]\nregion = eu-west-3\n"

	t.Run("WithProfile", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.instance()
		w.files(config, "")
		_, err := w.try(awsauth.WithProfile("where"))
		requireBad(t, err, awsauth.NoCredentials, `profile "where"`)
		assert.Empty(t, w.said())
	})
	t.Run("AWS_PROFILE", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Region: "us-west-2"})
		w.files(config, "")
		w.env("AWS_PROFILE=where")
		s := w.open()
		assert.Equal(t, w.became(home, "base"), w.identity(s))
		assert.Equal(t, "eu-west-3", s.Config().Region)
		assert.Equal(t, []string{"GetCallerIdentity sts.eu-west-3.amazonaws.com eu-west-3 session"}, w.said("GetCallerIdentity"))
		assert.Empty(t, w.said("GetRegion"), "the region is known without the metadata")
	})
	t.Run("AWS_PROFILE that does not exist", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.instance()
		w.env("AWS_PROFILE=nowhere")
		_, err := w.try()
		requireBad(t, err, awsauth.ProfileNotFound, `profile "nowhere" (from AWS_PROFILE)`)
		assert.Empty(t, w.said())
	})
}

// TestInstanceRegion: on EC2 nothing needs to be configured at all.
func TestInstanceRegion(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud, awsauth.ISOB} {
		t.Run(string(p), func(t *testing.T) {
			w := newPlace(t, p)
			w.instance()
			region := regionsOf[p].second
			s := w.open(awsauth.WithAccount(target))
			assert.Equal(t, []string{"GetToken 169.254.169.254 unsigned", "GetRegion 169.254.169.254 unsigned"}, w.said(), "calls in New")
			assert.Equal(t, region, s.Config().Region)
			assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
			assert.Equal(t, []string{"AssumeRole/manage-role " + stsHost(region) + " " + region + " session"}, w.said("AssumeRole"))
		})
	}
}

// TestInstanceRegionIsBounded: off EC2, or where the metadata is silent, New
// does not keep a person waiting.
func TestInstanceRegionIsBounded(t *testing.T) {
	for _, kind := range []awsauthtest.FaultKind{awsauthtest.Hang, awsauthtest.ServerError, awsauthtest.Reset, awsauthtest.Malformed} {
		w := newPlace(t, awsauth.AWS)
		w.instance()
		w.Inject(awsauthtest.Fault{Match: func(c awsauthtest.Call) bool { return c.Service == "ec2metadata" }, Kind: kind})
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s, err := w.try()
			require.NoError(t, err)
			assert.LessOrEqual(t, time.Since(start), time.Second)
			assert.NotEmpty(t, w.said(), "the metadata was asked")
			assert.Equal(t, "us-east-1", s.Config().Region)
		})
	}
}

// TestMetadataDisabled: switched off is switched off, for the region as well.
func TestMetadataDisabled(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	s := w.open() // no instance: Isolate's AWS_EC2_METADATA_DISABLED holds
	assert.Empty(t, w.said())
	_, err := s.Retrieve(t.Context())
	requireBad(t, err, awsauth.NoCredentials)
	assert.Empty(t, w.said())
}

// TestCABundleWithCustomClient: the SDK refuses any HTTP client but its own
// when AWS_CA_BUNDLE is set; here the two go together.
func TestCABundleWithCustomClient(t *testing.T) {
	for _, src := range baseSources() {
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.write("ca.pem", testCA)
			opts := src.fill(w, "")
			w.env("AWS_REGION=us-east-1", "AWS_CA_BUNDLE=$DIR/ca.pem")
			s := w.open(append(opts, awsauth.WithAccount(target))...)
			assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
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
