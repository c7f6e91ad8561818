package terminal

import "unicode/utf8"

// maxBytes is how long a line may be. A code has six bytes, and nothing that is
// asked for has more than a few dozen.
const maxBytes = 256

// keys are the characters that do something, as stty shows them. A zero is a key
// that does not exist.
type keys struct {
	interrupt, quit, suspend byte // send a signal
	end                      byte // ends the input
	erase, word, kill        byte // take back a character, a word, the line
}

// An event is what a key that was pressed means for the line.
type event int

const (
	more        event = iota // the line goes on
	answered                 // the line is complete
	ended                    // the input ended and nothing had been typed
	tooLong                  // the line has more than maxBytes
	interrupted              // Ctrl-C
	quit                     // Ctrl-\
	suspended                // Ctrl-Z
)

// A line is typed byte by byte.
type line struct {
	keys keys
	text []byte
}

// typed takes the next byte. What no key says is part of the line.
func (l *line) typed(b byte) event {
	switch b {
	case 0:
		return more // what a zero in keys stands for cannot be typed
	case '\r', '\n':
		return answered
	case l.keys.interrupt:
		return interrupted
	case l.keys.quit:
		return quit
	case l.keys.suspend:
		return suspended
	case l.keys.end:
		if len(l.text) == 0 {
			return ended
		}
		return answered
	case l.keys.erase, '\b', 0x7f: // keyboards and stty disagree on which of the two it is
		_, size := utf8.DecodeLastRune(l.text)
		l.text = l.text[:len(l.text)-size]
	case l.keys.word, l.keys.kill: // who cannot see the words starts again
		l.text = l.text[:0]
	default:
		if len(l.text) == maxBytes {
			return tooLong
		}
		l.text = append(l.text, b)
	}
	return more
}
