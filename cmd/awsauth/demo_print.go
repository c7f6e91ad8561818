package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// printer lays the steps out: labels in one column, the rest beside it, all
// within 80 columns.
type printer struct {
	out  io.Writer
	pen  pen
	full bool  // all that the machine has, and the notes
	err  error // the first failed write
}

const (
	columnsWide = 80
	indent      = "   "
	labelCols   = 7
	textCols    = columnsWide - len(indent) - labelCols
)

// field is some lines beside a label.
type field struct {
	label string
	lines []string
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// part prints the heading over a group of steps.
func (p *printer) part(title string) {
	p.line("%s", p.pen.bold("── "+title+" "+strings.Repeat("─", columnsWide-4-len(title))))
}

// step prints one step and what it came to.
func (p *printer) step(number int, s step, r result) {
	p.line("%s", p.pen.bold(fmt.Sprintf("%2d %s", number, s.title)))
	code := strings.ReplaceAll(s.code, "\t", "    ")
	if p.full {
		p.field("given", s.given.lines())
	} else {
		p.field("given", s.given.brief())
		code = folded(code)
	}
	p.field("code", strings.Split(code, "\n"))
	p.outcome(s, r)
	if p.full && s.note != "" {
		p.field("note", wrap(s.note, textCols))
	}
	for _, wrong := range r.wrong {
		p.coloured("WRONG", wrap(wrong, textCols), p.pen.red)
	}
	p.line("")
}

// outcome prints who one is now, or what one is told, and which hosts were called.
func (p *printer) outcome(s step, r result) {
	switch {
	case len(r.told) > 0:
		for _, f := range r.told {
			p.coloured(f.label, f.lines, p.pen.green)
		}
	case r.err == nil && p.full:
		p.coloured("who", []string{r.identity.ARN}, p.pen.green)
		p.field("region", []string{r.region})
	case r.err == nil:
		p.coloured("who", []string{cut(r.identity.ARN, textCols)}, p.pen.green)
	}
	if r.err != nil {
		p.coloured("error", wrap(p.shortened(s, r.err.Error()), textCols), p.pen.red)
	}
	if name := kindNames[s.want.fails]; name != "" && len(r.wrong) == 0 {
		p.field("kind", []string{name + ", " + afterCalls(r.calls)})
		if !p.full {
			return
		}
	}
	p.field("called", r.calls)
}

// cut is the beginning of a text that is too long.
func cut(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// afterCalls says who was asked before an error came.
func afterCalls(calls []string) string {
	if len(calls) == 0 {
		return "before any call"
	}
	host, _, _ := strings.Cut(calls[0], " ")
	if len(calls) == 1 {
		return "after a call to " + host
	}
	return fmt.Sprintf("after %d calls to %s", len(calls), host)
}

// shortened is the text of an error as it is printed. In short, the step of many accounts
// shows its beginning only: the step before it that is refused shows the same text whole.
func (p *printer) shortened(s step, text string) string {
	if before, _, cut := strings.Cut(text, "; "); cut && s.fleet != nil && !p.full {
		return before + "; …"
	}
	return text
}

// field prints lines beside a label, which stands before the first only.
func (p *printer) field(label string, lines []string) {
	p.coloured(label, lines, func(s string) string { return s })
}

func (p *printer) coloured(label string, lines []string, paint func(string) string) {
	for _, line := range lines {
		p.line("%s%-*s%s", indent, labelCols, label, paint(line))
		label = ""
	}
}

// folded has each check of an error on one line.
func folded(code string) string {
	return errCheck.ReplaceAllString(code, "$1 $2 }")
}

// hidden stands for the keys.
var hidden = strings.NewReplacer("$KEY_ID", "AKIA…", "$SECRET", "…")

// lines shows the machine as its owner would: exports, and files with the keys
// left out.
func (g given) lines() (lines []string) {
	if g.words != "" {
		lines = wrap(g.words, textCols)
	}
	for _, pair := range g.env {
		lines = append(lines, "export "+hidden.Replace(pair))
	}
	for _, file := range g.sharedFiles() {
		lines = append(lines, "in "+file.path)
		for line := range strings.Lines(file.text) {
			lines = append(lines, "    "+hidden.Replace(strings.TrimSuffix(line, "\n")))
		}
	}
	return lines
}

// brief shows the same in a line or two, without what a step's title says, and without
// the keys in the environment that most steps have: of the files, which section has what.
func (g given) brief() []string {
	var parts []string
	if !slices.Equal(g.env, inEnv) {
		for _, pair := range g.env {
			parts = append(parts, "export "+hidden.Replace(pair))
		}
	}
	place := "~/.aws: "
	for _, file := range g.sharedFiles() {
		text := keyLines.ReplaceAllString(strings.TrimSpace(file.text), "keys")
		text = valueOrComment.ReplaceAllString(text, "")
		section, names, _ := strings.Cut(text, "\n")
		parts = append(parts, place+section+" "+strings.ReplaceAll(names, "\n", ", "))
		place = ""
	}
	if len(parts) == 0 {
		return nil
	}
	return wrap(strings.Join(parts, "; "), textCols)
}

var (
	keyLines       = regexp.MustCompile(`(?m)^aws_access_key_id = .*\naws_secret_access_key = .*$`)
	valueOrComment = regexp.MustCompile(`(?m) [=#] .*$`)
	errCheck       = regexp.MustCompile(`(?m)(if err != nil \{)\n\s+(.*)\n\s*\}$`)
)
