package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	home   = "111111111111" // the account of the user and of the base role
	target = "123456789012" // the account of the roles to become
	issuer = "token.example.com"

	manageRole = "arn:aws:iam::123456789012:role/manage-role"

	// Keys that nobody issued, for what must fail before any call. No error may
	// show the secret.
	someID     = "AKIAIOSFODNN7EXAMPLE"
	someSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// place is a Cloud with what the tests need in one partition: a user, a base
// role in the user's account, and two roles in another account.
type place struct {
	*awsauthtest.Cloud
	t    testing.TB
	keys awsauthtest.Keys
	p    awsauth.Partition
	dir  string
	spy  *spy // of the leak tests: it notes every secret that passes; nil elsewhere
}

// newPlace makes it, in an environment that holds nothing of AWS.
func newPlace(t testing.TB, p awsauth.Partition) *place {
	t.Helper()
	w := &place{Cloud: awsauthtest.New(t), t: t, p: p, dir: t.TempDir()}
	w.keys = w.AddUser(awsauthtest.User{ARN: w.arn(home, "user/ci")})
	w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/base"), Trust: []string{home, issuer}})
	w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/middle"), Trust: []string{home}})
	for _, name := range []string{"manage-role", "team/ops"} {
		w.AddRole(awsauthtest.Role{
			ARN: w.arn(target, "role/"+name), Trust: []string{home, target}, AllowTags: true, AllowSourceIdentity: true,
		})
	}
	return w
}

// arn is that of an IAM resource of the partition.
func (w *place) arn(account, resource string) string {
	return fmt.Sprintf("arn:%s:iam::%s:%s", w.p, account, resource)
}

// text fills in the place's names.
func (w *place) text(s string) string {
	return strings.NewReplacer("$ID", w.keys.AccessKeyID, "$SECRET", w.keys.SecretAccessKey, "$DIR", w.dir,
		"$BASE", w.arn(home, "role/base"), "$MIDDLE", w.arn(home, "role/middle"),
		"$MANAGE", w.arn(target, "role/manage-role")).Replace(s)
}

// files writes the shared files.
func (w *place) files(config, credentials string) {
	w.t.Helper()
	sharedFiles(w.t, w.dir, w.text(config), w.text(credentials))
}

// env sets variables, each "NAME=value".
func (w *place) env(pairs ...string) {
	w.t.Helper()
	for _, pair := range pairs {
		name, value, _ := strings.Cut(w.text(pair), "=")
		w.t.Setenv(name, value)
	}
}

// static is the user's keys as an option.
func (w *place) static() awsauth.Option {
	return awsauth.WithStaticCredentials(w.keys.AccessKeyID, w.keys.SecretAccessKey, "")
}

// try makes a session whose requests end in the Cloud.
func (w *place) try(opts ...awsauth.Option) (*awsauth.Session, error) {
	return awsauth.New(append([]awsauth.Option{awsauth.WithLoadOptions(w.LoadOptions())}, opts...)...)
}

// open is try where it must work.
func (w *place) open(opts ...awsauth.Option) *awsauth.Session {
	w.t.Helper()
	s, err := w.try(opts...)
	require.NoError(w.t, err)
	return s
}

// identity is the session's ARN without its session name.
func (w *place) identity(s *awsauth.Session) string {
	w.t.Helper()
	id, err := s.Identity(context.Background())
	require.NoError(w.t, err)
	require.Equal(w.t, w.p, id.Partition)
	require.Contains(w.t, id.ARN, ":"+id.Account+":")
	return shortARN(id.ARN)
}

// shortARN drops the session name of a role session.
func shortARN(arn string) string {
	if before, rest, ok := strings.Cut(arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return before + ":assumed-role/" + role
	}
	return arn
}

// became is the ARN of a session in a role of the place, as identity shows it.
func (w *place) became(account, role string) string {
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s", w.p, account, role)
}

// said lists the calls so far, each "action host scope target key": what went
// over the wire, in a form that a table can hold.
func (w *place) said(action ...string) (lines []string) {
	for _, c := range w.Calls(action...) {
		who := c.AccessKeyID
		switch {
		case who == "":
			who = "unsigned"
		case who == w.keys.AccessKeyID:
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

// sharedFiles writes the shared files, where there is a text for them, and
// points the environment there.
func sharedFiles(t testing.TB, dir, config, credentials string) (configPath, credentialsPath string) {
	t.Helper()
	configPath, credentialsPath = filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	t.Setenv("AWS_CONFIG_FILE", configPath)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", credentialsPath)
	for path, text := range map[string]string{configPath: config, credentialsPath: credentials} {
		if text != "" {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
	}
	return configPath, credentialsPath
}

// requireBad asks for an error that matches kind, has each part in its text, is
// one line per fault, and shows no secret in any form.
func requireBad(t testing.TB, err error, kind awsauth.Kind, parts ...string) {
	t.Helper()
	require.Error(t, err)
	var e *awsauth.Error
	require.ErrorAs(t, err, &e)
	require.Truef(t, errors.Is(err, kind), "%v is not of kind %q", err, kind)
	text := err.Error()
	for _, part := range parts {
		assert.Contains(t, text, part)
	}
	for line := range strings.SplitSeq(text, "\n") {
		assert.Truef(t, strings.HasPrefix(line, "awsauth: "), "line %q of an error", line)
		assert.Falsef(t, strings.HasSuffix(line, ".") || strings.Contains(line, "%!"), "line %q of an error", line)
	}
	for _, form := range []string{text, fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", e)} {
		assert.NotContains(t, form, someSecret)
	}
}

// stsHost is the host of a region's STS, written down apart from the library.
func stsHost(region string) string {
	suffix := "amazonaws.com"
	for prefix, other := range map[string]string{"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu", "us-iso-": "c2s.ic.gov",
		"us-isob-": "sc2s.sgov.gov", "eu-isoe-": "cloud.adc-e.uk", "us-isof-": "csp.hci.ic.gov"} {
		if strings.HasPrefix(region, prefix) {
			suffix = other
		}
	}
	return "sts." + region + "." + suffix
}

// shared writes the shared files and returns their paths.
func (w *place) shared(config, credentials string) (configPath, credentialsPath string) {
	w.t.Helper()
	return sharedFiles(w.t, w.dir, w.text(config), w.text(credentials))
}

// noKeys is a provider that must not be asked.
type noKeys struct{}

func (noKeys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("this provider was not to be asked")
}

// withFiles names the shared files: one config file, no credentials file.
func withFiles(configPath string) func(*config.LoadOptions) error {
	return func(o *config.LoadOptions) error {
		o.SharedConfigFiles, o.SharedCredentialsFiles = []string{configPath}, []string{}
		return nil
	}
}
