package diskcache

import (
	"encoding/hex"
	"strings"
)

// The ends of the names of our files.
const (
	plainSuffix  = ".json"
	sealedSuffix = ".sealed"
	lockSuffix   = ".lock"

	tempPrefix, tempSuffix = "awsauth-", ".tmp"

	tagName = "CACHEDIR.TAG"
)

// split takes the name of an entry or a lock apart.
func split(name string) (k Key, suffix string, ok bool) {
	digits, suffix, _ := strings.Cut(name, ".")
	if len(digits) != hex.EncodedLen(len(k)) {
		return k, "", false
	}
	if _, err := hex.Decode(k[:], []byte(digits)); err != nil || k.String() != digits {
		return k, "", false
	}
	switch suffix = "." + suffix; suffix {
	case plainSuffix, sealedSuffix, lockSuffix:
		return k, suffix, true
	}
	return k, "", false
}

func isTemp(name string) bool {
	middle, ok := strings.CutPrefix(name, tempPrefix)
	middle, end := strings.CutSuffix(middle, tempSuffix)
	return ok && end && strings.Trim(middle, "0123456789") == "" // as os.CreateTemp fills it
}

// isOurs reports whether a file in the directory is one that this package makes.
func isOurs(name string) bool {
	_, _, ok := split(name)
	return ok || isTemp(name) || name == tagName
}
