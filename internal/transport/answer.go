package transport

import (
	"context"
	"errors"
	"net"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// NotAWS reports whether an answer came to a call of a service that no AWS service
// sends: a redirect, HTML of a proxy or a captive portal, half an answer, one that is
// too large. It says no where no answer came, where the connection or the caller's time
// ended in the middle of it, and where the service refused in its own words. The
// metadata and container endpoints send what they like: it is not for them.
func NotAWS(err error) bool {
	var tooLarge *TooLargeError
	var redirected *RedirectedError
	if errors.As(err, &tooLarge) || errors.As(err, &redirected) {
		return true
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return false
	}
	var connection *net.OpError
	status := response.Response.StatusCode
	switch {
	case status == 0, errors.As(err, &connection), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case status >= 300 && status < 400:
		return true
	}
	var api smithy.APIError
	return !errors.As(err, &api) || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError"
}
