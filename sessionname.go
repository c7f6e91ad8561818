package awsauth

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Lengths of a role session name, as STS has them, and how much of one the
// user may take so that something of the host is left.
const (
	minSessionName = 2
	maxSessionName = 64
	maxNameOfUser  = 32
)

// defaultSessionName is <user or program>@<host>, so that CloudTrail tells
// callers apart. A numeric user, as containers have, says less than the program.
func defaultSessionName() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if strings.Trim(name, "0123456789") == "" {
		name = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	host, _ := os.Hostname()
	return sessionName(name, host)
}

// sessionName makes who@host fit for [\w+=,.@-]{2,64}.
func sessionName(who, host string) string {
	if i := strings.LastIndexByte(who, '\\'); i >= 0 {
		who = who[i+1:] // DOMAIN\user
	}
	host, _, _ = strings.Cut(host, ".")
	who, host = fit(who), fit(host)
	if len(who) > maxNameOfUser {
		who = who[:maxNameOfUser]
	}
	name := who
	if host != "" {
		name += "@" + host
	}
	if len(name) > maxSessionName {
		name = name[:maxSessionName]
	}
	if len(name) < minSessionName {
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
