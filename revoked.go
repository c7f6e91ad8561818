package awsauth

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A session may be ended before its time: revoked in the IAM console, or its
// user deleted. Every service says so, and nobody else does. So each client
// made from Config listens for it.

// refusedKeyCodes are the errors by which services say that an access key or
// session token is no longer good.
var refusedKeyCodes = map[string]bool{
	"ExpiredToken":                true,
	"ExpiredTokenException":       true,
	"InvalidClientTokenId":        true,
	"UnrecognizedClientException": true,
	"InvalidAccessKeyId":          true, // S3
	"AuthFailure":                 true, // EC2
}

// watchRefusals makes a client of s drop the keys that a service refuses, and
// send the request once more with new ones.
func (s *Session) watchRefusals(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsauth.refused",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			var api smithy.APIError
			if err == nil || !errors.As(err, &api) || !refusedKeyCodes[api.ErrorCode()] {
				return out, metadata, err
			}
			if key := signingKey(in.Request); key != "" && s.cache.drop(key) {
				err = &renewed{err}
			}
			return out, metadata, err
		}), middleware.Before)
}

// signingKey is the access key id in a request's Authorization header. The
// cache may hold another one by now.
func signingKey(request any) string {
	r, ok := request.(*smithyhttp.Request)
	if !ok {
		return ""
	}
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !found {
		return ""
	}
	key, _, _ := strings.Cut(credential, "/")
	return key
}

// renewed marks the refusal of a key that has a successor by now, so that the
// SDK's retryer sends the request again.
type renewed struct{ error }

func (r *renewed) Unwrap() error        { return r.error }
func (r *renewed) RetryableError() bool { return true }
