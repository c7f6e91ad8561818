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

	// MayAssume is what the user's own policies allow: the ARNs of the roles that
	// it may assume, in which * stands for any characters. nil: all; empty, but
	// not nil: none. A role of another account needs both, this and the role's
	// Trust. A role of the user's own account whose Trust names the user's ARN
	// needs only that.
	MayAssume []string
}

// Role is an IAM role and the conditions of its trust policy.
type Role struct {
	ARN string // arn:<partition>:iam::<12 digits>:role/[path/]name

	// Trust says who may assume the role. An entry is the ARN of a user or a
	// role, the ARN of one role session (arn:…:sts::…:assumed-role/name/session),
	// an account id or its :root ARN, a service ("ec2.amazonaws.com"), the issuer
	// of an OIDC provider in the role's own account
	// ("token.actions.githubusercontent.com") or the ARN of one (see AddOIDC),
	// or "*" for anybody of the partition. "rolesanywhere.amazonaws.com" lets
	// certificates take it (see AddTrustAnchor). Empty: nobody. What SetInstance,
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
	arn       arn
	userID    string
	device    *device // nil without MFA
	mayAssume []string
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
// the same ARN it returns a second key, and MFA device and MayAssume become the
// new ones if they are given. What IAM would not take panics: a malformed ARN or
// pattern, a name that another user of the account has under another path, a
// device of another account or of another user.
func (c *Cloud) AddUser(u User) Keys {
	name, err := parseARN(u.ARN, "user")
	if err == nil {
		err = name.checkLength()
	}
	if err != nil {
		panic("awsauthtest: AddUser: " + err.Error())
	}
	for _, pattern := range u.MayAssume {
		if !mayAssumeForm.MatchString(pattern) {
			panic(fmt.Sprintf("awsauthtest: AddUser: MayAssume %q is not the ARN of a role, with * for any characters", pattern))
		}
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
	if other := c.names[name.unique()]; other != "" && other != u.ARN {
		panic("awsauthtest: AddUser: " + u.ARN + ": the account has " + other + ", and names are unique whatever their path")
	}
	for _, other := range c.users {
		if other != known && u.MFASerial != "" && other.device == c.devices[u.MFASerial] && other.device != nil {
			panic("awsauthtest: AddUser: MFASerial " + u.MFASerial + " is the device of " + other.arn.String())
		}
	}
	if known == nil {
		known = &user{arn: name, userID: uniqueID("AIDA", u.ARN)}
		c.users[u.ARN] = known
		c.names[name.unique()] = u.ARN
	}
	if u.MayAssume != nil {
		known.mayAssume = slices.Clone(u.MayAssume)
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

// mayAssumeForm is what MayAssume may hold: "*", or what begins like an ARN.
var mayAssumeForm = regexp.MustCompile(`^(\*|arn:[\x21-\x7e]+)$`)

// may reports whether the user's own policies let it assume a role.
func (u *user) may(role string) bool {
	return u.mayAssume == nil || slices.ContainsFunc(u.mayAssume, func(pattern string) bool { return like(pattern, role) })
}

// RemoveUser deletes a user with its keys, sessions and MFA device: AWS no longer
// knows the keys (InvalidClientTokenId). An ARN that is not known is no mistake.
func (c *Cloud) RemoveUser(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.users[arn]; u != nil && u.device != nil {
		delete(c.devices, u.device.serial)
	}
	delete(c.users, arn)
	c.freeName(arn, "user")
	c.forget(func(who principal) bool { return who.user != nil && who.arn == arn })
}

// RemoveRole deletes a role: nobody can assume it any more, and AWS no longer
// knows the keys of its sessions (InvalidClientTokenId). An ARN that is not known
// is no mistake.
func (c *Cloud) RemoveRole(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.roles, arn)
	c.freeName(arn, "role")
	c.forget(func(who principal) bool { return who.role == arn })
}

// freeName lets others have the name of what is removed. The caller holds c.mu.
func (c *Cloud) freeName(s, kind string) {
	if name, err := parseARN(s, kind); err == nil && c.names[name.unique()] == s {
		delete(c.names, name.unique())
	}
}

// forget makes all keys of an identity unknown. The caller holds c.mu.
func (c *Cloud) forget(whose func(principal) bool) {
	for id, k := range c.creds {
		if whose(k.who) {
			k.inactive = true
			c.creds[id] = k
		}
	}
}

// AddRole creates a role, or replaces the one of that ARN; sessions it already
// gave live on. What IAM would not take panics: a malformed ARN, a name of more
// than 64 characters or one that another role of the account has under another
// path, an entry of Trust that is none of the known forms (a group is none, nor
// is an ARN with a wildcard) or of another partition, a MaxSession outside 1 h
// to 12 h.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (c *Cloud) AddRole(r Role) {
	name, err := parseARN(r.ARN, "role")
	if err == nil {
		err = name.checkLength()
	}
	if err != nil {
		panic("awsauthtest: AddRole: " + err.Error())
	}
	if r.MaxSession == 0 {
		r.MaxSession = time.Hour
	}
	if r.MaxSession < time.Hour || r.MaxSession > 12*time.Hour {
		panic(fmt.Sprintf("awsauthtest: AddRole: MaxSession %v is not 0 or within 1h to 12h", r.MaxSession))
	}
	for _, entry := range r.Trust {
		if err := checkTrust(entry, name.partition); err != nil {
			panic("awsauthtest: AddRole: " + err.Error())
		}
	}
	r.Trust = slices.Clone(r.Trust)
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.names[name.unique()]; other != "" && other != r.ARN {
		panic("awsauthtest: AddRole: " + r.ARN + ": the account has " + other + ", and names are unique whatever their path")
	}
	c.roles[r.ARN], c.names[name.unique()] = r, r.ARN
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
