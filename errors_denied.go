package awsauth

import "strings"

// callerIn is the ARN that AWS names as the one it refused, "" if none.
func callerIn(message string) string {
	_, rest, _ := strings.Cut(message, "User: ")
	arn, _, _ := strings.Cut(rest, " ")
	if !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	return arn
}

// deniedAction is the action that AWS names as the one it refused, "" if none.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func deniedAction(message string) string {
	_, rest, _ := strings.Cut(message, "not authorized to perform: ")
	action, _, _ := strings.Cut(rest, " ")
	return strings.TrimRight(action, ".,")
}

// decidingPolicy is the kind of policy that AWS names as the one that decided, and
// what it did, as a format of policy and action. Both are "" where AWS names none, or
// where the principal's or the role's own policies only lack a permission: that is
// the usual case.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func decidingPolicy(message string) (policy, verdict string) {
	if _, rest, found := strings.Cut(message, "with an explicit deny in "); found {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "an "), "a ")
		if kind := policyKind(rest, "identity-based policy", "resource-based policy"); kind != "" {
			return kind, "%s denies %s explicitly"
		}
		return "a policy", "%s denies %s explicitly"
	}
	if _, rest, found := strings.Cut(message, "because no "); found {
		if kind := policyKind(rest); kind != "" {
			return kind, "%s does not allow %s"
		}
	}
	return "", ""
}

// policyKind is the kind of policy that a text begins with, with its article: one of
// those that bound what others allow, or one of more.
func policyKind(text string, more ...string) string {
	for _, kind := range append(more, "service control policy", "resource control policy", "session policy", "VPC endpoint policy", "permissions boundary") {
		switch {
		case !strings.HasPrefix(text, kind):
		case strings.HasPrefix(kind, "i"):
			return "an " + kind
		default:
			return "a " + kind
		}
	}
	return ""
}

const sentSource = "a source identity"

// sentWith lists what went with a call that assumes a role.
func sentWith(externalID, code, session, sourceIdentity, tags bool) string {
	sent := []string{"no external id", "no MFA"}
	if externalID {
		sent[0] = "an external id"
	}
	switch {
	case code:
		sent[1] = "an MFA code"
	case session:
		sent[1] = "an MFA session"
	}
	if sourceIdentity {
		sent = append(sent, sentSource)
	}
	if tags {
		sent = append(sent, "tags")
	}
	return strings.Join(sent, ", ")
}
