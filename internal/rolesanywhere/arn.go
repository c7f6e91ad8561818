package rolesanywhere

import (
	"fmt"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Target is a role, and the trust anchor and profile by which it is reached.
// [Parse] makes one.
type Target struct {
	TrustAnchorARN, ProfileARN, RoleARN string

	Partition string // of all three
	Region    string // of trust anchor and profile
	Account   string // of profile and role
}

// ARNError says why three ARNs do not make a [Target].
type ARNError struct {
	What string // which ARN, and what is wrong
	Mend string // what to change

	WrongPartition bool // each is good by itself, but they are of different partitions
}

// Error returns what is wrong and what to change.
func (e *ARNError) Error() string { return e.What + "; " + e.Mend }

// kind is one of the three kinds of ARNs.
type kind struct {
	name    string // in errors
	service string
	prefix  string // of the resource
	form    string
}

var (
	anchorKind  = kind{"trust anchor", "rolesanywhere", "trust-anchor/", "arn:<partition>:rolesanywhere:<region>:<account>:trust-anchor/<id>"}
	profileKind = kind{"profile", "rolesanywhere", "profile/", "arn:<partition>:rolesanywhere:<region>:<account>:profile/<id>"}
	roleKind    = kind{"role", "iam", "role/", "arn:<partition>:iam::<account>:role/<name>"}
)

// arn is an ARN taken apart.
type arn struct{ partition, service, region, account, resource string }

func split(s string) (arn, bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return arn{}, false
	}
	return arn{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}

// is reports whether an ARN looks like one of the kind, right in detail or not.
func (k kind) is(a arn) bool {
	return a.service == k.service && strings.HasPrefix(a.resource, k.prefix)
}

// check returns what is wrong with an ARN of the kind, or nothing.
func (k kind) check(a arn) string {
	id := strings.TrimPrefix(a.resource, k.prefix)
	switch {
	case !names.Is(a.partition, "-", 1, 20):
		return "it has no partition"
	case k == roleKind && a.region != "":
		return "a role has no region"
	case k != roleKind && !names.Is(a.region, "-", 1, 40):
		return "it has no region"
	case !names.IsAccount(a.account):
		return "its account is not 12 digits"
	case k == roleKind && !isRole(id):
		return "it has no name of a role"
	case k != roleKind && !names.Is(id, "-", 1, 64):
		return "its id is malformed"
	}
	return ""
}

// isRole reports whether s is the name of a role, perhaps with a path before it.
func isRole(s string) bool {
	name := s[strings.LastIndexByte(s, '/')+1:]
	return names.Is(name, names.Signs, 1, 64) && names.IsPath(strings.TrimSuffix(s, name))
}

// Parse takes the three ARNs apart and compares them: trust anchor and profile must
// be of one region, profile and role of one account, all of one partition. An error
// is an [*ARNError]. Whether the region exists is not known here.
func Parse(trustAnchorARN, profileARN, roleARN string) (Target, error) {
	given := []struct {
		kind
		text string
	}{{anchorKind, trustAnchorARN}, {profileKind, profileARN}, {roleKind, roleARN}}
	var parsed [3]arn
	for i, g := range given {
		a, err := g.parse(g.text)
		if err != nil {
			return Target{}, err
		}
		parsed[i] = a
	}
	anchor, profile, role := parsed[0], parsed[1], parsed[2]
	if err := compare(anchor, profile, role); err != nil {
		return Target{}, err
	}
	return Target{
		TrustAnchorARN: trustAnchorARN, ProfileARN: profileARN, RoleARN: roleARN,
		Partition: anchor.partition, Region: anchor.region, Account: role.account,
	}, nil
}

// parse reads an ARN that should be of the kind. One of another kind is named, as it
// stands in the wrong place.
func (k kind) parse(text string) (arn, error) {
	if text == "" {
		return arn{}, &ARNError{What: "the ARN of the " + k.name + " is empty", Mend: "give it in the form " + k.form}
	}
	a, ok := split(text)
	if !ok {
		return arn{}, &ARNError{What: fmt.Sprintf("%q is no ARN of a %s", redact.Clip(text), k.name), Mend: "it has the form " + k.form}
	}
	for _, other := range []kind{anchorKind, profileKind, roleKind} {
		if other != k && other.is(a) {
			return arn{}, &ARNError{
				What: fmt.Sprintf("%q is the ARN of a %s, where that of the %s belongs", redact.Clip(text), other.name, k.name),
				Mend: "the order is trust anchor, profile, role",
			}
		}
	}
	if !k.is(a) {
		return arn{}, &ARNError{What: fmt.Sprintf("%q is no ARN of a %s", redact.Clip(text), k.name), Mend: "it has the form " + k.form}
	}
	if wrong := k.check(a); wrong != "" {
		return arn{}, &ARNError{
			What: fmt.Sprintf("the ARN %q of the %s is malformed: %s", redact.Clip(text), k.name, wrong), Mend: "it has the form " + k.form,
		}
	}
	return a, nil
}

// compare holds the three against each other.
func compare(anchor, profile, role arn) error {
	switch {
	case anchor.partition != profile.partition:
		return partitions("profile", profile, anchor)
	case anchor.partition != role.partition:
		return partitions("role", role, anchor)
	case anchor.region != profile.region:
		return &ARNError{
			What: fmt.Sprintf("the trust anchor is in region %s, the profile in %s", anchor.region, profile.region),
			Mend: "both must be in one region: create a profile beside the trust anchor, or use the trust anchor of " + profile.region,
		}
	case profile.account != role.account:
		return &ARNError{
			What: fmt.Sprintf("the profile is of account %s, the role of %s", profile.account, role.account),
			Mend: "a profile gives roles of its own account only: use one of " + role.account + ", or take a role of " + profile.account + " and assume the other from it",
		}
	}
	return nil
}

func partitions(name string, other, anchor arn) error {
	return &ARNError{
		What:           fmt.Sprintf("the trust anchor is in partition %s, the %s in %s", anchor.partition, name, other.partition),
		Mend:           "all three must be in one partition",
		WrongPartition: true,
	}
}
