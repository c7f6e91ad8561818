package sharedfile

import "strings"

// Extract returns the text of a config file that makes the SDK read what this
// package has read of a profile: its section, named as, and the sso-session and
// services sections that it names. Only the keys for which keep returns true
// are in it; keys with nested settings keep those. A value that the SDK cannot
// read in any form, since a comment's sign is in it, is left out.
func (fs *Files) Extract(profile, as string, keep func(key string) bool) string {
	var b strings.Builder
	heading := "profile " + as
	if as == "default" {
		heading = as
	}
	if s, ok := fs.Profile(profile); ok {
		s.write(&b, heading, keep)
	}
	fs.writeNamed(&b, profile, "sso_session", sessionSection, keep)
	fs.writeNamed(&b, profile, "services", servicesSection, keep)
	return b.String()
}

// writeNamed writes the section that a key of the profile names, if it exists.
func (fs *Files) writeNamed(b *strings.Builder, profile, key string, kind sectionKind, keep func(string) bool) {
	name, ok := fs.Get(profile, key)
	if !ok || !keep(key) {
		return
	}
	if s, ok := fs.merged(kind, name.Text); ok {
		s.write(b, kindWord(kind)+" "+name.Text, func(string) bool { return true })
	}
}

func (s Section) write(b *strings.Builder, heading string, keep func(string) bool) {
	b.WriteString("[" + heading + "]\n")
	for _, key := range s.keys {
		v := s.values[key]
		if !keep(key) || !isWritable(v.Text) {
			continue
		}
		b.WriteString(key + " = " + strings.ReplaceAll(quoteAgain(v.Text), "\n", "\n  ") + "\n")
		for _, setting := range v.Nested() {
			b.WriteString("  " + setting.Key + " = " + quoteAgain(setting.Text) + "\n")
		}
	}
}

// isWritable reports whether the SDK can read a text back.
func isWritable(text string) bool {
	first, rest, _ := strings.Cut(text, "\n")
	return cutComment(first) == first && !strings.ContainsAny(rest, "=:")
}

// quoteAgain protects quotes that belong to the value.
func quoteAgain(text string) string {
	if text != "" && (isQuote(text[0]) || isQuote(text[len(text)-1])) {
		return `"` + text + `"`
	}
	return text
}
