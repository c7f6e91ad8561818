package rolesanywhere

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Mend says what to change so that the service does not refuse again; empty where
// nobody knows. It goes by the words that the service is known to use, and otherwise
// by the code.
func (e *ServiceError) Mend() string {
	if e.Skew.Abs() > maxSkew && e.Status == http.StatusForbidden {
		side := "behind"
		if e.Skew < 0 {
			side = "ahead of"
		}
		return fmt.Sprintf("set this machine's clock, which is %v %s the service's", e.Skew.Abs().Round(time.Second), side)
	}
	message := strings.ToLower(e.Message)
	for _, known := range mends {
		if strings.Contains(message, known.part) {
			return known.mend
		}
	}
	switch e.Code {
	case "AccessDeniedException":
		return "check the trust anchor, the profile and the role's trust policy"
	case "ResourceNotFoundException":
		return "check the ids of trust anchor and profile: both must be enabled, in this region"
	}
	return ""
}

// mends are the known messages, the more particular first.
var mends = []struct{ part, mend string }{
	{"insufficient certificate", "have the certificate issued as X.509 v3 with CA:FALSE and key usage digitalSignature"},
	{"untrusted", "check that a CA of the trust anchor issued the certificate, that the intermediates between them are given as chain, " +
		"that it is not revoked, and that it is X.509 v3 with key usage digitalSignature"},
	{"session tags", "the certificate's subject or alternative names do not fit session tags: " +
		"map fewer attributes in the profile, or have the certificate issued with other names"},
	{"session name", "let the profile accept session names (acceptRoleSessionName), or give none"},
	{"signature", "check that nothing on the way, such as a proxy, changes the request"},
	{"assume role", "check that the profile has the role, and that the role's trust policy lets rolesanywhere.amazonaws.com " +
		"sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity under conditions that this certificate meets"},
	{"disabled", "enable the trust anchor and the profile"},
	{"duration", "ask for less, or raise the role's maximum session duration"},
}
