package awsauthtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Instance is an EC2 instance, seen through its metadata service.
type Instance struct {
	RoleARN  string        // the instance profile's role; empty: an instance without one
	Region   string        // default: the first region of the role's partition
	IMDSv1   bool          // answer requests without a token, too
	Lifetime time.Duration // of the credentials; default 6 h

	// Stale makes the service go on answering the credentials it has, expired or
	// not, as EC2 does in an outage; if it has none, they are made expired. STS
	// honours them as long as the instance is stale.
	Stale bool
}

// instance is an Instance with what it has handed out. Guarded by Cloud.mu.
type instance struct {
	Instance
	role   arn                  // zero without a role
	tokens map[string]time.Time // IMDSv2 session tokens and when they end
	lease  lease
}

// lease is the credential document that a metadata service answers now.
type lease struct {
	keys   Keys
	issued time.Time
}

const (
	instanceID      = "i-0a1b2c3d4e5f60718"
	defaultLifetime = 6 * time.Hour
	rotateBefore    = 15 * time.Minute // EC2 promises 5 at least
	maxTokenTTL     = 21600            // seconds
)

// SetInstance puts an EC2 instance behind http://169.254.169.254, and takes it
// away again with nil: connections are then refused, as on a laptop. It has
// session tokens (IMDSv2), the role's credentials, which are renewed 15
// minutes before they expire (half-way, if they live less than half an hour),
// the region, and the identity document. A second call changes the instance;
// if the role stays, so do its credentials. A malformed ARN, a region of
// another partition or a negative Lifetime panics.
//
// See https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
func (c *Cloud) SetInstance(i *Instance) {
	if i == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.instance = nil
		return
	}
	next := &instance{Instance: *i, tokens: map[string]time.Time{}}
	next.complete(&c.regions)
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.instance; last != nil && last.RoleARN == next.RoleARN {
		next.tokens, next.lease = last.tokens, last.lease
	}
	c.instance = next
}

// complete fills in the defaults and panics where there can be none.
func (i *instance) complete(regions *atlas) {
	if i.RoleARN != "" {
		role, err := parseARN(i.RoleARN, "role")
		if err != nil {
			panic("awsauthtest: SetInstance: RoleARN: " + err.Error())
		}
		i.role = role
	}
	if i.Region == "" {
		i.Region = map[string]string{
			"": "us-east-1", "aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1",
			"aws-eusc": "eusc-de-east-1", "aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1",
			"aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1",
		}[i.role.partition]
	}
	if p, ok := regions.partitionOf(i.Region); !ok || i.RoleARN != "" && p.id != i.role.partition {
		panic("awsauthtest: SetInstance: Region " + i.Region + " is not of the role's partition")
	}
	if i.Lifetime < 0 {
		panic("awsauthtest: SetInstance: negative Lifetime")
	}
	if i.Lifetime == 0 {
		i.Lifetime = defaultLifetime
	}
}

func (c *Cloud) hasInstance() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instance != nil
}

const (
	tokenPath       = "/latest/api/token"
	metadataPath    = "/latest/meta-data/"
	rolePath        = metadataPath + "iam/security-credentials"
	documentPath    = "/latest/dynamic/instance-identity/document"
	tokenHeader     = "X-Aws-Ec2-Metadata-Token"
	tokenTTLHeader  = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	forwardedHeader = "X-Forwarded-For"
)

func metadataAction(in *request) string {
	switch {
	case in.path == tokenPath:
		return "GetToken"
	case in.path == rolePath || in.path == rolePath+"/":
		return "GetRole"
	case strings.HasPrefix(in.path, rolePath+"/"):
		return "GetCredentials"
	case in.path == documentPath, in.path == metadataPath+"placement/region":
		return "GetRegion"
	}
	return in.path
}

// serveMetadata is the instance metadata service.
func (c *Cloud) serveMetadata(in *request) reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.instance
	if i == nil { // on the socket; in memory the connection was refused
		return metadataFailure(refuse(http.StatusNotFound, "NotFound", "Not Found"))
	}
	if in.path == tokenPath {
		return i.token(in, c.derive("imds", in.now.String()+strconv.Itoa(in.number), 40))
	}
	if in.method != http.MethodGet && in.method != http.MethodHead {
		return metadataFailure(refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "Method Not Allowed"))
	}
	if token := in.header.Get(tokenHeader); (token != "" || !i.IMDSv1) && !in.now.Before(i.tokens[token]) {
		return metadataFailure(refuse(http.StatusUnauthorized, "Unauthorized", "Unauthorized"))
	}
	return c.metadata(i, in.path, in.now)
}

// token answers PUT /latest/api/token. The header X-Forwarded-For shows a proxy
// that somebody left open: AWS refuses then.
func (i *instance) token(in *request, random []byte) reply {
	ttl, err := strconv.Atoi(in.header.Get(tokenTTLHeader))
	switch {
	case in.method != http.MethodPut:
		return metadataFailure(refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "Method Not Allowed"))
	case in.header.Get(forwardedHeader) != "":
		return metadataFailure(refuse(http.StatusForbidden, "Forbidden", "Forbidden"))
	case err != nil || ttl < 1 || ttl > maxTokenTTL:
		return metadataFailure(refuse(http.StatusBadRequest, "BadRequest", "Bad Request"))
	}
	t := in.now
	for old, ends := range i.tokens {
		if !t.Before(ends) {
			delete(i.tokens, old)
		}
	}
	token := base64.StdEncoding.EncodeToString(random)
	i.tokens[token] = t.Add(time.Duration(ttl) * time.Second)
	out := plain(token)
	out.header.Set(tokenTTLHeader, strconv.Itoa(ttl))
	return out
}

// metadata answers one path. The caller holds c.mu.
func (c *Cloud) metadata(i *instance, path string, now time.Time) reply {
	hasRole := i.RoleARN != ""
	switch {
	case path == metadataPath+"placement/region":
		return plain(i.Region)
	case path == metadataPath+"placement/availability-zone":
		return plain(i.Region + "a")
	case path == metadataPath+"instance-id":
		return plain(instanceID)
	case path == documentPath:
		return jsonReply(http.StatusOK, map[string]string{
			"accountId": i.role.account, "region": i.Region, "availabilityZone": i.Region + "a",
			"instanceId": instanceID, "instanceType": "t3.micro", "architecture": "x86_64",
			"imageId": "ami-0a1b2c3d4e5f60718", "privateIp": "10.0.0.10", "version": "2017-09-30",
			"pendingTime": "2026-01-01T00:00:00Z",
		})
	case hasRole && path == metadataPath+"iam/info":
		return jsonReply(http.StatusOK, map[string]string{
			"Code": "Success", "LastUpdated": stamp(now), "InstanceProfileId": uniqueID("AIPA", i.RoleARN),
			"InstanceProfileArn": "arn:" + i.role.partition + ":iam::" + i.role.account + ":instance-profile/" + i.role.name(),
		})
	case hasRole && (path == rolePath || path == rolePath+"/"):
		return plain(i.role.name())
	case hasRole && path == rolePath+"/"+i.role.name():
		if i.lease.keys.AccessKeyID == "" && i.Stale {
			c.grant(&i.lease, i.role, instanceID, now.Add(-i.Lifetime-time.Minute), i.Lifetime)
		} else if i.lease.due(now) && !i.Stale {
			c.grant(&i.lease, i.role, instanceID, now, i.Lifetime)
		}
		k := i.lease.keys
		return jsonReply(http.StatusOK, map[string]string{
			"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": stamp(i.lease.issued),
			"AccessKeyId": k.AccessKeyID, "SecretAccessKey": k.SecretAccessKey, "Token": k.SessionToken,
			"Expiration": stamp(k.Expires),
		})
	}
	return metadataFailure(refuse(http.StatusNotFound, "NotFound", "Not Found"))
}

// due reports whether there should be new credentials by now.
func (l lease) due(t time.Time) bool {
	before := min(rotateBefore, l.keys.Expires.Sub(l.issued)/2)
	return !t.Before(l.keys.Expires.Add(-before))
}

// grant renews a lease. The caller holds c.mu.
func (c *Cloud) grant(l *lease, role arn, session string, issued time.Time, lifetime time.Duration) {
	l.issued = issued
	l.keys = c.issue(sessionOf(role, session), issued.Add(lifetime).Truncate(time.Second))
}

// honoured reports whether a key that has expired is one that a stale instance
// goes on handing out.
func (c *Cloud) honoured(k credential) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instance != nil && c.instance.Stale && c.instance.lease.keys.AccessKeyID == k.keys.AccessKeyID
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func plain(s string) reply {
	return reply{status: http.StatusOK, body: []byte(s), header: http.Header{"Content-Type": {"text/plain"}}}
}

func metadataFailure(p *problem) reply {
	return reply{status: p.status, code: p.code, body: []byte(p.message + "\n"), header: http.Header{"Content-Type": {"text/plain"}}}
}

func jsonReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic("awsauthtest: " + err.Error()) // maps of strings marshal
	}
	return reply{status: status, body: body, header: http.Header{"Content-Type": {"application/json"}}}
}

// jsonFailure is how the container endpoint and the SSO portal refuse.
func jsonFailure(p *problem) reply {
	out := jsonReply(p.status, map[string]string{"code": p.code, "message": p.message})
	out.code = p.code
	out.header.Set("X-Amzn-Errortype", p.code)
	return out
}
