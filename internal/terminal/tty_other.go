//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package terminal

import (
	"fmt"
	"runtime"
)

// system has no terminal: none of this kind of system is known here.
type system struct{}

func (*system) open() (device, error) {
	return nil, fmt.Errorf("%w (not supported on %s)", ErrNone, runtime.GOOS)
}
