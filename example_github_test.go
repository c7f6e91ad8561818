package awsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A job of GitHub Actions becomes a role without any key: the role trusts the tokens
// that GitHub issues for one repository.
func ExampleGitHubActionsToken() {
	// An AWS in memory whose role trusts the jobs of corp/app, and the server that a
	// runner asks for tokens, with the variables by which a job knows it.
	const role = "arn:aws:iam::123456789012:role/deploy"
	const issuer = "token.actions.githubusercontent.com"
	cloud := awsauthtest.Start()
	defer cloud.Close()
	cloud.AddRole(awsauthtest.Role{
		ARN:      role,
		Trust:    []string{issuer},
		Subject:  "repo:corp/app:*",
		Audience: "sts.amazonaws.com",
	})
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		audience := r.URL.Query().Get("audience")
		token := cloud.WebIdentityToken(issuer, "repo:corp/app:ref:refs/heads/main", 0, audience)
		_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
	}))
	defer runner.Close()
	os.Setenv("ACTIONS_ID_TOKEN_REQUEST_URL", runner.URL+"/?api-version=2.0")
	os.Setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-this-job")
	defer os.Unsetenv("ACTIONS_ID_TOKEN_REQUEST_URL")
	defer os.Unsetenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")

	// The program. In a workflow it does without WithLoadOptions and all that is above.
	s, err := awsauth.New(
		awsauth.WithWebIdentity(role, awsauth.GitHubActionsToken("")),
		awsauth.WithSessionName("release-42"),
		awsauth.WithLoadOptions(cloud.LoadOptions()),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
	// Output: arn:aws:sts::123456789012:assumed-role/deploy/release-42
}
