package terminal

import "golang.org/x/sys/unix"

const (
	getMode  = unix.TCGETS
	setMode  = unix.TCSETS
	disabled = 0 // the character of a key that does not exist
)

// discard throws away what was typed and not read.
func discard(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }

// foreground is the process group that has the terminal.
func foreground(fd int) (int, error) {
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return int(group), err
}
