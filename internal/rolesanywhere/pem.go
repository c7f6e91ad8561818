package rolesanywhere

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// maxFile is far more than a certificate with all its intermediates has.
const maxFile = 1 << 20

// errSize is the error of a file that is no certificate for its size alone.
var errSize = errors.New("it has more than 1 MiB")

// readFile reads a file and refuses what is none: opening a pipe would wait for its
// writer, and what is read from it is gone at the next refresh. what says what the
// file should hold.
func readFile(file, what string) ([]byte, error) {
	if file == "" {
		return nil, &CertificateError{What: "no file is named for " + what, Mend: "name one"}
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, unreadable(file, what, err)
	}
	if !info.Mode().IsRegular() {
		e := &CertificateError{What: "it is " + redact.FileType(info.Mode()) + ", not a regular file", Mend: "write " + what + " to a file, which is read at each refresh"}
		return nil, e.in(file)
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe by now: do not wait for its writer
	if err != nil {
		return nil, unreadable(file, what, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errSize
	}
	if err != nil {
		return nil, unreadable(file, what, err)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

func unreadable(file, what string, err error) error {
	e := &CertificateError{What: "it cannot be read: " + err.Error(), Mend: "correct its name, or let this user read it", Err: err}
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.What, e.Mend = "there is no such file", "write "+what+" there, or correct the name"
	case errors.As(err, &path):
		e.What = "it cannot be read: " + path.Err.Error()
	}
	return e.in(file)
}

// readCertificates reads all certificates of a file, at least one. Other blocks
// beside them are passed over, as a file may hold the key as well.
func readCertificates(file, what string) ([]located, error) {
	data, err := readFile(file, what)
	if err != nil {
		return nil, err
	}
	var found []located
	var others []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			others = append(others, block.Type)
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			e := &CertificateError{What: "a certificate in it is damaged", Mend: "write the file anew, from where the certificate was issued"}
			return nil, e.in(file)
		}
		found = append(found, located{c, file})
	}
	if len(found) == 0 {
		return nil, noCertificate(data, others, what).in(file)
	}
	return found, nil
}

// noCertificate says what a file holds instead of a certificate.
func noCertificate(data []byte, blocks []string, what string) *CertificateError {
	e := &CertificateError{What: "it holds no certificate in PEM", Mend: "name the file that begins with -----BEGIN CERTIFICATE-----"}
	kinds := strings.Join(blocks, " ")
	switch {
	case strings.Contains(kinds, "PRIVATE KEY"):
		e.What, e.Mend = "it holds a private key, and no certificate", "name the file of "+what+"; the key belongs to the other parameter"
	case strings.Contains(kinds, "CERTIFICATE REQUEST"):
		e.What, e.Mend = "it holds a request for a certificate, and no certificate", "name the file that the CA returned for it"
	case strings.Contains(kinds, "PKCS7"):
		e.What, e.Mend = "it holds a PKCS#7 bundle, which is not supported", "convert it: openssl pkcs7 -print_certs"
	case kinds == "":
		binary(e, data, "x509")
	}
	return e
}

// binary says of a file without PEM what it seems to be. command is openssl's for
// what should be in it.
func binary(e *CertificateError, data []byte, command string) {
	switch {
	case len(data) == 0:
		e.What = "it is empty"
	case isDER(data):
		e.What, e.Mend = "it is in DER or PKCS#12, not in PEM", "convert it: openssl "+command+" -inform der (or openssl pkcs12)"
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		e.What, e.Mend = "it is in UTF-16", "write it as ASCII or UTF-8"
	}
}

// isDER reports whether data begins as a sequence in DER does, with its length.
func isDER(data []byte) bool {
	return len(data) > 1 && data[0] == 0x30 && (data[1]&0x80 != 0 || int(data[1])+2 == len(data))
}

// readKey reads the first private key of a file.
func readKey(file string) (crypto.Signer, error) {
	data, err := readFile(file, "the private key")
	if err != nil {
		return nil, err
	}
	var others []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			others = append(others, block.Type)
			continue
		}
		key, e := parseKey(block)
		if e != nil {
			return nil, e.in(file)
		}
		return key, nil
	}
	e := &CertificateError{What: "it holds no private key in PEM", Mend: "name the file that begins with -----BEGIN PRIVATE KEY-----"}
	kinds := strings.Join(others, " ")
	switch {
	case strings.Contains(kinds, "CERTIFICATE"):
		e.What, e.Mend = "it holds a certificate, and no private key", "name the file of the private key; the certificate belongs to the other parameter"
	case strings.Contains(kinds, "PUBLIC KEY"):
		e.What = "it holds a public key, and no private key"
	case kinds == "":
		binary(e, data, "pkey")
	}
	return nil, e.in(file)
}

// parseKey reads a key. What a parser says is not shown: it may quote what it read.
func parseKey(block *pem.Block) (crypto.Signer, *CertificateError) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, &CertificateError{
			What: "the private key is encrypted, which is not supported",
			Mend: "decrypt it into a file that only this user can read (openssl pkey -in … -out …), or write a func that returns the certificate with its key",
		}
	}
	if block.Type == "OPENSSH PRIVATE KEY" {
		return nil, &CertificateError{What: "the private key is in OpenSSH's form, which is not supported", Mend: "convert it: ssh-keygen -p -m PKCS8 -f …"}
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, &CertificateError{What: "the private key is damaged, or of a kind that is not supported", Mend: "write it anew, as PKCS#8: openssl pkcs8 -topk8 -nocrypt"}
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, &CertificateError{What: "the private key is neither RSA nor ECDSA", Mend: "Roles Anywhere takes only those two kinds"}
}
