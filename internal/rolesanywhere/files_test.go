package rolesanywhere_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// folder writes files to read.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) write(name string, parts ...[]byte) string {
	f.t.Helper()
	name = filepath.Join(f.dir, name)
	require.NoError(f.t, os.WriteFile(name, slices.Concat(parts...), 0o600))
	return name
}

func ec1(t *testing.T, key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return certtest.Block("EC PRIVATE KEY", der)
}

func TestFiles(t *testing.T) {
	f := folder{t, t.TempDir()}
	rsaKey, key := certtest.RSA(t), certtest.ECDSA(t)
	root := certtest.NewCA(t, "Root")
	upper := root.Sub(t, "Upper")
	lower := upper.Sub(t, "Lower")
	direct, deep, other := root.Issue(t, "host-7", rsaKey), lower.Issue(t, "host-7", key), lower.Issue(t, "host-8", key)
	leaf := f.write("leaf.pem", certtest.PEM(deep.Certificate[0]))
	pkcs8 := f.write("pkcs8.key", certtest.KeyPEM(t, key))
	direct8 := f.write("direct.pem", certtest.PEM(direct.Certificate...))
	for name, tt := range map[string]struct {
		cert, key string
		chain     []string
		want      [][]byte
	}{
		"RSA, PKCS#8":                          {direct8, f.write("rsa8.key", certtest.KeyPEM(t, rsaKey)), nil, direct.Certificate},
		"RSA, PKCS#1":                          {direct8, f.write("rsa1.key", certtest.Block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))), nil, direct.Certificate},
		"ECDSA, PKCS#8":                        {leaf, pkcs8, nil, deep.Certificate[:1]},
		"ECDSA, SEC 1":                         {leaf, f.write("sec1.key", certtest.Block("EC PARAMETERS", []byte{5, 0}), ec1(t, key)), nil, deep.Certificate[:1]},
		"BOM, CR and words":                    {f.write("dos.pem", []byte("\xef\xbb\xbfBag Attributes\r\n"), []byte(strings.ReplaceAll(string(certtest.PEM(deep.Certificate[0])), "\n", "\r\n"))), pkcs8, nil, deep.Certificate[:1]},
		"one file for both":                    {f.write("both.pem", certtest.PEM(deep.Certificate...), certtest.KeyPEM(t, key)), filepath.Join(f.dir, "both.pem"), nil, deep.Certificate},
		"chain in the same file":               {f.write("full.pem", certtest.PEM(deep.Certificate...)), pkcs8, nil, deep.Certificate},
		"chain beside it":                      {leaf, pkcs8, []string{f.write("chain.pem", certtest.PEM(deep.Certificate[1:]...))}, deep.Certificate},
		"chain upside down":                    {leaf, pkcs8, []string{f.write("down.pem", certtest.PEM(upper.Cert.Raw, lower.Cert.Raw))}, deep.Certificate},
		"chain in two files":                   {leaf, pkcs8, []string{f.write("upper.pem", certtest.PEM(upper.Cert.Raw)), "", f.write("lower.pem", certtest.PEM(lower.Cert.Raw))}, deep.Certificate},
		"chain with leaf, root and a stranger": {leaf, pkcs8, []string{f.write("all.pem", certtest.PEM(root.Cert.Raw, other.Certificate[0], deep.Certificate[0], upper.Cert.Raw, lower.Cert.Raw, lower.Cert.Raw))}, deep.Certificate},
		"chain of the root alone":              {direct8, filepath.Join(f.dir, "rsa8.key"), []string{f.write("root.pem", certtest.PEM(root.Cert.Raw))}, direct.Certificate},
		"empty names":                          {leaf, pkcs8, []string{"", ""}, deep.Certificate[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rolesanywhere.Files(tt.cert, tt.key, tt.chain...)(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Certificate)
			require.NoError(t, rolesanywhere.Check(got, time.Now()))
		})
	}
}

// TestFilesRenewed reads both files anew at each call, and of two intermediates of one
// name the one that is valid.
func TestFilesRenewed(t *testing.T) {
	f := folder{t, t.TempDir()}
	ca := certtest.NewCA(t, "Root")
	first, second := certtest.ECDSA(t), certtest.RSA(t)
	cert, key := f.write("a.pem", certtest.PEM(ca.Issue(t, "host-7", first).Certificate...)), f.write("a.key", certtest.KeyPEM(t, first))
	read := rolesanywhere.Files(cert, key)
	got, err := read(t.Context())
	require.NoError(t, err)
	assert.IsType(t, (*ecdsa.PrivateKey)(nil), got.PrivateKey)

	f.write("a.pem", certtest.PEM(ca.Issue(t, "host-7", second).Certificate...))
	_, err = read(t.Context())
	require.ErrorContains(t, err, key+": this private key does not belong to the certificate of \"CN=host-7,O=Example\" in "+cert)

	f.write("a.key", certtest.KeyPEM(t, second))
	got, err = read(t.Context())
	require.NoError(t, err)
	assert.IsType(t, (*rsa.PrivateKey)(nil), got.PrivateKey)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = read(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// wrong is a call of Files with what is wrong about it.
type wrong struct {
	cert, key, chain string
	about, want      string // the file's name, and a part of the error
}

func (tt wrong) check(t *testing.T) *rolesanywhere.CertificateError {
	t.Helper()
	_, err := rolesanywhere.Files(tt.cert, tt.key, tt.chain)(t.Context())
	var e *rolesanywhere.CertificateError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, tt.about, base(e.File), "the file")
	assert.Contains(t, err.Error(), tt.want)
	assert.NotContains(t, err.Error(), "\n")
	return e
}

// TestFilesUnreadable has files that hold something else.
func TestFilesUnreadable(t *testing.T) {
	f := folder{t, t.TempDir()}
	key := certtest.ECDSA(t)
	leaf := certtest.NewCA(t, "Root").Sub(t, "Lower").Issue(t, "host-7", key)
	cert, pkcs8 := f.write("leaf.pem", certtest.PEM(leaf.Certificate[0])), f.write("leaf.key", certtest.KeyPEM(t, key))
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, tt := range map[string]wrong{
		"no certificate named": {"", pkcs8, "", "", "no file is named for the certificate"},
		"no key named":         {cert, "", "", "", "no file is named for the private key"},
		"missing":              {f.dir + "/absent.pem", pkcs8, "", "absent.pem", "there is no such file"},
		"key missing":          {cert, f.dir + "/absent.key", "", "absent.key", "there is no such file"},
		"chain missing":        {cert, pkcs8, f.dir + "/absent.pem", "absent.pem", "there is no such file"},
		"directory":            {f.dir, pkcs8, "", filepath.Base(f.dir), "is a directory"},
		"key in a directory":   {cert, f.dir, "", filepath.Base(f.dir), "is a directory"},
		"null device":          {os.DevNull, pkcs8, "", "", "not a regular file"},
		"empty":                {f.write("empty.pem"), pkcs8, "", "empty.pem", "it is empty"},
		"words":                {f.write("words.pem", []byte("0 certificates\n")), pkcs8, "", "words.pem", "holds no certificate in PEM"},
		"huge":                 {f.write("huge.pem", make([]byte, 1<<20+1)), pkcs8, "", "huge.pem", "more than 1 MiB"},
		"DER":                  {f.write("leaf.der", leaf.Certificate[0]), pkcs8, "", "leaf.der", "in DER or PKCS#12"},
		"key in DER":           {cert, f.write("der.key", keyDER), "", "der.key", "in DER or PKCS#12"},
		"one byte":             {f.write("one.pem", []byte("0")), pkcs8, "", "one.pem", "holds no certificate in PEM"},
		"two bytes of DER":     {f.write("two.pem", []byte{0x30, 0}), pkcs8, "", "two.pem", "in DER or PKCS#12"},
		"UTF-16":               {f.write("utf16.pem", []byte("\xff\xfe-\x00-\x00")), pkcs8, "", "utf16.pem", "UTF-16"},
		"damaged":              {f.write("damaged.pem", certtest.PEM(leaf.Certificate[0][:99])), pkcs8, "", "damaged.pem", "damaged"},
		"key for certificate":  {pkcs8, pkcs8, "", "leaf.key", "holds a private key, and no certificate"},
		"certificate for key":  {cert, cert, "", "leaf.pem", "holds a certificate, and no private key"},
		"swapped":              {pkcs8, cert, "", "leaf.key", "the key belongs to the other parameter"},
		"key for chain":        {cert, pkcs8, pkcs8, "leaf.key", "holds a private key, and no certificate"},
		"request":              {f.write("csr.pem", certtest.Block("CERTIFICATE REQUEST", []byte{1})), pkcs8, "", "csr.pem", "a request for a certificate"},
		"PKCS#7":               {f.write("p7b.pem", certtest.Block("PKCS7", []byte{1})), pkcs8, "", "p7b.pem", "PKCS#7"},
		"public key":           {cert, f.write("pub.key", certtest.Block("PUBLIC KEY", []byte{1})), "", "pub.key", "a public key, and no private key"},
		"encrypted, PKCS#8":    {cert, f.write("enc8.key", certtest.Block("ENCRYPTED PRIVATE KEY", keyDER)), "", "enc8.key", "is encrypted, which is not supported; decrypt it"},
		"encrypted, PKCS#1":    {cert, f.write("enc1.key", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")), "", "enc1.key", "is encrypted, which is not supported"},
		"OpenSSH":              {cert, f.write("ssh.key", certtest.Block("OPENSSH PRIVATE KEY", []byte{1})), "", "ssh.key", "OpenSSH"},
		"key damaged":          {cert, f.write("bad.key", certtest.Block("PRIVATE KEY", keyDER[:40])), "", "bad.key", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			e := tt.check(t)
			assert.Equal(t, strings.HasSuffix(name, "missing"), errors.Is(e, fs.ErrNotExist))
		})
	}
}

// TestFilesRefused has certificates, keys and chains that do not fit together, or
// that Roles Anywhere does not take.
func TestFilesRefused(t *testing.T) {
	f := folder{t, t.TempDir()}
	key := certtest.ECDSA(t)
	root := certtest.NewCA(t, "Root")
	ca, stranger := root.Sub(t, "Lower"), certtest.NewCA(t, "Stranger").Sub(t, "Strange")
	leaf := ca.Issue(t, "host-7", key)
	edit := func(change func(*x509.Certificate)) []byte {
		return certtest.PEM(root.Issue(t, "host-7", key, change).Certificate...)
	}
	_, edKey, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	cert, pkcs8 := f.write("leaf.pem", certtest.PEM(leaf.Certificate[0])), f.write("leaf.key", certtest.KeyPEM(t, key))
	edCert := f.write("ed.pem", certtest.PEM(root.Issue(t, "host-7", edKey).Certificate...))
	for name, tt := range map[string]wrong{
		"another key":         {cert, f.write("other.key", certtest.KeyPEM(t, certtest.ECDSA(t))), "", "other.key", "does not belong to the certificate of \"CN=host-7,O=Example\""},
		"key of another kind": {cert, f.write("rsa.key", certtest.KeyPEM(t, certtest.RSA(t))), "", "rsa.key", "does not belong"},
		"Ed25519 certificate": {edCert, pkcs8, "", "ed.pem", "of the kind Ed25519, which Roles Anywhere does not take"},
		"Ed25519 key":         {cert, f.write("ed.key", certtest.KeyPEM(t, edKey)), "", "ed.key", "neither RSA nor ECDSA"},
		"CA first":            {f.write("cafirst.pem", certtest.PEM(ca.Cert.Raw, leaf.Certificate[0])), pkcs8, "", "cafirst.pem", "move the certificate of \"CN=host-7,O=Example\" to the top"},
		"CA alone":            {f.write("ca.pem", certtest.PEM(ca.Cert.Raw)), pkcs8, "", "ca.pem", "is a CA's; the certificate of this machine must be the first"},
		"expired": {f.write("old.pem", edit(func(c *x509.Certificate) {
			c.NotAfter = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
			c.NotBefore = c.NotAfter.AddDate(-1, 0, 0)
		})), pkcs8, "", "old.pem", "expired at 2020-02-03 04:05:06 UTC; renew it"},
		"not valid yet": {f.write("new.pem", edit(func(c *x509.Certificate) {
			c.NotBefore = time.Date(2199, 2, 3, 4, 5, 6, 0, time.UTC)
			c.NotAfter = c.NotBefore.AddDate(1, 0, 0)
		})), pkcs8, "", "new.pem", "is not valid before 2199-02-03 04:05:06 UTC; check this machine's clock"},
		"not for signing":     {f.write("usage.pem", edit(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })), pkcs8, "", "usage.pem", "digitalSignature"},
		"chain of another CA": {cert, pkcs8, f.write("strange.pem", certtest.PEM(stranger.Cert.Raw)), "strange.pem", "does not hold the certificate that issued \"CN=host-7,O=Example\"; name the file with the certificate of \"CN=Lower,O=Example\""},
		"the same name":       {cert, pkcs8, f.write("same.pem", certtest.PEM(root.Sub(t, "Lower").Cert.Raw)), "same.pem", "does not hold the certificate that issued"},
	} {
		t.Run(name, func(t *testing.T) {
			e := tt.check(t)
			assert.Equal(t, name == "expired", e.Expired)
		})
	}
}

// base is the name of a file that the test wrote.
func base(file string) string {
	if file == "" || file == os.DevNull {
		return ""
	}
	return filepath.Base(file)
}

// TestFilesIntermediateExpired names the file of the intermediate, and passes over an
// expired one where another of its name and key is valid.
func TestFilesIntermediateExpired(t *testing.T) {
	f := folder{t, t.TempDir()}
	root := certtest.NewCA(t, "Root")
	old := root.Sub(t, "Lower")
	key := certtest.ECDSA(t)
	leaf := old.Issue(t, "host-7", key)
	expired := old.Renewed(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	cert, pkcs8 := f.write("leaf.pem", certtest.PEM(leaf.Certificate[0])), f.write("leaf.key", certtest.KeyPEM(t, key))
	chain := f.write("chain.pem", certtest.PEM(expired.Raw))
	_, err := rolesanywhere.Files(cert, pkcs8, chain)(t.Context())
	require.ErrorContains(t, err, chain+": the certificate of \"CN=Lower,O=Example\" expired")
	for _, order := range [][][]byte{{expired.Raw, old.Cert.Raw}, {old.Cert.Raw, expired.Raw}} {
		f.write("chain.pem", certtest.PEM(order...))
		got, err := rolesanywhere.Files(cert, pkcs8, chain)(t.Context())
		require.NoError(t, err)
		assert.Equal(t, [][]byte{leaf.Certificate[0], old.Cert.Raw}, got.Certificate)
	}
}

func FuzzFiles(f *testing.F) {
	key := certtest.ECDSA(f)
	cert := certtest.PEM(certtest.NewCA(f, "Root").Sub(f, "Lower").Issue(f, "host-7", key).Certificate...)
	f.Add(cert, certtest.KeyPEM(f, key), cert)
	f.Add([]byte{0x30}, []byte{0x30, 0x82}, []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, cert, key, chain []byte) {
		dir := folder{t, t.TempDir()}
		got, err := rolesanywhere.Files(dir.write("a.pem", cert), dir.write("a.key", key), dir.write("chain.pem", chain))(t.Context())
		if err == nil {
			require.NoError(t, rolesanywhere.Check(got, time.Now()))
			return
		}
		var e *rolesanywhere.CertificateError
		require.ErrorAs(t, err, &e)
		require.Equal(t, tls.Certificate{}, got)
	})
}
