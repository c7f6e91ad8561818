package sharedfile

import (
	"fmt"
	"strings"
)

// damaged reports a heading whose characters hide what it names. The lines below it
// are nobody's.
func (p *parser) damaged(inner string) bool {
	meant := plain(inner)
	if strings.Contains(inner, "][") {
		p.malformed("two sections on one line", "write each on a line of its own")
		return true
	}
	r, bad := hidden(inner)
	for _, part := range []string{inner, afterBlank(inner)} {
		if q, quoted := inTypographicQuotes(part); quoted && !bad {
			r, bad = q, true
		}
	}
	bare := strings.Trim(meant, "[]'\" ")
	isDefault := strings.EqualFold(bare, "default")
	if f, is := foreign(inner); is && isDefault {
		r, bad = f, true
	}
	word, name := splitBlank(bare)
	switch {
	case bad:
		s := p.sectionOf(meant)
		if isDefault {
			s = section{kind: profileSection, name: "default", bare: true}
		}
		p.headingProblem(s, Character, "the heading has "+nameOf(r), p.written(s))
	case isDefault && !strings.EqualFold(inner, "default") && !(p.credentials && unquoteName(inner) == "default"):
		p.headingProblem(section{kind: profileSection, name: "default"}, Heading, fmt.Sprintf("[%s] is not the default profile", clean(inner)), "write [default]")
	case strings.ContainsAny(inner[:1], "['\"") && kindOf(strings.ToLower(word)) != ignored && name != "":
		s := p.sectionOf(bare)
		p.headingProblem(s, Heading, fmt.Sprintf("[%s] has a bracket or quote before its first word", clean(inner)), p.written(s))
	default:
		return false
	}
	return true
}

// stray reports what makes a heading name another profile than the one that was
// meant: to the SDK, [profile "ops] is the profile "ops with its quote. The heading
// is read as it is written, where it counts for anything: else stray is true.
func (p *parser) stray(inner string) bool {
	name := inner
	word, rest := splitBlank(inner)
	switch {
	case p.credentials && rest != "" && kindOf(strings.ToLower(word)) != ignored:
		return false // it will be reported
	case p.credentials:
	case rest != "" && nearKind(word) != ignored:
		name = rest
	case !nearlyDefault(inner):
		return false // it will be reported
	}
	what, meant := "", strings.TrimSpace(cutComment(inner))
	switch bare := strayless(name); {
	case meant != inner:
		what = fmt.Sprintf("[%s] has a comment's sign in its name", clean(inner))
	case bare != name && bare != "":
		what = fmt.Sprintf("[%s] has a stray sign in its name", clean(inner))
		meant = strings.TrimSuffix(inner, name) + bare
	case nearlyDefault(inner):
		what, meant = fmt.Sprintf("[%s] is not the default profile", clean(inner)), "default"
	default:
		return false
	}
	if nearlyDefault(inner) {
		meant = "default"
	}
	s := p.sectionOf(meant)
	p.headingProblem(s, Heading, what, p.written(s))
	if !strings.ContainsAny(inner, "#;") { // to the SDK, the lines below such a heading are the section's above
		p.problems[len(p.problems)-1].written = inner
	}
	return !p.credentials && name == inner
}

// nearlyDefault reports whether a heading without "profile " can only be meant for
// the default profile: with a comment or a sign inside its brackets, or a slip of the
// pen that makes it no longer.
func nearlyDefault(inner string) bool {
	if word, name := splitBlank(inner); name != "" && kindOf(strings.ToLower(word)) != ignored {
		return strings.HasPrefix(name, ":") && strings.Trim(name, ": ") == "default"
	}
	before := inner
	if i := strings.IndexAny(inner, "#;"); i >= 0 {
		before = inner[:i]
	}
	letters, joined := strings.CutPrefix(strings.ToLower(strings.Trim(before, " \t:=.,\\")), "profile")
	if joined { // [profile-default]; but [_default] is a name, which nobody writes by a slip of the pen
		letters = strings.Trim(letters, " \t:=.,\\-_")
	}
	return !strings.EqualFold(inner, "default") && (letters == "default" || len(letters) <= len("default") && editDistance(letters, "default") == 1)
}

// strayless takes off a name what no name is meant to have: a quote at one end, a
// bracket, a sign behind it, and a shell's backslash before a blank.
func strayless(name string) string {
	bare := strings.TrimRight(strings.ReplaceAll(name, `\ `, " "), ` :=,]\`)
	bare = strings.TrimLeft(bare, "[")
	if strings.ContainsAny(bare, `'"`) && bare == unquoteName(bare) && (isQuote(bare[0]) || isQuote(bare[len(bare)-1])) {
		bare = strings.Trim(bare, `'" `)
	}
	return bare
}

func afterBlank(s string) string {
	_, rest := splitBlank(s)
	return rest
}

// written says how a section is written in this kind of file.
func (p *parser) written(s section) string {
	if p.credentials && s.kind == profileSection && s.name != "" {
		return "write [" + clean(s.name) + "]"
	}
	return written(s)
}
