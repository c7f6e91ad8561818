// Package crossaccount is a small program that works in two accounts, and its test in
// two ways: against awsauthtest and against moto.
package crossaccount

import (
	"context"

	"github.com/chaoxiaodi/awsauth"
)

// Whereabouts enters the role deploy of an account, and says as whom.
func Whereabouts(ctx context.Context, account string, opts ...awsauth.Option) (string, error) {
	s, err := awsauth.New(append(opts, awsauth.WithAccount(account), awsauth.WithRole("deploy"), awsauth.WithSessionName("release"))...)
	if err != nil {
		return "", err
	}
	id, err := s.Identity(ctx)
	return id.ARN, err
}
