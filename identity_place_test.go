package awsauth_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

const (
	home       = lab.Home
	target     = lab.Target
	issuer     = lab.Issuer
	manageRole = lab.ManageRole
	someID     = lab.SomeID
	someSecret = lab.SomeSecret
	keyLines   = lab.KeyLines
)

// place is the lab's, under the short names that the tables of identities use.
type place struct {
	*lab.Place
	t    testing.TB
	keys awsauthtest.Keys
	p    awsauth.Partition
	dir  string
}

func newPlace(t testing.TB, p awsauth.Partition) *place {
	t.Helper()
	w := lab.New(t, p)
	return &place{w, t, w.Keys, p, w.Dir}
}

func (w *place) arn(account, resource string) string { return w.ARN(account, resource) }
func (w *place) text(s string) string                { return w.Text(s) }
func (w *place) env(pairs ...string)                 { w.t.Helper(); w.Env(pairs...) }
func (w *place) static() awsauth.Option              { return w.Static() }
func (w *place) try(opts ...awsauth.Option) (*awsauth.Session, error) {
	return w.Try(opts...)
}
func (w *place) open(opts ...awsauth.Option) *awsauth.Session { w.t.Helper(); return w.Open(opts...) }
func (w *place) identity(s *awsauth.Session) string           { w.t.Helper(); return w.IdentityOf(s) }
func (w *place) became(account, role string) string           { return w.Became(account, role) }
func (w *place) said(action ...string) []string               { return w.Said(action...) }
func (w *place) write(name, text string)                      { w.t.Helper(); w.Write(name, text) }
func (w *place) webToken()                                    { w.t.Helper(); w.WebToken() }
func (w *place) container()                                   { w.t.Helper(); w.InContainer() }
func (w *place) login(session string)                         { w.t.Helper(); w.SSOLogin(session) }

// sharedFiles writes the shared files, where there is a text for them, and points
// the environment there.
func sharedFiles(t testing.TB, dir, config, credentials string) {
	t.Helper()
	for name, text := range map[string]string{"config": config, "credentials": credentials} {
		if text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
}

func requireBad(t testing.TB, err error, kind awsauth.Kind, parts ...string) {
	t.Helper()
	lab.RequireBad(t, err, kind, parts...)
}

func stsHost(region string) string { return lab.STSHost(region) }

func get(t testing.TB, s aws.CredentialsProvider) aws.Credentials { t.Helper(); return lab.Get(t, s) }

func whoami(s *awsauth.Session) error { return lab.Whoami(s) }

// regionsOf are the two regions of a partition that the tests use.
var regionsOf = map[awsauth.Partition]struct{ main, second string }{
	awsauth.AWS:      {lab.DefaultRegion(awsauth.AWS), lab.OtherRegion(awsauth.AWS)},
	awsauth.China:    {lab.DefaultRegion(awsauth.China), lab.OtherRegion(awsauth.China)},
	awsauth.GovCloud: {lab.DefaultRegion(awsauth.GovCloud), lab.OtherRegion(awsauth.GovCloud)},
}

// records keeps what is logged.
type records struct{ lab.Records }

func (r *records) option() awsauth.Option { return r.Option() }

type record struct{ text string }

func (r *records) at(level slog.Level) (found []record) {
	for _, rec := range r.At(level) {
		found = append(found, record{rec.Message})
	}
	return found
}

// providerFunc is a provider that the caller brings.
type providerFunc func(context.Context) (aws.Credentials, error)

func (f providerFunc) Retrieve(ctx context.Context) (aws.Credentials, error) { return f(ctx) }
