package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// arrange puts a command line into the order that the parser reads: the command,
// its flags, each with its value in one word, and the rest. Flags may stand before
// or after the command, as with the AWS CLI. What is wrong with the line is said
// here, by the name of the mistake; args[0] is the program.
func arrange(root *cli.Command, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	a := arranger{root: root, cmd: root, rest: args[1:]}
	for len(a.rest) > 0 {
		word := a.rest[0]
		a.rest = a.rest[1:]
		switch {
		case word == "--":
			return a.end(args[0])
		case word == "-" || !strings.HasPrefix(word, "-"):
			if err := a.plain(word); err != nil {
				return nil, err
			}
			if a.cmd == root { // help or completion, which the parser adds: their words are their own
				return slices.Concat([]string{args[0], word}, a.rest), nil
			}
		default:
			if err := a.flag(word); err != nil {
				return nil, err
			}
		}
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return slices.Concat([]string{args[0]}, a.path, a.flags, a.words), nil
}

// completionRequest is what the completion scripts put at the end of a line that
// they want completed.
const completionRequest = "--generate-shell-completion"

// arranger is a command line that is being read.
type arranger struct {
	root  *cli.Command
	cmd   *cli.Command // the command so far
	path  []string     // its name, and before it those of the commands that it is a part of
	flags []string
	early []string // names of flags that stood before the command
	words []string // what is no flag
	rest  []string // not read yet
}

// plain reads a word that is neither a flag nor a flag's value: a command's name,
// or an argument.
func (a *arranger) plain(word string) error {
	if sub := a.cmd.Command(word); sub != nil && len(a.words) == 0 {
		a.cmd, a.path = sub, append(a.path, word)
		return nil
	}
	switch {
	case len(a.path) == 0 && (word == "help" || word == "h" || word == "completion"):
		return nil
	case len(a.cmd.Commands) > 0:
		return a.misused("there is no command %q%s", word, didYouMean(word, a.commandNames()))
	}
	a.words = append(a.words, word)
	return nil
}

// flag reads a flag, and its value if it has one.
func (a *arranger) flag(word string) error {
	name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
	if len(a.words) > 0 && takesCommand(a.cmd) {
		return a.misused("%s stands behind %q, which is not a flag: write -- in front of the command to run, like awsauth %s -- %s %s",
			clipped(word), a.words[0], a.cmd.Name, a.words[0], clipped(word))
	}
	f := a.find(name)
	if f == nil {
		return a.misused("there is no flag --%s%s", name, a.meant(name))
	}
	if a.cmd == a.root || len(a.cmd.Commands) > 0 {
		a.early = append(a.early, name)
	}
	if isSwitch(f) {
		a.flags = append(a.flags, word)
		return nil
	}
	if !joined {
		if len(a.rest) == 0 {
			return a.misused("--%s needs a value", name)
		}
		value, a.rest = a.rest[0], a.rest[1:]
		if err := a.looksLikeFlag(name, value); err != nil {
			return err
		}
	}
	a.flags = append(a.flags, "--"+name+"="+value)
	return nil
}

// misused is the error for a line that is wrong, with the command whose help tells
// how it goes. (The commands do not know their parents before they run.)
func (a *arranger) misused(format string, args ...any) error {
	command := strings.Join(append([]string{a.root.Name}, a.path...), " ")
	return fmt.Errorf("%s; see %s --help", printable(fmt.Sprintf(format, args...)), command)
}

// looksLikeFlag refuses a flag, or --, in the place of a value. A value with one
// dash in front is taken: an external id may look like that.
func (a *arranger) looksLikeFlag(name, value string) error {
	if !strings.HasPrefix(value, "--") {
		return nil
	}
	other, _, _ := strings.Cut(strings.TrimPrefix(value, "--"), "=")
	text := fmt.Sprintf("--%s needs a value, and %s is a flag", name, "--"+other)
	switch {
	case value == "--":
		text = fmt.Sprintf("--%s needs a value in front of --", name)
	case a.find(other) == nil:
		text = fmt.Sprintf("--%s needs a value; write --%s=%s if that is it", name, name, clipped(value))
	}
	return a.misused("%s", text)
}

// end reads what follows --.
func (a *arranger) end(program string) ([]string, error) {
	switch {
	case len(a.path) == 0:
		return nil, a.misused("there is no command of awsauth in front of --")
	case len(a.words) > 0:
		return nil, a.misused("%q stands in front of --: the command to run comes after it", a.words[0])
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return slices.Concat([]string{program}, a.path, a.flags, []string{"--"}, a.rest), nil
}

// check holds the flags that stood before the command against the command.
func (a *arranger) check() error {
	if len(a.path) == 0 {
		for _, name := range a.early {
			if findIn(a.cmd, name) == nil {
				return a.misused("there is no command beside --%s: name one, like whoami", name)
			}
		}
	}
	for _, name := range a.early {
		if findIn(a.cmd, name) == nil {
			return a.misused("%s does not take --%s", a.cmd.Name, name)
		}
	}
	return nil
}

// find is the flag of that name: of the command, or, before the command is known,
// of any.
func (a *arranger) find(name string) cli.Flag {
	if f := findIn(a.cmd, name); f != nil {
		return f
	}
	for _, sub := range a.cmd.Commands {
		if f := findIn(sub, name); f != nil {
			return f
		}
		for _, part := range sub.Commands {
			if f := findIn(part, name); f != nil {
				return f
			}
		}
	}
	return nil
}

// meant says what a flag that is not there may have been.
func (a *arranger) meant(name string) string {
	var own, others []string
	for _, f := range allFlags(a.cmd) {
		own = append(own, f.Names()...)
	}
	for _, sub := range a.root.Commands {
		for _, f := range sub.Flags {
			others = append(others, f.Names()[0])
		}
	}
	where := ""
	if len(a.path) == 0 {
		own = append(own, others...)
	} else if slices.Contains(others, name) {
		where = " for " + a.cmd.Name
	}
	return where + didYouMean(name, prefixed("--", own))
}

func findIn(cmd *cli.Command, name string) cli.Flag {
	for _, f := range allFlags(cmd) {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// allFlags are the flags of a command, with those that the parser adds later.
func allFlags(cmd *cli.Command) []cli.Flag {
	all := append(slices.Clip(cmd.Flags), cli.HelpFlag)
	if cmd.Version != "" {
		all = append(all, cli.VersionFlag)
	}
	return all
}

// isSwitch reports whether a flag has no value.
func isSwitch(f cli.Flag) bool {
	_, ok := f.(*cli.BoolFlag)
	return ok
}

// takesCommand reports whether what is no flag is a command to run.
func takesCommand(cmd *cli.Command) bool { return strings.Contains(cmd.ArgsUsage, "-- COMMAND") }

func (a *arranger) commandNames() (names []string) {
	if a.cmd == a.root {
		names = []string{"help", "completion"}
	}
	for _, sub := range a.cmd.Commands {
		names = append(names, sub.Name)
	}
	return names
}

func prefixed(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = prefix + name
	}
	return all
}

// didYouMean proposes the nearest of names, if one is near.
func didYouMean(word string, names []string) string {
	if len(names) > 0 && strings.HasPrefix(names[0], "--") {
		word = "--" + word
	}
	if near := sharedfile.Nearest(word, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// clipped is a word of the command line as a message shows it: not what may be a
// secret behind =.
func clipped(word string) string {
	name, _, joined := strings.Cut(word, "=")
	if joined {
		return name + "=…"
	}
	return name
}
