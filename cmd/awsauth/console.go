package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/console"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// consoleCommand signs a browser in to the AWS console as a role.
func consoleCommand() *cli.Command {
	return &cli.Command{
		Name:  "console",
		Usage: "print an address that signs a browser in to the AWS console",
		Description: "Whoever has the address is the role in the console: it is as secret as the role's\n" +
			"keys. It works for 15 minutes, and is printed on stdout, or handed to your browser with\n" +
			"--open. (Other users of this machine may see it then, in the list of processes.)\n" +
			"Examples:\n\n" +
			"    awsauth console --account 123456789012 --open\n" +
			"    awsauth console --account 123456789012 --role audit --service ec2\n" +
			"    awsauth console --partition aws-cn --logout --open\n\n" +
			"The console takes the credentials of a role only, not those of a user.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "open", Usage: "open the browser, and print nothing unless that fails at a terminal"},
			&cli.StringFlag{Name: "service", Usage: "arrive at the `PAGE` of a service, like ec2, or at an address in the console"},
			&cli.BoolFlag{Name: "logout", Usage: "sign the browser out instead, of the console of the session's partition"},
			timeoutFlag(),
		}, sessionFlags()...),
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
			s, err := openSession(ctx, cmd)
			if err != nil {
				return err
			}
			var address string
			if cmd.Bool("logout") {
				address, err = logoutAddress(ctx, cmd, s)
			} else {
				address, err = loginAddress(ctx, cmd, s)
			}
			if err != nil {
				return err
			}
			return showAddress(cmd, address)
		},
	}
}

// loginAddress signs in. The console's session ends with the role's keys, so these are
// not to be near their end.
func loginAddress(ctx context.Context, cmd *cli.Command, s *awsauth.Session) (string, error) {
	address, err := s.ConsoleURL(diskcache.WithAtLeast(ctx, leftForGood), cmd.String("service"))
	if err != nil {
		return "", failed(err)
	}
	return address, nil
}

// logoutAddress signs out, of the console of the session's region and partition. Nobody
// is asked for credentials.
func logoutAddress(ctx context.Context, cmd *cli.Command, s *awsauth.Session) (string, error) {
	if cmd.String("service") != "" {
		return "", misused(cmd, errors.New("--logout signs out of all services: leave out --service"))
	}
	region := s.Config().Region
	if in, _ := awsauth.PartitionOf(region); in != s.Explain().Partition {
		return "", misused(cmd, fmt.Errorf("--logout: region %q is in no partition that is known here; name another with --region", region))
	}
	host, err := console.Host(ctx, region)
	if err != nil {
		return "", &failure{fmt.Errorf("awsauth: console: %w", err)}
	}
	return "https://" + host + "/oauth?Action=logout", nil
}

// showAddress opens the browser at an address, or prints it.
func showAddress(cmd *cli.Command, address string) error {
	if cmd.Bool("open") {
		err := openBrowser(address)
		if err == nil {
			return nil
		}
		if !isTerminal(cmd.Root().Writer) { // a log, perhaps: the address is a secret
			return &failure{fmt.Errorf("awsauth: console: no browser was opened: %w; leave out --open to see the address", err)}
		}
		if err := printAddress(cmd, address); err != nil {
			return err
		}
		return &failure{fmt.Errorf("awsauth: console: no browser was opened: %w; open the address above by hand, and show it to nobody", err)}
	}
	return printAddress(cmd, address)
}

func printAddress(cmd *cli.Command, address string) error {
	if _, err := fmt.Fprintln(cmd.Root().Writer, address); err != nil {
		return &failure{errors.New("awsauth: console: the address cannot be written")}
	}
	return nil
}
