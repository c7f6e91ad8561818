package awsauth_test

import (
	"fmt"
	"os"
	"syscall"
)

// freeze makes the root and the home of a process with mounts of its own read-only.
// The process says "skip" and ends where the system does not let it.
func freeze() {
	home := os.Getenv("HOME")
	for _, m := range []struct {
		source, target string
		flags          uintptr
	}{
		{"", "/", syscall.MS_REC | syscall.MS_PRIVATE}, // what follows stays in this process
		{home, home, syscall.MS_BIND},
		{"", home, syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY},
		{"", "/", syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY},
	} {
		if err := syscall.Mount(m.source, m.target, "", m.flags, ""); err != nil {
			fmt.Println("skip", err)
			os.Exit(0)
		}
	}
}
