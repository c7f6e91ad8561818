package sharedfile

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
)

// ErrNoHome is the error of Expand where the user has no home directory.
var ErrNoHome = errors.New("the home directory is not known; set HOME to an absolute path, or write the whole path of the file")

// Expand replaces a leading ~ by the home directory, ~name by that of the user
// name, and $NAME or ${NAME} by an environment variable that is set, as the AWS
// CLI does with AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE. It never
// answers with a path below the working directory in place of a home that is
// not known: that is an error.
func Expand(path string) (string, error) {
	path = expandVariables(path)
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	name, rest := path[1:], ""
	if i := strings.IndexFunc(path, func(r rune) bool { return r < 128 && os.IsPathSeparator(byte(r)) }); i >= 0 {
		name, rest = path[1:i], path[i:]
	}
	home, err := homeOf(name)
	if err != nil {
		return "", err
	}
	if len(rest) == 1 {
		return home, nil
	}
	return home + rest, nil // as it is: what is behind a link and .. is the system's to say
}

// Stray says what in the name of a file was hardly meant, as the quotes of an env file
// or the line end of a mounted value, or "". A file that is there has the name it has.
func Stray(path string) string {
	if _, err := os.Stat(path); err == nil {
		return ""
	}
	first, last := path[:min(1, len(path))], path[max(0, len(path)-1):]
	switch {
	case strings.TrimSpace(path) != path:
		return "has a blank or a line end at one of its ends"
	case strings.ContainsFunc(path, unicode.IsControl):
		return "has a control character"
	case strings.ContainsAny(first+last, "\"'`"):
		return "has a quote at one of its ends"
	case strings.HasPrefix(strings.ToLower(path), "file:"):
		return "is a URL"
	case isContent(strings.ToLower(path)):
		return "looks like what stands in such a file"
	}
	for rest := path; rest != ""; {
		name, length := variable(rest)
		if name != "" {
			return "names a variable that is not set: " + clean(name)
		}
		rest = rest[max(length, 1):]
	}
	return ""
}

// isContent reports whether what is to be a path, in small letters, is what stands in a
// shared file, in a shell's, or in an answer of STS.
func isContent(path string) bool {
	for _, prefix := range []string{"export ", "set ", "$env:"} {
		path = strings.TrimPrefix(path, prefix)
	}
	return strings.HasPrefix(path, "[") || strings.HasPrefix(path, "{") || strings.HasPrefix(path, "aws_") && strings.ContainsAny(path, "=: \t")
}

// homeOf returns the home directory of a user; "" is who runs the program.
func homeOf(name string) (string, error) {
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("the home directory of user %q is not known; write the whole path of the file", clean(name))
		}
		return u.HomeDir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		u, err := user.Current()
		if err != nil {
			return "", ErrNoHome
		}
		home = u.HomeDir
	}
	if !filepath.IsAbs(home) {
		return "", ErrNoHome
	}
	return home, nil
}

// expandVariables replaces the variables that are set and leaves the others as
// they are written. On Windows, %NAME% is a variable, too.
func expandVariables(path string) string {
	var b strings.Builder
	for path != "" {
		name, length := variable(path)
		value, ok := os.LookupEnv(name)
		if name == "" || !ok {
			length = max(length, 1)
			value = path[:length]
		}
		b.WriteString(value)
		path = path[length:]
	}
	return b.String()
}

// variable returns the name of the variable that path begins with, and how long
// it is written; or "".
func variable(path string) (name string, length int) {
	closing := ""
	switch {
	case strings.HasPrefix(path, "${"):
		path, length, closing = path[2:], 2, "}"
	case path[0] == '%' && runtime.GOOS == "windows":
		path, length, closing = path[1:], 1, "%"
	case path[0] != '$':
		return "", 1
	default:
		n := 1
		for n < len(path) && isWord(path[n]) {
			n++
		}
		return path[1:n], n
	}
	name, _, ok := strings.Cut(path, closing)
	if !ok {
		return "", length
	}
	return name, length + len(name) + 1
}

// isWord reports whether c may stand in a variable's name.
func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
