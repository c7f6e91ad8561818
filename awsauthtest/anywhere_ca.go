package awsauthtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// trustAnchor is a TrustAnchor with the key of the CA that the Cloud made for it;
// nil where the test brought its own CAs.
type trustAnchor struct {
	TrustAnchor
	key *ecdsa.PrivateKey
}

// Certificate returns a certificate, with its key, of the CA that [Cloud.AddTrustAnchor]
// made for a trust anchor without CAs of its own. Its subject is the common name, its
// key is ECDSA P-256. It is valid for lifetime by the Cloud's clock; 0 is a day, and a
// negative one makes a certificate that has expired already. A trust anchor that is not
// known, or that has CAs of its own, panics.
//
//	certificate := cloud.Certificate(anchor, "host-7", 0)
func (c *Cloud) Certificate(trustAnchorARN, commonName string, lifetime time.Duration) tls.Certificate {
	c.mu.Lock()
	anchor := c.anchors[trustAnchorARN]
	c.mu.Unlock()
	if anchor.key == nil {
		panic("awsauthtest: Certificate: " + trustAnchorARN + " is no trust anchor with a CA of the Cloud's")
	}
	if lifetime == 0 {
		lifetime = 24 * time.Hour
	}
	now := c.now()
	until := now.Add(lifetime)
	template := &x509.Certificate{
		SerialNumber: randomSerial(), Subject: pkix.Name{CommonName: commonName},
		NotBefore: now.Add(min(lifetime, 0) - time.Hour), NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	key := newKey()
	leaf := makeCertificate(template, anchor.CAs[0], key, anchor.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// newCA makes a CA that is valid at whatever time a test has.
func newCA() (*x509.Certificate, *ecdsa.PrivateKey) {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: randomSerial(), Subject: pkix.Name{CommonName: "awsauthtest"},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return makeCertificate(template, template, key, key), key
}

func makeCertificate(template, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		panic("awsauthtest: " + err.Error()) // these templates can be signed
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		panic("awsauthtest: " + err.Error())
	}
	return out
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("awsauthtest: " + err.Error()) // rand.Reader never fails
	}
	return key
}

// randomSerial has 16 bytes, the first of which is not 0.
func randomSerial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b)
}
