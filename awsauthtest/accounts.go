package awsauthtest

import (
	"crypto/sha1"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// User is an IAM user.
type User struct {
	ARN       string // arn:<partition>:iam::<12 digits>:user/[path/]name
	MFASerial string // arn:<partition>:iam::<12 digits>:mfa/name; empty: no device
}

// Role is an IAM role and the conditions of its trust policy.
type Role struct {
	ARN string // arn:<partition>:iam::<12 digits>:role/[path/]name

	// Trust says who may assume the role. An entry is the ARN of a user or a
	// role, the ARN of one role session (arn:…:sts::…:assumed-role/name/session),
	// an account id or its :root ARN, a service ("ec2.amazonaws.com"), the issuer
	// of an OIDC provider in the role's own account
	// ("token.actions.githubusercontent.com") or the ARN of one (see AddOIDC),
	// or "*" for anybody of the partition. Empty: nobody. What SetInstance,
	// SetContainer and AddSSO hand out needs no entry.
	Trust []string

	// Subject and Audience are held against the claims sub and aud of a web
	// identity token. * stands for any characters:
	// "repo:corp/app:ref:refs/heads/*". Empty: any.
	Subject, Audience string

	ExternalID            string        // if set, sts:ExternalId must equal it
	RequireMFA            bool          // the caller must have given an MFA code, here or to GetSessionToken
	RequireSourceIdentity bool          // the session must have a source identity; implies AllowSourceIdentity
	AllowTags             bool          // the session may have tags (sts:TagSession), also inherited ones
	AllowSourceIdentity   bool          // the session may have a source identity (sts:SetSourceIdentity), also an inherited one
	MaxSession            time.Duration // longest session, 1 h to 12 h; 0: 1 h
}

// user is a User with what the Cloud made for it.
type user struct {
	arn    arn
	userID string
	device *device // nil without MFA
}

// arn is an ARN taken apart, so far as IAM's go.
type arn struct {
	partition, account, kind, path string // path is everything after kind and its slash
}

func (a arn) String() string {
	return "arn:" + a.partition + ":iam::" + a.account + ":" + a.kind + "/" + a.path
}

// name is the ARN's last part: sessions and metadata leave the path out.
func (a arn) name() string { return a.path[strings.LastIndexByte(a.path, '/')+1:] }

var iamARN = regexp.MustCompile(`^arn:([a-z-]+):iam::([0-9]{12}):(user|role|mfa|oidc-provider)/((?:[\x21-\x7e]+/)*[\w+=,.@-]+)$`)

func parseARN(s, kind string) (arn, error) {
	m := iamARN.FindStringSubmatch(s)
	if m == nil || m[3] != kind {
		return arn{}, fmt.Errorf("%q is not arn:<partition>:iam::<12 digits>:%s/name", s, kind)
	}
	if !knownPartition(m[1]) {
		return arn{}, fmt.Errorf("%q: there is no partition %q", s, m[1])
	}
	return arn{partition: m[1], account: m[2], kind: kind, path: m[4]}, nil
}

// AddUser creates a user and returns an access key for it. Called again with
// the same ARN it returns a second key, and the MFA device becomes the new one
// if one is given. A malformed ARN, or a device of another account, panics.
func (c *Cloud) AddUser(u User) Keys {
	name, err := parseARN(u.ARN, "user")
	if err != nil {
		panic("awsauthtest: AddUser: " + err.Error())
	}
	if u.MFASerial != "" {
		mfa, err := parseARN(u.MFASerial, "mfa")
		if err != nil {
			panic("awsauthtest: AddUser: MFASerial: " + err.Error())
		}
		if mfa.account != name.account || mfa.partition != name.partition {
			panic("awsauthtest: AddUser: MFASerial " + u.MFASerial + " is not of the user's account")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.users[u.ARN]
	if known == nil {
		known = &user{arn: name, userID: uniqueID("AIDA", u.ARN)}
		c.users[u.ARN] = known
	}
	if u.MFASerial != "" {
		if c.devices[u.MFASerial] == nil {
			c.devices[u.MFASerial] = newDevice(u.MFASerial, c.derive("mfa", u.MFASerial, sha1.Size))
		}
		known.device = c.devices[u.MFASerial]
	}
	return c.issue(known.principal(), time.Time{})
}

func (u *user) principal() principal {
	return principal{
		arn: u.arn.String(), userID: u.userID, user: u,
		partition: u.arn.partition, account: u.arn.account,
	}
}

// AddRole creates a role, or replaces the one of that ARN; sessions it already
// gave live on. A malformed ARN, an entry of Trust that is none of the known
// forms, or a MaxSession outside 1 h to 12 h panics.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (c *Cloud) AddRole(r Role) {
	if _, err := parseARN(r.ARN, "role"); err != nil {
		panic("awsauthtest: AddRole: " + err.Error())
	}
	if r.MaxSession == 0 {
		r.MaxSession = time.Hour
	}
	if r.MaxSession < time.Hour || r.MaxSession > 12*time.Hour {
		panic(fmt.Sprintf("awsauthtest: AddRole: MaxSession %v is not 0 or within 1h to 12h", r.MaxSession))
	}
	for _, entry := range r.Trust {
		if !trustEntry.MatchString(entry) {
			panic(fmt.Sprintf("awsauthtest: AddRole: Trust %q is no ARN, account id, service, OIDC issuer or \"*\"", entry))
		}
	}
	r.Trust = slices.Clone(r.Trust)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles[r.ARN] = r
}

// trustEntry is the form of what a trust policy may name: anybody, an account,
// an ARN, or a host name with perhaps a path (services, OIDC issuers).
var trustEntry = regexp.MustCompile(`^(\*|[0-9]{12}|arn:[a-z-]+:(iam|sts)::[0-9]{12}:[\x21-\x7e]+|[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(/[\x21-\x7e]*)?)$`)

// trusts reports whether the role's trust policy names the caller.
func (r Role) trusts(who principal) bool {
	self, err := parseARN(r.ARN, "role")
	if err != nil || self.partition != who.partition {
		return false // partitions know nothing of each other, "*" or not
	}
	for _, entry := range r.Trust {
		switch entry {
		case "*", who.account, "arn:" + who.partition + ":iam::" + who.account + ":root",
			who.arn, who.role: // a user's role is empty, but no entry is
			return true
		}
	}
	return false
}

// sessionOf is the identity of a role's session.
func sessionOf(role arn, session string) principal {
	return principal{
		arn:       "arn:" + role.partition + ":sts::" + role.account + ":assumed-role/" + role.name() + "/" + session,
		userID:    uniqueID("AROA", role.String()) + ":" + session,
		partition: role.partition, account: role.account,
		role: role.String(), temporary: true,
	}
}
