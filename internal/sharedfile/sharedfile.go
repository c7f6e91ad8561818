// Package sharedfile reads the shared config and credentials files of AWS, as
// AWS documents them and as the AWS CLI reads them. Every value comes with the
// file and line on which it stands, and so does every problem, with what to
// write instead.
//
// The Go SDK passes over in silence what it cannot read: a file without
// permission, a line without "=", a value that goes on in the next line. Each of
// these lets another identity be used than the one that is written down. So
// this package has two rules. What both the CLI and the SDK understand is read
// as they read it. What they read differently, or what one of them drops, is
// either read as it was clearly meant or is a Problem; it never vanishes.
//
//	files := sharedfile.Read([]string{"/home/ana/.aws/config"}, []string{"/home/ana/.aws/credentials"})
//	role, ok := files.Get("ops", "role_arn")     // role.Text, role.Path, role.Line
//	for _, p := range files.Problems("ops") {    // errors, for who asks for ops
//		fmt.Println(p)
//	}
//
// Read does not fail: what concerns the profile asked for is in Problems, and
// what concerns others only is in Others, to be warned of.
package sharedfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Files is what a set of config and credentials files say. It does not change
// after Read and is safe for concurrent use. Printed, it shows paths only.
type Files struct {
	files    []*file // the config files, then the credentials files; later ones win
	problems []Problem
	byName   map[named][]placed
}

// file is one shared file.
type file struct {
	path        string
	credentials bool
	both        bool        // named as config and as credentials file
	info        fs.FileInfo // nil where err is not
	err         error       // of os.Stat
	sections    []*section
	byName      map[heading]*section
	problems    []Problem
}

// heading is what tells the sections of a file apart.
type heading struct {
	named
	bare bool
}

// section is one profile, sso-session or services section of one file, or
// another one that only its problems matter of.
type section struct {
	kind   sectionKind
	name   string
	bare   bool   // [default] without "profile" in a config file
	sdk    string // the heading as the SDK reads it
	line   int    // of its first heading
	keys   []string
	values map[string]Value

	differs  bool            // the SDK reads the section otherwise
	reported map[string]bool // keys whose value has been reported as wrong while it was read
}

type sectionKind int

const (
	ignored sectionKind = iota
	profileSection
	sessionSection
	servicesSection
)

// Read reads the files, each kind in the order in which later files win. It
// never fails: what cannot be read is a Problem, and a file that does not exist
// is none.
func Read(configs, credentials []string) *Files {
	fs := &Files{}
	said := map[Problem]bool{}
	for _, path := range configs {
		fs.files = append(fs.files, newFile(path, false))
	}
	for _, path := range credentials {
		fs.files = append(fs.files, newFile(path, true))
	}
	for _, f := range fs.files {
		f.both = slices.ContainsFunc(fs.files, f.isAlso)
		if text, ok := f.load(); ok {
			f.parse(text)
			f.check()
		}
		slices.SortStableFunc(f.problems, func(a, b Problem) int { return a.Line - b.Line })
		for _, p := range f.problems {
			if once := p.once(); !said[once] {
				said[once] = true
				fs.problems = append(fs.problems, p)
			}
		}
	}
	fs.index()
	fs.checkOtherNames()
	fs.checkIdle()
	fs.checkInherited()
	return fs
}

func newFile(path string, credentials bool) *file {
	info, err := os.Stat(path)
	return &file{path: path, credentials: credentials, info: info, err: err, byName: map[heading]*section{}}
}

// isAlso reports whether other is the same file, named as the other kind.
func (f *file) isAlso(other *file) bool {
	return f.credentials != other.credentials && (filepath.Clean(f.path) == filepath.Clean(other.path) || os.SameFile(f.info, other.info))
}

// Has reports whether any file has the profile.
func (fs *Files) Has(profile string) bool {
	return len(fs.sections(profileSection, profile)) > 0
}

// Names lists the profiles of all files, sorted.
func (fs *Files) Names() []string {
	var names []string
	for _, f := range fs.files {
		for _, s := range f.sections {
			if s.kind == profileSection {
				names = append(names, s.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Get returns the value of a key, in lower case, in a profile. A credentials
// file wins over a config file, and a later file over an earlier one of its
// kind. A key that is present without a value returns an empty text and true;
// region, mfa_serial and the session token are then looked for in the other
// files first. The parts of a key pair belong together: use Keys for them.
func (fs *Files) Get(profile, key string) (Value, bool) {
	return find(fs.sections(profileSection, profile), key)
}

// In returns the value of a key as Get does, from one kind of file only.
func (fs *Files) In(profile, key string, credentials bool) (Value, bool) {
	return find(ofKind(fs.sections(profileSection, profile), credentials), key)
}

// Keys returns the access key of the last file of a kind that has any part of
// one. Id, secret, token and account come from that file, never from two;
// false where no file of that kind has any.
func (fs *Files) Keys(profile string, credentials bool) (KeyPair, bool) {
	sections := ofKind(fs.sections(profileSection, profile), credentials)
	for _, s := range slices.Backward(sections) {
		if pair, ok := s.pair(); ok {
			return pair, true
		}
	}
	return KeyPair{}, false
}

// SSOSession returns the section [sso-session name] of the config files.
func (fs *Files) SSOSession(name string) (Section, bool) { return fs.merged(sessionSection, name) }

// Services returns the section [services name] of the config files.
func (fs *Files) Services(name string) (Section, bool) { return fs.merged(servicesSection, name) }

// Profile returns all that the files say of a profile, as Get would.
func (fs *Files) Profile(name string) (Section, bool) { return fs.merged(profileSection, name) }

// Quoted reports whether the SDK reads the profile, its sso-session or its
// services section otherwise than this package: above all where a heading is
// written with quotes, as in [profile 'a b'], which the AWS CLI writes. The
// SDK then needs Extract's copy to see the same settings.
func (fs *Files) Quoted(profile string) bool {
	session, _ := fs.Get(profile, "sso_session")
	services, _ := fs.Get(profile, "services")
	sections := slices.Concat(fs.sections(profileSection, profile), fs.sections(sessionSection, session.Text), fs.sections(servicesSection, services.Text))
	return slices.ContainsFunc(sections, func(p placed) bool { return p.differs || p.sdk != p.canonical() })
}

// Problems returns what is wrong with a profile or makes the whole reading
// untrustworthy, in the order of files and lines. Each is an error for who asks
// for the profile. Other profiles, its source_profile among them, are to be
// asked for by their own names.
func (fs *Files) Problems(profile string) []Problem {
	return fs.filter(func(p Problem) bool { return p.everywhere() || fs.concerns(p, profile) })
}

// Others returns the problems that are no errors for who asks for the profile,
// but worth a warning.
func (fs *Files) Others(profile string) []Problem {
	return fs.filter(func(p Problem) bool { return !p.everywhere() && !fs.concerns(p, profile) })
}

// concerns reports whether a problem is one of the profile, or of the
// sso-session that it names.
func (fs *Files) concerns(p Problem, profile string) bool {
	if p.session == "" {
		return p.Profile == profile && p.Profile != ""
	}
	session, _ := fs.Get(profile, "sso_session")
	return session.Text == p.session
}

func (fs *Files) filter(keep func(Problem) bool) []Problem {
	var found []Problem
	for _, p := range fs.problems {
		if keep(p) {
			found = append(found, p)
		}
	}
	return found
}

// Paths returns the files that were asked for, config files first, whether they
// exist or not.
func (fs *Files) Paths() []string {
	var paths []string
	for _, f := range fs.files {
		if !slices.Contains(paths, f.path) {
			paths = append(paths, f.path)
		}
	}
	return paths
}

// Where returns the first file that has the profile, and the line of its
// heading there.
func (fs *Files) Where(profile string) (path string, line int, ok bool) {
	for _, p := range fs.sections(profileSection, profile) {
		return p.path, p.line, true
	}
	return "", 0, false
}

// Format writes how many files there are, never what they say.
func (fs *Files) Format(f fmt.State, verb rune) {
	writePlace(f, verb, fmt.Sprintf("%d shared files", len(fs.files)))
}
