package awsauthtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	deviceLifetime = 10 * time.Minute // until a device code expires
	deviceInterval = time.Second      // between two questions for a token
	clientLifetime = 90 * 24 * time.Hour

	ssoSessionLifetime = 8 * time.Hour // until a person has to log in again
	ssoTokenLifetime   = time.Hour     // of access tokens that can be renewed

	accountScope = "sso:account:access" // with which refresh tokens come
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
)

// identityCenter is what IAM Identity Center knows. Guarded by Cloud.mu.
type identityCenter struct {
	clients  map[string]*ssoClient   // by client id
	devices  map[string]*deviceGrant // by device code
	sessions map[string]*ssoSession  // by refresh token, those used included
}

func newIdentityCenter() identityCenter {
	return identityCenter{map[string]*ssoClient{}, map[string]*deviceGrant{}, map[string]*ssoSession{}}
}

// ssoClient is a program that was registered.
type ssoClient struct {
	id, secret string
	region     string
	scopes     []string
	expires    time.Time
}

// deviceGrant is a device's wait for a person.
type deviceGrant struct {
	client   *ssoClient
	userCode string
	expires  time.Time
	asked    time.Time // last
	number   int       // for the order of UserCodes
	state    deviceState
	grants   []ssoGrant
}

type deviceState int

const (
	devicePending deviceState = iota
	deviceApproved
	deviceDenied
	deviceUsed // its code has been exchanged
)

// ssoSession is one login of a person.
type ssoSession struct {
	client  *ssoClient
	grants  []ssoGrant
	refresh string // the one refresh token that is still good; empty: there is none
	ends    time.Time
}

// oidcActions are what the token service does, by path.
var oidcActions = map[string]string{
	"/client/register": "RegisterClient", "/device_authorization": "StartDeviceAuthorization", "/token": "CreateToken",
}

func isOIDC(path string) bool { return oidcActions[path] != "" }

func (in *request) oidcAction() string {
	if action := oidcActions[in.path]; action != "" && in.method == http.MethodPost {
		return action
	}
	return in.method + " " + in.path
}

// tokenRequest holds the fields of all requests to the token service.
type tokenRequest struct {
	ClientName, ClientType   string
	Scopes                   []string
	ClientID, ClientSecret   string
	StartURL                 string
	GrantType                string
	DeviceCode, RefreshToken string
}

// serveOIDC is the token service of IAM Identity Center.
// See https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/Welcome.html
func (c *Cloud) serveOIDC(in *request) reply {
	do := map[string]func(*request, tokenRequest) (any, *problem){
		"RegisterClient": c.registerClient, "StartDeviceAuthorization": c.startDevice, "CreateToken": c.createToken,
	}[in.oidcAction()]
	if do == nil {
		return oidcFailure(notImplemented("%s of the SSO token service", in.oidcAction()))
	}
	var want tokenRequest
	if err := json.Unmarshal(in.body, &want); err != nil {
		return oidcFailure(refuse(http.StatusBadRequest, "InvalidRequestException", "The request is not JSON"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out, p := do(in, want)
	if p != nil {
		return oidcFailure(p)
	}
	return jsonReply(http.StatusOK, out)
}

// The actions of the token service. Their callers hold c.mu.

func (c *Cloud) registerClient(in *request, want tokenRequest) (any, *problem) {
	if want.ClientName == "" || want.ClientType != "public" {
		return nil, refuse(http.StatusBadRequest, "InvalidClientMetadataException", "clientName is required, and clientType is public")
	}
	client := &ssoClient{
		id: c.token("client", 16), secret: c.token("client secret", 300), region: in.at.region,
		scopes: want.Scopes, expires: in.now.Add(clientLifetime),
	}
	c.center.clients[client.id] = client
	return map[string]any{
		"clientId": client.id, "clientSecret": client.secret,
		"clientIdIssuedAt": in.now.Unix(), "clientSecretExpiresAt": client.expires.Unix(),
	}, nil
}

// client finds who asks.
func (c *Cloud) client(in *request, want tokenRequest) (*ssoClient, *problem) {
	client := c.center.clients[want.ClientID]
	if client == nil || client.secret != want.ClientSecret || !in.now.Before(client.expires) ||
		in.at.region != "" && client.region != "" && in.at.region != client.region {
		return nil, refuse(http.StatusUnauthorized, "InvalidClientException", "The client is unknown, or its registration has expired")
	}
	return client, nil
}

func (c *Cloud) startDevice(in *request, want tokenRequest) (any, *problem) {
	client, p := c.client(in, want)
	if p != nil {
		return nil, p
	}
	if !strings.HasPrefix(want.StartURL, "https://") {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestException", "startUrl is not an address of the access portal")
	}
	device := &deviceGrant{client: client, userCode: c.userCode(), expires: in.now.Add(deviceLifetime), number: c.serial}
	code := c.token("device", 64)
	c.center.devices[code] = device
	page := strings.TrimRight(want.StartURL, "/#") + "/#/device"
	return map[string]any{
		"deviceCode": code, "userCode": device.userCode, "expiresIn": int(deviceLifetime / time.Second),
		"interval": int(deviceInterval / time.Second), "verificationUri": page, "verificationUriComplete": page + "?user_code=" + device.userCode,
	}, nil
}

// userCode is what a person compares: eight letters that are not taken for others.
func (c *Cloud) userCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	c.serial++
	code := []byte("----" + "-----")
	for i, b := range c.derive("user code", fmt.Sprint(c.serial), len(code)) {
		if i != 4 {
			code[i] = letters[int(b)%len(letters)]
		}
	}
	return string(code)
}

func (c *Cloud) createToken(in *request, want tokenRequest) (any, *problem) {
	client, p := c.client(in, want)
	if p != nil {
		return nil, p
	}
	switch want.GrantType {
	case grantDevice:
		return c.exchangeDevice(in, client, want.DeviceCode)
	case grantRefresh:
		return c.renewSSO(in, client, want.RefreshToken)
	case "authorization_code":
		return nil, notImplemented("the grant type authorization_code of the SSO token service: it answers %s", grantDevice)
	}
	return nil, refuse(http.StatusBadRequest, "UnsupportedGrantTypeException", "The grant type is not supported")
}

// exchangeDevice gives a token for a device code that a person has approved.
// See https://datatracker.ietf.org/doc/html/rfc8628
func (c *Cloud) exchangeDevice(in *request, client *ssoClient, code string) (any, *problem) {
	device := c.center.devices[code]
	if device == nil || device.client != client || device.state == deviceUsed {
		return nil, invalidGrant()
	}
	if !in.now.Before(device.expires) {
		return nil, refuse(http.StatusBadRequest, "ExpiredTokenException", "The device code has expired")
	}
	early := !device.asked.IsZero() && in.now.Sub(device.asked) < deviceInterval
	device.asked = in.now
	switch {
	case early:
		return nil, refuse(http.StatusBadRequest, "SlowDownException", "Too many requests for this device code")
	case device.state == devicePending:
		return nil, refuse(http.StatusBadRequest, "AuthorizationPendingException", "The person has not decided yet")
	case device.state == deviceDenied:
		return nil, refuse(http.StatusBadRequest, "AccessDeniedException", "The person has refused")
	}
	device.state = deviceUsed
	session := &ssoSession{client: client, grants: device.grants, ends: in.now.Add(ssoSessionLifetime)}
	return c.grantSSO(in.now, session), nil
}

// renewSSO gives a token for a refresh token, and another refresh token.
func (c *Cloud) renewSSO(in *request, client *ssoClient, refresh string) (any, *problem) {
	session := c.center.sessions[refresh]
	if session == nil || session.client != client || session.refresh != refresh || !in.now.Before(session.ends) {
		return nil, invalidGrant()
	}
	return c.grantSSO(in.now, session), nil
}

func invalidGrant() *problem {
	return refuse(http.StatusBadRequest, "InvalidGrantException", "The code or token is unknown, has expired or was used before")
}

// grantSSO gives a session its next access token, and a refresh token if the
// client registered for one.
func (c *Cloud) grantSSO(now time.Time, session *ssoSession) any {
	lifetime := session.ends.Sub(now)
	if slices.Contains(session.client.scopes, accountScope) {
		lifetime = min(lifetime, ssoTokenLifetime)
		session.refresh = c.token("sso refresh", 300)
		c.center.sessions[session.refresh] = session
	}
	out := map[string]any{"accessToken": c.accessToken(session, now.Add(lifetime)), "tokenType": "Bearer", "expiresIn": int(lifetime / time.Second)}
	if session.refresh != "" {
		out["refreshToken"] = session.refresh
	}
	return out
}

// accessToken makes a bearer token for the portal. The caller holds c.mu.
func (c *Cloud) accessToken(session *ssoSession, expires time.Time) string {
	token := c.token("sso access", 300)
	c.sso[token] = &ssoToken{grants: session.grants, expires: expires, session: session}
	return token
}

// endSSO makes all tokens of a session unknown. The caller holds c.mu.
func (c *Cloud) endSSO(session *ssoSession) {
	session.refresh, session.ends = "", time.Time{}
	for token, of := range c.sso {
		if of.session == session {
			delete(c.sso, token)
		}
	}
}

// oidcFailure is how the token service refuses: with the name of the exception,
// and the code that OAuth has for it ("slow_down" for SlowDownException).
func oidcFailure(p *problem) reply {
	var code strings.Builder
	for i, r := range strings.TrimSuffix(p.code, "Exception") {
		if unicode.IsUpper(r) && i > 0 {
			code.WriteByte('_')
		}
		code.WriteRune(unicode.ToLower(r))
	}
	body := map[string]string{"__type": p.code, "error": code.String(), "error_description": p.message}
	if p.status >= http.StatusInternalServerError { // the SDK knows no such exception, and shows this field
		body["message"] = p.message
	}
	out := jsonReply(p.status, body)
	out.code = p.code
	out.header.Set("X-Amzn-Errortype", p.code)
	return out
}
