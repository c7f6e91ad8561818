package awsauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// The SDK reads the shared files, and passes over in silence what it cannot
// read: a file without permission, a line without "=", half a key pair that a
// second file completes to none. Each of these would let another identity be
// used than the one meant. So the files are looked over here first, for their
// faults alone; what they say is left to the SDK.

// sharedFile is what was seen in one shared config or credentials file.
type sharedFile struct {
	path        string
	credentials bool // a credentials file: sections are profiles without a prefix
	missing     bool
	unreadable  error
	sections    map[string]*section // by header as written, blanks folded: "profile ops", "sso-session corp"
	faults      faults
}

// section is one [section], by the lines its keys stand on.
type section struct {
	line   int
	values map[string]value
}

type value struct {
	text string // "" for secrets
	line int
}

// sharedFiles are the files of one New, in the SDK's order.
type sharedFiles []*sharedFile

// readSharedFiles looks the files over.
func readSharedFiles(configFiles, credentialsFiles []string) (files sharedFiles) {
	for _, path := range configFiles {
		files = append(files, readSharedFile(path, false))
	}
	for _, path := range credentialsFiles {
		files = append(files, readSharedFile(path, true))
	}
	return files
}

func readSharedFile(path string, credentials bool) *sharedFile {
	f := &sharedFile{path: path, credentials: credentials}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.missing = true
	case err != nil:
		f.unreadable = err
	default:
		f.parse(string(text))
	}
	return f
}

// parse goes over the lines as the SDK's parser does, and notes those that it
// would drop.
func (f *sharedFile) parse(text string) {
	f.sections = map[string]*section{}
	if strings.HasPrefix(text, "\ufeff") {
		f.malformed(1, "the file begins with a byte order mark, which hides its first line")
		text = strings.TrimPrefix(text, "\ufeff")
	}
	var current *section
	last := ""    // the key that an indented line may continue
	open := false // the last key has no value: indented lines are its settings, not the section's
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[':
			current, last, open = f.header(trimmed, number), "", false
		case current == nil:
			f.malformed(number, "a line before any [section]")
		case loneQuote(line):
			f.malformed(number, "a quote that is not closed") // the SDK's parser panics on it
		case !isBlank(line[0]):
			last, open = f.property(current, trimmed, number)
		case !open && strings.ContainsAny(trimmed, "=:"):
			// Keys may be indented. Under a value this may be its second line,
			// but the SDK takes it for a key as well.
			last, open = f.property(current, trimmed, number)
		case !open && last != "":
			f.continued(current, last, trimmed, number)
		}
	}
}

// continued adds an indented line to the value above it, as the SDK does. Keys
// have one line: of two, none would be what was meant.
func (f *sharedFile) continued(s *section, key, line string, number int) {
	v := s.values[key]
	if strings.HasPrefix(key, "aws_") {
		f.malformed(number, "the value of "+key+" goes on over a second line")
		return
	}
	s.values[key] = value{v.text + "\n" + line, v.line}
}

// loneQuote reports whether a line's value is one quote and nothing else.
func loneQuote(line string) bool {
	i := strings.IndexAny(line, "=:")
	value := strings.TrimSpace(withoutComment(line[i+1:]))
	return i >= 0 && (value == `"` || value == "'")
}

// withoutComment cuts a comment off a value.
func withoutComment(text string) string {
	for _, comment := range []string{" #", " ;", "\t#", "\t;"} {
		text, _, _ = strings.Cut(text, comment)
	}
	return text
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// header starts the section that a line in brackets names.
func (f *sharedFile) header(line string, number int) *section {
	if i := strings.IndexAny(line, "#;"); i > 0 {
		line = strings.TrimSpace(line[:i])
	}
	name, closed := strings.CutSuffix(line[1:], "]")
	name = strings.Join(strings.Fields(name), " ")
	if !closed || name == "" {
		f.malformed(number, "a section needs a name and a closing bracket")
		return &section{line: number, values: map[string]value{}}
	}
	switch bare, prefixed := strings.CutPrefix(name, "profile "); {
	case prefixed && f.credentials:
		f.faults.add(invalid(fmt.Sprintf("%s:%d", f.path, number), "[%s] counts for nothing in a credentials file", name).mend("write [%s]", bare))
	case strings.EqualFold(bare, "default") && bare != "default":
		f.faults.add(invalid(fmt.Sprintf("%s:%d", f.path, number), "[%s] is not the default profile", name).mend("write [default]"))
	}
	s := f.sections[name]
	if s == nil {
		s = &section{line: number, values: map[string]value{}}
		f.sections[name] = s
	}
	return s
}

// property notes a "key = value" line, returns its key and reports whether the
// value is empty.
func (f *sharedFile) property(s *section, line string, number int) (key string, empty bool) {
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		f.malformed(number, "neither a [section] nor a key = value")
		return "", false
	}
	key = strings.ToLower(strings.TrimSpace(line[:i]))
	text := strings.Trim(strings.TrimSpace(withoutComment(line[i+1:])), `"'`)
	if text != "" && (key == "aws_secret_access_key" || key == "aws_session_token") {
		text = "…" // only whether it is there matters
	}
	s.values[key] = value{text, number}
	return key, text == ""
}

// malformed never shows the line: it may be half of a secret.
func (f *sharedFile) malformed(number int, what string) {
	f.faults.add(invalid(fmt.Sprintf("%s:%d", f.path, number), "%s", what).mend("correct or remove this line"))
}

// profile returns the file's section for a profile, or nil.
func (f *sharedFile) profile(name string) *section {
	if f.credentials {
		return f.sections[name]
	}
	if s := f.sections["profile "+name]; s != nil {
		return s
	}
	if name == "default" {
		return f.sections["default"]
	}
	return nil
}

// profileNames lists the profiles of the file.
func (f *sharedFile) profileNames() (names []string) {
	for header := range f.sections {
		name, isProfile := strings.CutPrefix(header, "profile ")
		if isProfile || header == "default" || f.credentials {
			names = append(names, name)
		}
	}
	return names
}

// has reports whether any file has the profile.
func (fs sharedFiles) has(name string) bool {
	return slices.ContainsFunc(fs, func(f *sharedFile) bool { return f.profile(name) != nil })
}

// lookup finds a profile's value and where it stands: the last file that has
// the key wins, as in the SDK.
func (fs sharedFiles) lookup(profile, key string) (v value, f *sharedFile) {
	for _, file := range fs {
		if s := file.profile(profile); s != nil {
			if found, ok := s.values[key]; ok && found.text != "" {
				v, f = found, file
			}
		}
	}
	return v, f
}

// place names where a profile's key stands, "file:line", or the profile where
// it does not stand anywhere.
func (fs sharedFiles) place(profile, key string) string {
	if v, f := fs.lookup(profile, key); f != nil {
		return fmt.Sprintf("%s:%d", f.path, v.line)
	}
	return fmt.Sprintf("profile %q", profile)
}

// paths names the files for an error: "A or B".
func (fs sharedFiles) paths() string {
	paths := make([]string, len(fs))
	for i, f := range fs {
		paths[i] = f.path
	}
	if len(paths) == 0 {
		return "any shared file (none is configured)"
	}
	return strings.Join(paths, " or ")
}

// check returns the faults of the files. A file that cannot be read is one
// only where it would be asked for credentials.
func (fs sharedFiles) check(needed bool) (all faults) {
	for _, f := range fs {
		if f.unreadable != nil && needed {
			e := invalid(f.path, "cannot be read: %v", oneLine(reason(f.unreadable))).
				mend("make it readable for this user, or point %s elsewhere", f.variable())
			e.Err = f.unreadable
			all.add(e)
		}
		all = append(all, f.faults...)
	}
	return all
}

// variable is the environment variable that names another such file.
func (f *sharedFile) variable() string {
	if f.credentials {
		return "AWS_SHARED_CREDENTIALS_FILE"
	}
	return "AWS_CONFIG_FILE"
}

// reason is a file error without the path, which stands before it already.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// notFound is the error for a profile that no file has. It offers the nearest
// name, or what is there.
func (fs sharedFiles) notFound(name, from string) *Error {
	e := &Error{Kind: ProfileNotFound, Op: "", Target: ""}
	e.what = fmt.Sprintf("profile %q%s is not in %s", name, from, fs.paths())
	for _, f := range fs {
		if s := f.sections[name]; s != nil && !f.credentials && !strings.HasPrefix(name, "profile ") {
			return e.mend("%s:%d has [%s]; write it as [profile %s]", f.path, s.line, name, name)
		}
	}
	names := fs.names()
	if bare, prefixed := strings.CutPrefix(name, "profile "); prefixed && fs.has(bare) {
		return e.mend("did you mean %q? (\"profile\" belongs to the section's heading, not to the name)", bare)
	}
	if near := nearest(name, names); near != "" {
		return e.mend("did you mean %q?", near)
	}
	switch shown := names[:min(len(names), 3)]; {
	case len(names) == 0:
		return e.mend("no profile is defined there; run: aws configure --profile %s", name)
	case len(names) > 3:
		return e.mend("defined there: %s and %d more", strings.Join(shown, ", "), len(names)-3)
	default:
		return e.mend("defined there: %s", strings.Join(shown, ", "))
	}
}

// names lists all profiles, sorted.
func (fs sharedFiles) names() (names []string) {
	for _, f := range fs {
		names = append(names, f.profileNames()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nearest is the name within two edits of the one asked for (a third of its
// length at most), or "".
func nearest(name string, names []string) string {
	best, least := "", min(2, (len(name)+2)/3)+1
	for _, n := range names {
		if d := editDistance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
