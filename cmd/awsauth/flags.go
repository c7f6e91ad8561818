package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// sessionFlags are the flags that say which session a command works with. An
// empty value is as if the flag had not been given: the library has it so, and
// `--role "$ROLE"` works in a script.
func sessionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "profile", Usage: "start as this `NAME` of the shared config and credentials files"},
		&cli.StringFlag{Name: "account", Usage: "assume a role in the account with this 12-digit `ID`"},
		&cli.StringFlag{Name: "role", Usage: "`NAME` of the role, with its path if it has one (default: " + awsauth.DefaultRole + ")"},
		&cli.StringFlag{Name: "role-arn", Usage: "assume the role with this `ARN`, instead of --account and --role"},
		&cli.StringFlag{Name: "partition", Usage: "`NAME` of the partition that the credentials belong to: aws, aws-cn, aws-us-gov, …"},
		&cli.StringFlag{Name: "region", Usage: "`REGION` to work in, like us-east-1"},
		&cli.StringFlag{Name: "session-name", Usage: "`NAME` of the role session in CloudTrail (default: user@host)"},
		&cli.StringFlag{Name: "external-id", Usage: "external `ID` that the role's trust policy asks for"},
		durationFlag("duration", "how long the role session lasts: a `TIME` from 15m to 12h (default: 1h)"),
		&cli.StringFlag{Name: "source-identity", Usage: "`ID` of who is behind the session; it stays with every role from there on"},
		&cli.StringSliceFlag{Name: "tag", Usage: "tag the session: `KEY=VALUE`; once for each tag"},
		&cli.StringFlag{Name: "policy", Usage: "narrow the session by this `JSON` policy, or by that of a file: @policy.json"},
		&cli.StringSliceFlag{Name: "policy-arn", Usage: "narrow the session by the managed policy with this `ARN`; once for each"},
		&cli.BoolFlag{Name: "read-only", Usage: "narrow the session by AWS's own policy ReadOnlyAccess"},
		&cli.StringFlag{Name: "web-identity-token-file", Usage: "start with the OIDC token in this `FILE`, as the role of --role-arn"},
		&cli.StringFlag{Name: "mfa-serial", Usage: "sign in with a code of the MFA device with this `SERIAL`; a profile's mfa_serial needs no flag"},
		&cli.StringFlag{Name: "mfa-process", Usage: "run this `COMMAND` for the MFA code, instead of asking at the terminal"},
		&cli.StringSliceFlag{Name: "allowed-account", Usage: "use no credentials of an account other than that with this `ID`; once for each"},
		&cli.BoolFlag{Name: "no-cache", Usage: "neither read nor write credentials on disk"},
		cacheDirFlag(),
		&cli.StringFlag{Name: "sts-endpoint", Usage: "call STS at this `URL`: a VPC endpoint, or a local STS"},
	}
}

// cacheDirFlag says where the disk cache is.
func cacheDirFlag() cli.Flag {
	return &cli.StringFlag{Name: "cache-dir", Usage: "keep credentials in this `DIRECTORY` (default: $" + cacheVariable + ", else awsauth in the user's cache directory)"}
}

// durationFlag is a flag whose empty value is allowed, which cli.DurationFlag
// refuses.
func durationFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Validator: func(s string) error {
		if _, err := time.ParseDuration(s); err != nil && s != "" {
			return fmt.Errorf("not a duration; write it like 90s, 15m or 2h")
		}
		return nil
	}}
}

// defaultTimeout is longer than the library retries an STS that throttles.
const defaultTimeout = time.Minute

func timeoutFlag() cli.Flag {
	return durationFlag("timeout", "give up after this `TIME`, like 90s; 0 for no limit (default: 1m)")
}

// withTimeout applies the flag --timeout.
func withTimeout(ctx context.Context, cmd *cli.Command) (context.Context, context.CancelFunc, error) {
	return withTimeoutOr(ctx, cmd, defaultTimeout)
}

// withTimeoutOr is withTimeout with another default.
func withTimeoutOr(ctx context.Context, cmd *cli.Command, otherwise time.Duration) (context.Context, context.CancelFunc, error) {
	timeout := durationOf(cmd, "timeout")
	switch {
	case cmd.String("timeout") == "":
		timeout = otherwise
	case timeout == 0:
		return ctx, func() {}, nil
	case timeout < 0:
		return nil, nil, misused(cmd, fmt.Errorf("--timeout %v is negative", timeout))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, cancel, nil
}

// durationOf is the value of a durationFlag, which has been checked; 0 if it is empty.
func durationOf(cmd *cli.Command, name string) time.Duration {
	d, _ := time.ParseDuration(cmd.String(name))
	return d
}
