package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/chaoxiaodi/awsauth"
)

// accountList is what --accounts says.
type accountList struct {
	name     string              // of the file
	accounts []string            // each entry once: an id or a role's ARN
	line     map[string]int      // where an entry stands first
	roles    map[string][]string // the entries of an account, by its id
	written  bool                // on the command line, not in a file
}

func newList(name string) accountList {
	return accountList{name: name, line: map[string]int{}, roles: map[string][]string{}}
}

// partitions are those of the roles in the list. A mere account is in the session's.
func (l accountList) partitions(session awsauth.Partition) (all []awsauth.Partition) {
	for _, account := range l.accounts {
		p := session
		if parts := strings.SplitN(account, ":", 3); len(parts) == 3 && parts[0] == "arn" {
			p = awsauth.Partition(parts[1])
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// add takes an entry, which stands on that line of a file.
func (l *accountList) add(entry string, line int) {
	if l.line[entry] > 0 {
		return
	}
	l.accounts = append(l.accounts, entry)
	l.line[entry] = line
	l.roles[idOf(entry)] = append(l.roles[idOf(entry)], entry)
}

// role is the ARN in the list of an account's role with that name, "" if there is none.
func (l accountList) role(account, name string) string {
	for _, entry := range l.roles[account] {
		if entry != account && roleName(entry) == name {
			return entry
		}
	}
	return ""
}

// roleName is the name in the ARN of a role, or of a session of one.
func roleName(arn string) string {
	parts := strings.Split(arn, "/")
	if strings.Contains(arn, ":assumed-role/") {
		return parts[1]
	}
	return parts[len(parts)-1]
}

// readAccounts reads a list, a file, or stdin. A pipe may have no writer: what waits
// for one is left behind at the end of ctx.
func readAccounts(ctx context.Context, value string, stdin io.Reader) (list accountList, err error) {
	if isList(value) {
		return readList(value, nil)
	}
	read := make(chan struct{})
	var found accountList
	var failure error
	go func() {
		defer close(read)
		found, failure = readList(value, stdin)
	}()
	select {
	case <-read:
		return found, failure
	case <-ctx.Done():
		return accountList{}, fmt.Errorf("read the accounts: %w", context.Cause(ctx))
	}
}

func readList(value string, stdin io.Reader) (accountList, error) {
	switch {
	case value == "-":
		return readLines("stdin", stdin)
	case isList(value):
		l := newList("--accounts")
		l.written = true
		for entry := range strings.FieldsFuncSeq(value, isSeparator) {
			l.add(entry, 1)
		}
		return l, nil
	}
	f, err := os.Open(value)
	if err != nil {
		return accountList{}, fmt.Errorf("--accounts %q is neither a list of account ids or role ARNs nor a file that can be read: %w", value, errors.Unwrap(err))
	}
	defer f.Close()
	return readLines(value, f)
}

// isList tells a list from the name of a file.
func isList(value string) bool {
	for part := range strings.FieldsFuncSeq(value, isSeparator) {
		if strings.Trim(part, "0123456789") != "" && !strings.HasPrefix(part, "arn:") {
			return false
		}
	}
	return true
}

// isSeparator: accounts stand one a line, or with blanks or commas between, as
// other commands print them.
func isSeparator(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// mostAccounts bounds what is read of a list. An organization may have 50,000 accounts.
const mostAccounts = 16 << 20

// readLines reads a file of accounts. Blank lines and # comments are left out.
func readLines(name string, r io.Reader) (accountList, error) {
	l := newList(name)
	all, err := readText(r, name, mostAccounts)
	if err != nil {
		return l, fmt.Errorf("--accounts: %w", err)
	}
	n := 0
	all = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(all) // else a comment would hide what follows
	for text := range strings.Lines(all) {
		n++
		text, _, _ = strings.Cut(" "+strings.ReplaceAll(text, "\t", " "), " #")
		for account := range strings.FieldsFuncSeq(text, isSeparator) {
			l.add(account, n)
		}
	}
	return l, nil
}

// refused is an error that stopped everything. What is wrong in the list is a wrong call
// if the list is a part of it.
func (l accountList) refused(err error) error {
	if l.written {
		return errors.New(l.explain(err))
	}
	return &failure{said{"awsauth: " + l.explain(err), err}}
}

// mostFaults bounds what is told of a list that is none.
const mostFaults = 20

// explain is the text of an error that stopped everything, in the words of the
// command line and with the lines of the file.
func (l accountList) explain(err error) string {
	var texts []string
	all := leaves(err)
	for _, one := range all[:min(len(all), mostFaults)] {
		text := strings.TrimPrefix(inFlags(one.Error()), "awsauth: ")
		var entry *awsauth.AccountError
		var own *awsauth.Error
		if errors.As(one, &entry) && errors.As(one, &own) && !strings.HasPrefix(own.Op, "With") {
			text = strings.Replace(text, ": each: ", ": ", 1)
			if n := l.line[entry.Account]; n > 0 && !l.written {
				text = fmt.Sprintf("%s:%d: %s", printable(l.name), n, text)
			}
		}
		texts = append(texts, text)
	}
	if more := len(all) - mostFaults; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "\nawsauth: ")
}
