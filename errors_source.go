package awsauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// sourceError turns the failure of a source into an *Error. op names the source,
// and explain says what is wrong, from what is left of the cause. An error that
// is an *Error already was classified at its call.
func sourceError(err error, op string, explain func(*Error)) error {
	if e := deepest(err); e != nil {
		return e
	}
	e := &Error{Op: op}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.RequestID = redact.OneLine(response.ServiceRequestID())
	}
	e.Err = err
	if errors.Is(err, context.Canceled) {
		e.what = "canceled"
	} else {
		explain(e)
	}
	e.Err = redact.Error(e.Err)
	if e.Kind == "" && e.what == "" {
		e.Kind = NoCredentials
	}
	return e
}

// refused classifies what a service said by its code, whichever service it was.
// It reports false where no service of AWS answered.
func (e *Error) refused(r refusal, ok bool) bool {
	if !ok {
		return false
	}
	e.what = fmt.Sprintf("%s (%s)", r.message, r.code)
	switch {
	case strings.HasPrefix(r.code, "ExpiredToken"):
		e.Kind, e.Hint = Expired, "get a new token, and check what renews it"
	case strings.HasPrefix(r.code, "AccessDenied"):
		e.Kind, e.Hint = AccessDenied, "check what the provider may do, and the trust policy of its role"
	case r.code == "InvalidIdentityToken" || r.code == "IDPRejectedClaim":
		e.Kind, e.Hint = InvalidKey, "check the token's issuer and audience against the role's trust policy"
	case r.code == "InvalidClientTokenId" || r.code == "UnrecognizedClientException" || r.code == "InvalidAccessKeyId" || r.code == "SignatureDoesNotMatch":
		e.Kind, e.Hint = InvalidKey, "check the key that the provider signs with, and its partition"
	case isThrottle(r.code) || r.status == http.StatusTooManyRequests:
		e.Kind, e.Hint = Throttled, "try again later"
	case r.status >= http.StatusInternalServerError:
		e.Kind, e.Hint = Unreachable, "try again later"
	default:
		e.Kind = NoCredentials
	}
	return true
}

// providerError explains the failure of the caller's own provider.
func providerError(e *Error) {
	if r, ok := refusalIn(e.Err); e.refused(r, ok) {
		return
	}
	if e.network(); e.Kind == "" {
		e.Kind, e.what = NoCredentials, said(e.Err)
	}
}

// said is a foreign error's text, without what it may quote of an answer.
func said(err error) string { return cmp.Or(redact.OneLine(redact.Error(err).Error()), noWords) }

// instance is what is known of the instance metadata without asking it.
type instance struct {
	endpoint   string // where it is asked
	disabledBy string // the variable or option that forbids to ask, ""
	lookedAt   string // what the chain tried before, and why it had nothing; "" if EC2 was named
	named      string // the profile that the environment names, and that has no credentials; ""
}

// metadataError explains why the instance gave no credentials. Where the chain
// came to the instance because nothing else was there, it says what was not.
func metadataError(e *Error, m instance) {
	e.detail, e.Kind = m.reason(e.Err), NoCredentials
	if isNoAnswer(e.Err) {
		e.also = []Kind{Unreachable}
	}
	if m.lookedAt == "" {
		e.what = e.detail
		e.Hint = "check the instance role and, in a container, an IMDSv2 hop limit of 2"
		return
	}
	e.Op = ""
	e.what = "no AWS credentials found: " + m.lookedAt + ", EC2 (" + e.detail + ")"
	e.Hint = "set AWS_PROFILE or use WithProfile"
	elsewhere := "set AWS_PROFILE"
	if m.named != "" {
		elsewhere = fmt.Sprintf("put credentials into profile %q, or name another", redact.Clip(m.named))
		e.Hint = elsewhere
	}
	if m.disabledBy == "" {
		e.Hint = "if this is EC2, check the instance role and, in a container, an IMDSv2 hop limit of 2; elsewhere " + elsewhere
	}
}

// reason is the one thing that went wrong with the metadata service.
func (m instance) reason(err error) string {
	var status interface{ HTTPStatusCode() int }
	answered := errors.As(err, &status)
	switch {
	case m.disabledBy != "":
		return "disabled by " + m.disabledBy
	case errors.Is(err, syscall.ECONNREFUSED):
		return m.endpoint + " refuses connections"
	case isNoAnswer(err):
		return fmt.Sprintf("%s did not answer within %v", m.endpoint, metadataTimeout)
	case answered && status.HTTPStatusCode() == http.StatusNotFound:
		return m.endpoint + " knows no role of this instance"
	case answered && status.HTTPStatusCode() == http.StatusForbidden:
		return m.endpoint + " answered 403: the metadata service is switched off for this instance"
	case answered && status.HTTPStatusCode() > 0:
		return fmt.Sprintf("%s answered %d", m.endpoint, status.HTTPStatusCode())
	}
	r, refused := refusalIn(err)
	var operation *smithy.OperationError
	switch {
	case refused && r.code != "":
		return m.endpoint + " refuses: " + r.String()
	case strings.Contains(err.Error(), "empty EC2 IMDS role list"):
		return m.endpoint + " knows no role of this instance"
	case refused || isNotJSON(err) || errors.As(err, &operation): // the SDK's text quotes what came
		return "what " + m.endpoint + " answered is not an answer of the instance metadata"
	}
	return redact.OneLine(err.Error())
}

// isNotJSON reports whether an answer could not be read.
func isNotJSON(err error) bool {
	var syntax *json.SyntaxError
	var field *json.UnmarshalTypeError
	var date *time.ParseError
	return errors.As(err, &syntax) || errors.As(err, &field) || errors.As(err, &date) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// What wrongField says, beside the name of a field.
const (
	wrongTime     = "an Expiration that is not a time"
	wrongDocument = "JSON that is not an object"
)

// wrongField says what is wrong with keys in JSON, "" if it is something else. It shows
// nothing of their values.
func wrongField(err error) string {
	var field *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.As(err, &date), strings.Contains(err.Error(), "Time.UnmarshalJSON"):
		return wrongTime
	case !errors.As(err, &field):
		return ""
	case field.Field == "":
		return wrongDocument
	}
	name := field.Field
	if start, ok := strings.CutSuffix(name, "ID"); ok {
		name = start + "Id" // as it is written there
	}
	return "the wrong type of " + redact.OneLine(name)
}

// isNoAnswer reports whether nothing came back.
func isNoAnswer(err error) bool {
	var timeout net.Error
	var send *smithyhttp.RequestSendError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &send) || errors.As(err, &timeout)
}

// noTokenError is why a func or an option gave no token, without what the SDK says
// round it.
type noTokenError struct{ error }

func (e *noTokenError) Unwrap() error { return e.error }

// tokenFileError is a token file that cannot be used.
type tokenFileError struct {
	path string
	err  error // nil: it is empty
}

func (t *tokenFileError) Error() string {
	if t.err == nil {
		return redact.OneLine(t.path) + " is empty"
	}
	text := t.err.Error()
	var file *fs.PathError
	if errors.As(t.err, &file) {
		text = file.Err.Error()
	}
	return redact.OneLine(t.path + ": " + text)
}

func (t *tokenFileError) Unwrap() error { return t.err }

// tokenSizeError says that a token is too long, and how long it may be.
type tokenSizeError string

func (t tokenSizeError) Error() string { return string(t) }

// containerError explains why the container's endpoint, which the variable
// names, gave no credentials.
func containerError(e *Error, variable string) {
	e.Kind = NoCredentials
	var file *tokenFileError
	r, refused := refusalIn(e.Err)
	var status interface{ HTTPStatusCode() int }
	if errors.As(e.Err, &status) {
		r.status = status.HTTPStatusCode()
	}
	if strings.HasPrefix(r.message, "<") {
		r.message = "" // a page of a proxy's, not the words of an agent
	}
	role := "check " + variable + " and the role of the task or pod"
	switch {
	case errors.As(e.Err, &file):
		e.what = "the authorization token cannot be read: " + file.Error()
		e.Hint = "check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE and that the token is mounted"
	case isNoAnswer(e.Err):
		e.also = []Kind{Unreachable}
		e.what = "the container's credentials endpoint does not answer"
		e.Hint = fmt.Sprintf("check %s, and that this runs in the container it was set for", variable)
	case refused && r.message != "" && r.status == http.StatusBadRequest:
		e.also = kindOfStatus(r)
		e.what, e.Hint = fmt.Sprintf("the container's credentials endpoint refuses: %s (%s)", r.message, r.code), role
	case r.status == http.StatusForbidden || r.status == http.StatusUnauthorized:
		e.also = []Kind{AccessDenied}
		e.what = fmt.Sprintf("the container's credentials endpoint refuses (HTTP %d)", r.status)
		if refused && r.message != "" {
			e.what += ": " + r.message
		}
		e.Hint = "check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	case r.status > http.StatusOK:
		e.also = kindOfStatus(r)
		e.what, e.Hint = fmt.Sprintf("the container's credentials endpoint answered HTTP %d", r.status), role
		if refused && r.message != "" {
			e.what += ": " + r.message
		}
	case wrongField(e.Err) != "":
		e.what = "the container's credentials endpoint answered with " + wrongField(e.Err)
		e.Hint = fmt.Sprintf("check %s and what answers there", variable)
	default:
		if e.network(); e.what == "" || e.Kind == "" {
			e.Kind, e.what = NoCredentials, "what the container's credentials endpoint answered is not JSON"
		} else {
			e.Kind, e.also = NoCredentials, []Kind{Unreachable}
		}
		e.Hint = "check " + variable
	}
	e.detail = e.what
}

// kindOfStatus is the kind that an HTTP status or a code adds to NoCredentials.
func kindOfStatus(r refusal) []Kind {
	switch {
	case r.status >= http.StatusInternalServerError:
		return []Kind{Unreachable}
	case r.status == http.StatusTooManyRequests || isThrottle(r.code):
		return []Kind{Throttled}
	case strings.HasPrefix(r.code, "AccessDenied") || r.status == http.StatusForbidden || r.status == http.StatusUnauthorized:
		return []Kind{AccessDenied}
	}
	return nil
}

// webIdentityError explains why there is no token to trade for a role; from names
// where it comes from.
func webIdentityError(e *Error, from string) {
	var file *tokenFileError
	var size tokenSizeError
	switch {
	case errors.As(e.Err, &file) && (file.err == nil || errors.As(file.err, &size)):
		e.Kind, e.what = NoCredentials, "the token file "+file.Error()
		e.Hint = "check " + from + " and what writes the token"
	case errors.As(e.Err, &file):
		e.Kind, e.what = NoCredentials, "the token file cannot be read: "+file.Error()
		e.Hint = "check " + from + " and that the token is mounted"
	default:
		if providerError(e); e.Hint == "" {
			e.Hint = "check where " + from + " has its token from"
		}
		var none *noTokenError
		if errors.As(e.Err, &size) {
			e.what = size.Error()
		} else if errors.As(e.Err, &none) && e.Kind == NoCredentials {
			e.what = "there is no token: " + said(none.error)
		}
	}
}
