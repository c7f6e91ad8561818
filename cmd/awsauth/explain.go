package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

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
			"then each role on the way. No credentials are fetched: whoami does that, and\n" +
			"prints the same table where it fails.",
		Flags:           append(sessionFlags(), &cli.BoolFlag{Name: "json", Usage: "print JSON"}),
		HideHelpCommand: true,
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			s, err := awsauth.New(append(sessionOptions(cmd), quiet)...)
			if err != nil {
				return &failure{errors.New(inFlags(err.Error()))}
			}
			report := flagged(s.Explain())
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
		},
	}
}

// flagged puts a report into the words of the command line.
func flagged(r awsauth.Report) awsauth.Report {
	for i := range r.Steps {
		r.Steps[i].Detail = inFlags(r.Steps[i].Detail)
	}
	r.RegionFrom = inFlags(r.RegionFrom)
	return r
}
