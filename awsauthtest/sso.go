package awsauthtest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// ssoToken is what a bearer token of the SSO portal opens. Guarded by Cloud.mu.
type ssoToken struct {
	grants  []ssoGrant
	expires time.Time   // zero: never
	session *ssoSession // that it belongs to; nil for tokens of AddSSO
}

// ssoGrant is one role that a bearer token opens.
type ssoGrant struct {
	region string // empty: any
	role   arn
	name   string // role_name, by which the role is asked for
}

// ssoRole is a role that IAM Identity Center made of a permission set.
// See https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
var ssoRole = regexp.MustCompile(`^aws-reserved/sso\.amazonaws\.com/(?:[a-z0-9-]+/)?AWSReservedSSO_([\w+=,.@-]{1,32})_[0-9a-f]{16}$`)

// permissionSet is the name by which the portal knows a role.
func permissionSet(role arn) string {
	if m := ssoRole.FindStringSubmatch(role.path); m != nil {
		return m[1]
	}
	return role.name()
}

// ssoActions are what the portal does, by method and path.
var ssoActions = map[string]string{
	"GET /federation/credentials": "GetRoleCredentials",
	"GET /assignment/accounts":    "ListAccounts",
	"GET /assignment/roles":       "ListAccountRoles",
	"POST /logout":                "Logout",
}

func isSSO(path string) bool {
	return slices.Contains([]string{"/federation/credentials", "/assignment/accounts", "/assignment/roles", "/logout"}, path)
}

func (in *request) ssoAction() string {
	if action := ssoActions[in.method+" "+in.path]; action != "" {
		return action
	}
	return in.method + " " + in.path
}

// AddSSO lets a bearer token, as `aws sso login` leaves one in
// ~/.aws/sso/cache, take a role at the SSO portal of a region
// (GetRoleCredentials). role_name is the name of the permission set:
// AdministratorAccess for
// arn:aws:iam::…:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef.
// A role with another name stands for a permission set of its own name. Call
// AddSSO once for each role. An empty token, an unknown region, or a role that is
// malformed or of another partition panics. The sessions last an hour; the token
// lives until it is logged out. [Cloud.LoginSSO] makes one that can be renewed.
//
// See https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func (c *Cloud) AddSSO(token, region, roleARN string) {
	grants, err := c.ssoGrants(region, roleARN)
	if err != nil {
		panic("awsauthtest: AddSSO: " + err.Error())
	}
	if token == "" || region == "" {
		panic("awsauthtest: AddSSO: empty token or region")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sso[token] == nil {
		c.sso[token] = &ssoToken{}
	}
	c.sso[token].grants = append(c.sso[token].grants, grants...)
}

// serveSSO is the portal.
func (c *Cloud) serveSSO(in *request) reply {
	do := map[string]func(*request, *ssoToken) (any, *problem){
		"GetRoleCredentials": c.getRoleCredentials, "ListAccounts": c.listAccounts, "ListAccountRoles": c.listAccountRoles, "Logout": c.logoutSSO,
	}[in.ssoAction()]
	if do == nil {
		return jsonFailure(refuse(http.StatusNotFound, "ResourceNotFoundException", "No such operation"))
	}
	for _, name := range map[string][]string{
		"GetRoleCredentials": {"role_name", "account_id"}, "ListAccountRoles": {"account_id"},
	}[in.ssoAction()] {
		if in.form.Get(name) == "" {
			return jsonFailure(refuse(http.StatusBadRequest, "InvalidRequestException", "Missing required parameter: %s", name))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	token := c.sso[in.header.Get("X-Amz-Sso_bearer_token")]
	if token == nil || !token.expires.IsZero() && !in.now.Before(token.expires) {
		return jsonFailure(refuse(http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid"))
	}
	out, p := do(in, token)
	if p != nil {
		return jsonFailure(p)
	}
	if out == nil {
		return reply{status: http.StatusOK, header: http.Header{}}
	}
	return jsonReply(http.StatusOK, out)
}

// The actions of the portal. Their callers hold c.mu.

func (c *Cloud) getRoleCredentials(in *request, _ *ssoToken) (any, *problem) {
	g, ok := c.granted(in)
	if !ok {
		return nil, refuse(http.StatusForbidden, "ForbiddenException", "No access")
	}
	k := c.issue(sessionOf(g.role, "sso-user"), in.now.Add(time.Hour).Truncate(time.Second))
	return map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
		"expiration": k.Expires.UnixMilli(),
	}}, nil
}

func (c *Cloud) listAccounts(in *request, token *ssoToken) (any, *problem) {
	var ids []string
	for _, g := range token.in(in.at.region) {
		ids = append(ids, g.role.account)
	}
	slices.Sort(ids)
	return in.page("accountList", slices.Compact(ids), func(id string) map[string]string {
		return map[string]string{"accountId": id, "accountName": "account-" + id, "emailAddress": id + "@example.com"}
	})
}

func (c *Cloud) listAccountRoles(in *request, token *ssoToken) (any, *problem) {
	account := in.form.Get("account_id")
	var names []string
	for _, g := range token.in(in.at.region) {
		if g.role.account == account {
			names = append(names, g.name)
		}
	}
	if names == nil {
		return nil, refuse(http.StatusForbidden, "ForbiddenException", "No access")
	}
	slices.Sort(names)
	return in.page("roleList", slices.Compact(names), func(name string) map[string]string {
		return map[string]string{"accountId": account, "roleName": name}
	})
}

// logoutSSO ends the session that a token belongs to, so that it cannot be renewed
// either.
func (c *Cloud) logoutSSO(in *request, token *ssoToken) (any, *problem) {
	delete(c.sso, in.header.Get("X-Amz-Sso_bearer_token"))
	if token.session != nil {
		c.endSSO(token.session)
	}
	return nil, nil
}

// maxPage is how many entries an answer of the portal has at most.
const maxPage = 100

// page is one page of a list. Its token is the number of what came before.
func (in *request) page(name string, all []string, entry func(string) map[string]string) (any, *problem) {
	size, from := maxPage, 0
	for field, into := range map[string]*int{"max_result": &size, "next_token": &from} {
		if text := in.form.Get(field); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || field == "max_result" && (n < 1 || n > maxPage) {
				return nil, refuse(http.StatusBadRequest, "InvalidRequestException", "Invalid parameter: %s", field)
			}
			*into = n
		}
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	entries := []map[string]string{}
	for _, one := range all[from:to] {
		entries = append(entries, entry(one))
	}
	out := map[string]any{name: entries}
	if to < len(all) {
		out["nextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

// in is what a token opens in a region; empty: wherever it may be.
func (t *ssoToken) in(region string) []ssoGrant {
	var out []ssoGrant
	for _, g := range t.grants {
		if region == "" || g.region == "" || region == g.region {
			out = append(out, g)
		}
	}
	return out
}

// granted finds the role that a request asks for, and that its token opens. The
// caller holds c.mu.
func (c *Cloud) granted(in *request) (ssoGrant, bool) {
	token := c.sso[in.header.Get("X-Amz-Sso_bearer_token")]
	if token == nil {
		return ssoGrant{}, false
	}
	for _, g := range token.in(in.at.region) {
		if g.role.account == in.form.Get("account_id") && g.name == in.form.Get("role_name") {
			return g, true
		}
	}
	return ssoGrant{}, false
}

// readGrant notes the grant type of a request for a token, which is no secret, for
// the record of calls. All else in those requests is left out of it.
func (in *request) readGrant() {
	var body struct{ GrantType string }
	if in.at.service != serviceOIDC && in.at.service != serviceSignin {
		return
	}
	if json.Unmarshal(in.body, &body) == nil && body.GrantType != "" {
		in.form.Set("grantType", body.GrantType)
	}
}
