//go:build unix

package diskcache

import (
	"io/fs"
	"os"
	"syscall"
)

// hasModes tells that the bits of a mode say who may do what.
const hasModes = true

// Flags for opening what somebody may have put in place of our file.
const (
	noFollow = syscall.O_NOFOLLOW // a symbolic link is an error
	nonBlock = syscall.O_NONBLOCK // a pipe without a writer does not hang
)

// IsOwn reports whether a file belongs to the user for whom the process acts.
func IsOwn(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// blocked reports whether another process stands in the way. On Unix an open file
// can be renamed and replaced.
func blocked(error) bool { return false }
