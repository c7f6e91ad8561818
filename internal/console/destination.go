package console

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// DestinationError says that a page is not one of the partition's console.
type DestinationError struct{ Reason, Hint string }

// Error says what is wrong with it.
func (e *DestinationError) Error() string { return e.Reason }

// page is the address of Destination. Only pages of the console are: whoever is
// given a login URL trusts where it leads.
func (r Request) page() (string, error) {
	region, domain, ok := strings.Cut(r.Host, "signin.")
	if !ok || domain == "" {
		return "", fmt.Errorf("%s is not a host to sign in at", redact.OneLine(r.Host))
	}
	console := "console." + domain
	switch {
	case r.Destination == "":
		return home(region, console, "console"), nil
	case isService(r.Destination):
		return home(region, console, strings.ToLower(r.Destination)), nil
	}
	return inConsole(r.Destination, console)
}

// isService reports whether s may be the name of a service in an address.
func isService(s string) bool {
	return len(s) <= 63 && isWord(s, "-") && s[0] != '-'
}

// isWord reports whether s is letters, digits and signs, and at least one of them.
func isWord(s, signs string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r) {
			return false
		}
	}
	return s != ""
}

// home is the first page of a service, in a region if the host has one; region ends
// with a dot.
func home(region, console, service string) string {
	page := url.URL{Scheme: "https", Host: region + console, Path: "/" + service + "/home"}
	if region != "" {
		page.RawQuery = url.Values{"region": {strings.TrimSuffix(region, ".")}}.Encode()
	}
	return page.String()
}

// inConsole checks a page that was given as a URL.
func inConsole(page, console string) (string, error) {
	shown := redact.URL(page)
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return "", &DestinationError{
			Reason: shown + " is neither a service nor a URL", Hint: "give the name of a service, like ec2, or a URL that begins with https://" + console,
		}
	}
	host := strings.ToLower(u.Hostname())
	inside := host == console || strings.HasSuffix(host, "."+console)
	switch {
	case u.Scheme != "https":
		return "", &DestinationError{Reason: shown + " is not an https URL", Hint: "the console is reached by https only"}
	case u.User != nil, u.Port() != "" && u.Port() != "443", !inside, !isWord(host, ".-"):
		return "", &DestinationError{
			Reason: shown + " is not in the console of these credentials", Hint: fmt.Sprintf("their console is %s, or a host below it", console),
		}
	}
	return u.String(), nil
}
