package sharedfile

import (
	"cmp"
	"fmt"
	"strings"
)

// heading starts the section that a line in brackets names.
func (p *parser) heading(line string) {
	p.key = ""
	previous := p.section
	p.section = newSection(section{}) // until it is known: the lines of a bad heading belong to nobody
	inner, ok := bracketed(line)
	switch {
	case !ok && !strings.Contains(line, "]"):
		p.malformed("a section without a closing bracket"+has(line), "write ] behind the name")
		return
	case !ok:
		p.malformed("text behind the closing bracket of a section", "write the key on a line of its own, or # before a comment")
		return
	case strings.TrimSpace(inner) == "":
		p.malformed("a section without a name", "write [default] or another name")
		return
	}
	before := len(p.problems)
	s := p.classify(inner)
	s.line, s.sdk = p.number, sdkHeading(line)
	if s.sdk == "" && previous != nil {
		previous.differs = true // to the SDK, the next lines are the previous section's
	}
	p.enter(s)
	for i := before; i < len(p.problems); i++ {
		p.problems[i].below = p.section
	}
}

// bracketed returns what stands in brackets, where nothing but a comment stands
// behind them.
func bracketed(line string) (inner string, ok bool) {
	for i := range len(line) {
		if line[i] != ']' {
			continue
		}
		rest := strings.TrimSpace(line[i+1:])
		if rest == "" || rest[0] == '#' || rest[0] == ';' {
			return strings.Trim(line[1:i], " \t"), true
		}
	}
	return "", false
}

// enter makes s the section at hand, or the one of the same name that the file
// has already.
func (p *parser) enter(s section) {
	if old := p.file.section(s.kind, s.name, s.bare); old != nil {
		if old.sdk != s.sdk {
			p.section = old
			p.wrong(Duplicate, old.subject()+" is written in two ways, here and at "+place(p.path, old.line), "keep one of them")
		}
		p.section = old
		return
	}
	p.section = newSection(s)
	p.sections = append(p.sections, p.section)
	if s.kind != ignored {
		p.byName[heading{named{s.kind, s.name}, s.bare}] = p.section
	}
}

// classify says what a heading names, and reports one that counts for nothing.
func (p *parser) classify(inner string) section {
	if p.damaged(inner) || p.stray(inner) {
		return section{}
	}
	if p.credentials {
		return p.classifyCredentials(inner)
	}
	return p.classifyConfig(inner)
}

// sectionOf says what a heading would name if it were written rightly.
func (p *parser) sectionOf(inner string) section {
	word, name := splitBlank(inner)
	kind := kindOf(strings.ToLower(word))
	switch {
	case kind != ignored && name != "" && !(p.credentials && kind == servicesSection):
		return section{kind: kind, name: unquoteName(name)}
	case strings.EqualFold(inner, "default"):
		return section{kind: profileSection, name: "default", bare: true}
	}
	return section{kind: profileSection, name: unquoteName(inner)}
}

func (p *parser) classifyConfig(inner string) section {
	word, name := splitBlank(inner)
	kind := kindOf(word)
	switch {
	case inner == "default":
		return section{kind: profileSection, name: inner, bare: true}
	case kind != ignored && unquoteName(name) != "":
		return section{kind: kind, name: unquoteName(name)}
	case inner == "plugins" || inner == "preview": // the CLI's own sections
		return section{name: inner}
	}
	s := p.sectionOf(plain(inner))
	what := fmt.Sprintf("[%s] counts for nothing in a config file", clean(inner))
	near := nearKind(word)
	joined, isJoined := joinedName(inner)
	switch {
	case isJoined:
		s = joined
	case near != ignored && unquoteName(name) != "":
		s = section{kind: near, name: unquoteName(name)}
		what += fmt.Sprintf(": the word is %q", kindWord(near))
		if strings.EqualFold(word, kindWord(near)) {
			what += ", without capitals"
		}
	case p.both: // it is one of the credentials file
		return section{}
	case near != ignored && name != "":
		what += ": it has no name"
	case s.bare:
		what = fmt.Sprintf("[%s] is not the default profile, whose name has no capitals", clean(inner))
	}
	p.headingProblem(s, Heading, what, written(s))
	return section{}
}

// joinedName reads a heading whose word and name have a sign between them in place of
// a space, as [profile:ops].
func joinedName(inner string) (section, bool) {
	word, name, ok := split(inner)
	kind := kindOf(strings.ToLower(strings.TrimSpace(word)))
	name = unquoteName(strings.TrimSpace(name))
	return section{kind: kind, name: name}, ok && kind != ignored && name != ""
}

func (p *parser) classifyCredentials(inner string) section {
	word, name := splitBlank(inner)
	kind := kindOf(strings.ToLower(word))
	switch {
	case p.both && kind != ignored && name != "":
		return section{}
	case kind == profileSection && name != "":
		s := section{kind: kind, name: strayless(unquoteName(name))}
		p.headingProblem(s, Heading, fmt.Sprintf("[%s] counts for nothing in a credentials file", clean(inner)),
			fmt.Sprintf("write [%s]", cmp.Or(clean(s.name), "NAME")))
		return section{}
	case kind == sessionSection && name != "":
		p.headingProblem(section{kind: kind, name: unquoteName(name)}, Heading,
			fmt.Sprintf("[%s] counts for nothing in a credentials file", clean(inner)), "move it to the config file")
		return section{}
	case strings.EqualFold(inner, "default") && inner != "default":
		p.headingProblem(section{kind: profileSection, name: "default"}, Heading,
			fmt.Sprintf("[%s] is not the default profile, whose name has no capitals", clean(inner)), "write [default]")
	}
	if folded := strings.Join(strings.Fields(inner), " "); folded != inner {
		// To the SDK, the first blanks are one space.
		p.headingProblem(section{kind: profileSection, name: unquoteName(folded)}, Heading,
			"the name in the heading has more than one space between its words", fmt.Sprintf("write [%s]", clean(folded)))
	}
	return section{kind: profileSection, name: unquoteName(inner)}
}

// headingProblem reports a problem of the section that a heading was meant for.
func (p *parser) headingProblem(s section, kind Kind, what, mend string) {
	p.section = &s
	p.wrong(kind, what, mend)
}

// written says how a section of a config file is written.
func written(s section) string {
	name := clean(s.name)
	if strings.ContainsAny(name, " \t") {
		name = "'" + name + "'"
	}
	switch {
	case s.bare:
		return "write [default]"
	case s.name == "" || s.kind == ignored:
		return "write [profile NAME]"
	}
	return fmt.Sprintf("write [%s %s]", kindWord(s.kind), name)
}

func kindOf(word string) sectionKind {
	switch word {
	case "profile":
		return profileSection
	case "sso-session":
		return sessionSection
	case "services":
		return servicesSection
	}
	return ignored
}

func kindWord(kind sectionKind) string {
	switch kind {
	case profileSection:
		return "profile"
	case sessionSection:
		return "sso-session"
	case servicesSection:
		return "services"
	}
	return ""
}

// nearKind says which word a heading was probably to begin with.
func nearKind(word string) sectionKind {
	word = strings.ToLower(plain(word))
	if kind := kindOf(word); kind != ignored {
		return kind
	}
	return kindOf(Nearest(word, []string{"profile", "sso-session", "services"}))
}

// unquoteName takes the quotes off a name that is one word for a shell. Other
// names stay as they are: o'brien, and those with blanks and no quotes.
func unquoteName(name string) string {
	if !strings.ContainsAny(name, `'"`) {
		return name
	}
	if words, ok := shellWords(name); ok && len(words) == 1 {
		return words[0]
	}
	return name
}
