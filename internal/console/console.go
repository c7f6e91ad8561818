// Package console makes URLs that sign a person in to the AWS console with the
// keys of a role session.
//
//	host, err := console.Host(ctx, "cn-north-1") // cn-north-1.signin.amazonaws.cn
//	…
//	login, err := console.URL(ctx, client, console.Request{Credentials: keys, Host: host, Destination: "ec2"})
//
// The keys go to the federation endpoint of their own partition, in the body of a
// POST: a session token of 4 KiB does not fit into a URL. The endpoint gives a
// sign-in token, with which anybody is signed in for 15 minutes. So the URL is a
// secret, as the keys are.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/signin"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Doer sends requests. It must not follow redirects, for the request's body holds
// keys.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Request says who is to be signed in, and where they arrive.
type Request struct {
	Credentials aws.Credentials // of a role session
	Host        string          // that Host returned

	// Endpoint stands for https://<Host> if it is not empty: another address of
	// the sign-in service. The partition and its console remain those of Host.
	Endpoint string

	// Destination is the page to arrive at: the name of a service ("ec2"), or an
	// https URL in the partition's console. Empty: the console's home. Both are
	// those of the region that Host begins with.
	Destination string

	// Duration is how long the console's session lasts, 15 minutes to 12 hours. 0
	// leaves it to AWS, and is the only value that AWS takes for chained roles.
	Duration time.Duration
}

// issuer tells AWS who made the URL.
const issuer = "awsauth"

// maxAnswer is a multiple of the largest sign-in token.
const maxAnswer = 64 << 10

// ErrAnswer says that what answered was not the federation endpoint, or not all
// of its answer arrived.
var ErrAnswer = errors.New("the answer holds no sign-in token")

// StatusError is a refusal of the federation endpoint. Its page is not part of the
// error, for it may quote the request.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the federation endpoint answers HTTP %d", e.Status)
}

// Host is the host at which people of a region sign in, by the rules of the SDK:
// eu-west-1.signin.aws.amazon.com. It has the region's partition. The region must
// exist, for the rules take an unknown one for a region of the partition aws.
func Host(ctx context.Context, region string) (string, error) {
	if region == "" {
		return "", errors.New("no region")
	}
	no := false
	endpoint, err := signin.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, signin.EndpointParameters{
		Region: &region, UseFIPS: &no, UseDualStack: &no, IsControlPlane: &no, IsOAuthEndpoint: &no,
	})
	if err != nil {
		return "", err
	}
	return endpoint.URI.Host, nil
}

// URL asks for a sign-in token and returns the address that signs in with it, good
// for 15 minutes. The error is a *DestinationError before anything was sent, a
// *StatusError or ErrAnswer for an answer, or the client's own, with nothing of the
// request in it.
func URL(ctx context.Context, client Doer, r Request) (string, error) {
	destination, err := r.page()
	if err != nil {
		return "", err
	}
	endpoint := strings.TrimSuffix(r.Endpoint, "/")
	if endpoint == "" {
		endpoint = "https://" + r.Host
	}
	endpoint += "/federation"
	token, err := r.token(ctx, client, endpoint)
	if err != nil {
		return "", err
	}
	return endpoint + "?" + url.Values{
		"Action": {"login"}, "Issuer": {issuer}, "Destination": {destination}, "SigninToken": {token},
	}.Encode(), nil
}

// token exchanges the keys for a sign-in token.
func (r Request) token(ctx context.Context, client Doer, endpoint string) (string, error) {
	session, err := json.Marshal(map[string]string{
		"sessionId": r.Credentials.AccessKeyID, "sessionKey": r.Credentials.SecretAccessKey, "sessionToken": r.Credentials.SessionToken,
	})
	if err != nil {
		return "", err
	}
	form := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	if r.Duration > 0 {
		form.Set("SessionDuration", strconv.FormatInt(int64(r.Duration/time.Second), 10))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", redact.Error(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", redact.Error(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", &StatusError{response.StatusCode}
	}
	return readToken(response.Body)
}

// readToken reads an answer. What is in it does not become part of an error, for it
// may be half a token.
func readToken(body io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAnswer, redact.Error(err))
	}
	var answer struct{ SigninToken string }
	if len(text) > maxAnswer || json.Unmarshal(text, &answer) != nil || answer.SigninToken == "" {
		return "", ErrAnswer
	}
	return answer.SigninToken, nil
}
