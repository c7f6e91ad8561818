package awsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A machine outside AWS becomes a role with the certificate it has. Here a func brings
// it, as from a TPM, a smart card or SPIFFE; CertificateFiles reads it from files.
func ExampleWithRolesAnywhere() {
	const role = "arn:aws:iam::123456789012:role/backup"
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"rolesanywhere.amazonaws.com"}})
	anchor := cloud.AddTrustAnchor(awsauthtest.TrustAnchor{
		Account: "123456789012", Region: "eu-west-1",
	})
	profile := cloud.AddAnywhereProfile(awsauthtest.AnywhereProfile{
		Account: "123456789012", Region: "eu-west-1", RoleARNs: []string{role},
	})

	certificate := func(context.Context) (tls.Certificate, error) {
		return cloud.Certificate(anchor, "host-7.example.com", 0), nil
	}
	s, err := awsauth.New(
		awsauth.WithRolesAnywhere(anchor, profile, role, certificate),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Account, s.Config().Region) // the region of the trust anchor
	fmt.Println(cloud.Calls()[0].Host)
	// Output:
	// 123456789012 eu-west-1
	// rolesanywhere.eu-west-1.amazonaws.com
}

// The files are read anew for each refresh: whatever renews the certificate just
// replaces them.
func ExampleCertificateFiles() {
	const role = "arn:aws:iam::123456789012:role/backup"
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"rolesanywhere.amazonaws.com"}})
	anchor := cloud.AddTrustAnchor(awsauthtest.TrustAnchor{
		Account: "123456789012", Region: "eu-west-1",
	})
	profile := cloud.AddAnywhereProfile(awsauthtest.AnywhereProfile{
		Account: "123456789012", Region: "eu-west-1", RoleARNs: []string{role},
	})

	// The machine's certificate and key, as its certificate authority delivers them.
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	certFile, keyFile := filepath.Join(dir, "host.crt"), filepath.Join(dir, "host.key")
	issued := cloud.Certificate(anchor, "host-7.example.com", 0)
	key, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		log.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Certificate[0]})
	os.WriteFile(certFile, certificate, 0o600)
	os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)

	s, err := awsauth.New(
		awsauth.WithRolesAnywhere(anchor, profile, role,
			awsauth.CertificateFiles(certFile, keyFile)),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Account)
	// Output: 123456789012
}
