package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/chaoxiaodi/awsauth"
)

// lines writes the output of many commands, line by line. Where stderr is a
// terminal, its last line is the progress.
type lines struct {
	stdout, stderr io.Writer
	terminal       bool

	mu     sync.Mutex // one line at a time, on both
	status string
	failed int
}

func newLines(stdout, stderr io.Writer) *lines {
	return &lines{stdout: stdout, stderr: stderr, terminal: bool(penFor(stderr))}
}

// write writes whole lines.
func (l *lines) write(w io.Writer, text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked(w, text)
}

const eraseLine = "\r\x1b[K"

func (l *lines) locked(w io.Writer, text []byte) error {
	if l.status != "" {
		fmt.Fprint(l.stderr, eraseLine)
	}
	_, err := w.Write(text)
	if l.status != "" {
		fmt.Fprint(l.stderr, l.status)
	}
	return err
}

// note writes a line of our own.
func (l *lines) note(text string) { _ = l.write(l.stderr, []byte(text+"\n")) }

// progress tells that an account is done.
func (l *lines) progress(p awsauth.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	outcome := "done"
	if p.Err != nil {
		l.failed++
		outcome = "failed"
	}
	if !l.terminal {
		_ = l.locked(l.stderr, fmt.Appendf(nil, "awsauth: [%d/%d] %s %s\n", p.Done, p.Total, p.Account, outcome))
		return
	}
	l.status = fmt.Sprintf("awsauth: %d of %d done, %d failed", p.Done, p.Total, l.failed)
	fmt.Fprint(l.stderr, eraseLine+l.status)
}

// clear takes the progress off the terminal.
func (l *lines) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status != "" {
		fmt.Fprint(l.stderr, eraseLine)
		l.status = ""
	}
}

// writer is a stream of one account's command, with the account in front of
// each line.
func (l *lines) writer(w io.Writer, account string) *lineWriter {
	return &lineWriter{lines: l, to: w, prefix: account + " | "}
}

// lineWriter keeps what it is given until the line is whole.
type lineWriter struct {
	lines  *lines
	to     io.Writer
	prefix string
	rest   []byte
}

// longestLine bounds what is kept: a longer line is broken.
const longestLine = 1 << 20

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	var out []byte
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) > longestLine {
			i = longestLine
			w.rest = append(w.rest[:i:i], append([]byte{'\n'}, w.rest[i:]...)...)
		}
		if i < 0 {
			break
		}
		out = append(append(out, w.prefix...), w.rest[:i+1]...)
		w.rest = w.rest[i+1:]
	}
	if len(out) == 0 {
		return len(p), nil
	}
	if err := w.lines.write(w.to, out); err != nil {
		return 0, errors.Join(errors.New("write the output"), err)
	}
	return len(p), nil
}

// end writes a last line that did not end.
func (w *lineWriter) end() {
	if len(w.rest) > 0 {
		_, _ = w.Write([]byte{'\n'})
	}
}
