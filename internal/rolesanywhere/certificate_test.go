package rolesanywhere_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// token is a key that leaves no device: all that can be had of it are signatures.
type token struct {
	key crypto.Signer
	err error
}

func (k token) Public() crypto.PublicKey { return k.key.Public() }

func (k token) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.key.Sign(random, digest, opts)
}

func TestCheck(t *testing.T) {
	root := certtest.NewCA(t, "Root")
	ca := root.Sub(t, "Lower")
	key := certtest.ECDSA(t)
	good := ca.Issue(t, "host-7", key)
	_, edKey, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	ed := []byte{0x06, 0x03, 0x2b, 0x65, 0x70} // the kind of key in DER, Ed25519
	foreign := bytes.ReplaceAll(ca.Issue(t, "host-7", edKey).Certificate[0], ed, append(ed[:4:4], 0x7f))
	with := func(change func(*tls.Certificate)) tls.Certificate {
		out := good
		change(&out)
		return out
	}
	for name, tt := range map[string]checked{
		"good":                  {good, time.Now(), ""},
		"RSA":                   {root.Issue(t, "host-7", certtest.RSA(t)), time.Now(), ""},
		"first moment":          {good, good.Leaf.NotBefore.Add(time.Hour), ""},
		"last moment":           {good, good.Leaf.NotAfter, ""},
		"no Leaf":               {with(func(c *tls.Certificate) { c.Leaf = nil }), time.Now(), ""},
		"a foreign Leaf":        {with(func(c *tls.Certificate) { c.Leaf = root.Cert }), time.Now(), ""},
		"token":                 {with(func(c *tls.Certificate) { c.PrivateKey = token{key: key} }), time.Now(), ""},
		"no key usage":          {ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.KeyUsage = 0 }), time.Now(), ""},
		"before":                {good, good.Leaf.NotBefore.Add(-time.Second), "is not valid before"},
		"after":                 {good, good.Leaf.NotAfter.Add(time.Second), "expired at"},
		"nothing":               {tls.Certificate{}, time.Now(), "there is no certificate"},
		"no key":                {with(func(c *tls.Certificate) { c.PrivateKey = nil }), time.Now(), "is missing or cannot sign"},
		"no RSA key":            {with(func(c *tls.Certificate) { c.PrivateKey = (*rsa.PrivateKey)(nil) }), time.Now(), "is missing or cannot sign"},
		"an empty RSA key":      {with(func(c *tls.Certificate) { c.PrivateKey = &rsa.PrivateKey{} }), time.Now(), "is missing or cannot sign"},
		"no ECDSA key":          {with(func(c *tls.Certificate) { c.PrivateKey = (*ecdsa.PrivateKey)(nil) }), time.Now(), "is missing or cannot sign"},
		"an empty ECDSA key":    {with(func(c *tls.Certificate) { c.PrivateKey = &ecdsa.PrivateKey{} }), time.Now(), "is missing or cannot sign"},
		"no token":              {with(func(c *tls.Certificate) { c.PrivateKey = (*token)(nil) }), time.Now(), "is missing or cannot sign"},
		"a key that only reads": {with(func(c *tls.Certificate) { c.PrivateKey = struct{}{} }), time.Now(), "must be a crypto.Signer"},
		"another key":           {with(func(c *tls.Certificate) { c.PrivateKey = certtest.ECDSA(t) }), time.Now(), "does not belong"},
		"another kind of key":   {with(func(c *tls.Certificate) { c.PrivateKey = certtest.RSA(t) }), time.Now(), "does not belong"},
		"Ed25519":               {ca.Issue(t, "host-7", edKey), time.Now(), "of the kind Ed25519"},
		"an unknown kind":       {tls.Certificate{Certificate: [][]byte{foreign}, PrivateKey: key}, time.Now(), "\"CN=host-7,O=Example\" is of an unknown kind"},
		"a CA's first":          {with(func(c *tls.Certificate) { c.Certificate = [][]byte{ca.Cert.Raw}; c.PrivateKey = nil }), time.Now(), "is missing"},
		"a CA's":                {ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.IsCA = true }), time.Now(), "is a CA's"},
		"not for signing":       {ca.Issue(t, "host-7", key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDataEncipherment }), time.Now(), "\"CN=host-7,O=Example\" is not for signing: its key usage lacks digitalSignature"},
		"damaged":               {with(func(c *tls.Certificate) { c.Certificate = [][]byte{{0x30}} }), time.Now(), "certificate 1 cannot be parsed"},
		"chain damaged":         {with(func(c *tls.Certificate) { c.Certificate = [][]byte{c.Certificate[0], {0x30}} }), time.Now(), "certificate 2 cannot be parsed"},
		"chain expired": {with(func(c *tls.Certificate) {
			old := ca.Renewed(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
			c.Certificate = [][]byte{c.Certificate[0], old.Raw}
		}), time.Now(), "\"CN=Lower,O=Example\" expired at"},
	} {
		t.Run(name, tt.check)
	}
}

// checked is a certificate, and what is wrong with it at a time.
type checked struct {
	certificate tls.Certificate
	at          time.Time
	want        string // empty: nothing is wrong
}

func (c checked) check(t *testing.T) {
	err := rolesanywhere.Check(c.certificate, c.at)
	if c.want == "" {
		require.NoError(t, err)
		return
	}
	var e *rolesanywhere.CertificateError
	require.ErrorAs(t, err, &e)
	assert.ErrorContains(t, err, c.want)
	assert.Empty(t, e.File)
	assert.NotEmpty(t, e.Mend)
}

// TestCheckSHA1 writes SHA-1 into a certificate by hand: Go signs none with it.
func TestCheckSHA1(t *testing.T) {
	key := certtest.RSA(t)
	template := certtest.NewCA(t, "Root").Issue(t, "host-7", key).Leaf
	template.SignatureAlgorithm = x509.SHA256WithRSA
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	withRSA := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01}
	der = bytes.ReplaceAll(der, append(withRSA[:8:8], 11), append(withRSA[:8:8], 5)) // sha256WithRSAEncryption, sha1…
	err = rolesanywhere.Check(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, time.Now())
	require.ErrorContains(t, err, "is signed with SHA1-RSA, which Roles Anywhere refuses")
}

// TestSubjectIsClean shows a hostile subject on one line.
func TestSubjectIsClean(t *testing.T) {
	cert := certtest.NewCA(t, "Root").Issue(t, "host\n\x1b[2J\u202e7", certtest.ECDSA(t))
	err := rolesanywhere.Check(cert, time.Now().AddDate(1, 0, 0))
	require.ErrorContains(t, err, "expired at")
	for _, r := range err.Error() {
		require.NotContains(t, "\n\x1b\u202e", string(r))
	}
}

// TestSignerFails names the device, and hands out its error without its particulars.
func TestSignerFails(t *testing.T) {
	locked := errors.New("the token is locked")
	cert := certtest.NewCA(t, "Root").Issue(t, "host-7", certtest.ECDSA(t))
	cert.PrivateKey = token{cert.PrivateKey.(crypto.Signer), locked}
	_, _, err := rolesanywhere.Client{HTTP: never{t}}.CreateSession(t.Context(), request(t), cert)
	var e *rolesanywhere.CertificateError
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, locked)
	assert.ErrorContains(t, err, "\"CN=host-7,O=Example\" did not sign: the token is locked")
}

// TestSignerFailsQuietly: a key that is reached over the network may say at which
// address. A password in it is not shown.
func TestSignerFailsQuietly(t *testing.T) {
	gone := &url.Error{Op: "Post", URL: "https://ana:hunter2@keys.example.com/sign", Err: errors.New("gone away")}
	cert := certtest.NewCA(t, "Root").Issue(t, "host-7", certtest.ECDSA(t))
	cert.PrivateKey = token{cert.PrivateKey.(crypto.Signer), gone}
	_, _, err := rolesanywhere.Client{HTTP: never{t}}.CreateSession(t.Context(), request(t), cert)
	require.ErrorContains(t, err, "gone away")
	assert.ErrorContains(t, err, "keys.example.com")
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2")
}
