package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// TestLoginOnly: a login asks for what it needs. What the profile's role needs, such as
// a code, or who assumes it, is the affair of those who take the role.
func TestLoginOnly(t *testing.T) {
	o, cloud, home := signIn(t)
	config := filepath.Join(home, "config")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, append(text, "[profile mfa]\nrole_arn = arn:aws:iam::333333333333:role/prod\nsource_profile = dev\nmfa_serial = arn:aws:iam::222222222222:mfa/ana\n"+
		"[profile wrong]\nrole_arn = no-arn\nsource_profile = dev\n"...), 0o600))
	for _, command := range []string{"login --no-browser", "logout"} {
		for _, profile := range []string{"mfa", "wrong"} {
			got := runProcess(t, append(strings.Fields(command), "--profile", profile)...)
			require.Equal(t, exitOK, got.code, got.stderr)
			noSecrets(t, got)
		}
	}
	assert.NotNil(t, o.asked("/token"))
	assert.Empty(t, cloud.Calls("AssumeRole", "GetSessionToken"))
}

// TestAnswersBounded: what is no answer of AWS's is one clear error, and is not read to
// its end. A redirect is not followed.
func TestAnswersBounded(t *testing.T) {
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("the redirect was followed")
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"clientId":"`))
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for range 1 << 10 { // 64 MiB
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	away := httptest.NewServer(http.RedirectHandler(endless.URL+"/elsewhere", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	for address, says := range map[string]string{endless.URL: "the answer is longer than 1024 KiB, so it is not AWS's", away.URL: "the answer is a redirect, so it is not AWS's"} {
		for variable, args := range map[string][]string{
			"AWS_ENDPOINT_URL_SSO_OIDC":      {"login", "--profile", "dev", "--no-browser"},
			"AWS_ENDPOINT_URL_ORGANIZATIONS": {"accounts"},
		} {
			t.Run(args[0], func(t *testing.T) {
				if args[0] == "login" {
					signIn(t)
				} else {
					_, url := fleet(t)
					args = append(args, "--sts-endpoint", url)
				}
				t.Setenv(variable, address)
				got := runProcess(t, args...)
				// The SDK closes the body of its request with the first byte of an answer. If
				// net/http has not seen its end by then, it closes the connection.
				for range 20 {
					if !strings.Contains(got.stderr, "use of closed network connection") {
						break
					}
					got = runProcess(t, args...)
				}
				assert.Equal(t, exitFailed, got.code)
				assert.Empty(t, got.stdout)
				assert.Contains(t, got.stderr, says)
				assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			})
		}
	}
}

// TestLogoutNobody: who never signed in is told so, and nothing is made for it.
func TestLogoutNobody(t *testing.T) {
	_, _, home := signIn(t)
	got := runProcess(t, "logout", "--profile", "dev")
	assert.Equal(t, exitOK, got.code)
	assert.Equal(t, "awsauth: nobody is signed in at https://corp.awsapps.com/start\n", got.stderr)
	assert.NoDirExists(t, filepath.Dir(filepath.Dir(tokenFile(home, "corp"))))
}

// TestLoginLocked: a login writes its token when nobody else, another login or a program
// that renews, is at the file.
func TestLoginLocked(t *testing.T) {
	o, _, home := signIn(t)
	path := tokenFile(home, "corp")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	held, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = diskcache.WithLock(t.Context(), path, time.Minute, nil, func(context.Context) error {
			close(held)
			<-free
			return os.WriteFile(path, []byte(`{"accessToken":"renewed","expiresAt":"2020-01-01T00:00:00Z"}`), 0o600)
		})
	}()
	<-held
	c, _, stderr := process(t, "login", "--profile", "dev", "--no-browser")
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool { return o.asked("/token") != nil }, 20*time.Second, 10*time.Millisecond)
	assert.NoFileExists(t, path)
	close(free)
	require.NoError(t, c.Wait(), stderr.String())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "sso-access-token", "the login came after the renewal")
}

// TestWriteNewer: of two logins at a time the token that lasts longer stays. An older
// one, that was there before, never does.
func TestWriteNewer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	p := ssologin.Place{Session: "corp"}
	at := func(token, hour string) ssologin.Token {
		return ssologin.Token{AccessToken: token, ExpiresAt: "2026-01-01T" + hour + ":00:00Z"}
	}
	for name, tt := range map[string]struct{ there, before, mine, want ssologin.Token }{
		"nothing there":          {mine: at("mine", "10"), want: at("mine", "10")},
		"it was there before":    {at("old", "20"), at("old", "20"), at("mine", "10"), at("mine", "10")},
		"another login, longer":  {at("other", "11"), at("old", "09"), at("mine", "10"), at("other", "11")},
		"another login, shorter": {at("other", "09"), at("old", "08"), at("mine", "10"), at("mine", "10")},
		"another login, elsewhere": {
			ssologin.Token{AccessToken: "other", ExpiresAt: at("", "11").ExpiresAt, StartURL: "https://other.awsapps.com/start"},
			at("old", "09"), at("mine", "10"), at("mine", "10"),
		},
		"another, without an end": {ssologin.Token{AccessToken: "other"}, at("old", "08"), at("mine", "10"), at("mine", "10")},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := p.File()
			require.NoError(t, err)
			_ = os.Remove(path)
			if tt.there.AccessToken != "" {
				_, err := p.Write(tt.there, ssologin.Token{})
				require.NoError(t, err)
			}
			kept, err := p.Write(tt.mine, tt.before)
			require.NoError(t, err)
			assert.Equal(t, tt.want.AccessToken, kept.AccessToken)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var written ssologin.Token
			require.NoError(t, json.Unmarshal(text, &written))
			assert.Equal(t, tt.want.AccessToken, written.AccessToken)
		})
	}
}

// TestLoginDefaultFile: without AWS_CONFIG_FILE the profile is that of the file in the
// home directory.
func TestLoginDefaultFile(t *testing.T) {
	_, _, home := signIn(t)
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".aws"), 0o700))
	require.NoError(t, os.Rename(filepath.Join(home, "config"), filepath.Join(home, ".aws", "config")))
	t.Setenv("AWS_CONFIG_FILE", "")
	got := runProcess(t, "login", "--profile", "dev", "--no-browser")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.FileExists(t, tokenFile(home, "corp"))
}
