package transport

import (
	"errors"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aws/smithy-go"
)

// NotAWS reports whether an answer came that no AWS service sends: a redirect, HTML of
// a proxy or a captive portal, half an answer, one that is too large. It says no where
// no answer came, and where the service refused in its own words.
func NotAWS(err error) bool {
	var tooLarge *TooLargeError
	var redirected *RedirectedError
	if errors.As(err, &tooLarge) || errors.As(err, &redirected) {
		return true
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil || response.Response.StatusCode == 0 {
		return false
	}
	var unsent *smithyhttp.RequestSendError
	var canceled *smithy.CanceledError
	if errors.As(err, &unsent) || errors.As(err, &canceled) {
		return false
	}
	if status := response.Response.StatusCode; status >= 300 && status < 400 {
		return true
	}
	var api smithy.APIError
	return !errors.As(err, &api) || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError"
}
