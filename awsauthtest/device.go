package awsauthtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ApproveDevice does what a person does who opens the page of a device
// authorization (StartDeviceAuthorization), compares the code and allows it: the
// device gets a token with which the SSO portal gives these roles, under the names
// that [Cloud.AddSSO] explains. It is an error if no device waits with that code,
// or if a role is malformed or not of the region's partition.
func (c *Cloud) ApproveDevice(userCode string, roleARNs ...string) error {
	return c.decide(userCode, func(device *deviceGrant) error {
		grants, err := c.ssoGrants(device.client.region, roleARNs...)
		if err != nil {
			return err
		}
		device.state, device.grants = deviceApproved, grants
		return nil
	})
}

// DenyDevice is the other answer to a device authorization: the device hears
// AccessDeniedException.
func (c *Cloud) DenyDevice(userCode string) error {
	return c.decide(userCode, func(device *deviceGrant) error {
		device.state = deviceDenied
		return nil
	})
}

func (c *Cloud) decide(userCode string, do func(*deviceGrant) error) error {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, device := range c.center.devices {
		if device.userCode == userCode && device.waits(now) {
			return do(device)
		}
	}
	return fmt.Errorf("awsauthtest: no device waits with the code %q", userCode)
}

func (d *deviceGrant) waits(now time.Time) bool {
	return d.state == devicePending && now.Before(d.expires)
}

// UserCodes returns the codes of the devices that wait for a person's decision, the
// oldest first: what the program under test shows, or opens in a browser.
func (c *Cloud) UserCodes() []string {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var waiting []*deviceGrant
	for _, device := range c.center.devices {
		if device.waits(now) {
			waiting = append(waiting, device)
		}
	}
	slices.SortFunc(waiting, func(a, b *deviceGrant) int { return a.number - b.number })
	var codes []string
	for _, device := range waiting {
		codes = append(codes, device.userCode)
	}
	return codes
}

// LoginSSO does what a person does with `aws sso login`, and returns the token file
// that it leaves behind, in the form that the SDKs and the AWS CLI share. The SSO
// portal of the region gives these roles for it, as [Cloud.AddSSO] explains. left
// is how long the access token in the file lives; with 0 or less it has expired,
// and the next use renews it (CreateToken), as for 8 hours from now. Renewed tokens
// live an hour, and each renewal gives another refresh token: one that was used is
// refused. A region or role that is unknown, malformed or of another partition
// panics.
//
//	path, err := ssocreds.StandardCachedTokenFilepath("corp") // the sso_session; without one its start URL
//	…
//	err = os.WriteFile(path, cloud.LoginSSO(startURL, "eu-west-1", time.Hour, role), 0o600)
func (c *Cloud) LoginSSO(startURL, region string, left time.Duration, roleARNs ...string) []byte {
	if region == "" {
		panic("awsauthtest: LoginSSO: empty region")
	}
	grants, err := c.ssoGrants(region, roleARNs...)
	if err != nil {
		panic("awsauthtest: LoginSSO: " + err.Error())
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	client := &ssoClient{
		id: c.token("client", 16), secret: c.token("client secret", 300), region: region,
		scopes: []string{accountScope}, expires: now.Add(clientLifetime),
	}
	c.center.clients[client.id] = client
	session := &ssoSession{client: client, grants: grants, refresh: c.token("sso refresh", 300), ends: now.Add(ssoSessionLifetime)}
	c.center.sessions[session.refresh] = session
	expires := now.Add(left).Truncate(time.Second)
	text, err := json.Marshal(map[string]string{
		"startUrl": startURL, "region": region,
		"accessToken": c.accessToken(session, expires), "expiresAt": expires.Format(time.RFC3339),
		"clientId": client.id, "clientSecret": client.secret, "registrationExpiresAt": client.expires.Format(time.RFC3339),
		"refreshToken": session.refresh,
	})
	if err != nil {
		panic("awsauthtest: LoginSSO: " + err.Error()) // strings marshal
	}
	return text
}

// ssoGrants are roles as the portal of a region gives them. An empty region is any:
// a client that registered on the socket has named none.
func (c *Cloud) ssoGrants(region string, roleARNs ...string) ([]ssoGrant, error) {
	of, known := c.regions.partitionOf(region)
	if region != "" && !known {
		return nil, errors.New("region " + region + " does not exist")
	}
	var grants []ssoGrant
	for _, roleARN := range roleARNs {
		role, err := parseARN(roleARN, "role")
		if err != nil {
			return nil, err
		}
		if region != "" && of.id != role.partition {
			return nil, fmt.Errorf("%s is not of the partition of region %s", roleARN, region)
		}
		grants = append(grants, ssoGrant{region, role, permissionSet(role)})
	}
	return grants, nil
}
