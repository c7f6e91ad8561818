package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// explainCommand says where credentials would come from, and why not from
// elsewhere.
func explainCommand() *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "print where your credentials come from, and why not from elsewhere",
		Description: "Every place is listed in the order in which it is looked at, then the region,\n" +
			"then each role on the way. Where something is wrong, the table ends there, and\n" +
			"the error follows. No credentials are fetched: whoami does that, and prints the\n" +
			"same table where it fails.",
		Flags:           append(sessionFlags(), &cli.BoolFlag{Name: "json", Usage: "print JSON"}),
		HideHelpCommand: true,
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			options, err := sessionOptions(cmd)
			if err != nil {
				return err
			}
			s, err := awsauth.New(append(options, terminalAsker().option())...)
			if err != nil {
				return explainFault(cmd, err)
			}
			return printReport(cmd, s.Explain())
		},
	}
}

// explainFault prints what was decided before the fault, then the fault, and what
// follows from it.
func explainFault(cmd *cli.Command, err error) error {
	text := inFlags(err.Error())
	var fault *awsauth.Error
	if errors.As(err, &fault) {
		if report, ok := fault.Report(); ok {
			if err := printReport(cmd, report); err != nil {
				return err
			}
			text += "\n" + afterFault
		}
	}
	return &failure{errors.New(text)}
}

// afterFault is the last line where explain met a fault.
const afterFault = "Nobody is signed in until this is mended: a fault never lets the next place have its turn."

// printReport prints a report as a table, or as JSON with --json.
func printReport(cmd *cli.Command, report awsauth.Report) (err error) {
	report = flagged(report)
	if cmd.Bool("json") {
		enc := json.NewEncoder(cmd.Root().Writer)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(report)
	} else {
		_, err = io.WriteString(cmd.Root().Writer, report.String())
	}
	if err != nil {
		return &failure{err}
	}
	return nil
}

// flagged puts a report into the words of the command line.
func flagged(r awsauth.Report) awsauth.Report {
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		r.Steps[i].Source = inFlags(r.Steps[i].Source)
		r.Steps[i].Detail = inFlags(r.Steps[i].Detail)
	}
	r.RegionFrom = inFlags(r.RegionFrom)
	return r
}
