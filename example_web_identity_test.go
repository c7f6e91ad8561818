package awsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// workflowToken gets the OIDC token of a GitHub Actions job that has the permission
// "id-token: write". GitHub says where and how in two variables.
type workflowToken struct{ audience string }

func (w workflowToken) GetIdentityToken() ([]byte, error) {
	address := os.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL") + "&audience=" + url.QueryEscape(w.audience)
	request, err := http.NewRequest(http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the token endpoint of GitHub Actions answered %s", answer.Status)
	}
	var token struct{ Value string }
	err = json.NewDecoder(answer.Body).Decode(&token)
	return []byte(token.Value), err
}

// A job of GitHub Actions becomes a role without any key: the role trusts GitHub's
// tokens of one repository. The token is asked for anew at each refresh.
func ExampleWithWebIdentity_gitHubActions() {
	cloud := awsauthtest.Start()
	defer workflow(cloud)()

	s, err := awsauth.New(
		awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", workflowToken{"sts.amazonaws.com"}),
		awsauth.WithSessionName("release-42"),
		awsauth.WithLoadOptions(cloud.LoadOptions()), // for this example; leave it out
	)
	if err != nil {
		panic(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(id.ARN)
	// Output: arn:aws:sts::123456789012:assumed-role/deploy/release-42
}

// workflow stands in for GitHub: its token endpoint, and the two variables of a job
// in the repository corp/app.
func workflow(cloud *awsauthtest.Cloud) (restore func()) {
	const issuer = "token.actions.githubusercontent.com"
	cloud.AddOIDC("123456789012", issuer)
	cloud.AddRole(awsauthtest.Role{
		ARN:     "arn:aws:iam::123456789012:role/deploy",
		Trust:   []string{"arn:aws:iam::123456789012:oidc-provider/" + issuer},
		Subject: "repo:corp/app:*", Audience: "sts.amazonaws.com",
	})
	gitHub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-this-job" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token := cloud.WebIdentityToken(issuer, "repo:corp/app:ref:refs/heads/main", 5*time.Minute, r.URL.Query().Get("audience"))
		_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
	}))
	home := demo()
	for name, value := range map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": gitHub.URL + "?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-this-job"} {
		must(os.Setenv(name, value))
	}
	must(os.Unsetenv("AWS_ENDPOINT_URL_STS"))
	return func() {
		must(os.Unsetenv("ACTIONS_ID_TOKEN_REQUEST_URL"))
		must(os.Unsetenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
		home()
		gitHub.Close()
	}
}
