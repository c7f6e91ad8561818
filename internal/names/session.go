package names

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// The lengths of a role session name, as STS has them, and how much of one the
// user may take so that something of the host is left.
const (
	MinSession = 2
	MaxSession = 64

	maxUser = 32
)

// IsSession reports whether STS accepts s as the name of a role session.
func IsSession(s string) bool { return Is(s, Signs, MinSession, MaxSession) }

// DefaultSession is <user or program>@<host>, so that CloudTrail tells callers
// apart. Where the user is root because of sudo, it is the person who called
// sudo. Where the user is only a number, as in containers, the program says more.
func DefaultSession() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" && name == "root" {
		name = sudo
	}
	if strings.Trim(name, "0123456789") == "" {
		name = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	host, _ := os.Hostname()
	return Session(name, host)
}

// Session makes who@host fit for a role session's name: [\w+=,.@-]{2,64}. Of
// DOMAIN\user it takes the user, of a host's full name the first part.
func Session(who, host string) string {
	if i := strings.LastIndexByte(who, '\\'); i >= 0 {
		who = who[i+1:]
	}
	host, _, _ = strings.Cut(host, ".")
	who, host = fit(who), fit(host)
	if len(who) > maxUser {
		who = who[:maxUser]
	}
	name := who
	if host != "" {
		name += "@" + host
	}
	if len(name) > MaxSession {
		name = name[:MaxSession]
	}
	if len(name) < MinSession {
		name += "awsauth"
	}
	return name
}

// fit replaces what STS does not accept in a session name.
func fit(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '-'
	}, s)
}
