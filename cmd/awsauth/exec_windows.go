package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

// temporaryVariable names the directory of temporary files.
const temporaryVariable = "TMP"

// become runs another program and ends as it does: Windows cannot replace a
// program by another.
func become(program string, argv, environ []string) error {
	return runChild(program, argv, environ)
}

// runBeside runs the command as a child.
func (x *execution) runBeside(environ []string) error {
	return runChild(x.program, x.argv, environ)
}

// runChild waits for a child. Ctrl-C reaches it from the console, as it does us: we
// wait on.
func runChild(program string, argv, environ []string) error {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt)
	defer signal.Stop(caught)
	c := exec.Command(program)
	c.Args, c.Env = argv, environ
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ended):
		return &exited{code: ended.ExitCode()}
	}
	return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %w", err)}
}

func dieOf(os.Signal) {}
