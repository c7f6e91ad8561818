package terminal

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLine(t *testing.T) {
	none := keys{}
	for _, test := range []struct {
		name  string
		keys  keys
		typed string
		text  string
		event event
	}{
		{"a character is erased", usual, "12\x7f3\n", "13", answered},
		{"and by the other key", usual, "12\b3\n", "13", answered},
		{"a rune is erased", usual, "1é\x7f\n", "1", answered},
		{"nothing is there to erase", usual, "\x7f\x7f1\n", "1", answered},
		{"the line is erased", usual, "12\x153\n", "3", answered},
		{"a word is erased", usual, "12\x173\n", "3", answered},
		{"no key, no meaning", none, "\x03\x1c\x1a\x04\n", "\x03\x1c\x1a\x04", answered},
		{"a zero is no key", none, "1\x002\n", "12", answered},
		{"interrupt", usual, "1\x03", "1", interrupted},
		{"quit", usual, "1\x1c", "1", quit},
		{"suspend", usual, "1\x1a", "1", suspended},
		{"not complete", usual, "123", "123", more},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := line{keys: test.keys}
			var got event
			for _, b := range []byte(test.typed) {
				assert.Equal(t, more, got, "before the last byte")
				got = l.typed(b)
			}
			assert.Equal(t, test.event, got)
			assert.Equal(t, test.text, string(l.text))
		})
	}
}
