package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// complete prints how a line may go on, for the completion scripts: a word each, and
// behind a colon what it is. The line ends with the request; before it stands the
// word that was begun, if it looks like a flag.
func complete(root *cli.Command, args []string, w io.Writer) {
	words := args[1 : len(args)-1]
	cmd, wants, begun := root, "", ""
	for _, word := range words {
		name, _, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		begun = ""
		switch a := (arranger{root: root, cmd: cmd}); {
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
			return files.Names()
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
