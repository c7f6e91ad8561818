// Command awsauth answers the library's questions on the command line: who am I on
// AWS, and how do I become the role I need. It hands the answer to any other program.
//
//	awsauth whoami --profile ops          who am I, for real
//	awsauth explain                       where do my credentials come from
//	awsauth exec --account 1… -- aws …    run a command as the role
//	awsauth env, awsauth process          the credentials for a shell, for credential_process
//	awsauth console --account 1… --open   the role in the AWS console, in a browser
//	awsauth login, awsauth logout         SSO, without the AWS CLI
//	awsauth each --accounts ids.txt -- …  run a command once per account
//	awsauth accounts                      the accounts of the organization
//	awsauth cache list, cache clear       the credentials that are kept on disk
//	awsauth demo [STEP]                   a walk through the library, on an AWS inside the process
//
// It exits with 0 when all went well, 1 when something failed (the reason is on
// stderr), 2 when it was called wrongly and 130 when Ctrl-C ended it; exec with the
// exit code of its command. A call is wrong if its words are: a command or flag that is
// not there, or a value that cannot be right. What a word names, a file, a profile or a
// program, may be missing or wrong, and that is a failure.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), notIgnored(os.Interrupt, syscall.SIGTERM)...)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// notIgnored are those signals that we were not started to ignore, as nohup and
// shells do for programs in the background. NotifyContext without any would mean all.
func notIgnored(signals ...os.Signal) []os.Signal {
	rest := slices.DeleteFunc(signals, signal.Ignored)
	if len(rest) == 0 {
		return []os.Signal{syscall.SIGTERM}
	}
	return rest
}

// run is the whole command: args[0] is its name. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newCommand(stdout, stderr)
	if isCompletion(args) {
		complete(root, args, stdout)
		return exitOK
	}
	args, err := arrange(root, args)
	if err == nil {
		err = runCommand(ctx, root, args)
	}
	var failed *failure
	var child *exited
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &child):
		if child.err != nil {
			fmt.Fprintln(stderr, onTerminal(child.err))
		}
		if child.signal != nil {
			dieOf(child.signal)
		}
		return child.code
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "awsauth: interrupted")
		return exitInterrupted
	case errors.As(err, &failed):
		fmt.Fprintln(stderr, onTerminal(failed))
		return failed.code()
	}
	fmt.Fprintf(stderr, "awsauth: %s\n", onTerminal(err))
	return exitUsage
}

// onTerminal is the text of an error, which may have several lines and in them names of
// files and the words of the command line. Nothing in it moves the cursor.
func onTerminal(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// runCommand runs the command of a line that has been arranged.
func runCommand(ctx context.Context, root *cli.Command, args []string) error {
	if !asksForHelp(args) {
		return root.Run(ctx, args)
	}
	help := &helpWriter{to: root.Writer}
	root.Writer = help
	if err := root.Run(ctx, args); err != nil {
		return err
	}
	return help.flush()
}

// newCommand builds the command line. Each command has a file of its own.
func newCommand(stdout, stderr io.Writer) *cli.Command {
	root := &cli.Command{
		Name:    "awsauth",
		Usage:   "who am I on AWS, and how do I become the role I need",
		Version: version(),
		Description: "Try `awsauth demo` first: it needs no account and no network.\n" +
			"Then `awsauth whoami` asks the same of your own AWS set-up. Examples:\n\n" +
			"    awsauth whoami --profile ops\n" +
			"    awsauth exec --account 123456789012 --role audit -- aws s3 ls\n" +
			"    awsauth --profile ops each --accounts accounts.txt -- aws iam list-users\n\n" +
			"Flags may stand before or after the command; what is to be run comes after --.\n" +
			"Results are on stdout, all talk is on stderr.\n\n" +
			"Exit codes: 0 all went well; 1 something failed, or what a flag names is not\n" +
			"there, like a file, a profile or a program; 2 a wrong call: a command or flag\n" +
			"that does not exist, or a value that cannot be right; 130 Ctrl-C. exec ends\n" +
			"with the exit code of its command.\n\n" +
			"For completion, in ~/.bashrc: source <(awsauth completion bash); see\n" +
			"awsauth completion --help for zsh, fish and PowerShell.",
		Commands: commands(),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return misused(cmd, fmt.Errorf("there is no command %q", cmd.Args().First()))
			}
			return cli.ShowRootCommandHelp(cmd)
		},
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: completionScripts,
		Writer:                          stdout,
		ErrWriter:                       stderr,
		// run prints errors and chooses the exit code; the library is to do neither.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	all := append(root.Commands[:len(root.Commands):len(root.Commands)], root)
	for _, cmd := range root.Commands {
		all = append(all, cmd.Commands...)
	}
	for _, cmd := range all {
		cmd.DisableSliceFlagSeparator = true // what is given once is one value
		cmd.OnUsageError = func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
			return misused(cmd, err)
		}
	}
	return root
}

// noArguments refuses what stands on the command line beside the flags.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return misused(cmd, fmt.Errorf("%s takes flags only, not %q", cmd.Name, cmd.Args().First()))
	}
	return nil
}

// misused is an error of how cmd was called, and where to read how to.
func misused(cmd *cli.Command, err error) error {
	text := strings.ReplaceAll(err.Error(), " for flag -", " for flag --") // as everybody writes it
	text = strings.ReplaceAll(text, "not defined: -", "not defined: --")
	return fmt.Errorf("%s; see %s --help", text, cmd.FullName())
}

// failure is an error of what the command did. The exit code is that of a wrong call all
// the same where the library says that a flag is wrong.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func (f *failure) code() int {
	if slices.ContainsFunc(leaves(f.err), isFlagsFault) {
		return exitUsage
	}
	return exitFailed
}

// isFlagsFault reports whether an error of the library is about the value of an option,
// which is a flag here. Its text begins with the option then.
func isFlagsFault(err error) bool {
	var own *awsauth.Error
	if !errors.As(err, &own) {
		return false
	}
	text := strings.TrimPrefix(own.Error(), "awsauth: ")
	switch own.Kind {
	case awsauth.InvalidOption, awsauth.InvalidDuration:
		return strings.HasPrefix(text, "With") || strings.HasPrefix(text, "ConsoleURL(")
	case awsauth.WrongPartition: // of which the option may be a later word; a role's name stands behind a slash
		return strings.Contains(" "+text, " With")
	}
	return false
}

// said is an error in other words than its own.
type said struct {
	text string
	err  error
}

func (s said) Error() string { return s.text }
func (s said) Unwrap() error { return s.err }

// commands are in the order of the help.
func commands() []*cli.Command {
	return []*cli.Command{
		whoamiCommand(), explainCommand(),
		envCommand(), execCommand(), processCommand(), consoleCommand(),
		loginCommand(), logoutCommand(),
		accountsCommand(), eachCommand(),
		cacheCommand(), demoCommand(),
	}
}
