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
	var found []placed
	prefixed := false
	for _, f := range fs.files {
		for _, s := range f.sections {
			if s.kind == kind && s.name == name {
				found = append(found, placed{s, f.path, f.credentials})
				prefixed = prefixed || !f.credentials && !s.bare
			}
		}
	}
	if !prefixed {
		return found
	}
	return slices.DeleteFunc(found, func(p placed) bool { return p.bare })
}

// ofKind keeps the sections of config files or those of credentials files.
func ofKind(sections []placed, credentials bool) []placed {
	return slices.DeleteFunc(sections, func(p placed) bool { return p.credentials != credentials })
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
	for _, s := range f.sections {
		if s.kind == kind && s.name == name && s.bare == bare && kind != ignored {
			return s
		}
	}
	return nil
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
