package awsauth

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Credentials may end before their time: the session's token is rejected, the
// user or the key behind it is gone. Services say so, and nobody else does. So
// each client made from Config listens for it. (A role session that was revoked
// in the IAM console is refused with AccessDenied, like anybody without
// permission; new credentials would not be told apart from it in time.)

// refusedKeyCodes are the errors by which services say that an access key or
// session token is no longer good.
var refusedKeyCodes = map[string]bool{
	"ExpiredToken":                true,
	"ExpiredTokenException":       true,
	"InvalidClientTokenId":        true,
	"UnrecognizedClientException": true,
	"RequestExpired":              true, // EC2
	"InvalidAccessKeyId":          true, // S3
	"InvalidToken":                true, // S3
	"TokenRefreshRequired":        true, // S3
}

// refusesKey reports whether a service's error is about the key, not about
// what it may do.
func refusesKey(err smithy.APIError) bool {
	if err.ErrorCode() == "AuthFailure" { // EC2 uses it for much else
		return strings.Contains(err.ErrorMessage(), "validate the provided access credentials")
	}
	return refusedKeyCodes[err.ErrorCode()]
}

// watchRefusals makes a client of s replace the keys that a service refuses,
// and send the request once more with new ones.
func (s *Session) watchRefusals(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsauth.refused",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			var api smithy.APIError
			if err == nil || !errors.As(err, &api) || !refusesKey(api) {
				return out, metadata, err
			}
			key, again := signingKey(in.Request)
			if key != "" && s.cache.refuse(ctx, key) && again {
				err = &renewed{err}
			}
			return out, metadata, err
		}), middleware.Before)
}

// signingKey is the access key id in a request's Authorization header (the
// cache may hold another one by now), and whether the request can be sent again.
func signingKey(request any) (id string, again bool) {
	r, ok := request.(*smithyhttp.Request)
	if !ok {
		return "", false
	}
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !found {
		return "", false
	}
	id, _, _ = strings.Cut(credential, "/")
	return id, r.GetStream() == nil || r.IsStreamSeekable()
}

// renewed marks the refusal of a key that has a successor by now, so that the
// SDK's retryer sends the request again.
type renewed struct{ error }

func (r *renewed) Unwrap() error        { return r.error }
func (r *renewed) RetryableError() bool { return true }
