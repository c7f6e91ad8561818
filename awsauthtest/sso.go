package awsauthtest

import (
	"net/http"
	"regexp"
	"time"
)

// ssoGrant is one role that a bearer token opens. Guarded by Cloud.mu.
type ssoGrant struct {
	region string
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

const ssoPath = "/federation/credentials"

// AddSSO lets a bearer token, as `aws sso login` leaves one in
// ~/.aws/sso/cache, take a role at the SSO portal of a region
// (GetRoleCredentials). role_name is the name of the permission set:
// AdministratorAccess for
// arn:aws:iam::…:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef.
// A role with another name stands for a permission set of its own name. Call
// AddSSO once for each role. An empty token, an unknown region, or a role that is
// malformed or of another partition panics. The sessions last an hour.
//
// See https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func (c *Cloud) AddSSO(token, region, roleARN string) {
	role, err := parseARN(roleARN, "role")
	if err != nil {
		panic("awsauthtest: AddSSO: " + err.Error())
	}
	if p, ok := c.regions.partitionOf(region); !ok || p.id != role.partition {
		panic("awsauthtest: AddSSO: region " + region + " is not of the role's partition")
	}
	if token == "" {
		panic("awsauthtest: AddSSO: empty token")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sso[token] = append(c.sso[token], ssoGrant{region, role, permissionSet(role)})
}

// serveSSO is GetRoleCredentials of the portal.
func (c *Cloud) serveSSO(in *request) reply {
	if in.path != ssoPath || in.method != http.MethodGet {
		return jsonFailure(refuse(http.StatusNotFound, "ResourceNotFoundException", "No such operation"))
	}
	for _, name := range []string{"role_name", "account_id"} {
		if in.form.Get(name) == "" {
			return jsonFailure(refuse(http.StatusBadRequest, "InvalidRequestException", "Missing required parameter: %s", name))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.sso[in.header.Get("X-Amz-Sso_bearer_token")]
	if !ok {
		return jsonFailure(refuse(http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid"))
	}
	if g, ok := c.granted(in); ok {
		k := c.issue(sessionOf(g.role, "sso-user"), in.now.Add(time.Hour).Truncate(time.Second))
		return jsonReply(http.StatusOK, map[string]any{"roleCredentials": map[string]any{
			"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
			"expiration": k.Expires.UnixMilli(),
		}})
	}
	return jsonFailure(refuse(http.StatusForbidden, "ForbiddenException", "No access"))
}

// granted finds the role that a request asks for, and that its token opens. The
// caller holds c.mu.
func (c *Cloud) granted(in *request) (ssoGrant, bool) {
	for _, g := range c.sso[in.header.Get("X-Amz-Sso_bearer_token")] {
		if g.role.account == in.form.Get("account_id") && g.name == in.form.Get("role_name") &&
			(in.at.region == "" || in.at.region == g.region) {
			return g, true
		}
	}
	return ssoGrant{}, false
}
