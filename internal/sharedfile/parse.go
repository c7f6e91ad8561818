package sharedfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser goes over the lines of one file.
type parser struct {
	*file
	number  int      // of the line at hand, from 1
	section *section // nil before the first heading
	key     string   // the key that a deeper line belongs to; "" after a heading
	indent  int      // of that key
	more    []string // lines that belong to the value of that key
	counted map[string]int
}

// parse reads the lines. The number of a line is that of an editor.
func (f *file) parse(text string) {
	p := &parser{file: f, counted: map[string]int{}}
	for line := range strings.SplitSeq(text, "\n") {
		p.number++
		p.line(strings.TrimRight(line, "\r"))
	}
	p.flush()
	for i, problem := range f.problems {
		if n := p.counted[problem.What]; n > 1 {
			f.problems[i].What += fmt.Sprintf(" (first of %d such lines)", n)
		}
	}
}

// line reads one line. The order of the cases is that of the AWS CLI, but that
// a heading may be indented.
func (p *parser) line(line string) {
	trimmed := strings.TrimSpace(line)
	isComment := trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';'
	switch {
	case strings.ContainsRune(line, '\r'):
		p.malformed("a carriage return inside the line", "end each line with a line feed, alone or after a carriage return")
	case sdkPanics(line):
		p.malformed("a quote that is not closed", "close or remove the quote")
	case isComment:
	case !isText(line):
		p.report(Problem{Kind: Encoding, What: "the line is not UTF-8", Mend: "save the file as UTF-8"})
	case trimmed[0] == '[' && p.below(indentation(line)) && p.section.values[p.key].Text == "":
		p.malformed("a line in brackets, indented below a key without a value", "begin a [section] at the margin, or write the value behind its key")
	case trimmed[0] == '[':
		p.flush()
		p.heading(trimmed)
	case p.section == nil:
		p.malformed("a line before any [section]"+has(trimmed), "write [default] or another section above it")
	default:
		p.property(line, trimmed)
	}
}

// malformed notes a line that cannot be read. It never shows the line, which
// may be half of a secret. Lines that are wrong in the same way are one problem.
func (p *parser) malformed(what, mend string) {
	p.report(Problem{Kind: Malformed, What: what, Mend: mend})
}

// report notes a problem of the line at hand that makes the whole reading
// untrustworthy, once for each sort.
func (p *parser) report(problem Problem) {
	p.counted[problem.What]++
	if p.counted[problem.What] > 1 {
		return
	}
	problem.Path, problem.Line = p.path, p.number
	p.problems = append(p.problems, problem)
}

// has names the first character of a line that looks like one of the grammar
// and is none.
func has(line string) string {
	for _, r := range line {
		if lookAlike(r) != 0 || r != '\t' && isHidden(r) {
			return ": it has " + nameOf(r)
		}
	}
	return ""
}

// indentation counts the blanks before a line's text, as the AWS CLI does.
func indentation(line string) (n int) {
	for _, r := range line {
		if !unicode.IsSpace(r) {
			return n
		}
		n++
	}
	return n
}

// property reads a line that is no heading: a key and its value, a nested
// setting, or the second line of a value.
func (p *parser) property(line, trimmed string) {
	if r, _ := utf8.DecodeRuneInString(line); r > unicode.MaxASCII && unicode.IsSpace(r) {
		p.wrong(Character, "the line begins with "+nameOf(r), "begin it with the key, or with plain spaces")
		return
	}
	key, value, ok := split(trimmed)
	if name, rest, more := split(value); more && strings.EqualFold(key, "$env") { // PowerShell's $env:NAME = "…"
		key, value = key+":"+name, rest
	}
	inComment := ok && cutComment(key) != key
	key = strings.ToLower(strings.TrimSpace(key))
	indent := indentation(line)
	deeper := p.below(indent)
	switch {
	case inComment:
		p.malformed("a comment's sign inside the key", "correct or remove the line")
	case ok && key == "":
		p.malformed("no key before the "+trimmed[:1], "write key = value")
	case deeper && p.section.values[p.key].Text == "":
		p.nest(key, value, ok)
	case deeper && !ok:
		p.continued(trimmed)
	case deeper && (IsIdentity(key) || IsIdentity(p.key)):
		p.tooDeep(key)
	case !ok:
		p.malformed("neither a [section] nor a key = value"+has(trimmed), "correct or remove the line")
	default:
		p.flush()
		p.section.differs = p.section.differs || p.sdkNests(indent)
		p.set(key, value)
		p.key, p.indent = key, indent
		p.section.differs = p.section.differs || key != credentialProcess && sdkValue(line) != p.section.values[key].Text
	}
}

// nest reads an indented line below a key without a value.
func (p *parser) nest(key, value string, ok bool) {
	switch {
	case IsIdentity(p.key) && p.section.kind != servicesSection:
		p.refuse("the value of " + p.key + " is not on its line, but there is something at")
	case !ok:
		p.refuse("a key without a value, and no key = value below it at")
	case IsIdentity(key) && p.section.kind == profileSection:
		p.tooDeep(key)
	default:
		v := p.section.values[p.key]
		if v.nested == nil {
			v.nested = new([]Setting)
			p.section.values[p.key] = v
		}
		*v.nested = append(*v.nested, Setting{key, unquote(strings.TrimSpace(value))})
	}
}

// continued adds an indented line to the value above it.
func (p *parser) continued(line string) {
	if IsIdentity(p.key) {
		p.refuse("the value of " + p.key + " goes on at")
		return
	}
	p.more = append(p.more, line)
}

// flush ends the value of the key at hand.
func (p *parser) flush() {
	if len(p.more) > 0 {
		v := p.section.values[p.key]
		v.Text = strings.Join(append([]string{v.Text}, p.more...), "\n")
		p.section.values[p.key] = v
		p.more = nil
	}
}

// below reports whether a line is deeper than the key at hand.
func (p *parser) below(indent int) bool { return p.key != "" && indent > p.indent }

// refuse reports an indented line that would be a value's, once for each key.
func (p *parser) refuse(what string) {
	if !p.section.reported[p.key] {
		p.section.report(p.key)
		p.file.wrong(p.section, Continued, p.section.values[p.key].Line, what+" "+place(p.path, p.number), "write key and value on one line")
	}
}

// tooDeep reports a key that the SDK takes for a key, and the AWS CLI for a
// part of the value above it. Neither key is shown if it may be half of a
// secret.
func (p *parser) tooDeep(key string) {
	above := "the key"
	if IsIdentity(p.key) {
		above = p.key
	}
	if !IsIdentity(key) {
		key = "what is"
	}
	what := fmt.Sprintf("%s indented below %s at %s is a part of that value for the AWS CLI", key, above, place(p.path, p.section.values[p.key].Line))
	p.wrong(Continued, what, "indent both lines alike")
}

// sdkNests reports whether the SDK takes an indented key for a setting of an
// empty key above it, to which it is no deeper.
func (p *parser) sdkNests(indent int) bool {
	return p.key != "" && indent > 0 && indent <= p.indent && p.section.values[p.key].Text == ""
}

// set notes a key and its value.
func (p *parser) set(key, raw string) {
	if r, bad := oddInKey(key); bad {
		p.section.report(key)
		p.wrong(Character, "a key has "+nameOf(r), "write the key in plain ASCII")
	}
	text := valueOf(key, raw)
	if what := unbalanced(key, text); what != "" {
		p.section.report(key)
		p.wrong(Quote, what, "write the value without quotes, or with one at each end")
	}
	v := Value{Text: text, Path: p.path, Line: p.number, Credentials: p.credentials}
	old, twice := p.section.values[key]
	switch {
	case !twice:
		p.section.keys = append(p.section.keys, key)
	case old.Text != text && IsIdentity(key):
		p.twice(key, old.Line)
	}
	p.section.values[key] = v
}
