package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// bashScript and pwshScript are completion scripts. Those of the parser's library run
// what stands on the line, redirections included, and what the words to choose from
// contain.
var (
	//go:embed completion.bash
	bashScript string
	//go:embed completion.ps1
	pwshScript string
)

// completionScripts prepares the command that prints the scripts.
func completionScripts(c *cli.Command) {
	c.Hidden, c.Usage = false, "print the completion script for bash, zsh, fish or pwsh"
	c.Description = "Your shell reads the script when it starts. Examples:\n\n" +
		"    source <(awsauth completion bash)            in ~/.bashrc\n" +
		"    source <(awsauth completion zsh)             in ~/.zshrc, behind compinit\n" +
		"    awsauth completion fish > ~/.config/fish/completions/awsauth.fish\n" +
		"    awsauth completion pwsh > awsauth.ps1        and then, in $PROFILE: . ./awsauth.ps1"
	usage := func(_ context.Context, cmd *cli.Command, err error, _ bool) error { return misused(cmd, err) }
	c.OnUsageError = usage // the parser's library prints the help to stdout, which a shell may read
	c.Action = func(_ context.Context, cmd *cli.Command) error {
		if cmd.Args().Present() {
			return misused(cmd, fmt.Errorf("there is no script for %q: write bash, zsh, fish or pwsh", cmd.Args().First()))
		}
		return cli.ShowSubcommandHelp(cmd)
	}
	for _, shell := range c.Commands {
		shell.OnUsageError = usage
		printScript := shell.Action
		if own := map[string]string{"bash": bashScript, "pwsh": pwshScript}[shell.Name]; own != "" {
			printScript = func(_ context.Context, cmd *cli.Command) error {
				_, err := io.WriteString(cmd.Root().Writer, own)
				return err
			}
		}
		shell.Action = func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if err := printScript(ctx, cmd); err != nil {
				return &failure{fmt.Errorf("awsauth: completion: %w", err)}
			}
			return nil
		}
	}
}

// complete prints how a line may go on, for the completion scripts: a word each, and
// behind a colon what it is. The line ends with the request; before it stands the
// word that was begun, if it looks like a flag.
func complete(root *cli.Command, args []string, w io.Writer) {
	words := args[1 : len(args)-1]
	if i := slices.Index(words, "--"); i >= 0 && i < len(words)-1 {
		return // another command's words; a -- at the end may be the beginning of a flag
	}
	cmd, wants, begun := root, "", ""
	for _, word := range words {
		name, _, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		begun = ""
		switch a := (arranger{root: root, cmd: cmd}); {
		case wants != "" && word == "=": // bash makes a word of it, and the value is another
			begun = word
		case wants != "":
			wants = "" // this word is its value
		case strings.HasPrefix(word, "-"):
			begun = word
			if f := a.find(name); f != nil && !isSwitch(f) && !joined {
				wants = name
			}
		case cmd.Command(word) != nil:
			cmd = cmd.Command(word)
		}
	}
	switch {
	case wants != "" && begun != "":
		for _, value := range values(wants) {
			fmt.Fprintln(w, value)
		}
		if len(values(wants)) == 0 {
			printFlags(w, cmd, begun)
		}
	case begun != "":
		printFlags(w, cmd, begun)
	default: // a command's own arguments cannot be listed
		for _, sub := range cmd.Commands {
			fmt.Fprintf(w, "%s:%s\n", sub.Name, sub.Usage)
		}
	}
}

// printFlags prints the flags that a word is the beginning of; before the command is
// known, those of any.
func printFlags(w io.Writer, cmd *cli.Command, begun string) {
	all := allFlags(cmd)
	for _, sub := range cmd.Commands {
		all = append(all, sub.Flags...)
	}
	printed := map[string]bool{}
	for _, f := range all {
		name := "--" + f.Names()[0]
		if printed[name] || !strings.HasPrefix(name, begun) {
			continue
		}
		printed[name] = true
		usage := ""
		if doc, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.ReplaceAll(doc.GetUsage(), "`", "")
		}
		fmt.Fprintf(w, "%s:%s\n", name, usage)
	}
}

// values are those that a flag may have, where they can be listed.
func values(flag string) []string {
	switch flag {
	case "profile":
		if files, err := sharedFiles(); err == nil {
			return slices.DeleteFunc(files.Names(), func(name string) bool { return !isPlainWord(name) })
		}
	case "partition":
		var all []string
		for _, p := range []awsauth.Partition{
			awsauth.AWS, awsauth.China, awsauth.GovCloud, awsauth.EUSovereign, awsauth.ISO, awsauth.ISOB, awsauth.ISOE, awsauth.ISOF,
		} {
			all = append(all, string(p))
		}
		return all
	case "format":
		return []string{"sh", "fish", "powershell", "cmd", "json", "dotenv"}
	case "output":
		return []string{"text", "json"}
	}
	return nil
}

// isPlainWord reports whether a name means itself on the line of every shell. Others are
// not proposed: a shell may insert them as they are, without quotes.
func isPlainWord(name string) bool {
	return name != "" && name[0] != '-' && name[0] != '@' && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.+/@", r)
	})
}
