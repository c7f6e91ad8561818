package awsauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

const githubIssuer = "token.actions.githubusercontent.com"

// runner answers as GitHub's does: a token for whom it is asked for.
func runner(t *testing.T, w *lab.Place, answer func(http.ResponseWriter, url.Values)) {
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer the-runner-token", r.Header.Get("Authorization"))
		assert.Equal(t, "application/json", r.Header.Get("Accept"))
		assert.Equal(t, "2.0", r.URL.Query().Get("api-version"), "what the address has already")
		answer(out, r.URL.Query())
	}))
	t.Cleanup(server.Close)
	w.Env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_URL="+server.URL+"/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=the-runner-token")
}

// TestGitHubActions: the job's token opens the role, for the audience of the role's
// partition or the one that is named.
func TestGitHubActions(t *testing.T) {
	for _, tt := range []struct {
		partition       awsauth.Partition
		audience, wants string
	}{
		{awsauth.AWS, "", "sts.amazonaws.com"},
		{awsauth.GovCloud, "", "sts.amazonaws.com"},
		{awsauth.China, "", "sts.amazonaws.com.cn"},
		{awsauth.AWS, "corp", "corp"},
	} {
		t.Run(string(tt.partition)+tt.audience, func(t *testing.T) {
			w := lab.New(t, tt.partition)
			role := w.ARN(lab.Home, "role/deploy")
			w.AddRole(awsauthtest.Role{ARN: role, Trust: []string{githubIssuer}, Subject: "repo:corp/app:*", Audience: tt.wants})
			asked := 0
			runner(t, w, func(out http.ResponseWriter, q url.Values) {
				asked++
				fmt.Fprintf(out, `{"count":1,"value":%q}`, w.WebIdentityToken(githubIssuer, "repo:corp/app:ref:refs/heads/main", time.Hour, q.Get("audience")))
			})
			s := w.Open(awsauth.WithWebIdentity(role, awsauth.GitHubActionsToken(tt.audience)))
			lab.Get(t, s)
			assert.Equal(t, 1, asked)
			assert.Contains(t, w.Explain(s).String(), "token of the GitHub Actions job")
		})
	}
}

// TestGitHubActionsFails: outside of a job, without the permission, and where the
// runner fails, the error says so. The runner's token is not in it.
func TestGitHubActionsFails(t *testing.T) {
	status := func(codes ...int) func(http.ResponseWriter, url.Values) {
		return func(out http.ResponseWriter, _ url.Values) {
			code := codes[0]
			if len(codes) > 1 {
				codes = codes[1:]
			}
			out.WriteHeader(code)
		}
	}
	for name, tt := range map[string]struct {
		set  func(t *testing.T, w *lab.Place)
		says string
	}{
		"no job":        {func(*testing.T, *lab.Place) {}, "no GitHub Actions job"},
		"no permission": {func(_ *testing.T, w *lab.Place) { w.Env("GITHUB_ACTIONS=true") }, "id-token: write"},
		"refused":       {func(t *testing.T, w *lab.Place) { runner(t, w, status(403)) }, "HTTP 403"},
		"fails":         {func(t *testing.T, w *lab.Place) { runner(t, w, status(500)) }, "HTTP 500"},
		"redirect":      {func(t *testing.T, w *lab.Place) { runner(t, w, status(302)) }, "HTTP 302"},
		"no token": {func(t *testing.T, w *lab.Place) {
			runner(t, w, func(out http.ResponseWriter, _ url.Values) { fmt.Fprint(out, `{"value":""}`) })
		}, "holds no token"},
		"plain http": {func(_ *testing.T, w *lab.Place) {
			w.Env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_URL=http://runner.example.com/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=the-runner-token")
		}, "ACTIONS_ID_TOKEN_REQUEST_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Env("GITHUB_ACTIONS=", "ACTIONS_ID_TOKEN_REQUEST_URL=", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=")
			tt.set(t, w)
			_, err := w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.NoCredentials)
			assert.Contains(t, err.Error(), tt.says)
			assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), "the-runner-token")
			assert.Empty(t, w.Said())
		})
	}
	t.Run("fails once", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		tries := 0
		runner(t, w, func(out http.ResponseWriter, _ url.Values) {
			if tries++; tries == 1 {
				out.WriteHeader(http.StatusBadGateway)
				return
			}
			fmt.Fprintf(out, `{"value":%q}`, w.WebIdentityToken(lab.Issuer, "repo:corp/app:x", time.Hour))
		})
		lab.Get(t, w.Open(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), awsauth.GitHubActionsToken(""))))
		assert.Equal(t, 2, tries)
	})
}
