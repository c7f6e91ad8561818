package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/urfave/cli/v3"
)

// processTimeout is less than the minute after which the SDK for Go ends a process.
const processTimeout = 50 * time.Second

// processCommand answers the shared config files' setting credential_process, which
// every SDK and the AWS CLI know.
func processCommand() *cli.Command {
	return &cli.Command{
		Name:  "process",
		Usage: "print credentials for credential_process in ~/.aws/config",
		Description: "Every SDK and the AWS CLI can get their keys from here. In ~/.aws/config, with the\n" +
			"whole path, as not all of them know ~ and $HOME there:\n\n" +
			"    [profile prod]\n" +
			"    credential_process = /usr/local/bin/awsauth process --profile ops --account 123456789012\n\n" +
			"Then `aws s3 ls --profile prod` is in the role, and so is a boto3 script with\n" +
			"AWS_PROFILE=prod. Name the profile to start from with --profile: without it, it would\n" +
			"be the one that asks. An MFA code is asked for at the terminal, never on stdin. Only the\n" +
			"JSON is on stdout; an error is one line on stderr, and the exit code 1, or 2 for a\n" +
			"wrong call.",
		Flags: append([]cli.Flag{
			durationFlag("timeout", "give up after this `TIME`; SDKs do after a minute (default: 50s)"),
		}, sessionFlags()...),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if err := descend(); err != nil {
				return &failure{err}
			}
			ctx, cancel, err := withTimeoutOr(ctx, cmd, processTimeout)
			if err != nil {
				return err
			}
			defer cancel()
			s, err := openSession(ctx, cmd)
			if err != nil {
				return onOneLine(err)
			}
			keys, err := lasting{s, leftForSDK}.Retrieve(ctx)
			if err != nil {
				return onOneLine(failed(err))
			}
			if keys, err = withEnd(cmd, keys); err != nil {
				return err
			}
			if err := json.NewEncoder(cmd.Root().Writer).Encode(processAnswer(keys)); err != nil {
				return &failure{errors.New("awsauth: process: the answer cannot be written")} // not err, which may quote it
			}
			return nil
		},
	}
}

// processJSON is what SDKs read: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processJSON struct {
	Version         int    `json:"Version"`
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string `json:"SecretAccessKey"`
	SessionToken    string `json:"SessionToken,omitempty"`
	Expiration      string `json:"Expiration,omitempty"` // absent: never asked again
	AccountID       string `json:"AccountId,omitempty"`
}

func processAnswer(keys aws.Credentials) processJSON {
	answer := processJSON{
		Version: 1, AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
		AccountID: accountOf(keys),
	}
	if keys.CanExpire {
		answer.Expiration = expiration(keys)
	}
	return answer
}

// processDepth counts in the environment how many processes of ours ask each other.
const processDepth = "AWSAUTH_PROCESS_DEPTH"

// descend stops a circle: a profile whose credential_process asks awsauth, which
// starts from the same profile and asks again.
func descend() error {
	const deepest = 2 // one may well start from another
	depth, _ := strconv.Atoi(os.Getenv(processDepth))
	if depth >= deepest {
		return errors.New("awsauth: process: a profile asks awsauth process for its keys, and awsauth starts from that same profile; " +
			"name another one with --profile in its credential_process")
	}
	if err := os.Setenv(processDepth, strconv.Itoa(max(depth, 0)+1)); err != nil {
		return fmt.Errorf("awsauth: process: %w", err)
	}
	return nil
}

// onOneLine is an error whose text has one line.
func onOneLine(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return &failure{said{oneLine(f.Error()), err}}
	}
	return err
}
