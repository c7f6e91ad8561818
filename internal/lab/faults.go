package lab

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Assumed is how often STS was asked for a role.
func (w *Place) Assumed() int { return len(w.Calls("AssumeRole")) }

// Down makes STS fail to give roles, in this way.
func (w *Place) Down(kind awsauthtest.FaultKind) (up func()) {
	return w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: kind})
}

// Slow makes every AssumeRole take so long.
func (w *Place) Slow(d time.Duration) (remove func()) {
	return w.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: d})
}

// Cable is a network on which every request ends like this.
func (*Place) Cable(err error) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithHTTPClient(&http.Client{Transport: brokenCable{err}}))
}

type brokenCable struct{ err error }

// RoundTrip fails.
func (c brokenCable) RoundTrip(*http.Request) (*http.Response, error) { return nil, c.err }

// OfMetadata matches the calls to the instance metadata.
func OfMetadata(c awsauthtest.Call) bool { return c.Service == "ec2metadata" }

// Whoami is a service client's call, as anybody makes it.
func Whoami(s *awsauth.Session) error {
	_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(context.Background(), nil)
	return err
}

// Refusal is the code that the service answered.
func Refusal(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// FewAttempts makes a session give up soon, for tests in real time.
var FewAttempts = awsauth.WithLoadOptions(config.WithRetryMaxAttempts(1))
