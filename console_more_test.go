package awsauth_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestConsoleAddress: an address of the sign-in service that somebody chose is held
// against the rule for all of them: no keys in the clear to a host on the internet.
func TestConsoleAddress(t *testing.T) {
	for name, choose := range map[string]func(w *lab.Place) []awsauth.Option{
		"variable": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL_SIGNIN=http://signin.example.com")
			return nil
		},
		"profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\nregion = us-east-1\nservices = s\n[services s]\nsignin =\n  endpoint_url = http://signin.example.com\n", "")
			return nil
		},
		"not a URL": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL_SIGNIN=localhost:4566")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			sent := 0
			w.Handle("signin.example.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				sent++
				_, _ = out.Write([]byte(`{"SigninToken":"x"}`))
			}))
			opts := append(choose(w), w.Static(), awsauth.WithAccount(lab.Target))
			s, err := w.Try(opts...)
			if err == nil {
				_, err = s.ConsoleURL(t.Context(), "")
			}
			require.ErrorIs(t, err, awsauth.InvalidOption)
			assert.Zero(t, sent, "the keys went over plain http")
		})
	}
}

// TestConsoleSecretPage: a page that is refused is shown without what may be secret in
// it: a login address that was passed by mistake, a password.
func TestConsoleSecretPage(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.InRole()
	for _, page := range []string{
		"https://us-east-1.signin.aws.amazon.com/federation?Action=login&SigninToken=SECRET-SECRET-SECRET",
		"https://ana:SECRET-SECRET-SECRET@us-east-1.console.aws.amazon.com/",
		"https://evil.example.com/#SECRET-SECRET-SECRET",
	} {
		_, err := s.ConsoleURL(t.Context(), page)
		require.ErrorIs(t, err, awsauth.InvalidOption)
		var paper lab.Paper
		paper.All(err)
		paper.Clean(t, map[string]string{"SECRET-SECRET-SECRET": "part of " + page})
	}
}

// TestConsolePseudoRegion: a pseudo region has no console.
func TestConsolePseudoRegion(t *testing.T) {
	for _, region := range []string{"aws-global", "auto"} {
		w := lab.New(t, awsauth.AWS)
		s := w.InRole(awsauth.WithRegion(region), awsauth.WithPartition(awsauth.AWS))
		login, err := s.ConsoleURL(t.Context(), "")
		require.NoError(t, err, region)
		u, err := url.Parse(login)
		require.NoError(t, err)
		assert.Equal(t, "us-east-1.signin.aws.amazon.com", u.Host, region)
	}
}

// TestConsoleOfMFAProvider: the keys of an MFA session are a user's, by whatever way
// they come.
func TestConsoleOfMFAProvider(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	user := w.Open(w.Static(), device.Option())
	lab.Get(t, user)
	_, err := w.Open(awsauth.WithCredentialsProvider(user)).ConsoleURL(t.Context(), "")
	require.ErrorIs(t, err, awsauth.LongTermCredentials)
	assert.Empty(t, w.Calls("getSigninToken"))
}

// TestConsoleRedirect: the keys stay with the host that they were meant for.
func TestConsoleRedirect(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Handle("us-east-1.signin.aws.amazon.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		http.Redirect(out, r, "https://thief.example.com/", http.StatusTemporaryRedirect)
	}))
	w.Handle("thief.example.com", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	_, err := w.InRole().ConsoleURL(t.Context(), "")
	require.ErrorIs(t, err, awsauth.Unreachable)
}

// TestConsoleEnds: the caller's context ends the call.
func TestConsoleEnds(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		lab.Get(t, s)
		w.Inject(awsauthtest.Fault{Action: "getSigninToken", Kind: awsauthtest.Hang})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := s.ConsoleURL(ctx, "")
		require.ErrorIs(t, err, awsauth.Unreachable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begun))
		begun = time.Now()
		_, err = s.ConsoleURL(t.Context(), "")
		require.ErrorIs(t, err, awsauth.Unreachable)
		assert.Equal(t, 30*time.Second, time.Since(begun))
		gone, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		_, err = s.ConsoleURL(gone, "")
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, awsauth.Unreachable)
		assert.Contains(t, err.Error(), ": canceled")
	})
}

// TestConsoleOwnAddress: an address of one's own is asked, and the page stays that of
// the partition's console.
func TestConsoleOwnAddress(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Handle("signin.internal", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/federation", r.URL.Path)
		_, _ = out.Write([]byte(`{"SigninToken":"the token"}`))
	}))
	w.Env("AWS_ENDPOINT_URL_SIGNIN=https://signin.internal/")
	login, err := w.InRole(awsauth.WithLoadOptions(config.WithRegion("eu-west-1"))).ConsoleURL(t.Context(), "ec2")
	require.NoError(t, err)
	u, err := url.Parse(login)
	require.NoError(t, err)
	assert.Equal(t, "signin.internal", u.Host)
	assert.Equal(t, "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1", u.Query().Get("Destination"))
	assert.Equal(t, "the token", u.Query().Get("SigninToken"))
}

// TestConsoleNamesHost: an error names the host that was asked, which an address of
// one's own may be, and no option of STS's, which was not asked.
func TestConsoleNamesHost(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_ENDPOINT_URL_SIGNIN=https://signin.internal")
	for status, kind := range map[int]awsauth.Kind{http.StatusForbidden: awsauth.AccessDenied, http.StatusInternalServerError: awsauth.Unreachable, http.StatusBadGateway: awsauth.Unreachable, http.StatusFound: awsauth.Unreachable, http.StatusOK: awsauth.Unreachable} {
		w.Handle("signin.internal", http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(status) }))
		_, err := w.InRole().ConsoleURL(t.Context(), "")
		require.ErrorIs(t, err, kind)
		assert.Contains(t, err.Error(), "signin.internal", "%d", status)
		assert.NotContains(t, err.Error(), "signin.aws.amazon.com")
		assert.NotContains(t, err.Error(), "STS", "%d", status)
	}
}

// TestConsoleUnknownRegion: a region that is not AWS's has no console: it is that of the
// partition's default region.
func TestConsoleUnknownRegion(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	login, err := w.InRole(awsauth.WithRegion("auto"), awsauth.WithPartition(awsauth.AWS)).ConsoleURL(t.Context(), "")
	require.NoError(t, err)
	u, err := url.Parse(login)
	require.NoError(t, err)
	assert.Equal(t, "us-east-1.signin.aws.amazon.com", u.Host)
}
