package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
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
			"Each line of its output comes with the account's id in front. Examples:\n\n" +
			"    awsauth each --accounts accounts.txt --role audit -- aws s3 ls\n" +
			"    awsauth accounts | awsauth each --accounts - --read-only --output json -- aws iam list-users\n" +
			"    awsauth each --accounts accounts.txt --regions us-east-1,eu-west-1 -- aws ec2 describe-vpcs\n\n" +
			"The exit code is 1 when COMMAND failed, or could not run, in any account, and 2 for\n" +
			"a wrong call.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "accounts", Usage: "`FILE` with an account id or role ARN on each line (# comments), - for stdin, or a list: id,id"},
			&cli.StringFlag{Name: "concurrency", Usage: "work on so many accounts at a time: a `NUMBER` (default: 16)", Validator: checkConcurrency},
			&cli.StringFlag{Name: "regions", Usage: "run COMMAND once in each of these regions: a `LIST` like us-east-1,eu-west-1"},
			&cli.StringFlag{Name: "output", Usage: "text, or json: a `FORM` with one object a line for each run", Validator: checkOutput},
			&cli.BoolFlag{Name: "fail-fast", Usage: "stop at the first failure"},
			&cli.StringFlag{Name: "role-arn", Usage: "`ARN` of the role that the token of --web-identity-token-file is for"},
		}, flagsWithout("account", "role-arn")...),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return misused(cmd, errors.New("there is no command to run; write it after --"))
			}
			program, err := exec.LookPath(cmd.Args().First())
			if err != nil {
				return &failure{fmt.Errorf("awsauth: each: %w", programError(err))}
			}
			if cmd.String("accounts") == "" {
				return misused(cmd, errors.New("pass --accounts with a file or a list of ids"))
			}
			list, err := readAccounts(ctx, cmd.String("accounts"), cmd.Root().Reader)
			if err != nil {
				return &failure{fmt.Errorf("awsauth: each: %w", err)}
			}
			e := &each{
				command: append([]string{program}, cmd.Args().Tail()...), environ: callersEnviron(os.Environ()), json: cmd.String("output") == "json", failFast: cmd.Bool("fail-fast"),
				out: newLines(cmd.Root().Writer, cmd.Root().ErrWriter), list: list,
			}
			if e.regions, err = regionsOf(cmd); err != nil {
				return misused(cmd, err)
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

func checkOutput(s string) error {
	if s != "" && s != "text" && s != "json" {
		return errors.New("write text or json")
	}
	return nil
}

// regionsOf reads --regions, each region once.
func regionsOf(cmd *cli.Command) (regions []string, err error) {
	for region := range strings.FieldsFuncSeq(cmd.String("regions"), isSeparator) {
		if _, ok := awsauth.PartitionOf(region); !ok {
			return nil, fmt.Errorf("--regions: %q is not the name of a region", region)
		}
		if !slices.Contains(regions, region) {
			regions = append(regions, region)
		}
	}
	return regions, nil
}

// sameAWS refuses regions that the accounts' keys do not open.
func sameAWS(regions []string, partition awsauth.Partition) error {
	for _, region := range regions {
		if p, _ := awsauth.PartitionOf(region); p != partition {
			return fmt.Errorf("--regions: %s is in partition %s, and the credentials belong to %s", region, p, partition)
		}
	}
	return nil
}

// each is one run of the command each.
type each struct {
	command []string
	environ []string
	list    accountList
	out     *lines

	regions  []string // none: the session's
	json     bool
	failFast bool
}

// startOptions say who assumes the roles: with --role-arn the role of a token.
func (e *each) startOptions(cmd *cli.Command) ([]awsauth.Option, error) {
	if err := checkCacheDir(cmd); err != nil {
		return nil, err
	}
	options := append(startOptions(cmd), aboutCache(e.out.note))
	arn, file := cmd.String("role-arn"), cmd.String("web-identity-token-file")
	switch {
	case file != "" && arn == "":
		return nil, misused(cmd, errTokenRole)
	case file != "":
		return append(options, awsauth.WithWebIdentity(arn, stscreds.IdentityTokenFile(file))), nil
	case arn != "":
		return nil, misused(cmd, errors.New("--role-arn goes with --web-identity-token-file here: the ARNs of the roles to assume belong in --accounts"))
	}
	return options, nil
}

// run runs the command in all accounts and says how it went.
func (e *each) run(ctx context.Context, cmd *cli.Command) error {
	if len(e.list.accounts) == 0 {
		e.out.note("awsauth: no accounts in " + e.list.name)
		return nil
	}
	roles, err := roleOptions(ctx, cmd)
	if err != nil {
		return err
	}
	start, err := e.startOptions(cmd)
	if err != nil {
		return err
	}
	s, err := codesOf(cmd).open(start)
	if err != nil {
		return failed(err)
	}
	var options []awsauth.FleetOption
	for _, o := range roles {
		options = append(options, o)
	}
	for _, p := range e.list.partitions(s.Explain().Partition) {
		if err := sameAWS(e.regions, p); err != nil {
			return misused(cmd, err)
		}
	}
	walk, stop := context.WithCancel(ctx)
	defer stop()
	concurrency, _ := strconv.Atoi(cmd.String("concurrency")) // checked; 0 is the default
	total, told := len(e.list.accounts), false
	err = s.ForEachAccount(walk, e.list.accounts, e.one, append(options,
		awsauth.WithConcurrency(concurrency),
		awsauth.WithProgress(func(p awsauth.Progress) {
			total, told = p.Total, true // without those that are there twice
			e.out.progress(p)
			if e.failFast && p.Err != nil {
				stop()
			}
		}))...)
	e.out.clear()
	if err != nil && !told && ctx.Err() == nil {
		return e.list.refused(err) // nothing has been done
	}
	return e.summary(ctx, err, total)
}
