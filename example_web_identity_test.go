package awsauth_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A pod of any Kubernetes cluster becomes a role with its projected service account
// token. The role trusts the cluster's issuer. The kubelet renews the file, which is
// read anew at each refresh.
func ExampleWithWebIdentity() {
	const role, issuer = "arn:aws:iam::123456789012:role/worker", "oidc.example.com/cluster"
	cloud := awsauthtest.Start() // an AWS in memory; leave WithLoadOptions out for the real one
	defer cloud.Close()
	cloud.AddRole(awsauthtest.Role{
		ARN:     role,
		Trust:   []string{issuer},
		Subject: "system:serviceaccount:jobs:*",
	})
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tokenFile := filepath.Join(dir, "token") // as in /var/run/secrets/…
	token := cloud.WebIdentityToken(issuer, "system:serviceaccount:jobs:worker", 0)
	os.WriteFile(tokenFile, []byte(token), 0o600)

	s, err := awsauth.New(
		awsauth.WithWebIdentity(role, stscreds.IdentityTokenFile(tokenFile)),
		awsauth.WithSessionName("worker-1"),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
	// Output: arn:aws:sts::123456789012:assumed-role/worker/worker-1
}
