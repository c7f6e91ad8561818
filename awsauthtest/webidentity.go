package awsauthtest

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// webClaims are what a web identity token says.
type webClaims struct {
	Issuer   string    `json:"iss"`
	Subject  string    `json:"sub"`
	Audience audiences `json:"aud"`
	Issued   int64     `json:"iat"`
	Expires  int64     `json:"exp"`
}

// audiences is the claim aud: one string, or a list if there are several.
type audiences []string

func (a audiences) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

func (a *audiences) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

const (
	webAudience = "sts.amazonaws.com"

	// The length of the claim sub, from AssumeRoleWithWebIdentity's answer.
	minSubject, maxSubject = 6, 255
)

// oidcProvider is an OIDC provider of one account.
type oidcProvider struct{ account, issuer string }

// AddOIDC creates an OIDC provider in an account, for roles whose Trust names it
// by its ARN (arn:<partition>:iam::<account>:oidc-provider/<issuer>). A role
// whose Trust names the bare issuer needs none: that stands for the provider in
// the role's own account, and for its being there. To an account with a provider
// of AddOIDC, tokens of all other issuers are unknown (InvalidIdentityToken); where
// there is none, a role does not trust them (AccessDenied). A malformed account
// id or issuer panics.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
func (c *Cloud) AddOIDC(accountID, issuer string) {
	issuer = bareIssuer(issuer)
	if !accountForm.MatchString(accountID) {
		panic(fmt.Sprintf("awsauthtest: AddOIDC: account %q is not 12 digits", accountID))
	}
	if !hostForm.MatchString(issuer) {
		panic(fmt.Sprintf("awsauthtest: AddOIDC: issuer %q is not a host name with perhaps a path", issuer))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.oidc[oidcProvider{accountID, issuer}] = true
}

func bareIssuer(s string) string { return strings.TrimPrefix(s, "https://") }

// WebIdentityToken returns an OIDC token for AssumeRoleWithWebIdentity, as a
// GitHub job or a Kubernetes pod finds one in a file. Roles whose Trust names
// the issuer accept it ("https://" in front of the issuer does not matter), if
// their Subject and Audience allow it, until it expires after lifetime; 0 is one
// hour, and a negative one makes a token that has expired already. Without an
// audience it is for "sts.amazonaws.com". STS refuses a subject of less than 6
// or more than 255 characters. The Cloud signs for every issuer, with a key of
// its own: another Cloud refuses the token.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func (c *Cloud) WebIdentityToken(issuer, subject string, lifetime time.Duration, audience ...string) string {
	if lifetime == 0 {
		lifetime = time.Hour
	}
	if len(audience) == 0 {
		audience = []string{webAudience}
	}
	t := c.now()
	claims, err := json.Marshal(webClaims{
		Issuer: "https://" + bareIssuer(issuer), Subject: subject, Audience: audience,
		Issued: t.Unix(), Expires: t.Add(lifetime).Unix(),
	})
	if err != nil {
		panic("awsauthtest: " + err.Error()) // strings and numbers marshal
	}
	unsigned := encodeJWT([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encodeJWT(claims)
	return unsigned + "." + encodeJWT(c.signJWT(unsigned))
}

func encodeJWT(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (c *Cloud) signJWT(unsigned string) []byte { return mac(c.derive("oidc", "issuer", 32), unsigned) }

func invalidWebToken(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
}

// readJWT checks a token's form, signature, expiry and subject.
func (c *Cloud) readJWT(token string, t time.Time) (webClaims, *problem) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return webClaims{}, invalidWebToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(signature, c.signJWT(parts[0]+"."+parts[1])) {
		return webClaims{}, invalidWebToken("Couldn't retrieve verification key from your identity provider, or the signature is not its own.")
	}
	var claims webClaims
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return webClaims{}, invalidWebToken("The ID Token provided is not a valid JWT.")
	}
	if !t.Before(time.Unix(claims.Expires, 0)) {
		return claims, refuse(http.StatusBadRequest, "ExpiredTokenException",
			"Token expired: current date/time %d must be before the expiration date/time %d", t.Unix(), claims.Expires)
	}
	if n := utf8.RuneCountInString(claims.Subject); n < minSubject || n > maxSubject {
		return claims, invalidWebToken("The ID Token provided is not valid: its claim sub has %d characters, not %d to %d", n, minSubject, maxSubject)
	}
	return claims, nil
}

// assumeRoleWithWebIdentity is the one action that needs no signature: the
// token proves who asks.
func (c *Cloud) assumeRoleWithWebIdentity(in *request) (any, *problem) {
	want, p := readSession(in)
	if p != nil {
		return nil, p
	}
	var v validator
	token := v.required(in.form, "WebIdentityToken", limitToken)
	if p := v.problem(); p != nil {
		return nil, p
	}
	if c.isDisabled(in.at.region) {
		return nil, regionDisabled(want.target.account)
	}
	claims, p := c.readJWT(token, in.now)
	if p != nil {
		return nil, p
	}
	c.calls.prove(in.call, bareIssuer(claims.Issuer)+":"+claims.Subject)
	c.mu.Lock()
	defer c.mu.Unlock()
	role, p := c.roleForToken(want.target, claims, in.at.partition)
	if p != nil {
		return nil, p
	}
	if p := checkLifetime(want.lifetime, role, false); p != nil {
		return nil, p
	}
	if !c.limits.allow(want.target.account, in.now) {
		return nil, throttled()
	}
	if p := checkPolicyARNs(want.policyARNs, want.target); p != nil {
		return nil, p
	}
	percent, p := packed(want.policies, nil)
	if p != nil {
		return nil, p
	}
	session := sessionOf(want.target, want.name)
	keys := c.answerKeys(in, session, want.lifetime)
	return assumeResult{
		XMLName: xml.Name{Local: "AssumeRoleWithWebIdentityResult"}, Credentials: keys.xml(),
		AssumedRoleUser: assumedUser{session.arn, session.userID}, PackedPolicySize: percent,
		Subject: claims.Subject, Audience: claims.Audience[0],
		Provider: providerARN(want.target, bareIssuer(claims.Issuer)),
	}, nil
}

// roleForToken finds the role and asks whether it wants the bearer of a token.
// The caller holds c.mu.
func (c *Cloud) roleForToken(target arn, claims webClaims, partition string) (Role, *problem) {
	issuer := bareIssuer(claims.Issuer)
	denied := refuse(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	if partition != "" && partition != target.partition {
		return Role{}, denied
	}
	role, ok := c.roles[target.String()]
	if c.lacksProvider(target, role, issuer) {
		return Role{}, invalidWebToken("No OpenIDConnect provider found in your account for https://%s", issuer)
	}
	if !ok || !role.trustsIssuer(target, issuer) || !role.wants(claims) {
		return Role{}, denied
	}
	return role, nil
}

// lacksProvider reports whether the role's account is known to have no OIDC
// provider of that issuer. The account's providers are known where AddOIDC made
// one, and must be where the role names this one by its ARN. Elsewhere any may be
// there. The caller holds c.mu.
func (c *Cloud) lacksProvider(target arn, role Role, issuer string) bool {
	if c.oidc[oidcProvider{target.account, issuer}] || slices.Contains(role.Trust, issuer) {
		return false
	}
	if slices.Contains(role.Trust, providerARN(target, issuer)) {
		return true
	}
	for known := range c.oidc {
		if known.account == target.account {
			return true
		}
	}
	return false
}

func providerARN(of arn, issuer string) string {
	return arn{of.partition, of.account, "oidc-provider", issuer}.String()
}

// trustsIssuer reports whether the trust policy of the role, whose ARN is self,
// names the OIDC provider. One of another account or partition is never the one
// that signed: STS looks for it in the role's own account.
func (r Role) trustsIssuer(self arn, issuer string) bool {
	return slices.Contains(r.Trust, issuer) || slices.Contains(r.Trust, providerARN(self, issuer))
}

// wants holds the conditions of the trust policy against a token. MFA, external
// id and source identity do not come with one, so a role that asks for them
// cannot be had this way.
func (r Role) wants(claims webClaims) bool {
	if r.RequireMFA || r.ExternalID != "" || r.RequireSourceIdentity {
		return false
	}
	if r.Subject != "" && !like(r.Subject, claims.Subject) {
		return false
	}
	return r.Audience == "" || slices.ContainsFunc(claims.Audience, func(a string) bool { return like(r.Audience, a) })
}

// like reports whether s has the form of a pattern in which * stands for any
// characters, also for none.
func like(pattern, s string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
		rest = after
	}
}
