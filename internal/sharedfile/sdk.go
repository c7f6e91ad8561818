package sharedfile

import "strings"

// The functions of this file say how the parser of the Go SDK sees a line, for
// the cases in which that matters: headings that it reads otherwise, and lines
// that it panics on.

// sdkHeading returns the section's name as the SDK reads it from a line, or "".
func sdkHeading(line string) string {
	line, _, _ = strings.Cut(line, "#")
	line, _, _ = strings.Cut(line, ";")
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") || !strings.HasSuffix(line, "]") || len(line) < 2 {
		return ""
	}
	line = strings.TrimSpace(line[1 : len(line)-1])
	first, rest := splitBlank(line)
	if rest == "" {
		return line
	}
	return first + " " + rest
}

// splitBlank splits a line at its first spaces and tabs.
func splitBlank(s string) (first, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// sdkPanics reports whether the SDK's parser panics on a line, as it does where
// a value is one quote and nothing else.
func sdkPanics(line string) bool {
	bare := strings.TrimLeft(line, " \t")
	if bare == "" || bare[0] == '#' || bare[0] == ';' || sdkHeading(line) != "" {
		return false
	}
	if bare == line {
		bare = cutComment(line)
	}
	_, value, ok := split(bare)
	value = strings.TrimSpace(value)
	return ok && (value == `"` || value == "'")
}

// sdkValue returns the value of a line that has a key.
func sdkValue(line string) string {
	if bare := strings.TrimLeft(line, " \t"); bare != line { // its order differs for indented lines
		_, value, _ := split(bare)
		return strings.TrimSpace(cutComment(unquote(strings.TrimSpace(value))))
	}
	_, value, _ := split(cutComment(line))
	return unquote(strings.TrimSpace(value))
}

// cutComment cuts a comment off a line, as the SDK does: a # or ; after a space
// or tab.
func cutComment(text string) string {
	for i := 1; i < len(text); i++ {
		if (text[i] == '#' || text[i] == ';') && (text[i-1] == ' ' || text[i-1] == '\t') {
			return text[:i-1]
		}
	}
	return text
}

// split splits a line at the first "=" or ":", as both the SDK and the AWS CLI
// do, and trims neither half.
func split(line string) (key, value string, ok bool) {
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}
