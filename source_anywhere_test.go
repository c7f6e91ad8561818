package awsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// workload is a machine outside AWS that a role trusts.
type workload struct {
	*lab.Place
	anchor, profile, role string
	lifetime              time.Duration // of its certificate
	asked                 int
}

func newWorkload(t *testing.T, p awsauth.Partition, region string) *workload {
	w := &workload{Place: lab.New(t, p), lifetime: 24 * time.Hour}
	w.role = w.ARN(lab.Home, "role/workload")
	w.AddRole(awsauthtest.Role{ARN: w.role, Trust: []string{"rolesanywhere.amazonaws.com"}, MaxSession: 12 * time.Hour})
	w.anchor = w.AddTrustAnchor(awsauthtest.TrustAnchor{Account: lab.Home, Region: region})
	w.profile = w.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: region, RoleARNs: []string{w.role}, AcceptSessionName: true})
	return w
}

func (w *workload) certificate(context.Context) (tls.Certificate, error) {
	w.asked++
	return w.Certificate(w.anchor, "machine-1", w.lifetime), nil
}

func (w *workload) option() awsauth.Option {
	return awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, w.certificate)
}

// TestAnywhere: the session is the role's, in the region and partition of the trust
// anchor, whatever the environment says. Who it is costs no call.
func TestAnywhere(t *testing.T) {
	for p, host := range map[awsauth.Partition][2]string{
		awsauth.AWS:      {"eu-west-1", "rolesanywhere.eu-west-1.amazonaws.com"},
		awsauth.China:    {"cn-northwest-1", "rolesanywhere.cn-northwest-1.amazonaws.com.cn"},
		awsauth.GovCloud: {"us-gov-east-1", "rolesanywhere.us-gov-east-1.amazonaws.com"},
	} {
		t.Run(string(p), func(t *testing.T) {
			w := newWorkload(t, p, host[0])
			w.Env("AWS_REGION=ap-southeast-1")
			s := w.Open(w.option(), awsauth.WithSessionName("nightly"), awsauth.WithDuration(2*time.Hour))
			assert.Equal(t, host[0], s.Config().Region)
			assert.Contains(t, w.Explain(s).String(), "Roles Anywhere (option)")
			id, err := s.Identity(t.Context())
			require.NoError(t, err)
			assert.Equal(t, lab.Home, id.Account)
			assert.Equal(t, p, id.Partition)
			assert.Contains(t, id.ARN, ":assumed-role/workload/nightly")
			creds := lab.Get(t, s)
			assert.Equal(t, lab.Home, creds.AccountID)
			assert.InDelta(t, 2*time.Hour, time.Until(creds.Expires), float64(time.Minute))
			calls := w.Calls()
			require.Len(t, calls, 1)
			assert.Equal(t, host[1], calls[0].Host)
			assert.Equal(t, "CreateSession", calls[0].Action)
			assert.Contains(t, w.Explain(s).String(), "at "+host[1])
			require.NoError(t, lab.Whoami(s))
		})
	}
}

// TestAnywhereChain: a role assumed from there is a chained one.
func TestAnywhereChain(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	_, err := w.Try(w.option(), awsauth.WithAccount(lab.Target), awsauth.WithDuration(2*time.Hour))
	lab.RequireBad(t, err, awsauth.InvalidDuration, "WithDuration(2h0m0s)")
	s := w.Open(w.option(), awsauth.WithAccount(lab.Target))
	id, err := s.Identity(t.Context())
	require.NoError(t, err)
	assert.Equal(t, lab.Target, id.Account)
}

// TestAnywhereRenews: each refresh asks for the certificate anew.
func TestAnywhereRenews(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		w.lifetime = 48 * time.Hour
		s := w.Open(w.option())
		lab.Busy(t, s, time.Minute, 10*time.Hour)
		assert.GreaterOrEqual(t, w.asked, 10)
		assert.Equal(t, w.asked, len(w.Calls("CreateSession")))
	})
}

// TestAnywhereRefused: what cannot be right is refused before any call.
func TestAnywhereRefused(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	cert := w.certificate
	other := w.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: "eu-west-1", RoleARNs: []string{w.role}})
	for name, tt := range map[string]struct {
		opts []awsauth.Option
		kind awsauth.Kind
		says string
	}{
		"nobody has it":      {[]awsauth.Option{awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, nil)}, awsauth.InvalidOption, "CertificateFiles"},
		"swapped":            {[]awsauth.Option{awsauth.WithRolesAnywhere(w.profile, w.anchor, w.role, cert)}, awsauth.InvalidOption, "WithRolesAnywhere"},
		"role for profile":   {[]awsauth.Option{awsauth.WithRolesAnywhere(w.anchor, w.role, w.profile, cert)}, awsauth.InvalidOption, "WithRolesAnywhere"},
		"empty":              {[]awsauth.Option{awsauth.WithRolesAnywhere("", "", "", cert)}, awsauth.InvalidOption, "WithRolesAnywhere"},
		"two regions":        {[]awsauth.Option{awsauth.WithRolesAnywhere(w.anchor, other, w.role, cert)}, awsauth.InvalidOption, "eu-west-1"},
		"two accounts":       {[]awsauth.Option{awsauth.WithRolesAnywhere(w.anchor, w.profile, w.ARN(lab.Target, "role/x"), cert)}, awsauth.InvalidOption, lab.Target},
		"two partitions":     {[]awsauth.Option{awsauth.WithRolesAnywhere(w.anchor, w.profile, "arn:aws-cn:iam::111111111111:role/x", cert)}, awsauth.WrongPartition, "aws-cn"},
		"no such region":     {[]awsauth.Option{awsauth.WithRolesAnywhere("arn:aws:rolesanywhere:moon-1:111111111111:trust-anchor/a", "arn:aws:rolesanywhere:moon-1:111111111111:profile/b", w.role, cert)}, awsauth.InvalidOption, "moon-1"},
		"region elsewhere":   {[]awsauth.Option{w.option(), awsauth.WithRegion("cn-north-1")}, awsauth.WrongPartition, "cn-north-1"},
		"web identity too":   {[]awsauth.Option{w.option(), awsauth.WithWebIdentity(w.role, token("x"))}, awsauth.InvalidOption, "WithWebIdentity"},
		"MFA":                {[]awsauth.Option{w.option(), awsauth.WithMFA(lab.MFASerial, func(context.Context) (string, error) { return "", nil })}, awsauth.InvalidOption, "no MFA device"},
		"external id":        {[]awsauth.Option{w.option(), awsauth.WithExternalID("x-1")}, awsauth.InvalidOption, "WithExternalID"},
		"policy":             {[]awsauth.Option{w.option(), awsauth.WithPolicy(lab.Policy)}, awsauth.InvalidOption, "a certificate opens"},
		"an account allowed": {[]awsauth.Option{w.option(), awsauth.WithAllowedAccounts(lab.Target)}, awsauth.WrongAccount, lab.Home},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, tt.kind, tt.says)
		})
	}
	assert.Empty(t, w.Said())
	assert.Zero(t, w.asked)
}

// TestAnywhereCertificates: what is wrong with the certificate has its kind and the
// name of the file, and nothing is sent.
func TestAnywhereCertificates(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	good, late := w.Certificate(w.anchor, "machine-1", time.Hour), w.Certificate(w.anchor, "machine-1", -time.Hour)
	for name, tt := range map[string]struct {
		cert func(context.Context) (tls.Certificate, error)
		kind awsauth.Kind
		says []string
	}{
		"expired":         {func(context.Context) (tls.Certificate, error) { return late, nil }, awsauth.Expired, []string{"expired"}},
		"expired in file": {awsauth.CertificateFiles(w.pem("late", late)), awsauth.Expired, []string{"late.pem"}},
		"another's key":   {awsauth.CertificateFiles(first(w.pem("good", good)), second(w.pem("late2", late))), awsauth.InvalidOption, []string{"good.pem"}},
		"no file":         {awsauth.CertificateFiles(filepath.Join(w.Dir, "none.pem"), filepath.Join(w.Dir, "none.key")), awsauth.InvalidOption, []string{"none.pem"}},
		"nothing":         {func(context.Context) (tls.Certificate, error) { return tls.Certificate{}, nil }, awsauth.InvalidOption, []string{"WithRolesAnywhere"}},
		"a failure": {func(context.Context) (tls.Certificate, error) {
			return tls.Certificate{}, errors.New("the TPM is asleep")
		}, awsauth.NoCredentials, []string{"the TPM is asleep"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Open(awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, tt.cert)).Retrieve(t.Context())
			require.ErrorIs(t, err, tt.kind)
			for _, part := range tt.says {
				assert.Contains(t, err.Error(), part)
			}
		})
	}
	_, err := awsauth.CertificateFiles(filepath.Join(w.Dir, "none.pem"), filepath.Join(w.Dir, "none.key"))(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist, "the cause is there")
	assert.Empty(t, w.Said())
	lab.Get(t, w.Open(awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, awsauth.CertificateFiles(w.pem("good", good)))))
}

// pem writes a certificate and its key into files.
func (w *workload) pem(name string, c tls.Certificate) (cert, key string) {
	var chain []byte
	for _, der := range c.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(w.T, err)
	cert, key = filepath.Join(w.Dir, name+".pem"), filepath.Join(w.Dir, name+".key")
	require.NoError(w.T, os.WriteFile(cert, chain, 0o600))
	require.NoError(w.T, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return cert, key
}

func first(a, _ string) string  { return a }
func second(_, b string) string { return b }

// TestAnywhereService: what the service says has its kind, its words and what to change.
func TestAnywhereService(t *testing.T) {
	for name, tt := range map[string]struct {
		fault awsauthtest.Fault
		kind  awsauth.Kind
		says  string
	}{
		"refused":   {awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "AccessDeniedException", Message: "Untrusted Signing Certificate"}, awsauth.AccessDenied, "Untrusted"},
		"throttled": {awsauthtest.Fault{Kind: awsauthtest.Throttle}, awsauth.Throttled, "Roles Anywhere in us-east-1"},
		"fails":     {awsauthtest.Fault{Kind: awsauthtest.ServerError}, awsauth.Unreachable, "Roles Anywhere in us-east-1"},
		"reset":     {awsauthtest.Fault{Kind: awsauthtest.Reset}, awsauth.Unreachable, "rolesanywhere.us-east-1.amazonaws.com"},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
				w := newWorkload(t, awsauth.AWS, "us-east-1")
				tt.fault.Action = "CreateSession"
				w.Inject(tt.fault)
				s := w.Open(w.option())
				_, err := s.Retrieve(t.Context())
				require.ErrorIs(t, err, tt.kind)
				assert.Contains(t, err.Error(), tt.says)
				assert.Contains(t, err.Error(), "assume role "+w.role)
				assert.Contains(t, w.Explain(s).String(), "FAILED")
			})
		})
	}
}

// TestAnywhereOnDisk: processes of one machine share the session, and those of
// another certificate's subject do not.
func TestAnywhereOnDisk(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	ids := map[string]bool{}
	for range 3 {
		ids[lab.Get(t, w.Open(w.option(), disk(w.Place))).AccessKeyID] = true
	}
	assert.Len(t, ids, 1)
	other := func(context.Context) (tls.Certificate, error) {
		return w.Certificate(w.anchor, "machine-2", time.Hour), nil
	}
	ids[lab.Get(t, w.Open(awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, other), disk(w.Place))).AccessKeyID] = true
	assert.Len(t, ids, 2)
	assert.Len(t, w.Calls("CreateSession"), 2)
}
