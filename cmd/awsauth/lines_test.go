package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// Lines stay whole, however they are written and by how many.
func TestLines(t *testing.T) {
	var out, errs bytes.Buffer
	l := newLines(&out, &errs)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			w := l.writer(l.stdout, fmt.Sprint(n))
			other := l.writer(l.stderr, fmt.Sprint(n))
			for i := range 200 {
				for _, piece := range []string{"a", "bc", "\n", "", fmt.Sprintf("d%d\nef", i), "g\n\n"} {
					_, _ = w.Write([]byte(piece))
				}
				_, _ = other.Write([]byte("x\n"))
			}
			_, _ = w.Write([]byte("end"))
			w.end()
			w.end()
			other.end()
		})
	}
	wg.Wait()
	got := map[string][]string{}
	for line := range strings.Lines(out.String()) {
		who, text, ok := strings.Cut(line, " | ")
		require.True(t, ok, line)
		got[who] = append(got[who], text)
	}
	var want []string
	for i := range 200 {
		want = append(want, "abc\n", fmt.Sprintf("d%d\n", i), "efg\n", "\n")
	}
	want = append(want, "end\n")
	require.Len(t, got, 8)
	for who, lines := range got {
		require.Equal(t, want, lines, who)
	}
	assert.Equal(t, 1600, strings.Count(errs.String(), " | x\n"))
}

func TestLinesLong(t *testing.T) {
	var out bytes.Buffer
	w := newLines(&out, &out).writer(&out, "1")
	_, err := w.Write(bytes.Repeat([]byte("a"), 2*longestLine+longestLine/2))
	require.NoError(t, err)
	w.end()
	assert.Equal(t, 3, strings.Count(out.String(), "1 | a"))
	assert.Equal(t, 3, strings.Count(out.String(), "\n"))
	assert.Equal(t, 2*longestLine+longestLine/2, strings.Count(out.String(), "a"))
}

// On a terminal the progress is one line, which gives way to the output.
func TestLinesTerminal(t *testing.T) {
	var out bytes.Buffer
	l := newLines(&out, &out)
	l.terminal = true
	l.note("one")
	l.progress(awsauth.Progress{Done: 1, Total: 2, Account: accountA})
	l.note("two")
	l.progress(awsauth.Progress{Done: 2, Total: 2, Account: accountB, Err: os.ErrClosed})
	l.clear()
	l.note("three")
	first, second := "awsauth: [##########..........] 1 of 2 done, 0 failed", "awsauth: [####################] 2 of 2 done, 1 failed"
	assert.Equal(t, "one\n"+eraseLine+first+eraseLine+"two\n"+first+eraseLine+second+eraseLine+"three\n", out.String())
}

// TestLinesForged: whatever a command prints stands behind its own account. On a
// terminal only colours pass.
func TestLinesForged(t *testing.T) {
	const p = "1 | "
	tests := []struct{ in, piped, shown string }{
		{"a\r\x1b[K2 | b\n", p + "a\n" + p + "\x1b[K2 | b\n", p + "a\n" + p + "[K2 | b\n"},
		{"a\r\nb\n", p + "a\n" + p + "b\n", p + "a\n" + p + "b\n"},
		{"a\vb\fc\n", p + "a\n" + p + "b\n" + p + "c\n", p + "a\n" + p + "b\n" + p + "c\n"},
		{"a\r\r\nb\n", p + "a\n" + p + "\n" + p + "b\n", p + "a\n" + p + "\n" + p + "b\n"},
		{"\x1b[1;31mred\x1b[0m\n", p + "\x1b[1;31mred\x1b[0m\n", p + "\x1b[1;31mred\x1b[0m\x1b[0m\n"},
		{"\x1b[A\x1b[2J\x1b]0;t\a\bx\n", p + "\x1b[A\x1b[2J\x1b]0;t\a\bx\n", p + "[A[2J]0;tx\n"},
		{"\u0085\u009b2Kx\u2028\u202ey\n", p + "\u0085\u009b2Kx\u2028\u202ey\n", p + "2Kxy\n"},
		{"\x9b2Kx\tä\n", p + "\x9b2Kx\tä\n", p + "\uFFFD2Kx\tä\n"},
		{"\x1b[31", p + "\x1b[31\n", p + "[31\n"},
	}
	for _, tt := range tests {
		for _, shown := range []bool{false, true} {
			for _, size := range []int{1, len(tt.in)} { // in pieces, and at once
				var out bytes.Buffer
				w := newLines(&out, &out).writer(&out, "1")
				w.plain = shown
				for piece := range slices.Chunk([]byte(tt.in), size) {
					_, err := w.Write(piece)
					require.NoError(t, err)
				}
				w.end()
				want := tt.piped
				if shown {
					want = tt.shown
				}
				assert.Equal(t, want, out.String(), "%q", tt.in)
			}
		}
	}
}
