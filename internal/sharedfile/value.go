package sharedfile

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// A Value is what a file says for one key, and where. Printed in any way, it
// shows the place only, since the text may be a secret.
type Value struct {
	Text        string // without comment and quotes; credential_process keeps its quotes
	Path        string
	Line        int
	Credentials bool // it stands in a credentials file, not in a config file

	nested *[]Setting
}

// A Setting is one of the indented lines below a key without a value, as in
// the s3 settings of a profile or in a services section.
type Setting struct{ Key, Text string }

// Nested returns the indented settings below the key, in the file's order.
func (v Value) Nested() []Setting {
	if v.nested == nil {
		return nil
	}
	return slices.Clone(*v.nested)
}

// Place returns "path:line", fit to be shown.
func (v Value) Place() string { return place(v.Path, v.Line) }

// String returns the place, never the text.
func (v Value) String() string { return v.Place() }

// Format writes the place for every verb, never the text.
func (v Value) Format(f fmt.State, verb rune) { writePlace(f, verb, v.Place()) }

// MarshalText returns the place, never the text.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.Place()), nil }

// A KeyPair is the access key that one file holds for one profile. A field
// whose key is absent has an empty Path; printed, a KeyPair shows places only.
type KeyPair struct {
	AccessKeyID, SecretAccessKey, SessionToken, AccountID Value
}

// Complete reports whether both the id and the secret are there.
func (k KeyPair) Complete() bool { return k.AccessKeyID.Text != "" && k.SecretAccessKey.Text != "" }

// String returns the place of the pair.
func (k KeyPair) String() string {
	for _, v := range []Value{k.AccessKeyID, k.SecretAccessKey, k.SessionToken} {
		if v.Path != "" {
			return v.Place()
		}
	}
	return "no key pair"
}

// Format writes the place for every verb, never a key.
func (k KeyPair) Format(f fmt.State, verb rune) { writePlace(f, verb, k.String()) }

// MarshalText returns the place, never a key.
func (k KeyPair) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Section is an sso-session or a services section. Where several files have
// it, the last one that has a key supplies the key's value.
type Section struct {
	Name string
	Path string // of the first file that has the section
	Line int    // of its heading there

	keys   []string
	values map[string]Value
}

// Get returns the value of a key, which is given in lower case.
func (s Section) Get(key string) (Value, bool) {
	v, ok := s.values[key]
	return v, ok
}

// Keys returns the section's keys, in the order of the files.
func (s Section) Keys() []string { return slices.Clone(s.keys) }

// Place returns "path:line" of the heading, fit to be shown.
func (s Section) Place() string { return place(s.Path, s.Line) }

// String returns the place of the heading.
func (s Section) String() string { return s.Place() }

// Format writes the place for every verb, never a value.
func (s Section) Format(f fmt.State, verb rune) { writePlace(f, verb, s.Place()) }

// place joins path and line. The path may come from the environment, so what a
// terminal would obey is taken out.
func place(path string, line int) string {
	path = clean(path)
	if line == 0 {
		return path
	}
	return path + ":" + strconv.Itoa(line)
}

func writePlace(w io.Writer, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	io.WriteString(w, text) // an error has nowhere to go
}
