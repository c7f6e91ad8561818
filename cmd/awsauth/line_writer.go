package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writer is a stream of one account's command, with the account in front of
// each line.
func (l *lines) writer(w io.Writer, account string) *lineWriter {
	return &lineWriter{lines: l, to: w, prefix: account + " | ", plain: isTerminal(w)}
}

// lineWriter keeps what it is given until the line is whole. What a command prints is
// to stand behind its own account: a carriage return, a vertical tab and a form feed
// end a line too, and nothing moves the cursor of a terminal.
type lineWriter struct {
	lines  *lines
	to     io.Writer
	prefix string
	plain  bool // to a terminal: of control characters only colours pass
	rest   []byte
	ended  bool // by a carriage return, which a line feed may belong to
}

// longestLine bounds what is kept: a longer line is broken.
const longestLine = 1 << 20

func (w *lineWriter) Write(p []byte) (int, error) {
	var out []byte
	for text := p; len(text) > 0; {
		if w.ended {
			w.ended = false
			if text[0] == '\n' {
				text = text[1:]
				continue
			}
		}
		room := longestLine - len(w.rest)
		i := bytes.IndexAny(text[:min(len(text), room)], "\n\r\v\f")
		switch {
		case i >= 0:
			w.rest = append(w.rest, text[:i]...)
			w.ended, text = text[i] == '\r', text[i+1:]
		case len(text) >= room:
			w.rest = append(w.rest, text[:room]...)
			text = text[room:]
		default:
			w.rest = append(w.rest, text...)
			text = nil
			continue
		}
		out = w.line(out)
	}
	if len(out) == 0 {
		return len(p), nil
	}
	if err := w.lines.write(w.to, out); err != nil {
		return 0, errors.Join(errors.New("write the output"), err)
	}
	return len(p), nil
}

// line puts the line that is whole behind out.
func (w *lineWriter) line(out []byte) []byte {
	out = append(out, w.prefix...)
	if w.plain {
		out = append(out, onlyColours(string(w.rest))...)
	} else {
		out = append(out, w.rest...)
	}
	w.rest = w.rest[:0]
	return append(out, '\n')
}

// end writes a last line that did not end.
func (w *lineWriter) end() {
	if len(w.rest) > 0 {
		_, _ = w.Write([]byte{'\n'})
	}
}

// onlyColours takes out of a line what a terminal would obey, but for colours, which
// end with the line.
func onlyColours(line string) string {
	var b strings.Builder
	coloured := false
	for line != "" {
		if n := colour(line); n > 0 {
			b.WriteString(line[:n])
			line, coloured = line[n:], true
			continue
		}
		r, size := utf8.DecodeRuneInString(line)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteRune('\uFFFD')
		case r == '\t' || !unicode.IsControl(r) && !movesText(r):
			b.WriteRune(r)
		}
		line = line[size:]
	}
	if coloured {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

// colour is the length of the colour sequence that a text begins with, 0 for none.
func colour(text string) int {
	rest, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		return 0
	}
	rest = strings.TrimLeft(rest, "0123456789;:")
	if !strings.HasPrefix(rest, "m") {
		return 0
	}
	return len(text) - len(rest) + 1
}

// movesText reports whether a character ends a line, or turns the direction of what
// follows.
func movesText(r rune) bool {
	switch {
	case r == '\u2028', r == '\u2029', '\u202A' <= r && r <= '\u202E', '\u2066' <= r && r <= '\u2069':
		return true
	}
	return false
}
