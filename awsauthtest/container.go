package awsauthtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"time"
)

// Container is an ECS task or an EKS pod, seen through its credential endpoint.
type Container struct {
	RoleARN  string
	Token    string        // if set, what the Authorization header must equal
	Lifetime time.Duration // of the credentials; default 6 h
}

// task is a Container with what it has handed out. Guarded by Cloud.mu.
type task struct {
	Container
	role  arn
	id    string
	path  string
	lease lease
}

const containerPath = "/v2/credentials/"

// SetContainer puts a credential endpoint behind http://169.254.170.2 (ECS) and
// http://169.254.170.23/v1/credentials (EKS Pod Identity), and takes it away
// with nil. It returns the path to give as
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; empty for nil. Credentials are
// renewed as by [Cloud.SetInstance]. A malformed ARN or a negative Lifetime
// panics.
//
// See https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (c *Cloud) SetContainer(k *Container) (relativeURI string) {
	if k == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.task = nil
		return ""
	}
	role, err := parseARN(k.RoleARN, "role")
	if err != nil {
		panic("awsauthtest: SetContainer: RoleARN: " + err.Error())
	}
	next := &task{Container: *k, role: role}
	if next.Lifetime < 0 {
		panic("awsauthtest: SetContainer: negative Lifetime")
	}
	if next.Lifetime == 0 {
		next.Lifetime = defaultLifetime
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	next.id = fmt.Sprintf("%x", c.derive("task", fmt.Sprint(k.RoleARN, c.serial), 16))
	next.path = containerPath + uuid(c.derive("path", next.id, 16))
	c.task = next
	return next.path
}

func (c *Cloud) hasTask() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.task != nil
}

// serveContainer is the container credential endpoint.
func (c *Cloud) serveContainer(in *request) reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.task
	switch {
	case k == nil || in.path != k.path && in.path != podCredentials:
		return jsonFailure(refuse(http.StatusNotFound, "NotFound", "No credentials found for this path"))
	case k.Token != "" && subtle.ConstantTimeCompare([]byte(k.Token), []byte(in.header.Get("Authorization"))) != 1:
		return jsonFailure(refuse(http.StatusUnauthorized, "AccessDenied", "The authorization token is missing or wrong"))
	}
	if t := in.now; k.lease.due(t) {
		c.grant(&k.lease, k.role, k.id, t, k.Lifetime)
	}
	keys := k.lease.keys
	return jsonReply(http.StatusOK, map[string]string{
		"RoleArn": k.RoleARN, "AccessKeyId": keys.AccessKeyID, "SecretAccessKey": keys.SecretAccessKey,
		"Token": keys.SessionToken, "Expiration": stamp(keys.Expires), "AccountId": k.role.account,
	})
}
