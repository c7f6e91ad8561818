package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestPaper: the tests below would see a secret.
func TestPaper(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7+MDENG"
	type inner struct{ hidden any }
	for name, write := range map[string]func(p *lab.Paper){
		"print":  func(p *lab.Paper) { p.Print(aws.Credentials{SecretAccessKey: secret}) },
		"error":  func(p *lab.Paper) { p.Print(errors.New("x " + secret)) },
		"hidden": func(p *lab.Paper) { p.Dig(&inner{map[string]*inner{"k": {[]byte(secret)}}}) },
		"hex":    func(p *lab.Paper) { fmt.Fprintf(p, "%x", secret) },
		"bytes":  func(p *lab.Paper) { fmt.Fprint(p, []byte("a "+secret+" z")) },
		"query":  func(p *lab.Paper) { fmt.Fprint(p, url.Values{"k": {secret}}.Encode()) },
	} {
		var p lab.Paper
		write(&p)
		found := slices.ContainsFunc(lab.Forms(secret), func(form string) bool { return strings.Contains(p.String(), form) })
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
	for _, src := range lab.EverySource() {
		for trouble, fault := range troubles {
			if lab.UnderRace && trouble != "works" {
				continue // the texts are the same without the detector
			}
			t.Run(src.Name+" "+trouble, func(t *testing.T) {
				lab.OnAnyClock(t, src.Name == "process" && trouble != "hangs", func(t *testing.T, w *lab.Place) {
					if src.Name == "process" && trouble == "hangs" {
						t.Skip("the process does not hang")
					}
					w.Watched()
					var p lab.Paper
					logger := slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))
					opts := append(src.Fill(w, "us-east-1"), awsauth.WithLogger(logger),
						awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud),
							config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "bearer-token-of-ana"}})))
					w.Spy.Note("bearer token", "bearer-token-of-ana")
					for name := range w.FileSecrets() {
						w.Spy.Note("file", name)
					}
					role := awsauth.WithAccount(lab.Target)
					session := w.Open(append(opts, role)...)
					w.Show(&p, session)
					w.Inject(fault)
					creds, err := session.Retrieve(t.Context())
					if err == nil {
						w.Spy.Note("secret of the role", creds.SecretAccessKey)
						w.Spy.Note("token of the role", creds.SessionToken)
						require.Equal(t, trouble, "works")
					}
					p.All(err)
					_, err = w.Open(opts...).Identity(t.Context())
					p.All(err)
					use(t.Context(), &p, session)
					w.Show(&p, session)
					for _, option := range append(opts, role) {
						p.Print(option)
					}
					p.Clean(t, w.Spy.Seen)
				})
			})
		}
	}
}

// use prints what a session's methods return.
func use(ctx context.Context, p *lab.Paper, s *awsauth.Session) {
	id, err := s.Identity(ctx)
	p.All(err)
	p.All(id)
	err = s.ForEachAccount(ctx, []string{lab.Target}, func(ctx context.Context, s *awsauth.Session) error {
		p.Print(s)
		return lab.Enter(ctx, s)
	}, awsauth.WithProgress(func(pr awsauth.Progress) { p.All(pr) }))
	p.All(err)
}

// TestNoErrorLeaks prints and walks every error that the catalogue knows.
func TestNoErrorLeaks(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			lab.OnAnyClock(t, m.real, func(t *testing.T, w *lab.Place) {
				w.Watched().Files("", "")
				w.Spy.Note("code", "000000")
				err := m.make(w)
				require.Error(t, err)
				var p lab.Paper
				p.All(err)
				w.Spy.Note("new secret", w.Keys.SecretAccessKey)
				w.Spy.Note("option", lab.SomeSecret)
				p.Clean(t, w.Spy.Seen)
			})
		})
	}
}

// TestHalfAnAnswer: STS's answer is cut behind the secret, and the SDK keeps what
// came.
func TestHalfAnAnswer(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Watched()
		w.Down(awsauthtest.Malformed)
		_, err := w.Open(w.Static(), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
		require.Error(t, err)
		var broken *smithy.DeserializationError
		require.ErrorAs(t, err, &broken)
		assert.Contains(t, w.Spy.Kinds(), "SecretAccessKey")
		var p lab.Paper
		p.Dig(err)
		p.Clean(t, w.Spy.Seen)
	})
}

// TestRepeatedValues: AWS repeats what has the wrong form, also where it is
// secret.
func TestRepeatedValues(t *testing.T) {
	const message = `2 validation errors detected: Value 'code-17' at 'tokenCode' failed to satisfy constraint: Member must have length 6; ` +
		`Value 'to.ken' at 'webIdentityToken' failed to satisfy constraint; Value 'x' at 'roleSessionName' failed`
	w := lab.New(t, awsauth.AWS)
	w.WebToken()
	w.WebEnv()
	w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: http.StatusBadRequest, Code: "ValidationError", Message: message})
	for _, opts := range [][]awsauth.Option{{}, {w.Static(), awsauth.WithAccount(lab.Target)}} {
		err := w.Fetch(opts...)
		lab.RequireBad(t, err, awsauth.InvalidOption, "Value '…' at 'webIdentityToken'", "Value 'x' at 'roleSessionName'")
		var p lab.Paper
		p.All(err)
		p.Clean(t, map[string]string{"code-17": "code", "to.ken": "token"})
	}
}

// TestOptionsPrintNothing: options are values, and hold secrets.
func TestOptionsPrintNothing(t *testing.T) {
	keys := aws.Credentials{AccessKeyID: lab.SomeID, SecretAccessKey: lab.SomeSecret, SessionToken: "a-session-token"}
	var p lab.Paper
	for _, v := range []any{
		awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "a-session-token"),
		awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })),
		awsauth.WithLoadOptions(config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: "a-session-token"}})),
		awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithExternalID("x-1"), awsauth.WithConcurrency(3),
		awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithTemporaryOnly(),
	} {
		p.All(v)
	}
	p.Clean(t, map[string]string{lab.SomeSecret: "secret key", "a-session-token": "token"})
}

// TestProcessArguments: the command line of a process may hold a password.
func TestProcessArguments(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\ncredential_process = echo '{\"password\": \"process-password\"}'\n", "")
	for _, profile := range []string{"ops", "keys"} {
		var p lab.Paper
		s := w.Open(awsauth.WithProfile(profile), awsauth.WithLogger(slog.New(slog.NewJSONHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		_, err := s.Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.NoCredentials, "without Version 1")
		w.Show(&p, s)
		p.All(err)
		p.Clean(t, map[string]string{"process-password": "argument"})
	}
}

// TestContainerToken: the token of the container's endpoint is in the
// environment, from where the SDK copies it.
func TestContainerToken(t *testing.T) {
	const token = "Basic container-token"
	w := lab.New(t, awsauth.AWS).Watched()
	w.SetContainer(&awsauthtest.Container{RoleARN: w.ARN(lab.Home, "role/base"), Token: "another"})
	w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN="+token)
	s := w.Open()
	_, err := s.Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials, "HTTP 401")
	var p lab.Paper
	w.Show(&p, s)
	p.All(err)
	assert.Contains(t, w.Spy.Seen, token)
	p.Clean(t, w.Spy.Seen)
}

// TestEveryRecord prints the log of a session's whole life.
func TestEveryRecord(t *testing.T) {
	for _, handler := range []func(io.Writer, *slog.HandlerOptions) slog.Handler{
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			w.Watched()
			var p lab.Paper
			s := w.InRole(awsauth.WithLogger(slog.New(handler(&p, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))),
				awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud)))
			lab.Get(t, s)
			up := w.Down(awsauthtest.Malformed)
			time.Sleep(50 * time.Minute)
			lab.Get(t, s)
			time.Sleep(time.Minute)
			up()
			up = w.Down(awsauthtest.Hang)
			lab.Get(t, s)
			time.Sleep(time.Minute)
			_, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Hour)
			_, err = s.Retrieve(t.Context())
			require.Error(t, err)
			up()
			time.Sleep(time.Minute)
			w.Expire(lab.Get(t, s).AccessKeyID)
			quiet := s.Config()
			quiet.ClientLogMode = 0
			_, err = sts.NewFromConfig(quiet).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
			for _, message := range []string{"source chosen", "role assumed", "refresh failed", "no credentials", "refused"} {
				assert.Contains(t, p.String(), message)
			}
			p.Clean(t, w.Spy.Seen)
		})
	}
}

// TestTokenNotLogged: STS repeats a token that has the wrong form, and the
// SDK logs what STS says.
func TestTokenNotLogged(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.WebToken()
		w.Files("[profile web]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
		w.Env("AWS_PROFILE=web")
		text, err := os.ReadFile(w.Dir + "/token")
		require.NoError(t, err)
		w.Inject(awsauthtest.Fault{Action: "AssumeRoleWithWebIdentity", Kind: awsauthtest.Refuse, Status: 400, Code: "ValidationError",
			Message: "1 validation error detected: Value '" + string(text) + "' at 'webIdentityToken' failed to satisfy constraint: Member must be short"})
		var p lab.Paper
		log := awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug})))
		_, err = w.Open(log, awsauth.WithLoadOptions(config.WithClientLogMode(aws.LogRetries))).Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.InvalidOption, "webIdentityToken")
		synctest.Wait()
		require.Contains(t, p.String(), "SDK: ", "the SDK logs nothing any more, and this test nothing either")
		require.Contains(t, p.String(), "webIdentityToken")
		p.Clean(t, map[string]string{string(text): "web identity token"})
		require.NotContains(t, err.Error(), string(text))
	})
}
