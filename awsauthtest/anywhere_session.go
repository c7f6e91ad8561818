package awsauthtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// serveAnywhere is CreateSession.
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
func (c *Cloud) serveAnywhere(in *request) reply {
	out, p := c.createSession(in)
	if p != nil {
		return in.anywhereFailure(p)
	}
	return in.anywhereReply(http.StatusCreated, out)
}

func (c *Cloud) createSession(in *request) (any, *problem) {
	if in.path != anywherePath || in.method != http.MethodPost {
		return nil, notImplemented("%s of Roles Anywhere", in.anywhereAction())
	}
	leaf, chain, p := c.provenCertificate(in)
	if p != nil {
		return nil, p
	}
	if len(in.body) > 0 && !json.Valid(in.body) {
		return nil, validation("The request body is not JSON.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	want, p := c.readAnywhere(in, leaf)
	if p != nil {
		return nil, p
	}
	switch {
	case !maySign(leaf):
		return nil, deniedAnywhere("Untrusted certificate. Insufficient certificate")
	case !want.anchor.issued(leaf, chain, in.now):
		return nil, deniedAnywhere("Untrusted Signing Certificate")
	}
	c.calls.prove(in.call, leaf.Subject.String())
	role, ok := c.roles[want.role.String()]
	if !ok || !slices.Contains(want.profile.RoleARNs, role.ARN) || !role.trustsCertificate(leaf) {
		return nil, deniedAnywhere("Unable to assume role for %s", want.role)
	}
	if p := checkLifetime(want.lifetime, role, false); p != nil {
		return nil, p
	}
	session := sessionOf(want.role, want.name)
	session.sourceIdentity, session.tags = leaf.Subject.CommonName, certificateTags(leaf)
	return sessionAnswer(in, session, c.answerKeys(in, session, want.lifetime), leaf), nil
}

func deniedAnywhere(format string, args ...any) *problem {
	return refuse(http.StatusForbidden, "AccessDeniedException", format, args...)
}

// anywhereSession is what a CreateSession asks for.
type anywhereSession struct {
	anchor   trustAnchor
	profile  AnywhereProfile
	role     arn
	name     string
	lifetime time.Duration
}

// readAnywhere reads the fields of a request, and finds trust anchor and profile,
// which must be of the region that was asked. The caller holds c.mu.
func (c *Cloud) readAnywhere(in *request, leaf *x509.Certificate) (anywhereSession, *problem) {
	var want anywhereSession
	var v validator
	for _, name := range anywhereFields[:3] {
		if in.form.Get(name) == "" {
			v.wrong = append(v.wrong, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", name))
		}
	}
	var err error
	if want.role, err = parseARN(in.form.Get("roleArn"), "role"); err != nil && in.form.Get("roleArn") != "" {
		v.reject(in.form.Get("roleArn"), "roleArn", "Member must be the ARN of a role")
	}
	asked := v.given(in.form, "roleSessionName", limitSessionName)
	var known bool
	if want.profile, known = c.profiles[in.form.Get("profileArn")]; known {
		want.lifetime = want.profile.Duration
	}
	want.lifetime = v.duration(in.form.Get("durationSeconds"), want.lifetime, maxRole)
	if p := v.problem(); p != nil {
		return want, p
	}
	if !known || want.profile.Region != in.auth.region {
		return want, refuse(http.StatusNotFound, "ResourceNotFoundException", "Profile not found: %s", in.form.Get("profileArn"))
	}
	if want.anchor, known = c.anchors[in.form.Get("trustAnchorArn")]; !known || want.anchor.Region != in.auth.region {
		return want, refuse(http.StatusNotFound, "ResourceNotFoundException", "Trust anchor not found: %s", in.form.Get("trustAnchorArn"))
	}
	if asked != "" && !want.profile.AcceptSessionName {
		return want, deniedAnywhere("The profile does not accept a custom role session name")
	}
	if want.name = asked; asked == "" {
		want.name = hex.EncodeToString(leaf.SerialNumber.FillBytes(make([]byte, max(1, (leaf.SerialNumber.BitLen()+7)/8))))
	}
	return want, nil
}

// provenCertificate is the certificate in a request's header, once the request is
// known to be signed with its key, and those beside it.
func (c *Cloud) provenCertificate(in *request) (leaf *x509.Certificate, chain []*x509.Certificate, p *problem) {
	if in.authErr != nil {
		return nil, nil, in.authErr
	}
	if in.auth.keyID == "" {
		return nil, nil, refuse(http.StatusForbidden, "MissingAuthenticationToken", "Missing Authentication Token")
	}
	own, ok := certificates(in.header.Get("X-Amz-X509"))
	if !ok || len(own) != 1 {
		return nil, nil, validation("The header x-amz-x509 is not one certificate in DER and base64.")
	}
	if in.header.Get("X-Amz-X509-Chain") != "" {
		if chain, ok = certificates(in.header.Get("X-Amz-X509-Chain")); !ok {
			return nil, nil, validation("The header x-amz-x509-chain is not a list of certificates in DER and base64.")
		}
	}
	leaf = own[0]
	if p := in.checkScope(&c.regions); p != nil {
		return nil, nil, p
	}
	if in.auth.keyID != leaf.SerialNumber.String() {
		return nil, nil, mismatch("The credential is not the serial number of the certificate.")
	}
	p = in.checkProof(in.now, func(canonical string) bool { return in.auth.signedWith(leaf, canonical) })
	return leaf, chain, p
}

// certificates reads a header: DER in base64, with a comma between two.
func certificates(header string) ([]*x509.Certificate, bool) {
	var out []*x509.Certificate
	for text := range strings.SplitSeq(header, ",") {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, false
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, false
		}
		out = append(out, c)
	}
	return out, true
}

// signedWith reports whether the signature is one of this text by the certificate's
// key, and the algorithm that of the key.
func (a authorization) signedWith(c *x509.Certificate, canonical string) bool {
	signature, err := hex.DecodeString(a.signature)
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(a.stringToSign(canonical)))
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return a.algorithm == algorithmRSA && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		return a.algorithm == algorithmECDSA && ecdsa.VerifyASN1(key, digest[:], signature)
	}
	return false
}

// maySign reports whether a certificate has what Roles Anywhere wants of one that
// signs requests, whoever issued it.
func maySign(leaf *x509.Certificate) bool {
	return leaf.Version == 3 && !leaf.IsCA && leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0
}

// issued reports whether the CAs of a trust anchor issued a certificate that is valid
// at this time, perhaps through others that came with it. It refuses SHA-1, as the
// x509 package does. Revocation is not modelled.
func (a TrustAnchor) issued(leaf *x509.Certificate, chain []*x509.Certificate, t time.Time) bool {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, ca := range a.CAs {
		roots.AddCert(ca)
	}
	for _, c := range chain {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: t, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// trustsCertificate reports whether a role may be taken with a certificate. MFA and
// external ids do not come with one.
func (r Role) trustsCertificate(leaf *x509.Certificate) bool {
	if r.RequireMFA || r.ExternalID != "" || r.RequireSourceIdentity && leaf.Subject.CommonName == "" {
		return false
	}
	return slices.Contains(r.Trust, anywherePrincipal)
}

// certificateTags are the tags of a session that was opened with a certificate.
func certificateTags(c *x509.Certificate) map[string]string {
	out := map[string]string{}
	set := func(key string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			out[key] = values[0]
		}
	}
	set("x509Subject/CN", c.Subject.CommonName)
	set("x509Subject/O", c.Subject.Organization...)
	set("x509Subject/OU", c.Subject.OrganizationalUnit...)
	set("x509Subject/C", c.Subject.Country...)
	set("x509Issuer/CN", c.Issuer.CommonName)
	set("x509Issuer/O", c.Issuer.Organization...)
	set("x509Issuer/OU", c.Issuer.OrganizationalUnit...)
	set("x509Issuer/C", c.Issuer.Country...)
	set("x509SAN/DNS", c.DNSNames...)
	for _, u := range c.URIs {
		set("x509SAN/URI", u.String())
		break
	}
	return out
}

// sessionAnswer is the answer in JSON.
func sessionAnswer(in *request, who principal, k Keys, leaf *x509.Certificate) any {
	type object = map[string]any
	subject := uuid(derive("awsauthtest", "subject", leaf.Subject.String(), 16))
	return object{
		"credentialSet": []object{{
			"assumedRoleUser": object{"arn": who.arn, "assumedRoleId": who.userID},
			"credentials": object{
				"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken, "expiration": stamp(k.Expires),
			},
			"packedPolicySize": 0, "roleArn": who.role, "sourceIdentity": who.sourceIdentity,
		}},
		"subjectArn": fmt.Sprintf("arn:%s:rolesanywhere:%s:%s:subject/%s", who.partition, in.auth.region, who.account, subject),
	}
}
