package awsauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestGitHubActionsRedirect: the runner's token goes to the runner alone. A redirect is
// not followed, to whatever port of the same host.
func TestGitHubActionsRedirect(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	thief := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		t.Errorf("followed, with %q", r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	var asked int
	runner(t, w, func(out http.ResponseWriter, _ url.Values) {
		asked++
		out.Header().Set("Location", thief.URL)
		out.WriteHeader(http.StatusTemporaryRedirect)
	})
	_, err := w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))).Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.NoCredentials)
	assert.Contains(t, err.Error(), "HTTP 307")
	assert.Equal(t, 1, asked)
}

// TestGitHubActionsAddress: an address that is none shows nothing of what is in it, and
// the variable that is missing is named.
func TestGitHubActionsAddress(t *testing.T) {
	for name, tt := range map[string]struct{ address, key, says string }{
		"no URL":         {"https://runner.example.com/%zz?sig=SECRETSECRET", "key", "ACTIONS_ID_TOKEN_REQUEST_URL"},
		"with user":      {"http://SECRETSECRET:SECRETSECRET@runner.example.com/", "key", "ACTIONS_ID_TOKEN_REQUEST_URL"},
		"no scheme":      {"runner.example.com/SECRETSECRET", "key", "ACTIONS_ID_TOKEN_REQUEST_URL"},
		"no key":         {"https://runner.example.com/", "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"},
		"key of 2 lines": {"https://127.0.0.1:1/", "SECRETSECRET\nx", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_URL="+tt.address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+tt.key)
			_, err := w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.NoCredentials)
			assert.Contains(t, err.Error(), tt.says)
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "SECRETSECRET")
		})
	}
}

// TestGitHubActionsAnswers: an answer that is cut, endless or none is no token, and
// nothing of it is shown. Blanks round a token are not part of it.
func TestGitHubActionsAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"cut": `{"value":"SECRETSECRET`, "endless": `{"value":"SECRETSECRET` + strings.Repeat("x", 1<<20) + `"}`, "a page": "<html>SECRETSECRET", "another type": `{"value":{"SECRETSECRET":1}}`, "two values": `{"value":"SECRETSECRET","value":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			var asked int
			runner(t, w, func(out http.ResponseWriter, _ url.Values) { asked++; fmt.Fprint(out, text) })
			_, err := w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.NoCredentials)
			assert.Contains(t, err.Error(), "holds no token")
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "SECRETSECRET")
			assert.Equal(t, 1, asked)
		})
	}
	t.Run("blanks", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		runner(t, w, func(out http.ResponseWriter, _ url.Values) {
			fmt.Fprintf(out, `{"value":%q}`, w.WebIdentityToken(lab.Issuer, "repo:corp/app:x", time.Hour)+"\n")
		})
		lab.Get(t, w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))))
	})
}

// TestGitHubActionsTries: a runner that answers 5xx is asked three times, one that
// refuses once.
func TestGitHubActionsTries(t *testing.T) {
	for status, want := range map[int]int{500: 3, 503: 3, 403: 1, 404: 1} {
		w := lab.New(t, awsauth.AWS)
		var asked int
		runner(t, w, func(out http.ResponseWriter, _ url.Values) { asked++; out.WriteHeader(status) })
		_, err := awsauth.GitHubActionsToken("x").GetIdentityToken()
		require.Error(t, err)
		assert.Equal(t, want, asked, "%d", status)
	}
}

// TestGitHubActionsAlone: used by itself, the token is for the audience of aws, and not
// for none.
func TestGitHubActionsAlone(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var audience []string
	runner(t, w, func(out http.ResponseWriter, q url.Values) {
		audience = q["audience"]
		fmt.Fprint(out, `{"value":"a token"}`)
	})
	token, err := awsauth.GitHubActionsToken("").GetIdentityToken()
	require.NoError(t, err)
	assert.Equal(t, "a token", string(token))
	assert.NotEqual(t, []string{""}, audience)
}

// TestGitHubActionsVariables: the address alone makes a job, as on runners that are not
// GitHub's own.
func TestGitHubActionsVariables(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	runner(t, w, func(out http.ResponseWriter, _ url.Values) { fmt.Fprint(out, `{"value":"a token"}`) })
	w.Env("GITHUB_ACTIONS=")
	token, err := awsauth.GitHubActionsToken("x").GetIdentityToken()
	require.NoError(t, err)
	assert.Equal(t, "a token", string(token))
}
