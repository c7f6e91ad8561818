//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import "golang.org/x/sys/unix"

const (
	getMode  = unix.TIOCGETA
	setMode  = unix.TIOCSETA
	disabled = 0xff // the character of a key that does not exist
)

// discard throws away what was typed and not read.
func discard(fd int) error {
	const input = 1 // FREAD of <sys/fcntl.h>
	return unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, input)
}

// foreground is the process group that has the terminal.
func foreground(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCGPGRP) }
