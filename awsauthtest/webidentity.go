package awsauthtest

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// webClaims are what a web identity token says.
type webClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

const webAudience = "sts.amazonaws.com"

// WebIdentityToken returns an OIDC token for AssumeRoleWithWebIdentity, as a
// GitHub job or a Kubernetes pod finds one in a file. Roles whose Trust names
// the issuer accept it ("https://" in front of the issuer does not matter) until
// it expires after lifetime; 0 is one hour, and a negative one makes a token
// that has expired already. The Cloud signs for every issuer, with a key of its
// own.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func (c *Cloud) WebIdentityToken(issuer, subject string, lifetime time.Duration) string {
	if lifetime == 0 {
		lifetime = time.Hour
	}
	claims, err := json.Marshal(webClaims{
		Issuer: "https://" + strings.TrimPrefix(issuer, "https://"), Subject: subject, Audience: webAudience,
		Issued: now().Unix(), Expires: now().Add(lifetime).Unix(),
	})
	if err != nil {
		panic("awsauthtest: " + err.Error()) // strings and numbers marshal
	}
	unsigned := encodeJWT([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encodeJWT(claims)
	return unsigned + "." + encodeJWT(signJWT(unsigned))
}

func encodeJWT(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func signJWT(unsigned string) []byte { return mac(derive("oidc", "issuer", 32), unsigned) }

// readJWT checks a token's form and signature, not its expiry.
func readJWT(token string) (webClaims, *problem) {
	invalid := func(why string) (webClaims, *problem) {
		return webClaims{}, refuse(http.StatusBadRequest, "InvalidIdentityToken", "%s", why)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(signature, signJWT(parts[0]+"."+parts[1])) {
		return invalid("Couldn't retrieve verification key from your identity provider, or the signature is not its own.")
	}
	var claims webClaims
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return invalid("The ID Token provided is not a valid JWT.")
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
	target, err := parseARN(want.role, "role")
	if err != nil {
		return nil, validation("Request ARN is invalid")
	}
	claims, p := readJWT(token)
	if p != nil {
		return nil, p
	}
	t := now()
	if expires := time.Unix(claims.Expires, 0); !t.Before(expires) {
		return nil, refuse(http.StatusBadRequest, "ExpiredTokenException",
			"Token expired: current date/time %d must be before the expiration date/time %d", t.Unix(), claims.Expires)
	}
	issuer := strings.TrimPrefix(claims.Issuer, "https://")
	role, ok := c.role(want.role)
	if !ok || !role.trustsIssuer(issuer) || in.at.partition != "" && in.at.partition != target.partition {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if p := checkLifetime(want.lifetime, role, false); p != nil {
		return nil, p
	}
	if !c.limits.allow(target.account, t) {
		return nil, throttled()
	}
	session := sessionOf(target, want.name)
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.issue(session, t.Add(want.lifetime).Truncate(time.Second))
	return assumeResult{
		XMLName: xml.Name{Local: "AssumeRoleWithWebIdentityResult"}, Credentials: keys.xml(),
		AssumedRoleUser: assumedUser{session.arn, session.userID}, PackedPolicySize: want.policySize,
		Subject: claims.Subject, Audience: claims.Audience,
		Provider: "arn:" + target.partition + ":iam::" + target.account + ":oidc-provider/" + issuer,
	}, nil
}
