package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestPaper: the tests below would see a secret.
func TestPaper(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7+MDENG"
	type inner struct{ hidden any }
	for name, write := range map[string]func(p *paper){
		"print":  func(p *paper) { p.print(aws.Credentials{SecretAccessKey: secret}) },
		"error":  func(p *paper) { p.print(errors.New("x " + secret)) },
		"hidden": func(p *paper) { p.dig(&inner{map[string]*inner{"k": {[]byte(secret)}}}) },
		"hex":    func(p *paper) { fmt.Fprintf(p, "%x", secret) },
		"bytes":  func(p *paper) { fmt.Fprint(p, []byte("a "+secret+" z")) },
		"query":  func(p *paper) { fmt.Fprint(p, url.Values{"k": {secret}}.Encode()) },
	} {
		var p paper
		write(&p)
		found := slices.ContainsFunc(forms(secret), func(form string) bool { return strings.Contains(p.String(), form) })
		assert.True(t, found, name)
	}
}

// TestNothingLeaks prints all that there is to print of a session of every
// source: before any call, in three kinds of trouble, and when it works.
func TestNothingLeaks(t *testing.T) {
	troubles := map[string]awsauthtest.Fault{
		"works":     {Kind: awsauthtest.None},
		"refuses":   {Kind: awsauthtest.Refuse, Code: "AccessDenied"},
		"malformed": {Kind: awsauthtest.Malformed},
		"hangs":     {Kind: awsauthtest.Hang},
	}
	for _, src := range explainSources() {
		for trouble, fault := range troubles {
			if underRace && trouble != "works" {
				continue // the texts are the same without the detector
			}
			t.Run(src.name+" "+trouble, func(t *testing.T) {
				onAnyClock(t, src.name == "process" && trouble != "hangs", func(t *testing.T, w *place) {
					if src.name == "process" && trouble == "hangs" {
						t.Skip("the process does not hang")
					}
					w.watched()
					var p paper
					logger := slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))
					opts := append(src.fill(w, "us-east-1"), awsauth.WithLogger(logger),
						awsauth.WithLoadOptions(config.WithClientLogMode(loud),
							config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "bearer-token-of-ana"}})))
					w.spy.note("bearer token", "bearer-token-of-ana")
					for name := range w.fileSecrets() {
						w.spy.note("file", name)
					}
					role := awsauth.WithAccount(target)
					session := w.open(append(opts, role)...)
					w.show(&p, session)
					w.Inject(fault)
					creds, err := session.Retrieve(t.Context())
					if err == nil {
						w.spy.note("secret of the role", creds.SecretAccessKey)
						w.spy.note("token of the role", creds.SessionToken)
						require.Equal(t, trouble, "works")
					}
					p.print(err)
					p.dig(err)
					_, err = w.open(opts...).Identity(t.Context())
					p.print(err)
					p.dig(err)
					id, err := session.Identity(t.Context())
					p.print(err)
					p.print(id)
					p.dig(id)
					err = session.ForEachAccount(t.Context(), []string{target}, func(ctx context.Context, s *awsauth.Session) error {
						p.print(s)
						_, err := s.Retrieve(ctx)
						return err
					}, awsauth.WithProgress(func(pr awsauth.Progress) { p.print(pr); p.dig(pr) }))
					p.print(err)
					p.dig(err)
					w.show(&p, session)
					for _, option := range append(opts, role) {
						p.print(option)
					}
					p.clean(t, w.spy.seen)
				})
			})
		}
	}
}

// TestNoErrorLeaks prints and walks every error that the catalogue knows.
func TestNoErrorLeaks(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			onAnyClock(t, m.real, func(t *testing.T, w *place) {
				w.watched().files("", "")
				w.spy.note("code", "000000")
				err := m.make(w)
				require.Error(t, err)
				var p paper
				p.print(err)
				p.dig(err)
				w.spy.note("new secret", w.keys.SecretAccessKey)
				w.spy.note("option", someSecret)
				p.clean(t, w.spy.seen)
			})
		})
	}
}

// TestHalfAnAnswer: STS's answer is cut behind the secret, and the SDK keeps what
// came.
func TestHalfAnAnswer(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.watched()
		w.down(awsauthtest.Malformed)
		_, err := w.open(w.static(), awsauth.WithAccount(target)).Retrieve(t.Context())
		require.Error(t, err)
		var broken *smithy.DeserializationError
		require.ErrorAs(t, err, &broken)
		assert.Contains(t, w.spy.kinds(), "SecretAccessKey")
		var p paper
		p.dig(err)
		p.clean(t, w.spy.seen)
	})
}

// TestRepeatedValues: AWS repeats what has the wrong form, also where it is
// secret.
func TestRepeatedValues(t *testing.T) {
	const message = `2 validation errors detected: Value 'code-17' at 'tokenCode' failed to satisfy constraint: Member must have length 6; ` +
		`Value 'to.ken' at 'webIdentityToken' failed to satisfy constraint; Value 'x' at 'roleSessionName' failed`
	w := newPlace(t, awsauth.AWS)
	w.webToken()
	w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
	w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: http.StatusBadRequest, Code: "ValidationError", Message: message})
	for _, opts := range [][]awsauth.Option{{}, {w.static(), awsauth.WithAccount(target)}} {
		err := w.fetch(opts...)
		requireBad(t, err, awsauth.InvalidOption, "Value '…' at 'tokenCode'", "Value '…' at 'webIdentityToken'", "Value 'x' at 'roleSessionName'")
		var p paper
		p.print(err)
		p.dig(err)
		p.clean(t, map[string]string{"code-17": "code", "to.ken": "token"})
	}
}

// TestOptionsPrintNothing: options are values, and hold secrets.
func TestOptionsPrintNothing(t *testing.T) {
	keys := aws.Credentials{AccessKeyID: someID, SecretAccessKey: someSecret, SessionToken: "a-session-token"}
	var p paper
	for _, v := range []any{
		awsauth.WithStaticCredentials(someID, someSecret, "a-session-token"),
		awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })),
		awsauth.WithLoadOptions(config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "a-session-token"}})),
		awsauth.WithProfile("ops"), awsauth.WithAccount(target), awsauth.WithExternalID("x-1"), awsauth.WithConcurrency(3),
		awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithTemporaryOnly(),
	} {
		p.print(v)
		p.dig(v)
	}
	p.clean(t, map[string]string{someSecret: "secret key", "a-session-token": "token"})
}

// TestProcessArguments: the command line of a process may hold a password.
func TestProcessArguments(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\ncredential_process = echo '{\"password\": \"process-password\"}'\n", "")
	for _, profile := range []string{"ops", "keys"} {
		var p paper
		s := w.open(awsauth.WithProfile(profile), awsauth.WithLogger(slog.New(slog.NewJSONHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		_, err := s.Retrieve(t.Context())
		requireBad(t, err, awsauth.NoCredentials, "without Version 1")
		w.show(&p, s)
		p.print(err)
		p.dig(err)
		p.clean(t, map[string]string{"process-password": "argument"})
	}
}

// TestContainerToken: the token of the container's endpoint is in the
// environment, from where the SDK copies it.
func TestContainerToken(t *testing.T) {
	const token = "Basic container-token"
	w := newPlace(t, awsauth.AWS).watched()
	w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base"), Token: "another"})
	w.env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN="+token)
	s := w.open()
	_, err := s.Retrieve(t.Context())
	requireBad(t, err, awsauth.NoCredentials, "HTTP 401")
	var p paper
	w.show(&p, s)
	p.print(err)
	p.dig(err)
	assert.Contains(t, w.spy.seen, token)
	p.clean(t, w.spy.seen)
}

// TestEveryRecord prints the log of a session's whole life.
func TestEveryRecord(t *testing.T) {
	for _, handler := range []func(io.Writer, *slog.HandlerOptions) slog.Handler{
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		onItsClock(t, func(t *testing.T, w *place) {
			w.watched()
			var p paper
			s := w.inRole(awsauth.WithLogger(slog.New(handler(&p, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))),
				awsauth.WithLoadOptions(config.WithClientLogMode(loud)))
			get(t, s)
			up := w.down(awsauthtest.Malformed)
			time.Sleep(50 * time.Minute)
			get(t, s)
			time.Sleep(time.Minute)
			up()
			up = w.down(awsauthtest.Hang)
			get(t, s)
			time.Sleep(time.Minute)
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Hour)
			_, err = s.Retrieve(t.Context())
			require.Error(t, err)
			up()
			time.Sleep(time.Minute)
			w.Expire(get(t, s).AccessKeyID)
			quiet := s.Config()
			quiet.ClientLogMode = 0
			_, err = sts.NewFromConfig(quiet).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			for _, message := range []string{"source chosen", "role assumed", "refresh failed", "no credentials", "refused"} {
				assert.Contains(t, p.String(), message)
			}
			p.clean(t, w.spy.seen)
		})
	}
}
