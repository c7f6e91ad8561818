package sharedfile

import "strings"

// valueOf returns the value that stands behind a key's "=": without a comment
// and without the quotes around the whole. credential_process keeps its quotes,
// since they part the words of a command.
func valueOf(key, raw string) string {
	if key == credentialProcess {
		return strings.TrimSpace(cutOutsideQuotes(raw))
	}
	trimmed := strings.TrimLeft(raw, " \t")
	if trimmed != "" && (trimmed[0] == '"' || trimmed[0] == '\'') {
		// A # inside the quotes is no comment.
		if end := strings.IndexByte(trimmed[1:], trimmed[0]); end >= 0 {
			quoted, rest := trimmed[:end+2], cutComment(trimmed[end+2:])
			return unquote(strings.TrimSpace(quoted + rest))
		}
	}
	return unquote(strings.TrimSpace(cutComment(raw)))
}

// unquote takes the quotes off a value that has the same one at both ends.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// cutOutsideQuotes cuts a comment off a command. A # or ; inside quotes is the
// command's own.
func cutOutsideQuotes(command string) string {
	var quote byte
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote != '\'' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case (c == '#' || c == ';') && i > 0 && (command[i-1] == ' ' || command[i-1] == '\t'):
			return command[:i-1]
		}
	}
	if quote != 0 {
		return cutComment(command)
	}
	return command
}

// unbalanced says which quote of a value has no partner, or "".
func unbalanced(key, text string) string {
	if !IsIdentity(key) && key != "region" || text == "" {
		return ""
	}
	if key == credentialProcess {
		if _, closed := shellWords(text); !closed && !closedForShell(text) {
			return "a quote in credential_process is not closed"
		}
		return ""
	}
	first, last := isQuote(text[0]), isQuote(text[len(text)-1])
	switch {
	case first && last:
		return key + " has two quotes at an end"
	case first:
		return key + " has a quote at its beginning and none at its end"
	case last:
		return key + " has a quote at its end and none at its beginning"
	}
	return ""
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

// closedForShell reports whether the quotes of a command are closed where a backslash
// outside quotes takes the meaning from the next character, as it does for a shell but
// not on Windows: between two quotes, for example, or inside a word.
func closedForShell(command string) bool {
	var quote byte
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote == 0 && isQuote(c):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote == 0
}

// shellWords splits a heading or command into words as the AWS CLI does: at
// blanks, but not inside quotes. A backslash is an escape inside double quotes
// only, since names like corp\ana are written without quotes. ok is false where
// a quote is not closed.
func shellWords(s string) (words []string, ok bool) {
	var word strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '"' && c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && isQuote(c):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, quote == 0
}
