package redact

import (
	"net/url"
	"strings"
)

// URL is an address as it may be shown: what may be secret in it is hidden, which
// is a user with or without a password, each value of its query, and its
// fragment. An address without these is shown as it was given.
//
//	https://me:pw@host/path?code=1&state=2  →  https://…@host/path?code=…&state=…
//
// Where it cannot be told what is a password, nothing is shown.
func URL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		if strings.Contains(s, "@") {
			return hidden
		}
		if i := strings.IndexAny(s, "?#"); i >= 0 {
			return OneLine(s[:i]) + s[i:i+1] + hidden
		}
		return OneLine(s)
	}
	user, query, fragment := u.User != nil, u.RawQuery, u.Fragment != ""
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	text := u.String()
	if strings.Contains(text, "@") {
		return hidden // a password with a slash in it, or a user without a scheme
	}
	if !user && query == "" && !fragment {
		return OneLine(s)
	}
	if user {
		text = strings.Replace(text, "//", "//"+hidden+"@", 1)
	}
	if query != "" {
		text += "?" + hideQuery(query)
	}
	if fragment {
		text += "#" + hidden
	}
	return OneLine(text)
}

// hideQuery keeps the names of a query. What has no name may be a token.
func hideQuery(query string) string {
	var shown []string
	for pair := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, named := strings.Cut(pair, "=")
		if !named {
			shown = append(shown, hidden)
			continue
		}
		shown = append(shown, name+"="+hidden)
	}
	return strings.Join(shown, "&")
}
