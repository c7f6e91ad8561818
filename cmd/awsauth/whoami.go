package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// whoamiCommand says who the caller is on the real AWS.
func whoamiCommand() *cli.Command {
	return &cli.Command{
		Name:  "whoami",
		Usage: "print who you are on AWS, or who you would be in a role",
		Description: "Without flags: who you are by your environment, your shared files or this machine,\n" +
			"as every SDK of AWS finds it. With --account or --role-arn: the role, assumed from there.\n" +
			"Nothing is changed on AWS, and no secret is printed. A role that is kept on disk is not\n" +
			"assumed anew; with --no-cache it is. Examples:\n\n" +
			"    awsauth whoami --profile ops\n" +
			"    awsauth whoami --account 123456789012 --role audit --json",
		Flags: append(sessionFlags(),
			timeoutFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print JSON"}),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			ctx, cancel, err := withTimeout(ctx, cmd)
			if err != nil {
				return err
			}
			defer cancel()
			options, err := sessionOptions(ctx, cmd)
			if err != nil {
				return err
			}
			who, looked, err := whoami(ctx, codesOf(cmd), options)
			if err != nil {
				text := inFlags(err.Error())
				if looked != "" {
					text += "\n\n" + strings.TrimRight(looked, "\n")
				}
				return &failure{said{text, err}}
			}
			if cmd.Bool("json") {
				err = writeJSON(cmd.Root().Writer, who)
			} else {
				err = who.writeText(cmd.Root().Writer, time.Now())
			}
			if err != nil {
				return &failure{fmt.Errorf("awsauth: write the answer: %w", err)}
			}
			return nil
		},
	}
}

// answer is what whoami found out. Its JSON is for programs: names stay.
type answer struct {
	Account     string     `json:"account"`
	ARN         string     `json:"arn"`
	UserID      string     `json:"user_id"`
	Partition   string     `json:"partition"`
	Region      string     `json:"region"`
	RegionFrom  string     `json:"region_from,omitempty"`
	Source      string     `json:"source"`
	AccessKeyID string     `json:"access_key_id"` // shortened
	Temporary   bool       `json:"temporary"`
	Expires     *time.Time `json:"expires,omitempty"` // absent: never, or, of temporary keys, not known
}

// whoami makes a session of opts and asks it who it is. Where the session
// could be made but does not work, it also returns how its credentials were
// looked for.
func whoami(ctx context.Context, c *codes, opts []awsauth.Option) (who *answer, looked string, err error) {
	s, err := c.open(opts)
	if err != nil {
		return nil, "", err
	}
	id, err := s.Identity(ctx)
	if err != nil {
		return nil, table(flagged(s.Explain()), 80), err
	}
	creds, err := s.Retrieve(ctx)
	if err != nil {
		return nil, table(flagged(s.Explain()), 80), err
	}
	report := s.Explain()
	a := &answer{
		Account: id.Account, ARN: id.ARN, UserID: id.UserID, Partition: string(id.Partition),
		Region: s.Config().Region, RegionFrom: inFlags(report.RegionFrom), Source: report.Source,
		AccessKeyID: shortKey(creds.AccessKeyID), Temporary: creds.SessionToken != "",
	}
	if creds.CanExpire {
		expires := creds.Expires.UTC().Round(0)
		a.Expires = &expires
	}
	return a, "", nil
}

// shortKey is an access key id as this library shows it: AKIA…MPLE.
func shortKey(id string) string {
	if len(id) < 16 {
		return "…"
	}
	return id[:4] + "…" + id[len(id)-4:]
}

func (a *answer) writeText(w io.Writer, now time.Time) error {
	region := a.Region
	if a.RegionFrom != "" {
		region += ", from " + a.RegionFrom
		if strings.HasPrefix(a.RegionFrom, "default of ") {
			region = a.Region + ", " + a.RegionFrom
		}
	}
	var b strings.Builder
	for _, line := range [][2]string{
		{"account", a.Account},
		{"arn", a.ARN},
		{"user id", a.UserID},
		{"partition", a.Partition},
		{"region", region},
		{"source", a.Source},
		{"access key", a.AccessKeyID},
		{"expires", a.expiry(now)},
	} {
		fmt.Fprintf(&b, "%-10s  %s\n", line[0], printable(line[1]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// expiry says when the credentials end, and how long that is.
func (a *answer) expiry(now time.Time) string {
	if a.Expires == nil {
		if a.Temporary {
			return "not known: these keys are temporary, but their source does not say until when"
		}
		return "never: the long-lived key of a user"
	}
	at := a.Expires.Format("2006-01-02 15:04:05 UTC")
	left := a.Expires.Sub(now).Truncate(time.Second)
	if left < 0 {
		return fmt.Sprintf("%s, %v ago", at, -left)
	}
	return fmt.Sprintf("%s, in %v", at, left)
}
