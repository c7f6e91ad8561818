package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// codes says who gives MFA codes, and for which device.
type codes struct {
	serial string                                // of --mfa-serial
	give   func(context.Context) (string, error) // runs the command of --mfa-process, or asks at the terminal
	// asked is set where one of the two flags was given: then there must be a device.
	asked bool
	// forRole is set where a role is to be assumed from what the profile says. An
	// mfa_serial beside a user's keys counts then, and only then.
	forRole bool
	hushed  atomic.Bool
}

// codesOf reads the flags --mfa-serial and --mfa-process.
func codesOf(cmd *cli.Command) *codes {
	c := &codes{
		serial:  cmd.String("mfa-serial"),
		forRole: cmd.Name == "each" || cmd.String("account") != "" || cmd.String("role-arn") != "" || cmd.String("lister-role") != "",
	}
	c.give = c.prompt
	process := cmd.String("mfa-process")
	if process != "" {
		c.give = codeFrom(process, cmd.Root().ErrWriter)
	}
	c.asked = c.serial != "" || process != ""
	return c
}

// open makes the session of options, which asks for a code where it needs one.
//
// Which device that is may stand in a profile, and only the library knows which
// profiles count. So the session is first made without codes: MFARequired is the
// answer where a role of a profile has an mfa_serial. An mfa_serial that stands
// beside a user's keys is not required, and the AWS CLI ignores it: it is heeded
// where there is somebody to ask.
func (c *codes) open(options []awsauth.Option) (*awsauth.Session, error) {
	withCode := append(options[:len(options):len(options)], awsauth.WithMFA(c.serial, c.give))
	if c.asked {
		return awsauth.New(withCode...)
	}
	s, err := awsauth.New(options...)
	switch {
	case errors.Is(err, awsauth.MFARequired):
		return awsauth.New(withCode...)
	case err != nil || !c.forRole || !hasTerminal():
		return s, err
	}
	if signedIn, err := awsauth.New(withCode...); err == nil {
		return signedIn, nil
	}
	return s, nil // there is no device, or none that has codes
}

// hush ends the asking: from now on the terminal is another program's. The command
// of --mfa-process may still be run.
func (c *codes) hush() { c.hushed.Store(true) }

// prompt asks the person at the terminal, and not stdin, which may be anything else:
// a list of accounts, the input of a command.
func (c *codes) prompt(ctx context.Context) (string, error) {
	if c.hushed.Load() {
		return "", errors.New("a new MFA code is needed, and the terminal is the command's; start it anew")
	}
	return awsauth.PromptMFA(ctx)
}

// hasTerminal reports whether there is somebody to ask.
func hasTerminal() bool {
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONIN$"
	}
	terminal, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = terminal.Close()
	return true
}
