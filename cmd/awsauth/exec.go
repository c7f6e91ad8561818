package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// execCommand runs a command as somebody.
func execCommand() *cli.Command {
	return &cli.Command{
		Name:      "exec",
		Usage:     "run a command, or a shell, with the credentials of a role",
		ArgsUsage: "-- COMMAND [ARGUMENT…]",
		Description: "COMMAND finds the keys, their end, the account and the region in its environment;\n" +
			"what else there would lead it to another identity is taken away. Without COMMAND\n" +
			"your shell starts. Examples:\n\n" +
			"    awsauth exec --account 123456789012 -- aws s3 ls\n" +
			"    awsauth exec --profile ops --role-arn arn:aws:iam::123456789012:role/audit -- env\n" +
			"    awsauth exec --serve --account 123456789012 -- python3 worker.py\n\n" +
			"The keys in the environment stay as they are until they end, mostly after an hour.\n" +
			"With --serve, COMMAND asks awsauth for its keys, at an address of this machine that\n" +
			"only COMMAND knows, and gets new ones for as long as it runs. It sees none of\n" +
			"your profiles then, because keys there would win: only the settings of the default\n" +
			"profile.\n\n" +
			"On Unix awsauth becomes COMMAND. With --serve it stays beside COMMAND, passes on\n" +
			"signals, and stops and ends as COMMAND does; Ctrl-C and Ctrl-Z reach COMMAND from\n" +
			"the terminal. (So in the foreground of a terminal an INT that is sent to awsauth\n" +
			"alone is not passed on: send TERM, or send it to COMMAND.) The exit code is COMMAND's; 126 if it cannot\n" +
			"be run, 127 if it is not found; 1 if there are no credentials and 2 for a wrong call.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "serve", Usage: "renew the keys for as long as COMMAND runs"},
			durationFlag("timeout", "wait so long for the first keys: a `TIME` like 90s; 0 for no limit (default: 1m)"),
		}, sessionFlags()...),
		HideHelpCommand: true,
		Action:          runExec,
	}
}

// execution is one run of exec.
type execution struct {
	cmd     *cli.Command
	session *awsauth.Session
	keys    aws.Credentials
	program string   // its path
	argv    []string // as it sees itself
	environ []string
	codes   *codes
	serving atomic.Bool // the command runs beside the endpoint
}

func runExec(ctx context.Context, cmd *cli.Command) error {
	x := &execution{cmd: cmd, argv: cmd.Args().Slice(), environ: callersEnviron(os.Environ()), codes: codesOf(cmd)}
	if cmd.Args().Present() {
		if err := x.find(); err != nil { // before a person types a code for nothing
			return err
		}
	}
	var more []awsauth.Option
	if cmd.Bool("serve") {
		more = append(more, warnings(x.warn))
	}
	if err := x.start(ctx, more...); err != nil {
		return err
	}
	if len(x.argv) == 0 {
		if err := x.shell(); err != nil {
			return err
		}
	}
	if cmd.Bool("serve") {
		return x.serve(ctx)
	}
	x.sayWhenTheyEnd()
	return become(x.program, x.argv, with(x.environ, keyVariables(x.keys, x.session.Config().Region)...))
}

// start opens the session and gets its first keys, in the time of the flag --timeout.
func (x *execution) start(ctx context.Context, more ...awsauth.Option) error {
	ctx, cancel, err := withTimeout(ctx, x.cmd)
	if err != nil {
		return err
	}
	defer cancel()
	if x.session, err = openAsking(ctx, x.cmd, x.codes, more...); err != nil {
		return err
	}
	left := leftForGood
	if x.cmd.Bool("serve") {
		left = leftForSDK
	}
	x.keys, err = firstKeys(ctx, x.cmd, lasting{x.session, left})
	return err
}

// firstKeys are the keys of a session, with their end where it is known.
func firstKeys(ctx context.Context, cmd *cli.Command, s aws.CredentialsProvider) (aws.Credentials, error) {
	keys, err := s.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, failed(err)
	}
	return withEnd(cmd, keys)
}

// Exit codes of a command that could not be run, as shells and env(1) have them.
const (
	exitNotRun   = 126
	exitNotFound = 127
)

// find looks for the program.
func (x *execution) find() (err error) {
	x.program, err = exec.LookPath(x.argv[0])
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return &exited{code: exitNotFound, err: fmt.Errorf("awsauth: exec: there is no program %q", x.argv[0])}
	}
	return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %w", programError(err))}
}

func (x *execution) note(text string) { fmt.Fprintln(x.cmd.Root().ErrWriter, printable(text)) }

// warn tells what happens behind the command. What there is to say before, explain
// says, but for a disk cache that cannot be used.
func (x *execution) warn(text string) {
	if x.serving.Load() || isAboutCache(text) {
		x.note(text)
	}
}

// sayWhenTheyEnd tells a person that the command will not get new keys. Once
// awsauth is the command nobody can say so when it happens; and a line in every
// mail of cron would be too much.
func (x *execution) sayWhenTheyEnd() {
	if !x.keys.CanExpire || !isTerminal(x.cmd.Root().ErrWriter) {
		return
	}
	x.note(endNote(x.keys, time.Now()))
}

// endNote says when keys end. Those of the environment --serve does not renew.
func endNote(keys aws.Credentials, now time.Time) string {
	text := fmt.Sprintf("awsauth: these keys end at %s, in %v", keys.Expires.Local().Format("15:04"), keys.Expires.Sub(now).Round(time.Second))
	if isEnvironment(keys) {
		return text
	}
	return text + "; what runs longer needs exec --serve"
}

// exited is the end of a command that was run for the caller: its exit code is ours.
type exited struct {
	code   int
	signal os.Signal // that ended it, if one did
	err    error     // to print, if any
}

func (e *exited) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exited) Unwrap() error { return e.err }
