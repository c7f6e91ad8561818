package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

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
			"the error follows. No credentials are fetched: the place marked NEXT would be\n" +
			"asked for them, and may not have any. whoami asks, and prints the same table where\n" +
			"it fails. Examples:\n\n" +
			"    awsauth explain --profile ops --account 123456789012\n" +
			"    awsauth explain --json",
		Flags:           append(sessionFlags(), &cli.BoolFlag{Name: "json", Usage: "print JSON"}),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			options, err := sessionOptions(ctx, cmd)
			if err != nil {
				return err
			}
			s, err := codesOf(cmd).open(options)
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
	var report awsauth.Report
	decided := errors.As(err, &fault)
	if decided {
		report, decided = fault.Report()
	}
	if decided || cmd.Bool("json") {
		if err := printReport(cmd, report, leaves(err)...); err != nil {
			return err
		}
	}
	if decided {
		text += "\n" + afterFault
	}
	return &failure{said{text, err}}
}

// faultJSON is one thing that is wrong. Its names stay; the texts may change.
type faultJSON struct {
	Kind    awsauth.Kind `json:"kind,omitempty"` // absent: of no kind that a program could act on
	Message string       `json:"message"`        // all of it, with what to do
	Hint    string       `json:"hint,omitempty"` // what to do
}

// reportJSON is a report, and beside it what is wrong.
type reportJSON struct {
	awsauth.Report
	Faults []faultJSON `json:"faults,omitempty"`
}

func faultsOf(errs []error) (all []faultJSON) {
	for _, err := range errs {
		f := faultJSON{Message: oneLine(inFlags(err.Error()))}
		var own *awsauth.Error
		if errors.As(err, &own) {
			f.Kind, f.Hint = own.Kind, inFlags(own.Hint)
		}
		all = append(all, f)
	}
	return all
}

// afterFault is the last line where explain met a fault.
const afterFault = "Nobody is signed in until this is mended: a fault never lets the next place have its turn."

// printReport prints a report as a table, or, with --json, as JSON and what is wrong
// beside it.
func printReport(cmd *cli.Command, report awsauth.Report, faults ...error) (err error) {
	report = flagged(report)
	if cmd.Bool("json") {
		err = writeJSON(cmd.Root().Writer, reportJSON{report, faultsOf(faults)})
	} else {
		_, err = io.WriteString(cmd.Root().Writer, table(report, widthOf(cmd.Root().Writer)))
	}
	if err != nil {
		return &failure{fmt.Errorf("awsauth: %w", err)}
	}
	return nil
}

// table writes a report for a person, no wider than width where its words allow: a
// row's status and place, and the reason beside them, going on below itself. Where
// the place is long, or the reason has a word too long for its column, such as a
// path, the reason begins below.
func table(r awsauth.Report, width int) string {
	const statusWidth, sourceWidth = 11, 24
	var b strings.Builder
	for _, s := range r.Steps {
		head := fmt.Sprintf("%-*s", statusWidth, statusOf(s))
		indent := statusWidth + sourceWidth
		below := utf8.RuneCountInString(s.Source) > sourceWidth-2
		below = below || longestWord(s.Detail) > width-indent
		if below {
			indent = statusWidth + 2
		}
		detail := wrap(s.Detail, width-indent)
		if below {
			for i, line := range wrap(s.Source, width-statusWidth) {
				if i > 0 {
					head = strings.Repeat(" ", statusWidth)
				}
				b.WriteString(strings.TrimRight(head+line, " ") + "\n")
			}
		} else {
			b.WriteString(strings.TrimRight(head+pad(s.Source, sourceWidth)+detail[0], " ") + "\n")
			detail = detail[1:]
		}
		for _, line := range detail {
			if line != "" {
				b.WriteString(strings.Repeat(" ", indent) + line + "\n")
			}
		}
	}
	return b.String()
}

// next is the status of a place that nobody has asked yet. It may turn out not to be
// there: an instance's metadata, say.
const next = "NEXT"

func statusOf(s awsauth.Step) string {
	if s.Status == awsauth.Used && strings.HasSuffix(s.Detail, "not asked for credentials yet") {
		return next
	}
	return string(s.Status)
}

func longestWord(text string) (longest int) {
	for word := range strings.FieldsSeq(text) {
		longest = max(longest, utf8.RuneCountInString(word))
	}
	return longest
}

// pad fills text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
