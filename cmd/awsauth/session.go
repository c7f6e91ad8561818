package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go/logging"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// Here flags become options of the library, and nowhere else: a new option of the
// library is a flag in flags.go and a line here.

// openSession is the session that the flags of a command describe. more are
// options that the command itself adds, such as where warnings go. ctx ends the
// reading of what a flag names.
func openSession(ctx context.Context, cmd *cli.Command, more ...awsauth.Option) (*awsauth.Session, error) {
	return openAsking(ctx, cmd, codesOf(cmd), more...)
}

// openAsking is openSession for a command that wants a word in who gives codes.
func openAsking(ctx context.Context, cmd *cli.Command, c *codes, more ...awsauth.Option) (*awsauth.Session, error) {
	options, err := sessionOptions(ctx, cmd)
	if err != nil {
		return nil, err
	}
	s, err := c.open(append(options, more...))
	if err != nil {
		return nil, failed(err)
	}
	return s, nil
}

// sessionOptions are the options that the flags stand for. An empty flag is an
// empty option, which the library takes as not given.
func sessionOptions(ctx context.Context, cmd *cli.Command) ([]awsauth.Option, error) {
	if err := checkCacheDir(cmd); err != nil {
		return nil, err
	}
	options := startOptions(cmd)
	roles, err := roleOptions(ctx, cmd)
	if err != nil {
		return nil, err
	}
	for _, o := range roles {
		options = append(options, o)
	}
	options = append(options, awsauth.WithAccount(cmd.String("account")))
	if file := cmd.String("web-identity-token-file"); file != "" {
		if cmd.String("role-arn") == "" {
			return nil, misused(cmd, errTokenRole)
		}
		return append(options, awsauth.WithWebIdentity(cmd.String("role-arn"), stscreds.IdentityTokenFile(file))), nil
	}
	return append(options, awsauth.WithRoleARN(cmd.String("role-arn"))), nil
}

var errTokenRole = errors.New("--web-identity-token-file needs --role-arn: the role that the token is for")

// startOptions say who one starts as, and where.
func startOptions(cmd *cli.Command) []awsauth.Option {
	options := []awsauth.Option{
		awsauth.WithProfile(cmd.String("profile")),
		awsauth.WithPartition(awsauth.Partition(cmd.String("partition"))),
		awsauth.WithRegion(cmd.String("region")),
		awsauth.WithSTSEndpoint(cmd.String("sts-endpoint")),
		quiet,
		aboutCache(func(text string) { fmt.Fprintln(cmd.Root().ErrWriter, printable(text)) }),
	}
	if !cmd.Bool("no-cache") {
		options = append(options, awsauth.WithDiskCache(cacheDir(cmd)))
	}
	if cmd.IsSet("allowed-account") { // also where it is empty: a guard that a script forgot to fill is no guard
		options = append(options, awsauth.WithAllowedAccounts(cmd.StringSlice("allowed-account")...))
	}
	return options
}

// cacheVariable names the directory of the disk cache, for command lines that are
// written down somewhere, like a credential_process.
const cacheVariable = "AWSAUTH_CACHE_DIR"

// cacheDir is the directory of the disk cache, "" for the library's own choice.
func cacheDir(cmd *cli.Command) string {
	if dir := cmd.String("cache-dir"); dir != "" {
		return dir
	}
	value := os.Getenv(cacheVariable)
	if dir, err := sharedfile.Expand(value); err == nil { // no shell has expanded the ~ of a unit or a Dockerfile
		return dir
	}
	return value
}

// checkCacheDir refuses a ~ that nobody has expanded: keys would be kept in a directory of
// that name, wherever the command is run.
func checkCacheDir(cmd *cli.Command) error {
	dir := cacheDir(cmd)
	switch {
	case cmd.Bool("no-cache") || !strings.HasPrefix(dir, "~"):
		return nil
	case cmd.String("cache-dir") == "":
		return &failure{fmt.Errorf("awsauth: %s %q: this ~ is not expanded; write the whole path", cacheVariable, dir)}
	}
	return misused(cmd, fmt.Errorf("--cache-dir %q: ~ is not expanded; write the whole path", dir))
}

// quiet keeps the SDK's own warnings off stderr, which is for the error.
var quiet = awsauth.WithLoadOptions(config.WithLogger(logging.Nop{}))

// roleOptions say what the session in a role is like, whichever role it is.
func roleOptions(ctx context.Context, cmd *cli.Command) ([]awsauth.RoleOption, error) {
	policy, err := policyText(ctx, cmd.String("policy"))
	if err != nil {
		return nil, err
	}
	tags, err := tagsOf(cmd.StringSlice("tag"))
	if err != nil {
		return nil, misused(cmd, err)
	}
	options := []awsauth.RoleOption{
		awsauth.WithRole(cmd.String("role")),
		awsauth.WithSessionName(cmd.String("session-name")),
		awsauth.WithExternalID(cmd.String("external-id")),
		awsauth.WithDuration(durationOf(cmd, "duration")),
		awsauth.WithSourceIdentity(cmd.String("source-identity")),
		awsauth.WithTags(tags),
		awsauth.WithPolicy(policy),
		awsauth.WithPolicyARNs(cmd.StringSlice("policy-arn")...),
	}
	if cmd.Bool("read-only") {
		arn, err := readOnlyPolicy(cmd)
		if err != nil {
			return nil, err
		}
		options = append(options, awsauth.WithPolicyARNs(arn))
	}
	return options, nil
}

// tagsOf reads the values of --tag: key=value, each in a flag of its own.
func tagsOf(pairs []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		switch {
		case pair == "":
			continue
		case !ok || key == "":
			return nil, fmt.Errorf("--tag %q: write it as key=value", pair)
		}
		if _, twice := tags[key]; twice {
			return nil, fmt.Errorf("--tag %q: there are two values for this key", key)
		}
		tags[key] = value
	}
	return tags, nil
}

// readOnlyPolicy is the ARN of AWS's policy ReadOnlyAccess in the session's
// partition. The partition may come from anywhere that a session looks at, so a
// session is made to tell it; that asks nobody.
func readOnlyPolicy(cmd *cli.Command) (string, error) {
	if cmd.Name != "each" && cmd.String("account") == "" && cmd.String("role-arn") == "" {
		return "", misused(cmd, errors.New("--read-only narrows a role: give --account or --role-arn too"))
	}
	options := append(startOptions(cmd), awsauth.WithRoleARN(cmd.String("role-arn")))
	if cmd.String("role-arn") == "" { // else it tells, also where it is the token's role and the account's is the next
		options = append(options, awsauth.WithAccount(cmd.String("account")))
	}
	s, err := codesOf(cmd).open(options)
	if err != nil {
		return "", failed(err)
	}
	return fmt.Sprintf("arn:%s:iam::aws:policy/ReadOnlyAccess", s.Explain().Partition), nil
}

// warnings has the session's warnings told on stderr, each on a line: for commands
// that go on for long.
func warnings(tell func(string)) awsauth.Option {
	return awsauth.WithLogger(slog.New(warningLines{tell: tell}))
}

// aboutCache has a disk cache that cannot be used told, once: the command goes on
// without it, and a person may wonder why it asks for a code each time.
func aboutCache(tell func(string)) awsauth.Option {
	var once sync.Once
	return warnings(func(text string) {
		if isAboutCache(text) {
			once.Do(func() { tell(text) })
		}
	})
}

func isAboutCache(text string) bool { return strings.HasPrefix(text, "awsauth: disk cache: ") }

// failed is an error of the library in the words of the command line.
func failed(err error) error { return &failure{said{inFlags(err.Error()), err}} }
