package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Limits of a command that prints a code.
const (
	maxCodeOutput = 4 << 10 // bytes
	// codeGrace is how long the command may take to end when it is told to,
	// and how long something that it left running may keep its output open.
	codeGrace = time.Second
)

// codeFrom is a code func for WithMFA. It runs command with the shell, as a
// credential_process, and takes the last line with something on it as the code.
//
// What the command writes on its standard error goes to stderr: it may ask for a
// touch. Its standard input is empty, since ours may be a list of accounts.
// It stays in our process group and can ask on the terminal. No error shows
// what the command printed, nor the command, which may have a secret in it.
func codeFrom(command string, stderr io.Writer) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var out codeOutput
		c := shellCommand(ctx, command)
		c.Stdout, c.Stderr = &out, stderr
		c.Cancel = func() error {
			if c.Process.Signal(syscall.SIGTERM) != nil { // Windows has none
				return c.Process.Kill()
			}
			return nil
		}
		c.WaitDelay = codeGrace
		err := c.Run()
		switch {
		case ctx.Err() != nil:
			return "", fmt.Errorf("the command of --mfa-process was ended: %w", context.Cause(ctx))
		case out.full:
			return "", fmt.Errorf("the command of --mfa-process printed more than %d bytes, which is no code", maxCodeOutput)
		case err != nil && !errors.Is(err, exec.ErrWaitDelay): // a daemon that it started keeps its output open
			return "", fmt.Errorf("the command of --mfa-process failed: %w", err)
		}
		code := lastLine(out.String())
		if code == "" {
			return "", errors.New("the command of --mfa-process printed no code")
		}
		return code, nil
	}
}

// lastLine is the last line of text with something on it, without the space
// around it.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
}

// codeOutput keeps what a command prints, up to a limit. It is never printed.
type codeOutput struct {
	strings.Builder
	full bool
}

func (o *codeOutput) Write(b []byte) (int, error) {
	if o.Len()+len(b) > maxCodeOutput {
		o.full = true
		return 0, io.ErrShortWrite // the command gets a broken pipe
	}
	return o.Builder.Write(b)
}
