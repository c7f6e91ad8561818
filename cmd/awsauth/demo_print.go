package main

import (
	"fmt"
	"io"
	"strings"
)

// printer lays the steps out: labels in one column, the rest beside it, all
// within 100 columns.
type printer struct {
	out io.Writer
	pen pen
	err error // the first failed write
}

const (
	indent    = "    "
	labelCols = 10
	textCols  = 100 - len(indent) - labelCols
)

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// part prints the heading over a group of steps.
func (p *printer) part(title string) {
	p.line("%s\n", p.pen.bold("── "+title+" "+strings.Repeat("─", 96-len(title))))
}

// step prints one step and what it came to.
func (p *printer) step(number int, s step, r result) {
	p.line("%s\n", p.pen.bold(fmt.Sprintf("%2d  %s", number, s.title)))
	p.field("given", s.given.lines())
	p.field("code", strings.Split(strings.ReplaceAll(s.code, "\t", "    "), "\n"))
	p.line("")
	if r.err != nil {
		p.coloured("error", wrap(r.err.Error(), textCols), p.pen.red)
		if name := kindNames[s.want.fails]; name != "" && len(r.wrong) == 0 {
			p.field("kind", []string{name + ", for errors.Is"})
		}
	} else {
		p.coloured("identity", []string{r.identity.ARN}, p.pen.green)
		p.field("region", []string{r.region})
	}
	if len(r.calls) == 0 {
		p.field("called", []string{"nothing: New refused before any call"})
	}
	p.field("called", columns(r.calls))
	if s.note != "" {
		p.field("note", wrap(s.note, textCols))
	}
	for _, wrong := range r.wrong {
		p.coloured("WRONG", wrap(wrong, textCols), p.pen.red)
	}
	p.line("")
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

// lines shows the machine as its owner would: exports, and files with the keys
// left out.
func (g given) lines() (lines []string) {
	if g.words != "" {
		lines = append(lines, g.words)
	}
	hide := strings.NewReplacer("$KEY_ID", "AKIA…", "$SECRET", "…")
	for _, pair := range g.env {
		lines = append(lines, "export "+hide.Replace(pair))
	}
	for _, file := range []struct{ path, text string }{{"~/.aws/config", g.config}, {"~/.aws/credentials", g.credentials}} {
		if file.text == "" {
			continue
		}
		lines = append(lines, "in "+file.path)
		for line := range strings.Lines(file.text) {
			lines = append(lines, "    "+hide.Replace(strings.TrimSuffix(line, "\n")))
		}
	}
	return lines
}

// columns aligns what follows the first word of each line.
func columns(lines []string) []string {
	width := 0
	for _, line := range lines {
		host, _, _ := strings.Cut(line, " ")
		width = max(width, len(host))
	}
	var aligned []string
	for _, line := range lines {
		host, action, _ := strings.Cut(line, " ")
		aligned = append(aligned, fmt.Sprintf("%-*s  %s", width, host, action))
	}
	return aligned
}
