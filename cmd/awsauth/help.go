package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// asksForHelp reports whether a command line, in the order of the parser, has help or
// the version printed.
func asksForHelp(args []string) bool {
	if len(args) < 2 || args[1] == "help" || args[1] == "h" {
		return true
	}
	for _, word := range args[1:] {
		if word == "--" {
			return false
		}
		switch word {
		case "--help", "-h", "--version", "-v":
			return true
		}
	}
	return false
}

// helpWriter holds back the help that the parser's library writes, whose lines are as
// long as they are, and fits it into the width of the terminal.
type helpWriter struct {
	to   io.Writer
	text bytes.Buffer
}

func (h *helpWriter) Write(p []byte) (int, error) { return h.text.Write(p) }

// flush writes what was held back.
func (h *helpWriter) flush() error {
	if _, err := io.WriteString(h.to, fit(h.text.String(), widthOf(h.to))); err != nil {
		return &failure{fmt.Errorf("awsauth: %w", err)}
	}
	return nil
}

// fit breaks the text of a help, so that no line is wider than width but for examples,
// which are to be copied.
func fit(text string, width int) string {
	var b strings.Builder
	var prose []string // of a description, not written yet
	heading := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if (heading == "DESCRIPTION:" || heading == "NAME:") && strings.HasPrefix(line, "   ") && !strings.HasPrefix(line, "    ") {
			prose = append(prose, line)
			continue
		}
		if len(prose) > 0 {
			for _, broken := range wrap(strings.Join(prose, " "), width-3) {
				b.WriteString("   " + broken + "\n")
			}
			prose = nil
		}
		if strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " ") {
			heading = line
		}
		b.WriteString(fitEntry(line, strings.HasSuffix(heading, "OPTIONS:"), width))
	}
	return b.String()
}

// fitEntry breaks one line of a list.
func fitEntry(line string, flag bool, width int) string {
	const column = 34 // where the meaning of a flag begins
	// A name, and behind two blanks or more what it is.
	parts := regexp.MustCompile(`^   (\S.*?)(  +)(\S.*)$`).FindStringSubmatch(line)
	indent := column
	switch {
	case parts == nil || !flag && utf8.RuneCountInString(line) <= width:
		return line + "\n"
	case !flag:
		indent = 3 + utf8.RuneCountInString(parts[1]) + len(parts[2])
	}
	var b strings.Builder
	once, _, _ := strings.Cut(parts[1], " [ --") // behind it, that a flag may be there again
	name := "   " + once
	meaning := wrap(parts[3], width-indent)
	if utf8.RuneCountInString(name) > indent-2 {
		b.WriteString(name + "\n")
	} else {
		b.WriteString(pad(name, indent) + meaning[0] + "\n")
		meaning = meaning[1:]
	}
	for _, rest := range meaning {
		b.WriteString(strings.Repeat(" ", indent) + rest + "\n")
	}
	return b.String()
}

// isCompletion reports whether a shell asks how a line goes on. It may also ask so behind
// --, where the command to run stands: a TAB is not to run it.
func isCompletion(args []string) bool {
	return len(args) > 1 && args[len(args)-1] == completionRequest
}
