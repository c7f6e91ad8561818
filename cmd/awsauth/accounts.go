package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// accountsCommand lists the accounts of an organization.
func accountsCommand() *cli.Command {
	return &cli.Command{
		Name:  "accounts",
		Usage: "list the active accounts of your organization",
		Description: "One account a line, its name behind #: the form that each --accounts reads. Ask as the\n" +
			"management account, or as an account that may list the organization. Examples:\n\n" +
			"    awsauth accounts --profile management\n" +
			"    awsauth accounts --ou ou-ab12-11111111 | awsauth each --accounts - -- aws s3 ls\n" +
			"    awsauth accounts --account 123456789012 --lister-role OrganizationReader --json",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "ou", Usage: "only the accounts in the organizational unit with this `ID`, and in those within it; once for each"},
			&cli.StringFlag{Name: "lister-role", Usage: "list as this role, a `NAME` in the session's account or an ARN, assumed from the session"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			timeoutFlag(),
		}, sessionFlags()...),
		HideHelpCommand: true,
		Action:          runAccounts,
	}
}

func runAccounts(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	units := slices.DeleteFunc(cmd.StringSlice("ou"), func(id string) bool { return id == "" })
	for _, id := range units {
		if !isUnit(id) {
			return misused(cmd, fmt.Errorf("--ou %q: the id of an organizational unit looks like ou-ab12-11111111, that of a root like r-ab12", id))
		}
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
	if s, err = asLister(ctx, s, cmd.String("lister-role")); err != nil {
		return failed(err)
	}
	if _, err := s.Retrieve(ctx); err != nil { // the library's own words, and not the SDK's
		return failed(err)
	}
	cfg := s.Config()
	cfg.HTTPClient = transport.Own(cfg.HTTPClient)
	l := lister{client: organizations.NewFromConfig(cfg), seen: map[string]bool{}}
	if err := l.list(ctx, units); err != nil {
		return &failure{fmt.Errorf("awsauth: accounts: %s", l.where+answered(err))}
	}
	if l.silent > 0 {
		fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: left out %s of which the answer does not say whether they are active\n", accounts(l.silent))
	}
	if cmd.Bool("json") {
		err = writeJSON(cmd.Root().Writer, l.found)
	} else {
		err = writeAccounts(cmd.Root().Writer, l.found)
	}
	if err != nil {
		return &failure{fmt.Errorf("awsauth: write the answer: %w", err)}
	}
	return nil
}

// isUnit reports whether this may be the id of an organizational unit or a root.
func isUnit(id string) bool {
	return regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$`).MatchString(id)
}

// asLister is the session that lists: s itself, or a role that s assumes.
func asLister(ctx context.Context, s *awsauth.Session, role string) (*awsauth.Session, error) {
	switch {
	case role == "":
		return s, nil
	case strings.HasPrefix(role, "arn:"):
		return listerOf(s.Assume(awsauth.WithRoleARN(role)))
	}
	id, err := s.Identity(ctx)
	if err != nil {
		return nil, err
	}
	return listerOf(s.Assume(awsauth.WithAccount(id.Account), awsauth.WithRole(role)))
}

// listerOf has an error of the role name the flag that it is from.
func listerOf(s *awsauth.Session, err error) (*awsauth.Session, error) {
	if err != nil {
		text := strings.NewReplacer("--role-arn ", "--lister-role ", "--role ", "--lister-role ").Replace(inFlags(err.Error()))
		return nil, said{text, err}
	}
	return s, nil
}

// member is an account of the organization. Its JSON is for programs: names stay.
type member struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	ARN   string `json:"arn"`
	Unit  string `json:"ou,omitempty"` // that it was found in, where --ou was given
}

// organization is the part of organizations.Client that listing needs.
type organization interface {
	organizations.ListAccountsAPIClient
	organizations.ListAccountsForParentAPIClient
	organizations.ListOrganizationalUnitsForParentAPIClient
}

// lister gathers accounts, each once.
type lister struct {
	client organization
	seen   map[string]bool // units and accounts
	found  []member
	silent int    // accounts of which nothing says whether they are active
	where  string // the unit of --ou in which it failed
}

// list finds the accounts in units and below, or, without any, all.
func (l *lister) list(ctx context.Context, units []string) error {
	if len(units) == 0 {
		pages := organizations.NewListAccountsPaginator(l.client, &organizations.ListAccountsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			l.add("", page.Accounts)
		}
	}
	for _, unit := range units {
		if err := l.unit(ctx, unit); err != nil {
			l.where = unit + ": "
			return err
		}
	}
	slices.SortStableFunc(l.found, func(a, b member) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

// unit adds the accounts of one unit, and of those within it.
func (l *lister) unit(ctx context.Context, id string) error {
	if l.seen[id] {
		return nil
	}
	l.seen[id] = true
	accounts := organizations.NewListAccountsForParentPaginator(l.client, &organizations.ListAccountsForParentInput{ParentId: aws.String(id)})
	for accounts.HasMorePages() {
		page, err := accounts.NextPage(ctx)
		if err != nil {
			return err
		}
		l.add(id, page.Accounts)
	}
	units := organizations.NewListOrganizationalUnitsForParentPaginator(l.client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(id)})
	for units.HasMorePages() {
		page, err := units.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, inner := range page.OrganizationalUnits {
			if err := l.unit(ctx, aws.ToString(inner.Id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add keeps the active ones. Status, which said so before State, is no longer filled.
func (l *lister) add(unit string, accounts []types.Account) {
	for _, a := range accounts {
		id := aws.ToString(a.Id)
		if !names.IsAccount(id) {
			l.silent++ // what is no id must not become a line of the list
			continue
		}
		if l.seen[id] {
			continue
		}
		l.seen[id] = true
		if a.State != types.AccountStateActive {
			if a.State == "" {
				l.silent++
			}
			continue
		}
		l.found = append(l.found, member{ID: id, Name: aws.ToString(a.Name), Email: aws.ToString(a.Email), ARN: aws.ToString(a.Arn), Unit: unit})
	}
}

// writeAccounts writes a list that each reads: the name is a comment there. Whoever
// may name accounts is not to write into the terminal.
func writeAccounts(w io.Writer, found []member) error {
	var b strings.Builder
	for _, m := range found {
		fmt.Fprintf(&b, "%s # %s\n", m.ID, printable(m.Name))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable is a text of somebody else's that cannot move the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// writeJSON writes v, indented. A list without entries is [], not null.
func writeJSON(w io.Writer, v any) error {
	if list, ok := v.([]member); ok && list == nil {
		v = []member{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	if err == nil {
		_, err = io.WriteString(w, escaped(b.String()))
	}
	if err != nil {
		return errors.New("the output is closed or full")
	}
	return nil
}

// escaped is JSON in which nothing can move the cursor: what encoding/json leaves as it
// is, control characters of eight bits and of writing direction, becomes \uXXXX.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 0x7f && !unicode.IsPrint(r) && r <= 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
