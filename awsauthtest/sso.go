package awsauthtest

import (
	"net/http"
	"time"
)

// ssoGrant is one role that a bearer token opens. Guarded by Cloud.mu.
type ssoGrant struct {
	region string
	role   arn
}

const ssoPath = "/federation/credentials"

// AddSSO lets a bearer token, as `aws sso login` leaves one in
// ~/.aws/sso/cache, take a role at the SSO portal of a region
// (GetRoleCredentials); the role's name without its path is the role_name. Call
// it once for each role. An empty token, an unknown region, or a role that is
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
	c.sso[token] = append(c.sso[token], ssoGrant{region, role})
}

// serveSSO is GetRoleCredentials of the portal.
func (c *Cloud) serveSSO(in *request) reply {
	if in.path != ssoPath || in.method != http.MethodGet {
		return jsonFailure(refuse(http.StatusNotFound, "ResourceNotFoundException", "No such operation"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	grants, ok := c.sso[in.header.Get("X-Amz-Sso_bearer_token")]
	if !ok {
		return jsonFailure(refuse(http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid"))
	}
	for _, g := range grants {
		if g.role.account != in.form.Get("account_id") || g.role.name() != in.form.Get("role_name") ||
			in.at.region != "" && in.at.region != g.region {
			continue
		}
		k := c.issue(sessionOf(g.role, "sso-user"), in.now.Add(time.Hour).Truncate(time.Second))
		return jsonReply(http.StatusOK, map[string]any{"roleCredentials": map[string]any{
			"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
			"expiration": k.Expires.UnixMilli(),
		}})
	}
	return jsonFailure(refuse(http.StatusForbidden, "ForbiddenException", "No access"))
}
