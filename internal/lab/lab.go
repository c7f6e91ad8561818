// Package lab is the workbench of the root's tests: an AWS of their own with a
// user and a few roles, the sources of identities, and a clock that can be turned
// on by hours.
//
//	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
//		s := w.InRole()                   // the user, in a role of another account
//		up := w.Down(awsauthtest.Hang)    // STS does not answer any more
//		time.Sleep(40 * time.Minute)      // takes no time
//		lab.Busy(t, s, time.Second, time.Minute) // callers do not feel it
//		up()
//	})
//
// In the texts of files and variables, $ID and $SECRET stand for the user's keys,
// $BASE, $MIDDLE and $MANAGE for the ARNs of roles, $DIR for a directory.
package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Accounts, roles and keys.
const (
	Home   = "111111111111"      // the account of the user and of the base role
	Target = "123456789012"      // the account of the roles to become
	Issuer = "token.example.com" // of web identity tokens that the base role trusts

	ManageRole = "arn:aws:iam::123456789012:role/manage-role"
	ChinaRole  = "arn:aws-cn:iam::123456789012:role/manage-role"
	GovRole    = "arn:aws-us-gov:iam::123456789012:role/manage-role"

	// Keys that nobody issued, for what must fail before any call. No error may
	// show the secret.
	SomeID     = "AKIAIOSFODNN7EXAMPLE"
	SomeSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// Place is a Cloud with what the tests need in one partition: a user, a base
// and a middle role in the user's account, and two roles in another account.
type Place struct {
	*awsauthtest.Cloud
	T         testing.TB
	Keys      awsauthtest.Keys // of the user
	Partition awsauth.Partition
	Dir       string // for files
	Spy       *Spy   // of the leak tests: it notes every secret that passes; nil elsewhere
}

// New makes a place, in an environment that holds nothing of AWS.
func New(t testing.TB, p awsauth.Partition) *Place {
	t.Helper()
	w := &Place{Cloud: awsauthtest.New(t), T: t, Partition: p, Dir: t.TempDir()}
	w.AddRegion(OtherRegion(p)) // some partitions have one region yet
	w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(Home, "user/ci")})
	w.AddRole(awsauthtest.Role{ARN: w.ARN(Home, "role/base"), Trust: []string{Home, Issuer}})
	w.AddRole(awsauthtest.Role{ARN: w.ARN(Home, "role/middle"), Trust: []string{Home}})
	for _, name := range []string{"manage-role", "team/ops"} {
		w.AddRole(awsauthtest.Role{ARN: w.ARN(Target, "role/"+name), Trust: []string{Home, Target}, AllowTags: true, AllowSourceIdentity: true})
	}
	return w
}

// ARN is that of an IAM resource of the partition.
func (w *Place) ARN(account, resource string) string {
	return fmt.Sprintf("arn:%s:iam::%s:%s", w.Partition, account, resource)
}

// Text replaces $ID, $BASE and the other names in s.
func (w *Place) Text(s string) string {
	return strings.NewReplacer("$ID", w.Keys.AccessKeyID, "$SECRET", w.Keys.SecretAccessKey, "$DIR", w.Dir,
		"$BASE", w.ARN(Home, "role/base"), "$MIDDLE", w.ARN(Home, "role/middle"),
		"$MANAGE", w.ARN(Target, "role/manage-role")).Replace(s)
}

// Files writes the shared files, where there is a text for them, and points the
// environment there. They are "config" and "credentials" in w.Dir.
func (w *Place) Files(config, credentials string) {
	w.T.Helper()
	for _, f := range []struct{ variable, name, text string }{
		{"AWS_CONFIG_FILE", "config", config}, {"AWS_SHARED_CREDENTIALS_FILE", "credentials", credentials},
	} {
		w.T.Setenv(f.variable, filepath.Join(w.Dir, f.name))
		if f.text != "" {
			w.Write(f.name, f.text)
		}
	}
}

// Env sets variables, each "NAME=value".
func (w *Place) Env(pairs ...string) {
	w.T.Helper()
	for _, pair := range pairs {
		name, value, _ := strings.Cut(w.Text(pair), "=")
		w.T.Setenv(name, value)
	}
}

// Static is the user's keys as an option.
func (w *Place) Static() awsauth.Option {
	return awsauth.WithStaticCredentials(w.Keys.AccessKeyID, w.Keys.SecretAccessKey, "")
}

// ByName lets services be asked by AWS's own host names in a test that has a transport
// of its own: else awsauthtest leads them nowhere, as LoadOptions are missing.
func (w *Place) ByName() { w.Client() }

// Try makes a session whose requests end in the Cloud.
func (w *Place) Try(opts ...awsauth.Option) (*awsauth.Session, error) {
	return awsauth.New(append([]awsauth.Option{awsauth.WithLoadOptions(w.LoadOptions())}, opts...)...)
}

// Open is Try where it must work.
func (w *Place) Open(opts ...awsauth.Option) *awsauth.Session {
	w.T.Helper()
	s, err := w.Try(opts...)
	require.NoError(w.T, err)
	return s
}

// InRole is a session in the target account's role.
func (w *Place) InRole(opts ...awsauth.Option) *awsauth.Session {
	w.T.Helper()
	return w.Open(append([]awsauth.Option{w.Static(), awsauth.WithAccount(Target)}, opts...)...)
}

// Fetch makes a session and asks it for credentials.
func (w *Place) Fetch(opts ...awsauth.Option) error {
	s, err := w.Try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Retrieve(context.Background())
	return err
}

// Who makes a session and asks it who it is.
func (w *Place) Who(opts ...awsauth.Option) error {
	s, err := w.Try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Identity(context.Background())
	return err
}

// JustNew is an error of New itself.
func (w *Place) JustNew(opts ...awsauth.Option) error {
	_, err := w.Try(opts...)
	return err
}

// IdentityOf is the session's ARN without its session name.
func (w *Place) IdentityOf(s *awsauth.Session) string {
	w.T.Helper()
	id, err := s.Identity(context.Background())
	require.NoError(w.T, err)
	require.Equal(w.T, w.Partition, id.Partition)
	require.Contains(w.T, id.ARN, ":"+id.Account+":")
	return ShortARN(id.ARN)
}

// ShortARN drops the session name of a role session.
func ShortARN(arn string) string {
	if before, rest, ok := strings.Cut(arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return before + ":assumed-role/" + role
	}
	return arn
}

// Became is the ARN of a session in a role of the place, as IdentityOf shows it.
func (w *Place) Became(account, role string) string {
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s", w.Partition, account, role)
}

// Said lists the calls so far, each "action/role host region key": what went
// over the wire, in a form that a table can hold. The key is that of the "user" or
// of a "session", or the call is "unsigned".
func (w *Place) Said(action ...string) (lines []string) {
	for _, c := range w.Calls(action...) {
		who := c.AccessKeyID
		switch {
		case who == "":
			who = "unsigned"
		case who == w.Keys.AccessKeyID:
			who = "user"
		case strings.HasPrefix(who, "ASIA"):
			who = "session"
		}
		role := c.Params.Get("RoleArn")
		if i := strings.LastIndexByte(role, '/'); i >= 0 {
			role = role[i:]
		}
		line := fmt.Sprintf("%s%s %s %s %s", c.Action, role, c.Host, c.Region, who)
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}
