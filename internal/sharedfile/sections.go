package sharedfile

import (
	"fmt"
	"slices"
)

// placed is a section and the file in which it stands.
type placed struct {
	*section
	path        string
	credentials bool
}

// canonical is the heading as the SDK must read it to mean the same section.
func (p placed) canonical() string {
	if p.credentials || p.bare {
		return p.name
	}
	return kindWord(p.kind) + " " + p.name
}

// sections returns the sections of a kind and name, in the order in which later
// ones win. Where config files have [profile default], a bare [default] there
// counts for nothing, as in the SDK.
func (fs *Files) sections(kind sectionKind, name string) []placed {
	return fs.byName[named{kind, name}]
}

// named is a section by what it is and what it is called.
type named struct {
	kind sectionKind
	name string
}

// index sorts the sections of all files by name: look-ups are many, and files few.
func (fs *Files) index() {
	all := map[named][]placed{}
	prefixed := map[named]bool{}
	for _, f := range fs.files {
		for _, s := range f.sections {
			n := named{s.kind, s.name}
			all[n] = append(all[n], placed{s, f.path, f.credentials})
			if !f.credentials && !s.bare {
				prefixed[n] = true
			}
		}
	}
	for n := range prefixed {
		all[n] = slices.DeleteFunc(all[n], func(p placed) bool { return p.bare })
	}
	fs.byName = all
}

// ofKind keeps the sections of config files or those of credentials files.
func ofKind(sections []placed, credentials bool) []placed {
	i := slices.IndexFunc(sections, func(p placed) bool { return p.credentials }) // config files come first
	switch {
	case i < 0 && credentials:
		return nil
	case i < 0:
		return sections
	case credentials:
		return sections[i:]
	}
	return sections[:i]
}

// find returns the last value of a key.
func find(sections []placed, key string) (found Value, ok bool) {
	for _, s := range sections {
		v, here := s.values[key]
		if here && (!ok || v.Text != "" || !isAbsentIfEmpty(key)) {
			found, ok = v, true
		}
	}
	return found, ok
}

// merged is one section made of those of all files.
func (fs *Files) merged(kind sectionKind, name string) (Section, bool) {
	sections := fs.sections(kind, name)
	if len(sections) == 0 {
		return Section{}, false
	}
	merged := Section{Name: name, Path: sections[0].path, Line: sections[0].line, values: map[string]Value{}}
	for _, s := range sections {
		for _, key := range s.keys {
			if _, ok := merged.values[key]; !ok {
				merged.keys = append(merged.keys, key)
				merged.values[key], _ = find(sections, key)
			}
		}
	}
	return merged, true
}

// pair returns the parts of an access key that the section has. An empty token
// or account alone is no part of any.
func (s *section) pair() (KeyPair, bool) {
	id, hasID := s.values[accessKeyID]
	secret, hasSecret := s.values[secretAccessKey]
	token := s.token()
	if !hasID && !hasSecret && token.Text == "" {
		return KeyPair{}, false
	}
	return KeyPair{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token, AccountID: s.values[accountID]}, true
}

// token returns the session token, also under its old name.
func (s *section) token() Value {
	if v := s.values[sessionToken]; v.Text != "" {
		return v
	}
	if v := s.values[securityToken]; v.Text != "" {
		return v
	}
	return s.values[sessionToken]
}

// section returns the file's section of that kind and name, or nil.
func (f *file) section(kind sectionKind, name string, bare bool) *section {
	return f.byName[heading{named{kind, name}, bare}]
}

func newSection(s section) *section {
	s.values, s.reported = map[string]Value{}, map[string]bool{}
	return &s
}

// report remembers that a key's value is wrong, so that it is said once.
func (s *section) report(key string) { s.reported[key] = true }

// subject names the section in a sentence.
func (s *section) subject() string {
	return fmt.Sprintf("%s %q", kindWord(s.kind), clean(s.name))
}
