package transport

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// AddressError says what is wrong with an address that an option, a variable or a
// profile gives. It does not repeat the address, which may hold a password: the
// caller names the place, and shows the address by redact.URL.
type AddressError struct{ What, Hint string }

// Error is what is wrong, and what to do.
func (e *AddressError) Error() string {
	if e.Hint == "" {
		return e.What
	}
	return e.What + "; " + e.Hint
}

// CheckEndpoint says in an [AddressError] what is wrong with the address of an AWS
// service: the one rule for WithSTSEndpoint, AWS_ENDPOINT_URL and the like, and
// endpoint_url of a profile. Plain http passes to hosts that are not on the internet
// (see [PlainHTTPAllowed]): there the answer, new keys, could be read on the way.
func CheckEndpoint(address string) error {
	u, err := parse(address, "https://vpce-1234.sts.us-east-1.vpce.amazonaws.com")
	if err != nil {
		return err
	}
	if err := bare(u); err != nil {
		return err
	}
	if u.Scheme == "http" && !PlainHTTPAllowed(u.Hostname()) {
		return &AddressError{What: "plain http to a host that may be on the internet", Hint: "use https"}
	}
	return nil
}

// CheckMetadataEndpoint says what is wrong with AWS_EC2_METADATA_SERVICE_ENDPOINT.
func CheckMetadataEndpoint(address string) error {
	u, err := parse(address, "http://169.254.169.254")
	if err != nil {
		return err
	}
	return bare(u)
}

// bare asks that an address has scheme, host and path only.
func bare(u *url.URL) error {
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return &AddressError{What: "a user, query or fragment has no meaning here", Hint: "give scheme, host and path only"}
	}
	return nil
}

// parse takes an http or https address apart. like is one that is right.
func parse(address, like string) (*url.URL, error) {
	write := "write it like " + like
	switch {
	case address == "":
		return nil, &AddressError{What: "empty", Hint: write}
	case strings.TrimSpace(address) != address:
		return nil, &AddressError{What: "white space or a line end round the URL", Hint: "trim what was read from a file or variable"}
	}
	u, err := url.Parse(address)
	scheme, rest, found := strings.Cut(address, "://")
	switch {
	case !found || scheme == "":
		return nil, &AddressError{What: "not a URL, because it has no scheme", Hint: "begin it with https://" + orPlainHTTP(address) + ", " + write[len("write it "):]}
	case err != nil:
		return nil, &AddressError{What: "not a URL", Hint: write}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &AddressError{What: fmt.Sprintf("scheme %q, where only https and http are possible", u.Scheme), Hint: write}
	case u.Hostname() == "" || rest == "":
		return nil, &AddressError{What: "not a URL, because it has no host", Hint: write}
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return nil, &AddressError{What: "port " + p + " does not exist", Hint: "ports are 1 to 65535"}
		}
	}
	return u, nil
}

// orPlainHTTP offers http where it would be accepted.
func orPlainHTTP(address string) string {
	if u, err := url.Parse("http://" + address); err == nil && PlainHTTPAllowed(u.Hostname()) {
		return " or http://"
	}
	return ""
}

// PlainHTTPAllowed reports whether host is not on the internet, so that a request
// over plain http stays on this machine or in its own network: loopback and private
// addresses (RFC 1918, fc00::/7, link-local), a name without a dot, and names under
// .localhost, .internal and .local. A carrier's shared addresses (100.64.0.0/10) are
// not among them: its other customers are strangers.
func PlainHTTPAllowed(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap().WithZone("")
		// An unspecified address leads to this machine.
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
	}
	labels := strings.Split(strings.ToLower(host), ".")
	if len(labels) == 1 {
		return isLabel(host) && !isNumber(host)
	}
	if labels[len(labels)-1] == "" {
		labels = labels[:len(labels)-1] // "printer.local.", but not "ai.", which is a domain of the internet
	}
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	switch labels[len(labels)-1] {
	case "localhost", "internal", "local":
		return len(labels) > 1
	}
	return false
}

// isLabel reports whether s is a part of a host name as DNS has it. Letters of other
// scripts are not: net/http takes the dots of Asian scripts for dots.
func isLabel(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

// isNumber reports whether resolvers take s for an address: 134744072 is 8.8.8.8,
// and so is 0x08080808.
func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 0, 64)
	return err == nil || strings.Trim(s, "0123456789") == ""
}
