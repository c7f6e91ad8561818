package awsauthtest

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// consoles are the domains of the partitions' consoles. People and programs sign
// in at <region>.signin.<domain>, and are led to <region>.console.<domain>.
var consoles = map[string]string{
	"aws":        "aws.amazon.com",
	"aws-cn":     "amazonaws.cn",
	"aws-us-gov": "amazonaws-us-gov.com",
	"aws-eusc":   "amazonaws-eusc.eu",
	"aws-iso":    "c2shome.ic.gov",
	"aws-iso-b":  "sc2shome.sgov.gov",
	"aws-iso-e":  "csphome.adc-e.uk",
	"aws-iso-f":  "csphome.hci.ic.gov",
}

// locateSignin finds the sign-in service behind a host name, with a region before
// it or without.
func (a *atlas) locateSignin(host string) (place, bool) {
	for id, domain := range consoles {
		before, ok := strings.CutSuffix(host, "signin."+domain)
		if !ok {
			continue
		}
		if before == "" {
			return place{service: serviceSignin, partition: id}, true
		}
		region, ok := strings.CutSuffix(before, ".")
		if of, known := a.partitionOf(region); ok && known && of.id == id {
			return place{service: serviceSignin, region: region, partition: id}, true
		}
	}
	return place{}, false
}

const (
	federationPath = "/federation"
	signinLifetime = 15 * time.Minute // of a sign-in token, and so of a login URL

	minConsole = 15 * time.Minute // of SessionDuration
	maxConsole = 12 * time.Hour
)

// signinToken is what getSigninToken gave. Guarded by Cloud.mu.
type signinToken struct {
	who     caller
	expires time.Time
}

// serveSignin is the sign-in service: the federation endpoint, which makes login
// URLs for the console, and the tokens of `aws login`.
func (c *Cloud) serveSignin(in *request) reply {
	if in.path == loginPath {
		return c.serveLogin(in)
	}
	out, p := c.federation(in)
	if p != nil {
		return in.signinFailure(p)
	}
	return out
}

// signinAction names what the sign-in service is asked for.
func (in *request) signinAction() string {
	switch {
	case in.path == loginPath:
		return "CreateOAuth2Token"
	case in.path == federationPath && in.form.Has("Action"):
		return in.form.Get("Action")
	}
	return in.method + " " + in.path
}

// federation answers getSigninToken, and the login that a browser does with its
// answer.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
func (c *Cloud) federation(in *request) (reply, *problem) {
	action := in.form.Get("Action")
	switch {
	case in.path != federationPath:
		return reply{}, notImplemented("%s of the sign-in service", in.path)
	case in.method != http.MethodGet && in.method != http.MethodPost:
		return reply{}, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "Method not allowed")
	case action == "getSigninToken":
		token, p := c.getSigninToken(in)
		if p != nil {
			return reply{}, p
		}
		return jsonReply(http.StatusOK, map[string]string{"SigninToken": token}), nil
	case action == "login":
		who, p := c.login(in.form, in.at.partition, in.now)
		if p != nil {
			return reply{}, p
		}
		c.calls.prove(in.call, who.arn)
		return reply{status: http.StatusFound, header: http.Header{"Location": {in.form.Get("Destination")}}}, nil
	}
	return reply{}, refuse(http.StatusBadRequest, "InvalidAction", "Invalid Action parameter")
}

// getSigninToken gives a token for the keys of a role session.
func (c *Cloud) getSigninToken(in *request) (string, *problem) {
	invalid := refuse(http.StatusBadRequest, "InvalidSession", "Invalid Session parameter")
	var session struct{ SessionID, SessionKey, SessionToken string }
	if err := json.Unmarshal([]byte(in.form.Get("Session")), &session); err != nil {
		return "", invalid
	}
	k, known := c.credential(session.SessionID)
	switch {
	case !known, k.inactive, k.expired, k.who.role == "", !in.now.Before(k.keys.Expires),
		in.at.partition != "" && in.at.partition != k.who.partition,
		subtle.ConstantTimeCompare([]byte(session.SessionKey), []byte(k.keys.SecretAccessKey)) != 1,
		subtle.ConstantTimeCompare([]byte(session.SessionToken), []byte(k.keys.SessionToken)) != 1:
		return "", invalid
	}
	c.calls.prove(in.call, k.who.arn)
	if in.form.Has("SessionDuration") {
		seconds, err := strconv.Atoi(in.form.Get("SessionDuration"))
		lasts := time.Duration(seconds) * time.Second
		if err != nil || lasts < minConsole || lasts > maxConsole || k.who.chained {
			return "", refuse(http.StatusBadRequest, "InvalidSessionDuration", "Invalid SessionDuration parameter")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	token := c.token("signin", 600)
	c.signins[token] = signinToken{
		who:     caller{principal: k.who, keyID: k.keys.AccessKeyID},
		expires: in.now.Add(signinLifetime),
	}
	return token, nil
}

// token makes a token that nobody has seen. The caller holds c.mu.
func (c *Cloud) token(kind string, bytes int) string {
	c.serial++
	return base64.RawURLEncoding.EncodeToString(c.derive(kind, strconv.Itoa(c.serial), bytes))
}

// SignedIn returns whom a login URL signs in to the console, as opening it now
// would: the URL is of a partition's federation endpoint (or of [Cloud.Serve]),
// with Action=login, an Issuer, a Destination in the console of that partition,
// and a SigninToken that the endpoint gave not more than 15 minutes ago. It is
// false for every other one.
func (c *Cloud) SignedIn(loginURL string) (Identity, bool) {
	u, err := url.Parse(loginURL)
	if err != nil || u.Path != federationPath {
		return Identity{}, false
	}
	at, known := c.regions.locateSignin(strings.ToLower(u.Hostname()))
	if !c.socket.is(u) && (!known || u.Scheme != "https" || port(u) != "443") {
		return Identity{}, false
	}
	form, err := url.ParseQuery(u.RawQuery)
	if err != nil || form.Get("Action") != "login" || form.Get("Issuer") == "" {
		return Identity{}, false
	}
	who, p := c.login(form, at.partition, c.now())
	if p != nil {
		return Identity{}, false
	}
	return who.identity(), true
}

// login finds who is signed in by a token, and refuses to lead them elsewhere than
// to the console. partition is the endpoint's, or empty where it has none.
func (c *Cloud) login(form url.Values, partition string, now time.Time) (caller, *problem) {
	c.mu.Lock()
	token, known := c.signins[form.Get("SigninToken")]
	c.mu.Unlock()
	own := token.who.principal.partition
	if !known || !now.Before(token.expires) || partition != "" && partition != own {
		return caller{}, refuse(http.StatusBadRequest, "InvalidSigninToken", "Invalid SigninToken parameter")
	}
	if !isConsole(form.Get("Destination"), own) {
		return caller{}, refuse(http.StatusBadRequest, "InvalidDestination", "Invalid Destination parameter")
	}
	return token.who, nil
}

// isConsoleHost reports whether a host is one of any partition's console, or of the
// portals of SSO, which people open in a browser.
func isConsoleHost(host string) bool {
	for _, domain := range consoles {
		if below(host, "console."+domain) {
			return true
		}
	}
	return below(host, "awsapps.com")
}

// below reports whether a host is a domain or one below it.
func below(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

// isConsole reports whether an address is one of the partition's console.
func isConsole(address, partition string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || port(u) != "443" {
		return false
	}
	return below(strings.ToLower(u.Hostname()), "console."+consoles[partition])
}

var refusalPage = template.Must(template.New("").Parse(`<!doctype html>
<html><head><title>HTTP Status {{.Status}}</title></head>
<body><h1>HTTP Status {{.Status}} - {{.Message}}</h1></body></html>
`))

// signinFailure is a refusal of the federation endpoint, which is a page for
// people, or of the tokens' one.
func (in *request) signinFailure(p *problem) reply {
	if in.path == loginPath {
		return loginFailure(p)
	}
	var page bytes.Buffer
	if err := refusalPage.Execute(&page, map[string]any{"Status": p.status, "Message": p.message}); err != nil {
		panic("awsauthtest: " + err.Error()) // a buffer takes everything
	}
	return reply{
		status: p.status, code: p.code, body: page.Bytes(),
		header: http.Header{"Content-Type": {"text/html;charset=utf-8"}},
	}
}
