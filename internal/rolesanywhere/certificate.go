package rolesanywhere

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// CertificateError says what is wrong with a certificate, its key or its chain. It
// shows nothing of a key.
type CertificateError struct {
	File    string // where it comes from; empty for one of a caller's func
	What    string // what is wrong
	Mend    string // what to do; may be empty
	Expired bool   // all that is wrong is that its time is over
	Err     error  // the cause, if there is one: of the file system, or of the key
}

// Error returns file, fault and remedy in one line.
func (e *CertificateError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(redact.OneLine(e.File) + ": ")
	}
	b.WriteString(e.What)
	if e.Mend != "" {
		b.WriteString("; " + e.Mend)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *CertificateError) Unwrap() error { return e.Err }

// in adds the file that an error is about.
func (e *CertificateError) in(file string) error {
	if e == nil {
		return nil
	}
	e.File = file
	return e
}

// Check refuses what Roles Anywhere would refuse, so far as it can be seen without
// asking: a certificate of a CA, one that is not valid at this time, a key that does
// not fit or that is neither RSA nor ECDSA, a chain that has expired. It is for
// certificates of any source: the private key may be in a TPM, behind PKCS#11 or in
// an agent, as a [crypto.Signer]. An error is a [*CertificateError].
func Check(certificate tls.Certificate, now time.Time) error {
	id, err := identify(certificate)
	if err != nil {
		return err
	}
	if e := checkLeaf(id.leaf, now); e != nil {
		return e
	}
	for _, c := range id.chain {
		if e := checkTime(c, now); e != nil {
			return e
		}
	}
	return nil
}

// Leaf parses the certificate that signs, the first. Its subject and issuer say who
// signs in, also after a renewal.
func Leaf(certificate tls.Certificate) (*x509.Certificate, error) {
	if len(certificate.Certificate) == 0 {
		return nil, &CertificateError{What: "there is no certificate", Mend: "the func must return the certificate in tls.Certificate.Certificate"}
	}
	return parse(certificate.Certificate, 0)
}

// parse trusts the bytes alone: tls.Certificate.Leaf may be another.
func parse(all [][]byte, i int) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(all[i])
	if err != nil {
		return nil, &CertificateError{What: fmt.Sprintf("certificate %d cannot be parsed", i+1), Mend: "it must be one certificate in DER"}
	}
	return c, nil
}

// identity is a certificate with a key that fits.
type identity struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
	key   crypto.Signer
}

// identify parses a certificate with its chain and holds the key against it.
func identify(certificate tls.Certificate) (identity, error) {
	leaf, err := Leaf(certificate)
	if err != nil {
		return identity{}, err
	}
	id := identity{leaf: leaf}
	for i := 1; i < len(certificate.Certificate); i++ {
		c, err := parse(certificate.Certificate, i)
		if err != nil {
			return identity{}, err
		}
		id.chain = append(id.chain, c)
	}
	key, ok := certificate.PrivateKey.(crypto.Signer)
	if !ok || isEmpty(key) {
		return identity{}, &CertificateError{What: "the private key of " + subject(id.leaf) + " is missing or cannot sign", Mend: "tls.Certificate.PrivateKey must be a crypto.Signer"}
	}
	id.key = key
	if e := checkKey(id.leaf, key); e != nil {
		return identity{}, e
	}
	return id, nil
}

// isEmpty reports whether a key is a pointer to nothing, or a key without content.
func isEmpty(key crypto.Signer) bool {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k == nil || k.N == nil
	case *ecdsa.PrivateKey:
		return k == nil || k.Curve == nil
	}
	v := reflect.ValueOf(key)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// checkKey wants a kind of key that Roles Anywhere knows, and the one that belongs
// to the certificate.
func checkKey(leaf *x509.Certificate, key crypto.Signer) *CertificateError {
	if algorithm(leaf) == "" {
		return unknownKey(leaf)
	}
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return &CertificateError{
			What: "the private key does not belong to the certificate of " + subject(leaf),
			Mend: "use the key that this certificate was issued for",
		}
	}
	return nil
}

func unknownKey(c *x509.Certificate) *CertificateError {
	kind := "of an unknown kind"
	if c.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
		kind = "of the kind " + c.PublicKeyAlgorithm.String()
	}
	return &CertificateError{
		What: "the key of " + subject(c) + " is " + kind + ", which Roles Anywhere does not take",
		Mend: "use a certificate with an RSA or ECDSA key",
	}
}

// algorithm is how requests are signed with the certificate's key; empty: not at all.
func algorithm(c *x509.Certificate) string {
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "AWS4-X509-RSA-SHA256"
	case *ecdsa.PublicKey:
		return "AWS4-X509-ECDSA-SHA256"
	}
	return ""
}

// checkLeaf holds a certificate against what Roles Anywhere asks of one that signs
// requests. A certificate without the extension of key usage is left to the service.
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
func checkLeaf(c *x509.Certificate, now time.Time) *CertificateError {
	switch {
	case c.IsCA:
		return &CertificateError{
			What: "the first certificate, of " + subject(c) + ", is a CA's",
			Mend: "the certificate of this machine must be the first; those of CAs follow it",
		}
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return &CertificateError{
			What: "the certificate of " + subject(c) + " is not for signing: its key usage lacks digitalSignature",
			Mend: "have it issued with key usage digitalSignature",
		}
	case c.SignatureAlgorithm == x509.SHA1WithRSA, c.SignatureAlgorithm == x509.ECDSAWithSHA1, c.SignatureAlgorithm == x509.MD5WithRSA:
		return &CertificateError{
			What: fmt.Sprintf("the certificate of %s is signed with %s, which Roles Anywhere refuses", subject(c), c.SignatureAlgorithm),
			Mend: "have it issued with SHA-256 or stronger",
		}
	}
	return checkTime(c, now)
}

func checkTime(c *x509.Certificate, now time.Time) *CertificateError {
	const form = "2006-01-02 15:04:05 MST"
	switch {
	case now.After(c.NotAfter):
		return &CertificateError{
			What: fmt.Sprintf("the certificate of %s expired at %s", subject(c), c.NotAfter.UTC().Format(form)),
			Mend: fmt.Sprintf("renew it (the clock here says %s)", now.UTC().Format(form)), Expired: true,
		}
	case now.Before(c.NotBefore):
		return &CertificateError{
			What: fmt.Sprintf("the certificate of %s is not valid before %s", subject(c), c.NotBefore.UTC().Format(form)),
			Mend: fmt.Sprintf("check this machine's clock, which says %s", now.UTC().Format(form)),
		}
	}
	return nil
}

// subject names a certificate in an error.
func subject(c *x509.Certificate) string { return name(c.Subject.String(), c) }

func name(s string, c *x509.Certificate) string {
	if s == "" {
		return "serial number " + c.SerialNumber.String()
	}
	return fmt.Sprintf("%q", redact.Clip(redact.OneLine(s)))
}
