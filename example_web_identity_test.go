package awsauth_test

import (
	"context"
	"fmt"
	"log"

	"github.com/chaoxiaodi/awsauth"
)

// A job of GitHub Actions becomes a role without any key: the role trusts GitHub's
// tokens of one repository. The token is asked for anew at each refresh.
func ExampleGitHubActionsToken() {
	s, err := awsauth.New(
		awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", awsauth.GitHubActionsToken("")),
		awsauth.WithSessionName("release-42"),
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
