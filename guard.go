package awsauth

import (
	"fmt"
	"slices"
	"strings"
)

// guard is WithAllowedAccounts: the accounts whose credentials may be handed out.
// An empty one lets all pass.
type guard []string

// check returns WrongAccount for an account that is not allowed. whose are the
// credentials, as an error begins.
func (g guard) check(account, whose string) error {
	if len(g) == 0 || slices.Contains(g, account) {
		return nil
	}
	e := &Error{Kind: WrongAccount, Op: whose}
	e.what = fmt.Sprintf("the credentials are of account %s, and WithAllowedAccounts allows %s", account, g)
	return e.mend("use credentials of an account that is allowed, or add %s", account)
}

// String lists the accounts, the first few of many.
func (g guard) String() string {
	const most = 4
	if len(g) <= most {
		return strings.Join(g, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(g[:most], ", "), len(g)-most)
}
