package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth"
)

// askOnTerminal lets a profile with an mfa_serial ask the person at the
// terminal for the code. Without a terminal nobody is there to ask, and the
// library says that MFA is required.
func askOnTerminal() awsauth.Option {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return nil // as cron and service managers start programs
	}
	return askFor(os.Stdin, os.Stderr)
}

// askFor asks on w and reads the answer from r.
func askFor(r io.Reader, w io.Writer) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.TokenProvider = func() (string, error) {
			fmt.Fprint(w, "MFA code: ")
			line, err := bufio.NewReader(r).ReadString('\n')
			if code := strings.TrimSpace(line); code != "" {
				return code, nil
			}
			return "", fmt.Errorf("no MFA code was typed: %w", err)
		}
	}))
}

// askUnless is askOnTerminal where stdin is free.
func askUnless(taken bool) awsauth.Option {
	if taken {
		return nil
	}
	return askOnTerminal()
}
