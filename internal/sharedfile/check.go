package sharedfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/names"
)

// wrong notes a problem of the line at hand that concerns the section at hand.
func (p *parser) wrong(kind Kind, what, mend string) {
	p.file.wrong(p.section, kind, p.number, what, mend)
}

// twice reports a key that stands twice in a section with different values.
func (p *parser) twice(key string, other int) {
	p.wrong(Duplicate, fmt.Sprintf("%s of %s has another value at %s", key, p.section.subject(), place(p.path, other)), "keep one of them")
}

// wrong notes a problem of a section. Sections that count for nothing have none.
func (f *file) wrong(s *section, kind Kind, line int, what, mend string) {
	problem := Problem{Path: f.path, Line: line, Kind: kind, What: what, Mend: mend}
	switch s.kind {
	case profileSection:
		problem.Profile = s.name
	case sessionSection:
		problem.session = s.name
	default:
		return
	}
	f.problems = append(f.problems, problem)
}

// check looks at the sections once the file has been read.
func (f *file) check() {
	for _, s := range f.sections {
		if s.kind != profileSection {
			f.checkForeign(s)
		}
		if s.kind != profileSection && s.kind != sessionSection {
			continue
		}
		for _, key := range s.keys {
			f.checkValue(s, key, s.values[key])
		}
		f.checkPair(s)
		if s.bare {
			f.checkTwoDefaults(s)
		}
	}
	f.checkStray()
	f.checkPermissions()
}

// checkForeign reports what says who one is below the heading of a section that has
// no such keys, as happens to who appends to a file. Keys there would be nobody's.
func (f *file) checkForeign(s *section) {
	if s.name == "" {
		return // a heading that counts for nothing has been reported
	}
	title := "[" + strings.TrimSpace(kindWord(s.kind)+" "+clean(s.name)) + "]"
	for _, key := range s.keys {
		if !mustHaveText(key) || strings.HasPrefix(key, "sso_") {
			continue
		}
		p := Problem{Path: f.path, Line: s.values[key].Line, Kind: Malformed, What: key + " counts for nothing in " + title, Mend: "move it to the section of its profile"}
		if !isKeyMaterial(key) {
			p.Profile = title // no profile's: a warning
		}
		f.problems = append(f.problems, p)
		return
	}
}

// checkOtherNames reports keys under the names of other programs in profiles that
// say nothing of who one is in any file.
func (fs *Files) checkOtherNames() {
	says := func(p placed) bool { return slices.ContainsFunc(p.keys, mustHaveText) }
	for _, f := range fs.files {
		for _, s := range f.sections {
			if s.kind != profileSection || slices.ContainsFunc(fs.sections(s.kind, s.name), says) {
				continue
			}
			for _, key := range s.keys {
				v := s.values[key]
				what, meant := clean(key)+" is no key that AWS knows", otherName(key)
				if meant == "" && names.IsKeyID(v.Text) { // the key may be the secret
					what, meant = "an access key id is the value of a key that AWS does not know", accessKeyID
				}
				if meant != "" && misspelt(key) == "" {
					fs.problems = append(fs.problems, Problem{Path: f.path, Line: v.Line, Kind: Misspelt, Profile: s.name, What: what, Mend: "write " + meant + ", or remove the line"})
				}
			}
		}
	}
}

// checkIdle makes a warning of a heading that counts for nothing, as [ops] in a config
// file, where nothing is lost with it: the profile is there all the same, and the lines
// below the heading say neither who one is nor where calls go, or what the profile
// says, too. Many such files are about, and work.
func (fs *Files) checkIdle() {
	for i, p := range fs.problems {
		if p.below == nil || p.Kind != Heading || p.Profile == "" || !fs.Has(p.Profile) {
			continue
		}
		if !slices.ContainsFunc(p.below.keys, func(key string) bool { return fs.misses(p.Profile, key) }) {
			fs.problems[i].Profile = "[" + p.Profile + "]" // no profile's
		}
	}
}

// misses reports whether a profile lacks something if it does not have this key.
func (fs *Files) misses(profile, key string) bool {
	switch key {
	case "region", "endpoint_url", "services", "ignore_configured_endpoint_urls", "use_fips_endpoint", "use_dualstack_endpoint",
		"ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode":
		v, _ := fs.Get(profile, key)
		return v.Text == ""
	}
	return IsIdentity(key) || misspelt(key) != "" || otherName(key) != ""
}

// checkStray leaves a stray heading to itself where the file has the section that it
// is near to.
func (f *file) checkStray() {
	for i, p := range f.problems {
		if p.written != "" && f.credentials && f.section(profileSection, p.Profile, false) != nil {
			f.problems[i].Profile = p.written
		}
	}
}

// checkValue looks at one value that says who one is.
func (f *file) checkValue(s *section, key string, v Value) {
	wrong := func(kind Kind, what, mend string) { f.wrong(s, kind, v.Line, what, mend) }
	meant := misspelt(key)
	r, odd := oddIn(key, v.Text)
	switch {
	case s.reported[key]:
	case meant != "" && s.values[meant].Text != "": // both stand there: the other is another program's
	case meant != "":
		wrong(Misspelt, clean(key)+" is no key that AWS knows", "write "+meant+", or remove the line")
	case !IsIdentity(key):
	case isEmpty(key, v.Text) && mustHaveText(key) && key != accessKeyID && key != secretAccessKey:
		wrong(Empty, key+" of "+s.subject()+" has no value", "write its value, or remove the line")
	case odd:
		wrong(Character, key+" of "+s.subject()+" has "+nameOf(r), "write the value anew")
	case isKeyMaterial(key) && strings.ContainsAny(v.Text, " \t"):
		wrong(Character, key+" of "+s.subject()+" has a space in it", "write the value anew")
	}
}

// isEmpty reports whether a value says nothing. A command keeps its quotes, so two of
// them with nothing between say nothing, too.
func isEmpty(key, text string) bool {
	return text == "" || key == credentialProcess && strings.Trim(text, "\"' ") == ""
}

// oddIn returns the first character of a value that cannot be meant.
func oddIn(key, text string) (rune, bool) {
	switch key {
	case credentialProcess, "web_identity_token_file":
		return hidden(text)
	case "source_profile", "sso_session":
		if r, bad := inTypographicQuotes(text); bad {
			return r, true
		}
		return hidden(text)
	}
	return foreign(text)
}

// checkPair reports an access key of which a part is missing. The parts of one
// file belong together; no other file completes them.
func (f *file) checkPair(s *section) {
	pair, ok := s.pair()
	if !ok || s.kind != profileSection || s.reported[accessKeyID] || s.reported[secretAccessKey] || s.reported[sessionToken] {
		return
	}
	id, secret, token := pair.AccessKeyID, pair.SecretAccessKey, pair.SessionToken
	wrong := func(kind Kind, line int, what, mend string) { f.wrong(s, kind, line, s.subject()+" has "+what, mend) }
	switch {
	case pair.Complete() && names.IsKeyID(secret.Text) && !names.IsKeyID(id.Text):
		wrong(Character, secret.Line, "its access key id and its secret swapped", "exchange the values of aws_access_key_id and aws_secret_access_key")
	case pair.Complete():
		if old := s.values[securityToken]; old.Text != "" && old.Text != token.Text {
			wrong(Duplicate, old.Line, "another aws_session_token at "+token.Place(), "remove aws_security_token, its old name")
		}
	case id.Path == "" && secret.Path == "":
		wrong(HalfPair, token.Line, "a session token but no keys", "add aws_access_key_id and aws_secret_access_key, or remove the token")
	case id.Path != "" && secret.Path != "" && id.Text == "" && secret.Text == "":
		wrong(Empty, min(id.Line, secret.Line), "an access key without a value", "write the values of aws_access_key_id and aws_secret_access_key, or remove both")
	case secret.Text == "":
		wrong(HalfPair, max(id.Line, secret.Line), "half a key pair: no aws_secret_access_key", "add aws_secret_access_key, or remove the other half")
	default:
		wrong(HalfPair, max(id.Line, secret.Line), "half a key pair: no aws_access_key_id", "add aws_access_key_id, or remove the other half")
	}
}

// checkTwoDefaults reports what [default] says about who one is where the file
// has a [profile default] too, which counts alone.
func (f *file) checkTwoDefaults(bare *section) {
	prefixed := f.section(profileSection, bare.name, false)
	if prefixed == nil {
		return
	}
	for _, key := range bare.keys {
		v := bare.values[key]
		if other, ok := prefixed.values[key]; IsIdentity(key) && (!ok || other.Text != v.Text) {
			f.wrong(bare, Duplicate, v.Line, fmt.Sprintf("%s of [default] does not count beside [profile default] at %s", key, place(f.path, prefixed.line)),
				"keep one of the two sections")
			return
		}
	}
}

// checkPermissions reports a file with secrets that others can read.
func (f *file) checkPermissions() {
	if !f.readableByOthers() {
		return
	}
	secrets := f.credentials && len(f.sections) > 0
	for _, s := range f.sections {
		pair, ok := s.pair()
		secrets = secrets || ok && (pair.SecretAccessKey.Text != "" || pair.SessionToken.Text != "")
	}
	if secrets {
		f.whole(Permissions, "others on this machine can read its secrets", "run: chmod 600 "+clean(f.path))
	}
}
