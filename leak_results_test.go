package awsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// inRole is a session in a role that logs on the paper.
func inRole(l *leak) *awsauth.Session { return l.InRole(l.log()) }

// leaksOfCalls are the cases of the methods of Session that hand credentials on.
func leaksOfCalls() map[string]func(*leak) {
	return map[string]func(*leak){
		"Session.Retrieve": func(l *leak) {
			l.everyTrouble(func() {
				_, err := inRole(l).Retrieve(l.t.Context())
				require.Error(l.t, err)
				l.print(err, fmt.Errorf("outer: %w", err))
				var refused *smithy.OperationError
				if errors.As(err, &refused) { // the SDK's own error, as errors.As finds it
					l.print(refused, refused.Err)
				}
			})
		},
		"Session.Assume": func(l *leak) {
			s, err := inRole(l).Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
			require.NoError(l.t, err)
			l.secret("secret key", lab.Get(l.t, s).SecretAccessKey)
			l.Show(l.paper, s)
			_, err = s.Assume(awsauth.WithAccount("12"), awsauth.WithPolicy("{"))
			l.print(err)
		},
		"Session.Config": func(l *leak) {
			s := inRole(l)
			creds, err := s.Config().Credentials.Retrieve(l.t.Context())
			require.NoError(l.t, err)
			l.secret("secret key", creds.SecretAccessKey)
			cfg := s.Config()
			l.paper.Print(cfg)
			l.print(cfg.ConfigSources)
		},
		"Session.ConsoleURL": func(l *leak) {
			s := inRole(l)
			login, err := s.ConsoleURL(l.t.Context(), "")
			require.NoError(l.t, err)
			u, err := url.Parse(login)
			require.NoError(l.t, err)
			l.secret("sign-in token", u.Query().Get("SigninToken"))
			l.Show(l.paper, s)
			l.everyTrouble(func() {
				_, err := s.ConsoleURL(l.t.Context(), "https://console.aws.amazon.com/?x="+l.secret("of the page", "secret-of-the-page"))
				require.Error(l.t, err)
				l.print(err)
			})
			_, err = l.Open(l.Static()).ConsoleURL(l.t.Context(), "")
			l.print(err)
		},
	}
}

// leaksOfQuestions are the cases of its other methods that ask AWS.
func leaksOfQuestions() map[string]func(*leak) {
	return map[string]func(*leak){
		"Session.ForEachAccount": func(l *leak) {
			l.everyTrouble(func() {
				err := l.Open(l.Static(), l.log()).ForEachAccount(l.t.Context(), []string{lab.Target, "222222222222"}, lab.Enter)
				require.Error(l.t, err)
				l.print(err)
			})
		},
		"Session.Identity": func(l *leak) {
			id, err := inRole(l).Identity(l.t.Context())
			require.NoError(l.t, err)
			l.print(id)
			l.everyTrouble(func() {
				_, err := l.Open(l.Static()).Identity(l.t.Context())
				require.Error(l.t, err)
				l.print(err)
			})
		},
	}
}

// leaksOfSessions are the cases of Session itself and of what it says.
func leaksOfSessions() map[string]func(*leak) {
	return map[string]func(*leak){
		"Identity": func(l *leak) { l.print(awsauth.Identity{Account: lab.Home}) },
		"Session.Explain": func(l *leak) {
			s := inRole(l)
			l.print(s.Explain())
			l.secret("secret key", lab.Get(l.t, s).SecretAccessKey)
			l.print(s.Explain())
			l.everyTrouble(func() {
				s := inRole(l)
				_, _ = s.Retrieve(l.t.Context())
				text, err := json.Marshal(s.Explain())
				require.NoError(l.t, err)
				l.print(s.Explain(), s.Explain().Steps, string(text))
			})
		},
		"Session.ProviderSources": func(l *leak) { l.print(inRole(l).ProviderSources()) },
		"Session, Session.String, Session.Format, Session.LogValue, Session.MarshalText": func(l *leak) {
			s := inRole(l)
			l.secret("secret key", lab.Get(l.t, s).SecretAccessKey)
			l.Show(l.paper, s)
			l.paper.Print(s) // all verbs, slog, JSON and text
			text, err := s.MarshalText()
			require.NoError(l.t, err)
			l.print(s.String(), string(text), s.LogValue())
		},
	}
}

// leaksOfErrors are the cases of the errors and of Report.
func leaksOfErrors() map[string]func(*leak) {
	return map[string]func(*leak){
		"Error, Error.Error, Error.Format, Error.LogValue, Error.MarshalJSON, Error.Unwrap, Report, Report.String": func(l *leak) {
			l.everyTrouble(func() { printError(l) })
		},
		"Error.Report": func(l *leak) {
			l.Env("AWS_ACCESS_KEY_ID="+lab.SomeID, "AWS_SESSION_TOKEN="+l.secret("token", "a-token-without-key"))
			_, err := l.Try(l.log())
			var e *awsauth.Error
			require.ErrorAs(l.t, err, &e)
			report, ok := e.Report()
			require.True(l.t, ok)
			l.print(err, report, report.String())
		},
		"Error.RetryableError": func(l *leak) {
			_, err := l.InRole(awsauth.WithDuration(12 * time.Hour)).Retrieve(l.t.Context())
			var e *awsauth.Error
			require.ErrorAs(l.t, err, &e)
			l.print(e, e.RetryableError())
		},
		"AccountError, AccountError.Error, AccountError.Unwrap, Progress": func(l *leak) {
			l.everyTrouble(func() {
				err := l.Open(l.Static()).ForEachAccount(l.t.Context(), []string{lab.Target}, func(ctx context.Context, s *awsauth.Session) error {
					if err := lab.Enter(ctx, s); err != nil {
						return fmt.Errorf("service call: %w", err)
					}
					return nil
				}, awsauth.WithProgress(func(p awsauth.Progress) { l.print(p, &p) }))
				for _, one := range awsauth.AccountErrors(err) {
					l.print(one, *one, one.Error(), one.Unwrap())
				}
			})
		},
	}
}

// printError prints an error of a session in a role, its causes and its report.
func printError(l *leak) {
	s := l.InRole(l.log())
	_, err := s.Retrieve(l.t.Context())
	var e *awsauth.Error
	require.ErrorAs(l.t, err, &e)
	l.print(err, *e, e.Error(), s.Explain(), s.Explain().String())
	for _, cause := range e.Unwrap() {
		l.print(cause)
	}
}

// leaksOfFuncs are the cases of the funcs.
func leaksOfFuncs() map[string]func(*leak) {
	return map[string]func(*leak){
		"New": func(l *leak) {
			_, err := awsauth.New(awsauth.WithStaticCredentials("", l.secret("secret key", lab.SomeSecret), ""), awsauth.WithAccount("12"), awsauth.WithRegion("\x00"))
			require.Error(l.t, err)
			l.print(err)
		},
		"Collect": func(l *leak) {
			l.everyTrouble(func() {
				got, err := awsauth.Collect(l.t.Context(), l.Open(l.Static(), l.log()), []string{lab.Target}, func(ctx context.Context, s *awsauth.Session) (*awsauth.Session, error) {
					return s, lab.Enter(ctx, s)
				})
				require.Error(l.t, err)
				l.print(err, got)
			})
			got, err := awsauth.Collect(l.t.Context(), l.Open(l.Static()), []string{lab.Target}, func(ctx context.Context, s *awsauth.Session) (*awsauth.Session, error) {
				return s, lab.Enter(ctx, s)
			})
			require.NoError(l.t, err)
			require.Len(l.t, got, 1)
			l.paper.Print(got)
		},
		"AccountErrors": func(l *leak) {
			l.everyTrouble(func() {
				err := l.Open(l.Static()).ForEachAccount(l.t.Context(), []string{lab.Target, "222222222222"}, lab.Enter)
				all := awsauth.AccountErrors(fmt.Errorf("outer: %w", err))
				require.Len(l.t, all, 2)
				l.print(all)
			})
		},
	}
}

// leaksOfSecondHand are the cases of the funcs that bring what an option asks for.
func leaksOfSecondHand() map[string]func(*leak) {
	return map[string]func(*leak){
		"CertificateFiles": leaksOfFiles,
		"GitHubActionsToken": func(l *leak) {
			key := l.secret("request token", "the-runner-token")
			base := awsauth.WithWebIdentity(l.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))
			l.paper.Print(awsauth.GitHubActionsToken(mark))
			for name, answer := range map[string]func(http.ResponseWriter, url.Values){
				"works": func(w http.ResponseWriter, _ url.Values) {
					fmt.Fprintf(w, `{"value":%q}`, l.secret("token", l.WebIdentityToken(lab.Issuer, "repo:corp/app:x", time.Hour)))
				},
				"refuses": func(w http.ResponseWriter, _ url.Values) {
					http.Error(w, "the header was Bearer "+key, http.StatusForbidden)
				},
				"repeats": func(w http.ResponseWriter, _ url.Values) { fmt.Fprintf(w, `{"value":"%s\n%s"}`, key, key) },
			} {
				runner(l.t, l.Place, answer)
				err := l.show(base)
				require.Equal(l.t, name == "works", err == nil, "%s: %v", name, err)
			}
			l.Env("ACTIONS_ID_TOKEN_REQUEST_URL=http://127.0.0.1:1/x?sig=" + l.secret("of the address", "secret-of-the-address"))
			l.fails(base)
		},
		"PromptMFA": func(l *leak) { // at a terminal: TestPromptMFA, TestPromptMFAWrong
			device := l.Device()
			l.secret("secret key", l.Keys.SecretAccessKey)
			l.paper.Print(awsauth.PromptMFA)
			ctx, cancel := context.WithCancel(l.t.Context())
			cancel() // whether or not the test has a terminal: nobody is asked
			_, err := l.Open(l.Static(), awsauth.WithMFA(device.Serial, awsauth.PromptMFA), l.log()).Retrieve(ctx)
			require.Error(l.t, err)
			l.print(err)
		},
	}
}

// leaksOfFiles has private keys in files that are whole, cut, of the wrong kind and in
// the wrong place.
func leaksOfFiles(l *leak) {
	w := workloadAt(l)
	cert, key := pemOf(l, l.Certificate(w.anchor, "machine-1", time.Hour))
	for line := range linesOfKey(key) {
		l.secret("line of the private key", line)
	}
	for name, files := range map[string][2][]byte{
		"whole": {cert, key}, "swapped": {key, cert}, "cut": {cert, key[:len(key)/2]}, "no end": {cert, key[:len(key)-20]}, "no PEM": {cert, key[30:]},
		"another kind": {cert, append([]byte("-----BEGIN SECRET-----\n"), key[28:]...)}, "both": {append(key, cert...), key}, "empty": {nil, key},
	} {
		certFile, keyFile := filepath.Join(l.Dir, "machine.crt"), filepath.Join(l.Dir, "machine.key")
		require.NoError(l.t, os.WriteFile(certFile, files[0], 0o600))
		require.NoError(l.t, os.WriteFile(keyFile, files[1], 0o600))
		get := awsauth.CertificateFiles(certFile, keyFile)
		l.paper.Print(get)
		err := l.show(awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, get))
		if name == "whole" {
			require.NoError(l.t, err)
		}
		if _, err := get(l.t.Context()); err != nil {
			l.print(err)
		}
	}
}

// linesOfKey are the lines of a PEM block between its borders.
func linesOfKey(block []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(block)) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") && len(line) > 20 && !yield(line) {
				return
			}
		}
	}
}
