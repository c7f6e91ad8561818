package terminal

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// system opens the console of the process.
type system struct{}

func (*system) open() (device, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNone, err)
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		_ = in.Close()
		return nil, fmt.Errorf("%w (%w)", ErrNone, err)
	}
	c := &console{in: in, out: out, handle: windows.Handle(in.Fd())}
	if err := windows.GetConsoleMode(c.handle, &c.former); err != nil {
		c.close()
		return nil, fmt.Errorf("%w (CONIN$: %w)", ErrNone, err)
	}
	return c, nil
}

// console is the console of the process. It knows no jobs in the background.
type console struct {
	in, out  *os.File
	handle   windows.Handle
	former   uint32
	prepared bool
}

// prepare makes the console hand over each character as it is typed, Ctrl-C
// included, and show none.
func (c *console) prepare() (keys, error) {
	const line = windows.ENABLE_ECHO_INPUT | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	if !c.prepared {
		if err := windows.GetConsoleMode(c.handle, &c.former); err != nil {
			return keys{}, fmt.Errorf("reading the console's mode: %w", err)
		}
	}
	c.prepared = true
	if err := windows.SetConsoleMode(c.handle, c.former&^line); err != nil {
		return keys{}, fmt.Errorf("turning the console's echo off: %w", err)
	}
	c.flush()
	k := keys{end: ctrl('D'), kill: 0x1b} // Escape empties a line there
	if c.former&windows.ENABLE_PROCESSED_INPUT != 0 {
		k.interrupt = ctrl('C')
	}
	return k, nil
}

// ctrl is the character that a key with Ctrl sends. Ctrl-Z is not among the
// keys: a read of Go's turns it into the end of the input.
func ctrl(key byte) byte { return key & 0x1f }

func (c *console) restore() {
	if c.prepared {
		c.prepared = windows.SetConsoleMode(c.handle, c.former) != nil
	}
}

func (c *console) flush() { _ = windows.FlushConsoleInputBuffer(c.handle) }

func (c *console) write(_ context.Context, s string) error {
	_, err := c.out.WriteString(s)
	return err
}

func (c *console) read() (byte, error) {
	var b [1]byte
	_, err := c.in.Read(b[:])
	return b[0], err
}

// interrupt cannot: a read of a console waits for a key.
func (*console) interrupt() bool { return false }

// press tells all processes of the console, as the console does.
func (*console) press(e event) {
	if e == interrupted {
		_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0)
	}
}

func (*console) again(os.Signal) {}

// watch notices nothing. Ctrl-Break and the closing of the window end the
// process as always; the shell that gets the console sets its mode.
func (*console) watch() signals { return signals{stop: func() {}} }

func (c *console) close() {
	_ = c.in.Close()
	_ = c.out.Close()
}
