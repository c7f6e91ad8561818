package awsauth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMFACodeApart: the halves of a code may be apart by more than one blank. The line
// that is shown folds them to one, so they must be hidden before or after that alike.
func TestMFACodeApart(t *testing.T) {
	for _, said := range []string{"871  205", "871\t205", "871\n205", "871\u00a0205", "8 7 1\n2 0 5"} {
		w := lab.New(t, awsauth.AWS)
		device := w.Device()
		var log lab.Records
		s := w.Open(w.Static(), log.Option(), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "", errors.New("the device shows " + said) }))
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		for _, text := range []string{err.Error(), log.String(), s.Explain().String()} {
			assert.NotContains(t, strings.ReplaceAll(text, " ", ""), "871205", "%q", said)
		}
	}
}

// TestWordsOfFuncs: what a func of the caller says is shown without private keys and
// tokens that can be told by their form, whichever func it is.
func TestWordsOfFuncs(t *testing.T) {
	pem := "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----"
	for _, secret := range []string{pem, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOmNvcnAvYXBwIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"} {
		said := errors.New("the vault answered " + secret + " and failed")
		for name, opts := range map[string]func(*lab.Place) []awsauth.Option{
			"provider": func(*lab.Place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, said }))}
			},
			"web identity": func(w *lab.Place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return nil, said }))}
			},
			"MFA": func(w *lab.Place) []awsauth.Option {
				return []awsauth.Option{w.Static(), awsauth.WithMFA(w.Device().Serial, func(context.Context) (string, error) { return "", said })}
			},
			"disk key": func(w *lab.Place) []awsauth.Option {
				return []awsauth.Option{w.Static(), awsauth.WithAccount(lab.Target), disk(w), awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return nil, said })}
			},
			"load option": func(*lab.Place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithLoadOptions(func(*config.LoadOptions) error { return said })}
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				var p lab.Paper
				p.Print("something") // of the disk key nothing but the log may be printed
				_ = show(w, &p, opts(w)...)
				p.Clean(t, map[string]string{"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg": "private key", "eyJzdWIiOiJyZXBvOmNvcnAvYXBwIn0": "token"})
			})
		}
	}
}

// TestTokenRepeated: a service, or what stands before it, that repeats the web identity
// token in its words gets it into no error.
func TestTokenRepeated(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	text := w.WebIdentityToken(lab.Issuer, "repo:corp/app", time.Hour)
	w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: http.StatusBadRequest, Code: "InvalidIdentityToken", Message: "no key fits the token " + text})
	var p lab.Paper
	err := show(w, &p, awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(text), nil })))
	require.Error(t, err)
	p.Clean(t, map[string]string{text: "web identity token"})
}

func show(w *lab.Place, p *lab.Paper, opts ...awsauth.Option) error {
	log := awsauth.WithLogger(slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s, err := w.Try(append(opts, log)...)
	if err == nil {
		_, err = s.Retrieve(w.T.Context())
		w.Show(p, s)
	}
	if err != nil {
		p.Print(err)
	}
	return err
}
