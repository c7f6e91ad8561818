// Package rolesanywhere signs in to AWS with a certificate, at IAM Roles Anywhere.
//
// A machine outside AWS holds a certificate and its private key. Its account has a
// trust anchor (which CA it trusts) and a profile (which roles may be taken). The
// machine signs one request, CreateSession, with the key, and is answered with the
// keys of a role session.
//
//	target, err := rolesanywhere.Parse(trustAnchorARN, profileARN, roleARN)
//	certificate, err := rolesanywhere.Files("client.pem", "client.key")(ctx)
//	err = rolesanywhere.Check(certificate, time.Now())
//	keys, session, err := rolesanywhere.Client{HTTP: client}.CreateSession(ctx, rolesanywhere.Request{
//		Target: target, Endpoint: rolesanywhere.Endpoint(target.Region, "amazonaws.com", false),
//	}, certificate)
//
// What can be seen before anything is sent is refused before: an [ARNError] is
// about the three ARNs, a [CertificateError] about certificate, key and chain. What
// the service says is a [ServiceError].
//
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication.html
package rolesanywhere

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Source is the aws.Credentials.Source of keys from Roles Anywhere.
const Source = "RolesAnywhere"

// Limits of a session's duration, and what a profile that says nothing gives.
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
const (
	MinDuration     = 15 * time.Minute
	MaxDuration     = 12 * time.Hour
	DefaultDuration = time.Hour
)

// Doer sends a request, as *http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client asks Roles Anywhere for sessions. It keeps nothing between two calls.
type Client struct {
	HTTP      Doer
	UserAgent string // empty: that of HTTP

	// Retryer decides what is tried again, and when; a pace's retryer fits in. It
	// is asked for the retryer of each call. Nil: three attempts, for throttling,
	// failures of the service (5xx) and of the connection, with a jittered delay
	// between them.
	Retryer func() aws.Retryer
}

// Request is what to ask for.
type Request struct {
	Target
	Endpoint string        // without a path: "https://rolesanywhere.us-east-1.amazonaws.com"
	Name     string        // of the role session; empty: the certificate's serial number. The profile must allow it.
	Duration time.Duration // zero: the profile's
}

// Session is whose keys were handed out.
type Session struct {
	ARN    string // arn:…:sts::…:assumed-role/NAME/SESSION; empty if the service did not say
	UserID string // AROA…:SESSION
}

// Endpoint returns the address of the service in a region. suffix is the
// partition's: "amazonaws.com", "amazonaws.com.cn".
func Endpoint(region, suffix string, fips bool) string {
	if fips {
		return "https://rolesanywhere-fips." + region + "." + suffix
	}
	return "https://rolesanywhere." + region + "." + suffix
}

// CreateSession asks for keys. The certificate should have passed [Check].
//
// An error holds no secret. It has the forms of the SDK's errors: what the service
// said is a [ServiceError] within an *http.ResponseError with its status and request
// id, a failure of the connection a *http.RequestSendError of smithy.
func (c Client) CreateSession(ctx context.Context, r Request, certificate tls.Certificate) (aws.Credentials, Session, error) {
	id, err := identify(certificate)
	if err != nil {
		return aws.Credentials{}, Session{}, err
	}
	body, err := r.body()
	if err != nil {
		return aws.Credentials{}, Session{}, err
	}
	attempt := func(ctx context.Context, _ middleware.FinalizeInput) (out middleware.FinalizeOutput, _ middleware.Metadata, err error) {
		out.Result, err = c.attempt(ctx, r, id, body)
		return out, middleware.Metadata{}, err
	}
	same := func(in any) any { return in } // each attempt makes its own request
	loop := retry.NewAttemptMiddleware(c.retryer(), same)
	out, _, err := loop.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(attempt))
	if err != nil {
		return aws.Credentials{}, Session{}, redact.Error(err)
	}
	got := out.Result.(*issued)
	return got.keys, got.session, nil
}

// attempt signs and sends. A refusal from a service whose clock is far from this
// machine's is answered once with the service's time, as the SDK does at STS.
func (c Client) attempt(ctx context.Context, r Request, id identity, body []byte) (*issued, error) {
	now := time.Now()
	got, err := c.send(ctx, r, id, body, now)
	if skew := skewOf(err); skew != 0 {
		return c.send(ctx, r, id, body, now.Add(skew))
	}
	return got, err
}

func (c Client) retryer() aws.Retryer {
	if c.Retryer != nil {
		return c.Retryer()
	}
	tooMany := retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Retryables = append(o.Retryables, tooMany)
	})
}
