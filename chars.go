package awsauth

import (
	"strings"
	"unicode"
)

// The names that IAM and STS accept are checked letter by letter: as package
// variables, regular expressions would be compiled in every program that
// imports this one, at a millisecond of its start.

// nameSigns are the signs that names may have beside letters, digits and "_".
const nameSigns = "+=,.@-"

// isName reports whether s has least to most characters, all ASCII letters,
// digits, "_" or one of signs: [\w<signs>]{least,most}.
func isName(s, signs string, least, most int) bool {
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

// isWord is \w.
func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isDigits reports whether s is decimal digits, at least one.
func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTagText reports whether s may stand in a session tag's key or value.
func isTagText(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

// isPath reports whether s is segments of printable ASCII, each with a slash
// behind it, or nothing.
func isPath(s string) bool {
	if s == "" {
		return true
	}
	return s[0] != '/' && s[len(s)-1] == '/' && !strings.Contains(s, "//") && isPrintable(s)
}

// isPrintable reports whether s is ASCII from "!" to "~".
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return true
}
