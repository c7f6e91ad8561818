package sharedfile

import "fmt"

// A Kind says what sort of thing is wrong.
type Kind string

// The kinds of Problem.
const (
	Malformed   Kind = "malformed"   // a line that is neither a [section] nor a key = value
	Unreadable  Kind = "unreadable"  // the system refuses to open or read the file, or it is too large
	NotRegular  Kind = "not regular" // a directory, pipe, socket or device
	Encoding    Kind = "encoding"    // the file is not UTF-8, or has a byte order mark
	Heading     Kind = "heading"     // a [section] whose form counts for nothing in this kind of file
	Duplicate   Kind = "duplicate"   // the same thing twice, with different values
	HalfPair    Kind = "half pair"   // an access key without its secret, the reverse, or a token alone
	Empty       Kind = "empty"       // a key that says who one is, without a value
	Quote       Kind = "quote"       // a value with a quote at one end only
	Continued   Kind = "continued"   // a value that goes on in an indented line
	Character   Kind = "character"   // a look-alike, an invisible or a control character
	Misspelt    Kind = "misspelt"    // a key that nearly is one that says who one is
	Permissions Kind = "permissions" // others can read a file with secrets; a warning, never an error
)

// A Problem is one thing that is wrong with the files. Its texts hold no value
// of a file, no malformed line and no control character.
type Problem struct {
	Path    string
	Line    int // 0 where the whole file is meant
	Kind    Kind
	Profile string // the profile it concerns; empty where it concerns all, or an sso-session
	What    string // what is wrong: lower case, no full stop
	Mend    string // what to write instead
	Err     error  // the system's error of an Unreadable file; else nil

	session string // the sso-session it concerns
	written string // the name of a heading that nearly is Profile's

	below *section // of a heading's problem: what stands below it
}

// Place returns "path:line", or the path where the whole file is meant, fit to
// be shown.
func (p Problem) Place() string { return place(p.Path, p.Line) }

// String returns "path:line: what; mend" in one line.
func (p Problem) String() string {
	text := p.Place() + ": " + p.What
	if p.Mend != "" {
		text += "; " + p.Mend
	}
	return text
}

// Format writes what String returns, for every verb.
func (p Problem) Format(f fmt.State, verb rune) { writePlace(f, verb, p.String()) }

// everywhere reports whether the reading as a whole cannot be trusted.
func (p Problem) everywhere() bool {
	return p.Profile == "" && p.session == "" && p.Kind != Permissions
}

// once is the problem as it is said once, where one file is read as config and as
// credentials file.
func (p Problem) once() Problem {
	return Problem{Path: p.Path, Line: p.Line, What: p.What, Profile: p.Profile, session: p.session}
}
