package awsauthtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// hostForm is a host name with perhaps a path: a service, or an OIDC issuer.
var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	hostForm    = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(/[\x21-\x7e]*)?$`)
)

// principalForm is the ARN of what a trust policy may name: an account, a user, a
// role, one session, an identity provider.
var principalForm = regexp.MustCompile(`^arn:([a-z-]+):(?:` +
	`iam::[0-9]{12}:(?:root|(?:user|role)/(?:[\x21-\x7e]+/)*[\w+=,.@-]+|saml-provider/[\w.-]+|(oidc-provider)/[\x21-\x7e]+)` +
	`|sts::[0-9]{12}:(?:assumed-role/[\w+=,.@-]+|federated-user)/[\w+=,.@-]+)$`)

// checkTrust holds an entry of a trust policy against what IAM takes in a role of
// that partition. It does not know whether a user or role is there: tests add them
// in any order.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func checkTrust(entry, partition string) error {
	if entry == "*" || accountForm.MatchString(entry) || hostForm.MatchString(entry) {
		return nil
	}
	m := principalForm.FindStringSubmatch(entry)
	switch {
	case m == nil || strings.Contains(entry, "*"):
		return fmt.Errorf("entry %q of Trust is no account id, service, OIDC issuer or \"*\", nor the ARN of an account's root, a user, a role, a session or a provider", entry)
	case m[1] != partition && (m[2] == "" || !knownPartition(m[1])): // a provider that is elsewhere is taken, and of no use
		return fmt.Errorf("entry %q of Trust is of another partition than the role", entry)
	}
	return nil
}

// IAM's limits of names and paths.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxName = 64
	maxPath = 512 // with its slashes
)

func (a arn) checkLength() error {
	name := a.name()
	switch path := "/" + strings.TrimSuffix(a.path, name); {
	case len(name) > maxName:
		return fmt.Errorf("%s: the name has %d characters, at most are %d", a, len(name), maxName)
	case len(path) > maxPath:
		return fmt.Errorf("%s: the path has %d characters, at most are %d", a, len(path), maxPath)
	}
	return nil
}

// unique is what no two users, and no two roles, of an account may have in common:
// names have no case, and the path does not tell them apart.
func (a arn) unique() string {
	return strings.Join([]string{a.partition, a.account, a.kind, strings.ToLower(a.name())}, " ")
}

// trusts reports whether the role lets the caller assume it: its trust policy
// names the caller, and the caller's own policies allow it where that is needed.
func (r Role) trusts(who principal) bool {
	self, err := parseARN(r.ARN, "role")
	if err != nil || self.partition != who.partition {
		return false // partitions know nothing of each other, "*" or not
	}
	if who.account == self.account && slices.Contains(r.Trust, who.arn) {
		return true
	}
	if who.user != nil && !who.user.may(r.ARN) {
		return false
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
