package awsauthtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"regexp"
	"time"
)

const (
	loginPath = "/v1/token"

	loginClient   = "arn:aws:signin:::devtools/same-device"
	loginLifetime = 15 * time.Minute // of the keys that a refresh token gives
	loginSession  = 12 * time.Hour   // until a person has to sign in again
)

// loginState is one sign-in with `aws login`. Guarded by Cloud.mu.
type loginState struct {
	who     principal
	key     *ecdsa.PublicKey // that proves possession (DPoP)
	refresh string           // the one refresh token that is still good
	ends    time.Time
	proofs  map[string]bool // ids of those already seen
}

var sessionARN = regexp.MustCompile(`^arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([\w+=,.@-]+)/([\w+=,.@-]{2,64})$`)

// Login does what a person does with `aws login`, and returns the token file that
// it leaves behind, in the form of the SDKs. arn is who signs in: a user of the
// Cloud, or a session of one of its roles (arn:…:sts::…:assumed-role/<role>/<name>);
// anybody else panics. left is how long the keys in the file live; with 0 or less
// they have expired, and the next use renews them at the sign-in service
// (CreateOAuth2Token), as for 12 hours from now. Renewed keys live 15 minutes, and
// each renewal gives another refresh token: one that was used is refused.
//
//	path, err := logincreds.StandardCachedTokenFilepath(arn, dir) // dir is AWS_LOGIN_CACHE_DIRECTORY
//	…
//	err = os.WriteFile(path, cloud.Login(arn, 0), 0o600)
//
// The profile that uses it has the line "login_session = <arn>". The renewals are
// counted by cloud.Calls("CreateOAuth2Token").
func (c *Cloud) Login(arn string, left time.Duration) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("awsauthtest: Login: " + err.Error()) // crypto/rand never fails
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		panic("awsauthtest: Login: " + err.Error()) // the curve is known
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	who := c.signInAs(arn)
	login := &loginState{who: who, key: &key.PublicKey, ends: now.Add(loginSession), proofs: map[string]bool{}}
	keys := c.issue(who, now.Add(left))
	c.rotate(login)
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{
			"accessKeyId": keys.AccessKeyID, "secretAccessKey": keys.SecretAccessKey, "sessionToken": keys.SessionToken,
			"accountId": who.account, "expiresAt": keys.Expires,
		},
		"tokenType": "aws_sigv4", "clientId": loginClient, "refreshToken": login.refresh,
		"identityToken": c.token("identity", 60),
		"dpopKey":       string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		panic("awsauthtest: Login: " + err.Error()) // strings and a time marshal
	}
	return text
}

// signInAs is the identity of a person at the console. The caller holds c.mu.
func (c *Cloud) signInAs(arn string) principal {
	if u := c.users[arn]; u != nil {
		who := u.principal()
		who.temporary = true
		return who
	}
	if m := sessionARN.FindStringSubmatch(arn); m != nil {
		for _, role := range c.roles {
			of, err := parseARN(role.ARN, "role")
			if err == nil && of.partition == m[1] && of.account == m[2] && of.name() == m[3] {
				return sessionOf(of, m[4])
			}
		}
	}
	panic("awsauthtest: Login: " + arn + " is neither a user of the Cloud nor a session of one of its roles")
}

// rotate gives a login its next refresh token. The caller holds c.mu.
func (c *Cloud) rotate(login *loginState) {
	login.refresh = c.token("refresh", 200)
	c.logins[login.refresh] = login
}

// serveLogin is CreateOAuth2Token of the sign-in service.
func (c *Cloud) serveLogin(in *request) reply {
	out, p := c.createOAuth2Token(in)
	if p != nil {
		return loginFailure(p)
	}
	return jsonReply(http.StatusOK, out)
}

func (c *Cloud) createOAuth2Token(in *request) (any, *problem) {
	var body struct{ ClientID, GrantType, RefreshToken string }
	if in.method != http.MethodPost || json.Unmarshal(in.body, &body) != nil || body.GrantType == "" || body.ClientID == "" {
		return nil, refuse(http.StatusBadRequest, "INVALID_REQUEST", "The request is malformed")
	}
	if body.GrantType != "refresh_token" {
		return nil, notImplemented("the grant type %s of the sign-in service: use Cloud.Login for a login that can be renewed", body.GrantType)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	login := c.logins[body.RefreshToken]
	if login == nil {
		return nil, tokenEnded()
	}
	id, err := in.proof(login.key)
	switch _, isUser := c.users[login.who.arn]; {
	case err != nil || login.proofs[id] || body.ClientID != loginClient:
		return nil, refuse(http.StatusBadRequest, "INVALID_REQUEST", "The DPoP proof is invalid")
	case login.who.user != nil && !isUser:
		return nil, refuse(http.StatusBadRequest, "USER_CREDENTIALS_CHANGED", "The user's credentials have changed")
	case login.refresh != body.RefreshToken || !in.now.Before(login.ends) || in.at.partition != "" && in.at.partition != login.who.partition:
		return nil, tokenEnded()
	}
	login.proofs[id] = true
	c.calls.prove(in.call, login.who.arn)
	keys := c.issue(login.who, in.now.Add(loginLifetime).Truncate(time.Second))
	c.rotate(login)
	return map[string]any{
		"accessToken": map[string]string{
			"accessKeyId": keys.AccessKeyID, "secretAccessKey": keys.SecretAccessKey, "sessionToken": keys.SessionToken,
		},
		"tokenType": "aws_sigv4", "expiresIn": int(loginLifetime / time.Second), "refreshToken": login.refresh,
	}, nil
}

func tokenEnded() *problem {
	return refuse(http.StatusBadRequest, "TOKEN_EXPIRED", "The refresh token has expired or was used before")
}

// loginErrors are the exceptions that carry the codes of OAuth.
var loginErrors = map[string]string{
	"TOKEN_EXPIRED": "AccessDeniedException", "USER_CREDENTIALS_CHANGED": "AccessDeniedException",
	"INSUFFICIENT_PERMISSIONS": "AccessDeniedException", "AUTHCODE_EXPIRED": "AccessDeniedException",
	"INVALID_REQUEST": "ValidationException", "Throttling": "TooManyRequestsError", "ServiceUnavailable": "InternalServerException",
}

// loginFailure is how the sign-in service refuses a token. A Fault gives the code
// of OAuth, too, as Code: "TOKEN_EXPIRED".
func loginFailure(p *problem) reply {
	exception, known := loginErrors[p.code]
	if !known {
		exception = p.code
	}
	status := p.status
	if exception == "TooManyRequestsError" {
		status = http.StatusTooManyRequests
	}
	out := jsonReply(status, map[string]string{"__type": exception, "error": p.code, "message": p.message})
	out.code = p.code
	out.header.Set("X-Amzn-Errortype", exception)
	return out
}
