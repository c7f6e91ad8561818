package diskcache

import (
	"errors"
	"io/fs"
	"syscall"
)

// hasModes tells that the bits of a mode say who may do what. On Windows they
// repeat the read-only attribute.
const hasModes = false

// Windows has no such flags. Making a symbolic link takes a privilege there.
const (
	noFollow = 0
	nonBlock = 0
)

// IsOwn leaves ownership to the access list that a file inherits.
func IsOwn(fs.FileInfo) bool { return true }

// blocked reports whether another process has the file open, which lets a rename
// or an opening fail (golang/go#32188).
func blocked(err error) bool {
	const sharingViolation, lockViolation syscall.Errno = 32, 33
	return errors.Is(err, syscall.ERROR_ACCESS_DENIED) || errors.Is(err, sharingViolation) || errors.Is(err, lockViolation)
}
