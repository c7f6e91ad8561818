// Package certtest makes certificate authorities and certificates for tests.
package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// CA is a certificate authority: a root, or one that another CA issued.
type CA struct {
	Cert   *x509.Certificate
	key    crypto.Signer
	issuer *CA // nil for a root
}

// NewCA makes a root.
func NewCA(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, name, nil)
}

// Sub makes an intermediate that the CA issued.
func (ca *CA) Sub(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, name, ca)
}

func newCA(t testing.TB, name string, issuer *CA) *CA {
	t.Helper()
	template := template(t, name)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	ca := &CA{Cert: template, key: ECDSA(t), issuer: issuer}
	parent := ca
	if issuer != nil {
		parent = issuer
	}
	ca.Cert = sign(t, template, parent, ca.key.Public())
	return ca
}

// Issue makes a certificate for a key. An edit changes the template before the CA
// signs it. The result holds the certificate, the intermediates between it and
// the root, and the key.
func (ca *CA) Issue(t testing.TB, name string, key crypto.Signer, edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := template(t, name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	for _, edit := range edits {
		edit(template)
	}
	leaf := sign(t, template, ca, key.Public())
	out := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for at := ca; at.issuer != nil; at = at.issuer {
		out.Certificate = append(out.Certificate, at.Cert.Raw)
	}
	return out
}

// template is valid for a day from an hour ago.
func template(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Round(0)
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		BasicConstraintsValid: true,
	}
}

func sign(t testing.TB, template *x509.Certificate, issuer *CA, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Cert, public, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ECDSA makes a key of P-256.
func ECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// RSA makes a key of 2048 bits.
func RSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// PEM writes certificates one after another.
func PEM(certificates ...[]byte) []byte {
	var out []byte
	for _, der := range certificates {
		out = append(out, Block("CERTIFICATE", der)...)
	}
	return out
}

// Block writes one block of PEM.
func Block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// KeyPEM writes a key as PKCS#8.
func KeyPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Block("PRIVATE KEY", der)
}

// Renewed is another certificate of an intermediate, with the same name and key.
func (ca *CA) Renewed(t testing.TB, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	again := template(t, ca.Cert.Subject.CommonName)
	again.IsCA, again.KeyUsage = true, ca.Cert.KeyUsage
	edit(again)
	return sign(t, again, ca.issuer, ca.key.Public())
}
