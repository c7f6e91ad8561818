package awsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestAnywhereDiskAlternativeName: certificates of SPIFFE all have one subject and one
// issuer, and differ by the URI among their alternative names, which becomes a tag of
// the session. Two workloads share no entry.
func TestAnywhereDiskAlternativeName(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	ca := certtest.NewCA(t, "spire")
	anchor := w.AddTrustAnchor(awsauthtest.TrustAnchor{Account: lab.Home, Region: "us-east-1", CAs: []*x509.Certificate{ca.Cert}})
	for _, workload := range []string{"billing", "web"} {
		id := "spiffe://corp/" + workload
		leaf := ca.Issue(t, "SPIRE", certtest.ECDSA(t), func(c *x509.Certificate) {
			uri, err := url.Parse(id)
			assert.NoError(t, err)
			c.URIs = []*url.URL{uri}
		})
		s := w.Open(disk(w.Place), awsauth.WithRolesAnywhere(anchor, w.profile, w.role, func(context.Context) (tls.Certificate, error) { return leaf, nil }))
		assert.Equal(t, id, w.SessionTags(lab.Get(t, s).AccessKeyID)["x509SAN/URI"])
	}
	assert.Len(t, w.Calls("CreateSession"), 2)
}
