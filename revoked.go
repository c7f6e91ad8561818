package awsauth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// Credentials may end before their time: a session's token is revoked, the user
// or the key behind it is gone. Only services say so. So each client made from
// Config listens for it.
//
// A role session that was revoked in the IAM console is refused with
// AccessDenied, like anybody without permission. Nothing tells the two apart, so
// such a session goes on until its keys expire.

// refusals are the errors by which services say that an access key or a session
// token is no longer good.
func refusals(code string) refresh.Refusal {
	switch code {
	case "ExpiredToken", "ExpiredTokenException",
		"RequestExpired",       // EC2
		"TokenRefreshRequired": // S3
		return refresh.EndedEarly
	case "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "InvalidToken": // S3
		return refresh.Unknown
	}
	return 0
}

// refusesKey says what a service's error means for the key; 0 if it is about
// something else.
func refusesKey(err smithy.APIError) refresh.Refusal {
	if err.ErrorCode() == "AuthFailure" { // EC2 uses it for much else
		if strings.Contains(err.ErrorMessage(), "validate the provided access credentials") {
			return refresh.Unknown
		}
		return 0
	}
	return refusals(err.ErrorCode())
}

// watchRefusals makes a client replace the keys of s that a service refuses, and
// send the request once more with new ones.
func watchRefusals(s refuser) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsauth.refused",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
				middleware.DeserializeOutput, middleware.Metadata, error,
			) {
				out, metadata, err := next.HandleDeserialize(ctx, in)
				key, again := signingKey(in.Request)
				var api smithy.APIError
				answered := err == nil || errors.As(err, &api)
				why := refresh.Refusal(0)
				if api != nil {
					why = refusesKey(api)
				}
				switch {
				case answered && why == 0:
					s.accepted(key)
				case why != 0 && s.refused(ctx, key, why) && again:
					err = &renewed{err}
				}
				return out, metadata, err
			}), middleware.Before)
	}
}

// renewed marks the refusal of a key that has a successor by now, so that the
// SDK's retryer sends the request again.
type renewed struct{ error }

func (r *renewed) Unwrap() error        { return r.error }
func (r *renewed) RetryableError() bool { return true }

// keepPartition refuses, before it is signed, a request for a region of another
// partition than the credentials': somebody changed the region in a copy of the
// configuration. The key would be shown to a world that does not know it, and the
// refusal would look like that of a revoked key.
func (p *place) keepPartition(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsauth.partition",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			region := awsmiddleware.GetRegion(ctx)
			if other, ok := PartitionOf(region); ok && other != p.partition {
				e := &Error{Kind: WrongPartition, Op: "region " + redact.OneLine(region)}
				e.what = fmt.Sprintf("it is in partition %s, but this session is in %s (region %s, from %s)", other, p.partition, p.region, p.from)
				e.mend("use a session with credentials of %s, or a region of %s", other, p.partition)
				if !p.fixed { // the keys may well be of the other
					e.mend("pass WithRegion(%q) to New if the credentials are of %s, or use a region of %s", region, other, p.partition)
				}
				return middleware.InitializeOutput{}, middleware.Metadata{}, e
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
}
