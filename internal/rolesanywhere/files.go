package rolesanywhere

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Files returns a func that reads a certificate and its key from PEM files, anew at
// each call, so that a renewed certificate is used at the next refresh. cert holds
// the machine's certificate, and perhaps its intermediates behind it; key holds the
// private key (PKCS#8, PKCS#1 or SEC 1, not encrypted); chain are files of
// intermediates. One file may be both cert and key. An empty name in chain is as if
// it had not been given.
//
// The intermediates may be in any order and several files; they are sent from the
// one that issued the certificate upwards. A root is not sent: the trust anchor has
// it. An error is a [*CertificateError] that names the file.
func Files(cert, key string, chain ...string) func(context.Context) (tls.Certificate, error) {
	chain = slices.DeleteFunc(slices.Clone(chain), func(name string) bool { return name == "" })
	return func(ctx context.Context) (tls.Certificate, error) {
		if err := ctx.Err(); err != nil {
			return tls.Certificate{}, err
		}
		return load(cert, key, chain, time.Now())
	}
}

// located is a certificate with the file that it comes from.
type located struct {
	*x509.Certificate
	file string
}

func load(cert, key string, chain []string, now time.Time) (tls.Certificate, error) {
	own, err := readCertificates(cert, "the certificate")
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := own[0].Certificate
	if e := checkLeaf(leaf, now); e != nil {
		if other := slices.IndexFunc(own, func(c located) bool { return !c.IsCA }); other > 0 { // the leaf is a CA's
			e.Mend = "move the certificate of " + subject(own[other].Certificate) + " to the top of the file"
		}
		return tls.Certificate{}, e.in(cert)
	}
	if algorithm(leaf) == "" {
		return tls.Certificate{}, unknownKey(leaf).in(cert)
	}
	signer, err := readKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if e := checkKey(leaf, signer); e != nil {
		e.What = "this private key does not belong to the certificate of " + subject(leaf) + " in " + redact.OneLine(cert)
		e.Mend = "name the key that the certificate was issued for"
		return tls.Certificate{}, e.in(key)
	}
	above, err := intermediates(leaf, own[1:], chain, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	out := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: signer, Leaf: leaf}
	for _, c := range above {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, nil
}

// intermediates finds the certificates that lead from the leaf upwards, among those
// that follow it in its own file and those of the chain's files.
func intermediates(leaf *x509.Certificate, pool []located, files []string, now time.Time) ([]located, error) {
	expected := "" // the first file whose certificates should lead upwards
	for _, file := range files {
		more, err := readCertificates(file, "a certificate of the chain")
		if err != nil {
			return nil, err
		}
		if expected == "" && slices.ContainsFunc(more, func(c located) bool { return !selfIssued(c.Certificate) }) {
			expected = file
		}
		pool = append(pool, more...)
	}
	path, complete := climb(leaf, pool, now)
	if len(path) == 0 && !complete && expected != "" {
		e := &CertificateError{
			What: "it does not hold the certificate that issued " + subject(leaf),
			Mend: "name the file with the certificate of " + name(leaf.Issuer.String(), leaf) + ", or leave the chain away if the trust anchor is this CA",
		}
		return nil, e.in(expected)
	}
	for _, c := range path {
		if e := checkTime(c.Certificate, now); e != nil {
			return nil, e.in(c.file)
		}
	}
	return path, nil
}

// climb follows issuers from a certificate up to a root, which is not part of the
// path; complete: it was there. Of two that could have issued it, as after the
// renewal of an intermediate, the one that is valid now is taken.
func climb(from *x509.Certificate, pool []located, now time.Time) (path []located, complete bool) {
	for at := from; len(path) < len(pool); {
		var next *located
		for i, c := range pool {
			if !signedBy(c.Certificate, at) || slices.ContainsFunc(path, func(used located) bool { return used.Equal(c.Certificate) }) {
				continue
			}
			if next == nil || checkTime(next.Certificate, now) != nil {
				next = &pool[i]
			}
		}
		if next == nil || selfIssued(next.Certificate) {
			return path, next != nil
		}
		path, at = append(path, *next), next.Certificate
	}
	return path, false
}

// signedBy reports whether the first certificate is of who signed the other. Whether
// it may sign is for the service to say.
func signedBy(ca, c *x509.Certificate) bool {
	return bytes.Equal(ca.RawSubject, c.RawIssuer) && ca.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// selfIssued reports whether a certificate is a root.
func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }
