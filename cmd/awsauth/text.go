package main

import (
	"io"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"
)

// pen colours text, if its reader is a person at a terminal.
type pen bool

// penFor looks whether w is a terminal that wants colours: https://no-color.org.
func penFor(w io.Writer) pen {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" {
		return false
	}
	return pen(isTerminal(w))
}

func (p pen) bold(s string) string  { return p.paint("1", s) }
func (p pen) green(s string) string { return p.paint("32", s) }
func (p pen) red(s string) string   { return p.paint("31", s) }

func (p pen) paint(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// wrap breaks text between words so that no line is wider than width, unless
// a word is.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
