package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// eachCommand runs a command in many accounts.
func eachCommand() *cli.Command {
	return &cli.Command{
		Name:      "each",
		Usage:     "run a command once per account, with that account's credentials",
		ArgsUsage: "-- COMMAND [ARGUMENT…]",
		Description: "A role is assumed in each account, and COMMAND runs with its credentials in\n" +
			"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the region in\n" +
			"AWS_REGION and AWS_DEFAULT_REGION, and the account's id in AWSAUTH_ACCOUNT.\n" +
			"Each line of its output comes with the account's id in front. Example:\n\n" +
			"    awsauth each --accounts accounts.txt --role audit -- aws s3 ls\n\n" +
			"The exit code is 1 when COMMAND failed, or could not run, in any account.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "accounts", Usage: "`FILE` with an account id or role ARN on each line (# comments), - for stdin, or a list: id,id"},
			&cli.StringFlag{Name: "concurrency", Usage: "work on so many accounts at a time: a `NUMBER` (default: 16)", Validator: checkConcurrency},
		}, flagsWithout("account", "role-arn", "web-identity-token-file")...),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return misused(cmd, errors.New("there is no command to run; write it after --"))
			}
			program, err := exec.LookPath(cmd.Args().First())
			if err != nil {
				return misused(cmd, err)
			}
			list, err := readAccounts(cmd.String("accounts"), cmd.Root().Reader)
			if err != nil {
				return misused(cmd, err)
			}
			e := &each{
				command: append([]string{program}, cmd.Args().Tail()...), environ: callersEnviron(os.Environ()),
				out: newLines(cmd.Root().Writer, cmd.Root().ErrWriter), list: list,
			}
			return e.run(ctx, cmd)
		},
	}
}

// flagsWithout are the session flags but for these.
func flagsWithout(names ...string) []cli.Flag {
	return slices.DeleteFunc(sessionFlags(), func(f cli.Flag) bool { return slices.Contains(names, f.Names()[0]) })
}

func checkConcurrency(s string) error {
	if n, err := strconv.Atoi(s); s != "" && (err != nil || n < 1) {
		return errors.New("not a number from 1 on")
	}
	return nil
}

// each is one run of the command each.
type each struct {
	command []string
	environ []string
	list    accountList
	out     *lines
}

// run runs the command in all accounts and says how it went.
func (e *each) run(ctx context.Context, cmd *cli.Command) error {
	if len(e.list.accounts) == 0 {
		e.out.note("awsauth: no accounts in " + e.list.name)
		return nil
	}
	roles, err := roleOptions(cmd)
	if err != nil {
		return err
	}
	s, err := awsauth.New(append(startOptions(cmd), terminalAsker().option())...)
	if err != nil {
		return failed(err)
	}
	var options []awsauth.FleetOption
	for _, o := range roles {
		options = append(options, o)
	}
	concurrency, _ := strconv.Atoi(cmd.String("concurrency")) // checked; 0 is the default
	total, told := len(e.list.accounts), false
	err = s.ForEachAccount(ctx, e.list.accounts, e.one, append(options,
		awsauth.WithConcurrency(concurrency),
		awsauth.WithProgress(func(p awsauth.Progress) {
			total, told = p.Total, true // without those that are there twice
			e.out.progress(p)
		}))...)
	e.out.clear()
	if err != nil && !told && ctx.Err() == nil {
		return errors.New(e.list.explain(err)) // of how it was called: nothing has been done
	}
	return e.summary(err, total)
}

// one runs the command in one account.
func (e *each) one(ctx context.Context, s *awsauth.Session) error {
	creds, err := s.Retrieve(ctx)
	if err != nil {
		return err
	}
	id, err := s.Identity(ctx) // came with the credentials
	if err != nil {
		return err
	}
	region := s.Config().Region
	stdout, stderr := e.out.writer(e.out.stdout, id.Account), e.out.writer(e.out.stderr, id.Account)
	defer stdout.end()
	defer stderr.end()
	c := exec.CommandContext(ctx, e.command[0], e.command[1:]...)
	c.Stdout, c.Stderr = stdout, stderr
	c.Env = with(e.environ, append(keyVariables(creds, region), variable{"AWSAUTH_ACCOUNT", id.Account})...)
	c.Cancel = func() error {
		if c.Process.Signal(syscall.SIGTERM) != nil { // Windows has none
			return c.Process.Kill()
		}
		return nil
	}
	c.WaitDelay = childGrace
	return c.Run()
}

// childGrace is how long a command that was told to end may take.
const childGrace = 5 * time.Second

// summary names the accounts that failed.
func (e *each) summary(err error, total int) error {
	if err == nil {
		e.out.note(fmt.Sprintf("awsauth: %s, all went well", accounts(total)))
		return nil
	}
	failed, notStarted := 0, 0
	for _, one := range leaves(err) {
		var own *awsauth.Error
		if errors.As(one, &own) && own.Kind == "" && own.Op == "ForEachAccount" {
			notStarted++
			continue
		}
		failed++
		e.out.note("  " + inFlags(one.Error()))
	}
	text := fmt.Sprintf("awsauth: %d of %s failed", failed, accounts(total))
	if notStarted > 0 {
		text += fmt.Sprintf(", %d not started", notStarted)
		e.out.note(text) // run says only that it was interrupted
	}
	return &failure{errors.New(text)}
}

func accounts(n int) string {
	if n == 1 {
		return "1 account"
	}
	return fmt.Sprintf("%d accounts", n)
}

// leaves are the errors that were joined.
func leaves(err error) (all []error) {
	switch e := err.(type) {
	case *awsauth.Error, *awsauth.AccountError:
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, leaves(one)...)
		}
		return all
	}
	return []error{err}
}

// accountList is what --accounts says.
type accountList struct {
	name     string // of the file
	accounts []string
	line     map[string]int // where an account stands first; of a file
}

// readAccounts reads a list, a file, or stdin.
func readAccounts(value string, stdin io.Reader) (accountList, error) {
	switch {
	case value == "":
		return accountList{}, errors.New("pass --accounts with a file or a list of ids")
	case value == "-":
		return readLines("stdin", stdin)
	case isList(value):
		l := accountList{name: "--accounts"}
		l.accounts = strings.FieldsFunc(value, isSeparator)
		return l, nil
	}
	f, err := os.Open(value)
	if err != nil {
		return accountList{}, fmt.Errorf("--accounts %q is neither a list of account ids or role ARNs nor a file that can be read: %w", value, errors.Unwrap(err))
	}
	defer f.Close()
	return readLines(value, f)
}

// isList tells a list from the name of a file.
func isList(value string) bool {
	for part := range strings.FieldsFuncSeq(value, isSeparator) {
		if strings.Trim(part, "0123456789") != "" && !strings.HasPrefix(part, "arn:") {
			return false
		}
	}
	return true
}

// isSeparator: accounts stand one a line, or with blanks or commas between, as
// other commands print them.
func isSeparator(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// readLines reads a file of accounts. Blank lines and # comments are left out.
func readLines(name string, r io.Reader) (accountList, error) {
	l := accountList{name: name, line: map[string]int{}}
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		text := scanner.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // as Windows editors begin a file
		}
		text, _, _ = strings.Cut(" "+strings.ReplaceAll(text, "\t", " "), " #")
		for account := range strings.FieldsFuncSeq(text, isSeparator) {
			l.accounts = append(l.accounts, account)
			if l.line[account] == 0 {
				l.line[account] = n
			}
		}
	}
	if err := scanner.Err(); err != nil {
		return l, fmt.Errorf("read %s: %w", name, err)
	}
	return l, nil
}

// explain is the text of an error that stopped everything, in the words of the
// command line and with the lines of the file.
func (l accountList) explain(err error) string {
	var texts []string
	for _, one := range leaves(err) {
		text := strings.TrimPrefix(inFlags(one.Error()), "awsauth: ")
		var entry *awsauth.AccountError
		var own *awsauth.Error
		if errors.As(one, &entry) && errors.As(one, &own) && !strings.HasPrefix(own.Op, "With") {
			text = strings.Replace(text, ": ForEachAccount: ", ": ", 1)
			if n := l.line[entry.Account]; n > 0 {
				text = fmt.Sprintf("%s:%d: %s", l.name, n, text)
			}
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "\nawsauth: ")
}
