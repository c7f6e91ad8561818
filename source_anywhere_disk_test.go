package awsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestAnywhereDiskKey: whatever decides what the service answers is part of the key.
func TestAnywhereDiskKey(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	second := w.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: "us-east-1", RoleARNs: []string{w.role}, AcceptSessionName: true})
	ids := map[string]bool{}
	cases := [][]awsauth.Option{
		{w.option()},
		{w.option(), awsauth.WithSessionName("nightly")},
		{w.option(), awsauth.WithDuration(2 * time.Hour)},
		{awsauth.WithRolesAnywhere(w.anchor, second, w.role, w.certificate)},
	}
	for _, opts := range cases {
		for range 2 {
			ids[lab.Get(t, w.Open(append(opts, disk(w.Place))...)).AccessKeyID] = true
		}
	}
	assert.Len(t, ids, len(cases))
	assert.Len(t, w.Calls("CreateSession"), len(cases))
}

// TestAnywhereNextRole: with a role to assume from there, the role options are that
// one's.
func TestAnywhereNextRole(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	s := w.Open(w.option(), awsauth.WithAccount(lab.Target), awsauth.WithSessionName("nightly"), awsauth.WithDuration(30*time.Minute))
	lab.Get(t, s)
	assert.NotContains(t, fmt.Sprint(w.Calls("CreateSession")[0].Params), "nightly")
	assert.Equal(t, "nightly", w.Calls("AssumeRole")[0].Params.Get("RoleSessionName"))
}

// TestAnywhereForeignAnswer: an ARN of another form than AWS's says nothing of whose the
// keys are. 429 is throttling, whatever the code.
func TestAnywhereForeignAnswer(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	const body = `{"credentialSet":[{"credentials":{"accessKeyId":"ASIAEXAMPLEEXAMPLE01","secretAccessKey":"s","sessionToken":"t","expiration":"2099-01-01T00:00:00Z"},"assumedRoleUser":{"arn":"arn:aws:sts::999999999999:something/else"}}]}`
	client := wired(func(r *http.Request) (*http.Response, error) { return answer(r, 201, http.Header{}, body), nil })
	assert.Empty(t, lab.Get(t, w.Open(w.option(), client.option())).AccountID)
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		slow := wired(func(r *http.Request) (*http.Response, error) {
			return answer(r, 429, http.Header{"X-Amzn-Errortype": {"SlowerPlease"}}, "{}"), nil
		})
		_, err := w.Open(w.option(), slow.option()).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.Throttled)
	})
}

// TestAnywhereRegionOfAnother: a region that is another partition's is none of the trust
// anchor's.
func TestAnywhereRegionOfAnother(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	_, err := w.Try(awsauth.WithRolesAnywhere("arn:aws:rolesanywhere:cn-north-1:111111111111:trust-anchor/a", "arn:aws:rolesanywhere:cn-north-1:111111111111:profile/b",
		w.ARN(lab.Home, "role/base"), func(context.Context) (tls.Certificate, error) { return tls.Certificate{}, nil }))
	lab.RequireBad(t, err, awsauth.InvalidOption, "cn-north-1")
}

// TestAnywhereDiskIssuer: the issuer of the certificate is part of the key: machines
// whose certificates name one subject, by two CAs, share no entry.
func TestAnywhereDiskIssuer(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	one, two := certtest.NewCA(t, "one"), certtest.NewCA(t, "two")
	anchor := w.AddTrustAnchor(awsauthtest.TrustAnchor{Account: lab.Home, Region: "us-east-1", CAs: []*x509.Certificate{one.Cert, two.Cert}})
	ids := map[string]bool{}
	for _, ca := range []*certtest.CA{one, two, one, two} {
		leaf := ca.Issue(t, "machine-1", certtest.ECDSA(t))
		ids[lab.Get(t, w.Open(disk(w.Place), awsauth.WithRolesAnywhere(anchor, w.profile, w.role, func(context.Context) (tls.Certificate, error) { return leaf, nil }))).AccessKeyID] = true
	}
	assert.Len(t, ids, 2)
	assert.Len(t, w.Calls("CreateSession"), 2)
}

// TestAnywhereExplained: nobody has been asked for the certificate before the first
// call, and the report says so.
func TestAnywhereExplained(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	s := w.Open(w.option())
	assert.Equal(t, []aws.CredentialSource{aws.CredentialSourceHTTP}, s.ProviderSources())
	const waits = ", not asked for credentials yet"
	assert.Contains(t, s.Explain().String(), waits)
	lab.Get(t, s)
	assert.NotContains(t, s.Explain().String(), waits)
}

// TestAnywhereRetries: a call is tried as often as the SDK's configuration says.
func TestAnywhereRetries(t *testing.T) {
	for _, tries := range []int{1, 5} {
		lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
			w := newWorkload(t, awsauth.AWS, "us-east-1")
			w.Inject(awsauthtest.Fault{Action: "CreateSession", Kind: awsauthtest.ServerError})
			_, err := w.Open(w.option(), awsauth.WithLoadOptions(config.WithRetryMaxAttempts(tries))).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.Unreachable)
			assert.Len(t, w.Calls("CreateSession"), tries)
		})
	}
}
