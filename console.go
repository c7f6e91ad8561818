package awsauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/signin"

	"github.com/chaoxiaodi/awsauth/internal/console"
	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// consoleTimeout bounds the call to the sign-in service.
const consoleTimeout = 30 * time.Second

// ConsoleURL returns an address that signs a browser in to the AWS console as the
// session. It works for 15 minutes. Whoever has it is signed in, so it is as secret
// as the credentials are.
//
// destination is the page to arrive at: the name of a service ("ec2"), or an https
// address in the console of the session's own partition; "" is the console's home in
// the session's region. Any other host is InvalidOption.
//
// The credentials must be those of a role. Those of a user or of an MFA session are
// refused before any call: assume a role first. The console's session lasts as long as
// the role's where AWS allows to say so, which is for a role that is assumed with a
// user's long-lived keys; else AWS decides.
//
// It makes one call, to the sign-in service of the partition. Errors are *Error.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
func (s *Session) ConsoleURL(ctx context.Context, destination string) (string, error) {
	if s.holder() == heldByUser {
		return "", s.noConsole()
	}
	keys, err := s.Retrieve(ctx)
	if err != nil {
		return "", err
	}
	if keys.SessionToken == "" {
		return "", s.noConsole()
	}
	region := s.place.region
	if in, _ := PartitionOf(region); in != s.place.partition || region == in.pseudoRegion() {
		region = s.place.partition.defaultRegion()
	}
	host, err := console.Host(ctx, region)
	if err != nil {
		return "", asError(err, consoleOp)
	}
	ctx, cancel := context.WithTimeout(ctx, consoleTimeout)
	defer cancel()
	request := console.Request{Credentials: keys, Host: host, Destination: destination, Duration: s.consoleDuration()}
	if own := signin.NewFromConfig(inRegion(s.family.cfg, region)).Options().BaseEndpoint; own != nil {
		if err := (endpoint{*own, "the address of the sign-in service"}).check(); err != nil {
			return "", err
		}
		request.Endpoint, host = *own, hostOf(*own)
	}
	url, err := console.URL(ctx, s.family.wire.client().Options().HTTPClient, request)
	if err != nil {
		return "", consoleError(err, host, destination)
	}
	return url, nil
}

const consoleOp = "sign in to the console"

// noConsole is the refusal of keys that no role's session is of.
func (s *Session) noConsole() error {
	e := &Error{Kind: LongTermCredentials, Op: "ConsoleURL", also: []Kind{InvalidOption}}
	e.what = fmt.Sprintf("the credentials of %s are a user's, and a user's keys sign nobody in to the console", s.path())
	return e.mend("assume a role first, with WithAccount or WithRoleARN")
}

// consoleDuration is how long the console's session is to last, 0 where AWS does not
// let it be said: for a role that was assumed with temporary credentials.
func (s *Session) consoleDuration() time.Duration {
	if s.role != nil && s.parent.parent == nil && s.source().longLived() {
		return s.role.duration
	}
	return 0
}

// consoleError makes an *Error of what went wrong with the sign-in.
func consoleError(err error, host, destination string) error {
	e := &Error{Op: consoleOp, Err: redact.Error(err)}
	var page *console.DestinationError
	var answer *console.StatusError
	switch {
	case errors.As(err, &page):
		return invalid(fmt.Sprintf("ConsoleURL(%q)", redact.URL(redact.Clip(destination))), "%s", page.Reason).mend("%s", page.Hint)
	case errors.Is(err, context.Canceled):
		e.what = "canceled"
	case errors.As(err, &answer) && answer.Status == http.StatusTooManyRequests:
		e.Kind, e.what, e.Hint = Throttled, host+" asked to slow down", "try again later"
	case errors.As(err, &answer) && answer.Status < http.StatusInternalServerError && answer.Status >= http.StatusBadRequest:
		e.Kind, e.what = AccessDenied, fmt.Sprintf("%s does not take the credentials (HTTP %d)", host, answer.Status)
		e.Hint = "it takes those of a role's session, for as long as they last"
	case errors.As(err, &answer):
		e.notAWS(host, "the sign-in service", answer.Status)
		e.notSTS()
	case errors.Is(err, console.ErrAnswer):
		e.notAWS(host, "the sign-in service", 0)
		e.notSTS()
	default:
		e.Kind, e.what, e.Hint = Unreachable, "no answer from "+host+": "+redact.OneLine(err.Error()), "check the network"
	}
	return e
}
