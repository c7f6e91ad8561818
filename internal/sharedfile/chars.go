package sharedfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how much of a name or path is shown in a text.
const longest = 200

// clean makes a name or path fit to be shown: one line, no character that a
// terminal obeys or that cannot be seen, and not endless.
func clean(s string) string {
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	s = strings.ToValidUTF8(s, "?")
	return strings.Map(func(r rune) rune {
		if isHidden(r) {
			return '?'
		}
		return r
	}, s)
}

// isHidden reports whether r is a control or format character, a private or
// unassigned one, or a blank that looks like a space and is none.
func isHidden(r rune) bool {
	return r == utf8.RuneError || r > unicode.MaxASCII && unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// lookAlike returns the ASCII character that r is taken for, or 0.
func lookAlike(r rune) byte {
	switch {
	case r > unicode.MaxASCII && unicode.IsSpace(r):
		return ' '
	case r >= 0xFF01 && r <= 0xFF5E: // the full-width forms stand in ASCII's order
		return byte(r - 0xFF01 + '!')
	}
	switch r {
	case '‘', '’', '‚', '‛', '′':
		return '\''
	case '“', '”', '„', '‟', '″', '«', '»':
		return '"'
	case '【', '〔', '［':
		return '['
	case '】', '〕', '］':
		return ']'
	case '﹦', '⁼', '═':
		return '='
	case '꞉', '∶', '﹕', 'ː':
		return ':'
	case '‐', '‑', '‒', '–', '—', '−':
		return '-'
	}
	return 0
}

// hidden returns the first character of s that a reader cannot see or tell
// from a space. A name may have any other character, full-width ones included.
func hidden(s string) (rune, bool) {
	for _, r := range s {
		if r != '\t' && isHidden(r) {
			return r, true
		}
	}
	return 0, false
}

// foreign returns the first character of s that is not printable ASCII, a space
// or a tab.
func foreign(s string) (rune, bool) {
	for _, r := range s {
		if r > unicode.MaxASCII || r != '\t' && isHidden(r) {
			return r, true
		}
	}
	return 0, false
}

// oddInKey returns a character that may hide which key is meant: any but the letters of a
// language of people, a Greek or Cyrillic letter among Latin ones, or any at all in what is
// nearly a key of AWS. A note in somebody's own language hides nothing.
func oddInKey(key string) (rune, bool) {
	first, bad := foreign(key)
	if !bad {
		return 0, false
	}
	latin := strings.ContainsFunc(key, func(r rune) bool { return 'a' <= r && r <= 'z' })
	for _, r := range key {
		if r > unicode.MaxASCII && !isOwnLanguage(r, latin) || r != '\t' && isHidden(r) {
			return r, true
		}
	}
	replaced := strings.Map(func(r rune) rune { return ifForeign(r, '?') }, key)
	dropped := strings.Map(func(r rune) rune { return ifForeign(r, -1) }, key)
	for _, bare := range []string{replaced, dropped} {
		if IsIdentity(bare) || misspelt(bare) != "" || editDistance(bare, "region") <= 1 || editDistance(bare, "endpoint_url") <= 1 {
			return first, true
		}
	}
	return 0, false
}

func ifForeign(r, other rune) rune {
	if r > unicode.MaxASCII {
		return other
	}
	return r
}

// isOwnLanguage reports whether r is a letter that people write notes with, or a mark of
// one. Those of many scripts, Greek and Cyrillic for example, look like Latin ones, and
// are none among those.
func isOwnLanguage(r rune, latin bool) bool {
	switch {
	case lookAlike(r) != 0 || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	case r == 'ー': // which Unicode counts to no script
		return true
	case !unicode.IsLetter(r) && !unicode.IsMark(r):
		return false
	case !latin:
		return !unicode.Is(unicode.Common, r)
	}
	return unicode.In(r, unicode.Inherited, unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Arabic, unicode.Hebrew, unicode.Devanagari)
}

// inTypographicQuotes returns the quotation mark that a word processor has put
// before s.
func inTypographicQuotes(s string) (rune, bool) {
	r, _ := utf8.DecodeRuneInString(s)
	c := lookAlike(r)
	return r, c == '"' || c == '\''
}

// plain rewrites look-alikes and takes out what is hidden: what was probably
// meant.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch c := lookAlike(r); {
		case c != 0:
			return rune(c)
		case r != '\t' && unicode.IsSpace(r):
			return ' '
		case r != '\t' && isHidden(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// nameOf says what character r is. It never shows the character itself.
func nameOf(r rune) string {
	return fmt.Sprintf("%s (U+%04X)", describe(r), r)
}

func describe(r rune) string {
	switch r {
	case 0x00A0, 0x202F, 0x2007:
		return "a non-breaking space"
	case 0x3000:
		return "an ideographic space"
	case 0x200B, 0x200C, 0x200D, 0x2060:
		return "an invisible zero-width character"
	case 0xFEFF:
		return "a byte order mark"
	case 0x2028, 0x2029, 0x0085, '\v', '\f':
		return "an unusual line separator"
	case '\r':
		return "a carriage return"
	}
	switch c := lookAlike(r); {
	case r >= 0xFF01 && r <= 0xFF5E:
		return "a full-width " + signName(c)
	case c == ' ':
		return "an unusual space"
	case c == '"' || c == '\'':
		return "a typographic quotation mark"
	case c == '-':
		return "a dash that is no hyphen"
	case c != 0:
		return "a look-alike of " + string(rune(c))
	case unicode.Is(unicode.Bidi_Control, r):
		return "an invisible character that reverses text"
	case unicode.Is(unicode.Cf, r):
		return "an invisible character"
	case unicode.IsControl(r):
		return "a control character"
	case unicode.IsPrint(r):
		return "a character outside ASCII"
	}
	return "an unprintable character"
}

func signName(c byte) string {
	switch c {
	case '=':
		return "equals sign"
	case ':':
		return "colon"
	case '[', ']':
		return "bracket"
	case '"', '\'':
		return "quotation mark"
	}
	return string(rune(c))
}
