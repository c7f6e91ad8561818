package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// summary says how it went: each reason once, with the accounts that failed for it.
func (e *each) summary(ctx context.Context, err error, total int) error {
	if err == nil {
		e.out.note(fmt.Sprintf("awsauth: %s, all went well", accounts(total)))
		return nil
	}
	var failures []failedAccount
	notStarted := 0
	for _, one := range awsauth.AccountErrors(err) {
		e.writeUnrun(one)
		if isNotStarted(one) {
			notStarted++
			continue
		}
		failures = append(failures, failedAccountOf(one))
	}
	for _, line := range grouped(failures) {
		e.out.note("  " + line)
	}
	text := fmt.Sprintf("awsauth: %d of %s failed", len(failures), accounts(total))
	if notStarted > 0 {
		text += fmt.Sprintf(", %d not started", notStarted)
	}
	if ctx.Err() != nil {
		e.out.note(text) // run says only that it was interrupted
	}
	return &failure{errors.New(text)}
}

// isNotStarted reports whether the walk ended before the account's turn.
func isNotStarted(err error) bool {
	var own *awsauth.Error
	return errors.Is(err, context.Canceled) || errors.As(err, &own) && own.Kind == "" && own.Op == "ForEachAccount"
}

// failedAccount is an account and why it failed.
type failedAccount struct{ account, reason string }

// here stands in a reason for the id of the account that failed.
const here = "<account>"

func failedAccountOf(err *awsauth.AccountError) failedAccount {
	return failedAccount{err.Account, strings.TrimPrefix(oneLine(inFlags(err.Error())), err.Account+": ")}
}

// grouped is a line for each account, or, where several failed for one reason, a line
// for them all. Reasons differ in nothing but the id in a role's ARN, mostly.
func grouped(failures []failedAccount) (lines []string) {
	behind := map[string][]failedAccount{}
	var reasons []string
	for _, f := range failures {
		key := f.reason
		if id := idOf(f.account); names.IsAccount(id) {
			key = strings.ReplaceAll(key, id, here)
		}
		if behind[key] == nil {
			reasons = append(reasons, key)
		}
		behind[key] = append(behind[key], f)
	}
	for _, reason := range reasons {
		those := behind[reason]
		switch {
		case len(those) > 1:
			var ids []string
			for _, f := range those {
				ids = append(ids, f.account)
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", accounts(len(those)), reason, strings.Join(ids, ", ")))
		case those[0].account == "":
			lines = append(lines, reason)
		default:
			lines = append(lines, those[0].account+": "+those[0].reason)
		}
	}
	return lines
}

// idOf is the account's id: of the id itself, or of a role's ARN.
func idOf(account string) string {
	if parts := strings.Split(account, ":"); len(parts) > 4 {
		return parts[4]
	}
	return account
}

func accounts(n int) string {
	if n == 1 {
		return "1 account"
	}
	return fmt.Sprintf("%d accounts", n)
}

// leaves are the errors that were joined.
func leaves(err error) (all []error) {
	switch e := err.(type) {
	case *awsauth.Error, *awsauth.AccountError:
	case said:
		return leaves(e.err)
	case *failure:
		return leaves(e.err)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, leaves(one)...)
		}
		return all
	}
	return []error{err}
}
