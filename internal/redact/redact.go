// Package redact takes secrets and hostile bytes out of everything that leaves
// the library: texts, errors, URLs and the SDK's configuration sources.
//
// Two rules hold for all of it. A secret (secret key, session token, MFA code,
// bearer token) is never shown, not even in part; where a value may be one, its
// place is marked with "…". And what somebody else wrote (AWS, a proxy, a file, a
// process) is shown on one line of bounded length, without characters that move
// a terminal's cursor or change the order of what is read.
package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxLine  = 500 // characters of a foreign text
	maxGiven = 80  // characters of a caller's value
	maxLabel = 128 // characters of an error code or a request id
)

// hidden stands where something is not shown.
const hidden = "…"

// OneLine is a foreign text as part of a line. White space is folded to single
// spaces, characters that cannot be seen or that act on a terminal are replaced
// with U+FFFD, and what is longer than 500 characters is cut and ends in "…".
func OneLine(s string) string { return line(s, maxLine) }

func line(s string, most int) string {
	var b strings.Builder
	b.Grow(min(len(s), 4*most))
	count, cut, gap := 0, 0, false
	write := func(r rune) {
		if count == most-1 {
			cut = b.Len()
		}
		b.WriteRune(r)
		count++
	}
	for _, r := range s { // of invalid UTF-8, each byte is U+FFFD
		if unicode.IsSpace(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			write(' ')
			gap = false
		}
		if !isVisible(r) {
			r = unicode.ReplacementChar
		}
		if write(r); count > most {
			return strings.TrimRight(b.String()[:cut], " ") + hidden
		}
	}
	return b.String()
}

// isVisible reports whether r shows as itself and does nothing else. That leaves
// out control and format characters (C0, C1, DEL, bidi controls, zero width,
// tags), private and unassigned ones, and letters without a shape.
func isVisible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Clip shortens what a caller gave to 80 characters, for showing it with %q. It
// changes no character: the caller is to recognise the mistake.
func Clip(s string) string {
	count := 0
	for i := range s {
		if count == maxGiven {
			return s[:i] + hidden
		}
		count++
	}
	return s
}

// Key is an access key id as errors and logs show it: AKIA…MPLE. What does not
// look like an id may be a secret in the wrong place: no letter of it is shown.
func Key(id string) string {
	if len(id) < 16 || len(id) > 128 {
		return hidden
	}
	for _, c := range []byte(id) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return hidden
		}
	}
	return id[:4] + hidden + id[len(id)-4:]
}

// Message is a message of AWS's as part of a line: without the secrets that it
// repeats from the request, and without the full stop at its end.
func Message(s string) string { return strings.TrimRight(OneLine(Secrets(s)), ". ") }

// Secrets takes out of a text the secret values that AWS repeats in it, and
// leaves the rest as it is.
func Secrets(s string) string { return withoutTokens(withoutKeys(withoutHeaders(withoutValues(s)))) }

// withoutKeys takes private keys in PEM out of a text, also those that are cut.
func withoutKeys(s string) string {
	const begin, end, dashes = "-----BEGIN ", "-----END ", "-----"
	for from := 0; ; {
		i := strings.Index(s[from:], begin)
		if i < 0 {
			return s
		}
		from += i + len(begin)
		label, body, _ := strings.Cut(s[from:], dashes)
		if !strings.HasSuffix(strings.TrimSuffix(label, " BLOCK"), "PRIVATE KEY") { // PGP has a BLOCK
			continue
		}
		rest := ""
		if _, after, whole := strings.Cut(body, end); whole {
			_, rest, _ = strings.Cut(after, dashes)
		}
		s = s[:from-len(begin)] + hidden + rest
		from += len(hidden) - len(begin)
	}
}

const (
	shortestHeader = 16 // the first part of a JWT at least: {"alg":"XY"} in base64
	shortestLine   = 40 // one of a token that was broken into lines
)

// withoutTokens takes tokens in the form of a JWT out of a text.
func withoutTokens(s string) string {
	notBase64 := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	notToken := func(r rune) bool { return r != '.' && notBase64(r) }
	length := func(s string, ends func(rune) bool) (n int) {
		for {
			run := strings.IndexFunc(s[n:], ends)
			if run < 0 {
				return len(s)
			}
			n += run
			next := strings.TrimLeft(s[n:], "\r\n")
			if run < shortestLine || len(next) == len(s)-n {
				return n
			}
			n = len(s) - len(next)
		}
	}
	for from := 0; ; {
		i := strings.Index(s[from:], "eyJ") // {" in base64
		if i < 0 {
			return s
		}
		from += i
		header := length(s[from:], notBase64)
		if header < shortestHeader || !strings.HasPrefix(s[from+header:], ".") { // a name, as keyJobs.example.com
			from += header
			continue
		}
		s = s[:from] + hidden + s[from+length(s[from:], notToken):]
		from += len(hidden)
	}
}

// secretFields are the parameters of STS, SSO and sign-in that nobody may see.
var secretFields = [...]string{
	"tokenCode", "webIdentityToken", "sAMLAssertion", "externalId", "subjectToken", "tradeInToken",
	"accessToken", "refreshToken", "clientSecret", "deviceCode", "codeVerifier", "code", "assertion",
}

// withoutValues takes the values of secret fields out of a ValidationError, which
// repeats them: "Value '123' at 'tokenCode' failed …". A value may itself hold
// quotes and the word Value, so all from the first value on is taken out.
func withoutValues(message string) string {
	if !strings.Contains(message, "' at '") {
		return message
	}
	for _, field := range secretFields {
		mark := "' at '" + strings.ToLower(field) + "'"
		end := strings.LastIndex(asciiLower(message), mark)
		if end < 0 {
			continue
		}
		start := strings.Index(message[:end], "Value '")
		if start < 0 {
			start = 0
		}
		message = message[:start] + "Value '" + hidden + message[end:]
	}
	return message
}

// secretHeaders are headers and query parameters whose values some services
// repeat where a signature does not fit, as part of the canonical request.
var secretHeaders = [...]string{"x-amz-security-token", "x-amz-sso_bearer_token", "x-amz-sso-bearer-token", "authorization", "x-aws-ec2-metadata-token"}

// withoutHeaders takes the values of secret headers out of a message:
// "x-amz-security-token:FwoG…", "X-Amz-Security-Token=FwoG…&…".
func withoutHeaders(message string) string {
	lower := asciiLower(message) // to look once through most messages
	for _, name := range secretHeaders {
		if !strings.Contains(lower, name) {
			continue
		}
		for from := 0; ; {
			i := strings.Index(asciiLower(message[from:]), name)
			if i < 0 {
				break
			}
			start := from + i + len(name)
			from = start
			value := strings.TrimLeft(message[start:], " ")
			if value == "" || value[0] != ':' && value[0] != '=' {
				continue
			}
			sign := value[:1]
			value = strings.TrimLeft(value[1:], " ")
			end := strings.IndexAny(value, "\r\n&'\"")
			if end < 0 {
				end = len(value)
			}
			message = message[:start] + sign + hidden + value[end:]
			from = start + len(sign) + len(hidden)
		}
	}
	return message
}

// asciiLower is strings.ToLower that keeps every byte in its place.
func asciiLower(s string) string {
	lower := []byte(s)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// label is an error code or a request id: one word as a rule.
func label(s string) string {
	if len(s) <= maxLabel && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !isVisible(r) }) < 0 {
		return s
	}
	return line(s, maxLabel)
}
