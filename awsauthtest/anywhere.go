package awsauthtest

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// TrustAnchor is a trust anchor of IAM Roles Anywhere: the CAs whose certificates
// may sign in to an account, in one region.
type TrustAnchor struct {
	Account string // 12 digits
	Region  string
	CAs     []*x509.Certificate // roots, or intermediates that stand for them; none: one of the Cloud's, see Certificate
}

// AnywhereProfile is a profile of IAM Roles Anywhere: which roles may be taken with
// a certificate, and for how long.
type AnywhereProfile struct {
	Account  string // 12 digits
	Region   string
	RoleARNs []string      // of the profile's account
	Duration time.Duration // of a session that asks for none, 15 min to 12 h; 0: 1 h

	// AcceptSessionName lets requests name their role session. Else the name is
	// the certificate's serial number, always.
	AcceptSessionName bool
}

// The service by which roles are trusted, its one path, and how requests are signed.
const (
	anywherePrincipal = "rolesanywhere.amazonaws.com"
	anywherePath      = "/sessions"
	algorithmRSA      = "AWS4-X509-RSA-SHA256"
	algorithmECDSA    = "AWS4-X509-ECDSA-SHA256"
)

// AddTrustAnchor creates a trust anchor and returns its ARN. A machine with a
// certificate that one of its CAs issued, itself or through intermediates that the
// machine sends, takes a role with CreateSession at
// rolesanywhere.<region>.<suffix>, if a profile of [Cloud.AddAnywhereProfile] has the
// role and the role's Trust has "rolesanywhere.amazonaws.com". That entry stands for
// all the service needs: sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity.
//
// The certificate must be valid by the Cloud's clock, be no CA's, have key usage
// digitalSignature and be signed with SHA-256 or stronger. The session is named
// after its serial number in hexadecimal. Its source identity is the subject's
// common name and goes with it along a chain, as at AWS: a role that is assumed from
// the session needs AllowSourceIdentity. The session's tags are of subject, issuer and
// alternative names (x509Subject/CN, x509Issuer/CN, x509SAN/DNS, …; of several values
// the first).
//
// A malformed account, a region that does not exist or whose partition lacks the
// service, and CAs that are none panic.
//
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
func (c *Cloud) AddTrustAnchor(a TrustAnchor) (arn string) {
	partition, err := c.anywherePlace(a.Account, a.Region)
	if err != nil {
		panic("awsauthtest: AddTrustAnchor: " + err.Error())
	}
	for _, ca := range a.CAs {
		if ca == nil || !ca.IsCA || ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0 {
			panic("awsauthtest: AddTrustAnchor: a certificate of CAs is no CA's")
		}
	}
	added := trustAnchor{TrustAnchor: a}
	added.CAs = slices.Clone(a.CAs)
	if len(a.CAs) == 0 {
		ca, key := newCA()
		added.CAs, added.key = []*x509.Certificate{ca}, key
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	arn = c.anywhereARN(partition, a.Region, a.Account, "trust-anchor")
	c.anchors[arn] = added
	return arn
}

// AddAnywhereProfile creates a profile and returns its ARN. Its roles are added with
// [Cloud.AddRole], before or after. What Roles Anywhere would not take panics: a
// malformed account, a region that does not exist or whose partition lacks the
// service, a role that is malformed or of another account, a duration out of bounds.
//
// See https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateProfile.html
func (c *Cloud) AddAnywhereProfile(p AnywhereProfile) (arn string) {
	partition, err := c.anywherePlace(p.Account, p.Region)
	if err != nil {
		panic("awsauthtest: AddAnywhereProfile: " + err.Error())
	}
	for _, name := range p.RoleARNs {
		role, err := parseARN(name, "role")
		if err != nil {
			panic("awsauthtest: AddAnywhereProfile: " + err.Error())
		}
		if role.account != p.Account || role.partition != partition {
			panic("awsauthtest: AddAnywhereProfile: " + name + " is not of the profile's account")
		}
	}
	if p.Duration == 0 {
		p.Duration = defaultRole
	}
	if p.Duration < minSession || p.Duration > maxRole {
		panic(fmt.Sprintf("awsauthtest: AddAnywhereProfile: Duration %v is not from %v to %v", p.Duration, minSession, maxRole))
	}
	p.RoleARNs = slices.Clone(p.RoleARNs)
	c.mu.Lock()
	defer c.mu.Unlock()
	arn = c.anywhereARN(partition, p.Region, p.Account, "profile")
	c.profiles[arn] = p
	return arn
}

// anywherePlace finds the partition where a trust anchor or a profile is made.
func (c *Cloud) anywherePlace(account, region string) (partition string, err error) {
	if !accountForm.MatchString(account) {
		return "", fmt.Errorf("account %q is not 12 digits", account)
	}
	p, ok := c.regions.partitionOf(region)
	if !ok || !p.anywhere {
		return "", fmt.Errorf("region %q has no Roles Anywhere", region)
	}
	return p.id, nil
}

// anywhereARN makes an ARN that there was not before. The caller holds c.mu.
func (c *Cloud) anywhereARN(partition, region, account, kind string) string {
	c.serial++
	id := uuid(c.derive(kind, strconv.Itoa(c.serial), 16))
	return fmt.Sprintf("arn:%s:rolesanywhere:%s:%s:%s/%s", partition, region, account, kind, id)
}

// anywhereFields are what CreateSession reads, from the body or from the query.
var anywhereFields = []string{"trustAnchorArn", "profileArn", "roleArn", "roleSessionName", "durationSeconds"}

// addJSON puts the fields of a JSON body into the form. What cannot be read is not
// there; serveAnywhere says so.
func (in *request) addJSON() {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(in.body, &fields)
	for _, name := range anywhereFields {
		raw, ok := fields[name]
		if !ok || string(raw) == "null" {
			continue
		}
		text := string(raw) // a number
		_ = json.Unmarshal(raw, &text)
		in.form.Set(name, text)
	}
}

func (in *request) anywhereAction() string {
	if in.path == anywherePath {
		return "CreateSession"
	}
	return in.method + " " + in.path
}

// anywhereFailure is how Roles Anywhere refuses.
func (in *request) anywhereFailure(p *problem) reply {
	p = dialectAnywhere.of(p)
	if p.message == wrongSignature {
		p.message = "Invalid signature"
	}
	out := in.anywhereReply(p.status, map[string]string{"message": p.message})
	out.code = p.code
	out.header.Set("X-Amzn-Errortype", p.code)
	return out
}

func (in *request) anywhereReply(status int, v any) reply {
	out := jsonReply(status, v)
	out.header.Set("X-Amzn-Requestid", in.requestID())
	out.header.Set("Date", in.now.Format(http.TimeFormat))
	return out
}
