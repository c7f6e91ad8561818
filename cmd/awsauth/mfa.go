package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
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
	cache   *diskcache.Store // nil with --no-cache
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
	if !cmd.Bool("no-cache") {
		c.cache = diskcache.Open(diskcache.Config{Dir: cacheDir(cmd)})
	}
	return c
}

// open makes the session of options, which asks for a code where it needs one.
//
// Which device that is may stand in a profile, and only the library knows which
// profiles count. So the session is first made without codes: MFARequired is the
// answer where a role of a profile has an mfa_serial. An mfa_serial that stands
// beside a user's keys is not required, and the AWS CLI ignores it: it is heeded
// where there is somebody to ask, or a session on disk for which somebody was asked.
func (c *codes) open(options []awsauth.Option) (*awsauth.Session, error) {
	withCode := append(options[:len(options):len(options)], awsauth.WithMFA(c.serial, c.give))
	if c.asked {
		return awsauth.New(withCode...)
	}
	s, err := awsauth.New(options...)
	switch {
	case errors.Is(err, awsauth.MFARequired):
		return awsauth.New(withCode...)
	case err != nil || !c.forRole:
		return s, err
	}
	signedIn, err := awsauth.New(withCode...)
	if err == nil && (hasTerminal() || c.kept(signedIn.Explain())) {
		return signedIn, nil
	}
	return s, nil // there is no device, or none that has codes, or nobody to type one
}

// keptLeft is how much an MFA session on disk must have left for the library to use it.
const keptLeft = 2 * time.Minute

// kept reports whether the MFA session that a report speaks of is on disk.
func (c *codes) kept(r awsauth.Report) bool {
	if c.cache == nil {
		return false
	}
	items, err := c.cache.List(context.Background()) // reads files, and asks nobody
	return err == nil && slices.ContainsFunc(items, func(item diskcache.Item) bool {
		isStep := slices.ContainsFunc(r.Steps, func(s awsauth.Step) bool { return s.Source == item.What })
		return isStep && strings.HasPrefix(item.What, "MFA session of ") && strings.HasPrefix(r.Source, item.From) && time.Until(item.Expires) > keptLeft
	})
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
