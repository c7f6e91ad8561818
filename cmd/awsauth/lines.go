package main

import (
	"fmt"
	"io"
	"strings"
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
func (l *lines) note(text string) { _ = l.write(l.stderr, []byte(printable(text)+"\n")) }

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
	l.status = fmt.Sprintf("awsauth: %s %d of %d done, %d failed", bar(p.Done, p.Total), p.Done, p.Total, l.failed)
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

// bar draws how much is done.
func bar(done, total int) string {
	const width = 20
	filled := 0
	if total > 0 {
		filled = min(width, done*width/total)
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", width-filled) + "]"
}
