// Package names has the rules of the names that IAM and STS accept.
//
// They are checked letter by letter: regular expressions kept in package
// variables would be compiled in every program that imports this one, at a
// millisecond of its start.
package names

import (
	"strings"
	"unicode"
)

// Signs are the signs that most names may have beside letters, digits and "_".
const Signs = "+=,.@-"

// Is reports whether s has least to most characters, each an ASCII letter, a
// digit, "_" or one of signs. As a pattern: [\w<signs>]{least,most}.
func Is(s, signs string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !isWord(s[i]) && strings.IndexByte(signs, s[i]) < 0 {
			return false
		}
	}
	return true
}

// isWord is \w of a pattern.
func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsDigits reports whether s is decimal digits and at least one of them.
func IsDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// IsAccount reports whether s is an account id: 12 digits.
func IsAccount(s string) bool { return len(s) == 12 && IsDigits(s) }

// IsTagText reports whether s may be the key or the value of a session tag.
func IsTagText(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

// IsPath reports whether s is a path of IAM without its leading slash: segments
// of printable ASCII with a slash behind each, or nothing.
func IsPath(s string) bool {
	if s == "" {
		return true
	}
	return s[0] != '/' && s[len(s)-1] == '/' && !strings.Contains(s, "//") && IsPrintable(s)
}

// IsPrintable reports whether s is ASCII from "!" to "~".
func IsPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return true
}

// IsKeyID reports whether s looks like an access key id of AWS: 20 upper-case
// letters and digits that begin with AKIA or ASIA.
func IsKeyID(s string) bool {
	return len(s) == 20 && (strings.HasPrefix(s, "AKIA") || strings.HasPrefix(s, "ASIA")) && Is(s, "", 20, 20) && strings.ToUpper(s) == s
}
