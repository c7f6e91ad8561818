package awsauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sourceError turns the failure of a base identity's provider into an *Error.
// s is the base session.
func (s *Session) sourceError(err error) error {
	if e := deepest(err); e != nil {
		return e // a role of the profile, classified at its call
	}
	strip(err)
	e := &Error{Op: s.source.String(), Err: err}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.RequestID = response.ServiceRequestID()
	}
	switch {
	case errors.Is(err, context.Canceled):
		e.what = "canceled"
	case s.source.kind == sourceEC2:
		s.metadataError(e)
	case s.source.kind == sourceContainer:
		s.containerError(e)
	case s.source.kind == sourceSSO:
		s.ssoError(e)
	case s.source.kind == sourceLogin:
		s.loginError(e)
	case s.source.kind == sourceProcess:
		processError(e)
	case s.source.kind == sourceWebIdentity:
		s.webIdentityError(e)
	case s.source.kind == sourceProvider:
		e.transport()
		if e.Kind == "" {
			e.Kind, e.what = NoCredentials, oneLine(err.Error())
		}
	default:
		e.transport()
	}
	if e.Kind == "" && e.what == "" {
		e.Kind = NoCredentials
	}
	return e
}

// metadataError says why the instance gave no credentials. Where the chain
// came to the instance because nothing else was there, it says what was not.
func (s *Session) metadataError(e *Error) {
	e.detail, e.Kind = s.metadataReason(e.Err), NoCredentials
	silent := isNoAnswer(e.Err)
	if silent {
		e.also = []Kind{Unreachable}
	}
	if !s.source.absent {
		e.what = e.detail
		e.Hint = "check the instance role and, in a container, an IMDSv2 hop limit of 2"
		return
	}
	e.Op = ""
	e.what = "no AWS credentials found: " + s.lookedAt(e.detail)
	e.Hint = "set AWS_PROFILE or use WithProfile"
	if s.facts.noMetadata == "" {
		e.Hint = "if this is EC2, check the instance role and, in a container, an IMDSv2 hop limit of 2; elsewhere set AWS_PROFILE"
	}
}

// lookedAt lists the places of the default chain and why each has nothing.
func (s *Session) lookedAt(ec2 string) string {
	var places []string
	for _, step := range s.sourceSteps()[rowEnvironment:rowEC2] {
		places = append(places, step.Source+" ("+strings.ReplaceAll(step.Detail, ", ", " or ")+")")
	}
	return strings.Join(append(places, "EC2 ("+ec2+")"), ", ")
}

// metadataReason is the one thing that went wrong with the metadata service.
func (s *Session) metadataReason(err error) string {
	var status interface{ HTTPStatusCode() int }
	switch {
	case s.facts.noMetadata != "":
		return "disabled by " + s.facts.noMetadata
	case errors.Is(err, syscall.ECONNREFUSED):
		return s.facts.metadata + " refuses connections"
	case isNoAnswer(err):
		return fmt.Sprintf("%s did not answer within %v", s.facts.metadata, metadataTimeout)
	case errors.As(err, &status) && status.HTTPStatusCode() == http.StatusNotFound:
		return s.facts.metadata + " knows no role of this instance"
	case errors.As(err, &status):
		return fmt.Sprintf("%s answered %d", s.facts.metadata, status.HTTPStatusCode())
	}
	return oneLine(err.Error())
}

// isNoAnswer reports whether nothing came back.
func isNoAnswer(err error) bool {
	var timeout net.Error
	var send *smithyhttp.RequestSendError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &send) || errors.As(err, &timeout)
}

func (s *Session) containerError(e *Error) {
	e.Kind = NoCredentials
	from := s.facts.container
	var broken *smithy.DeserializationError
	var api smithy.APIError
	var status interface{ HTTPStatusCode() int }
	switch {
	case isNoAnswer(e.Err):
		e.also = []Kind{Unreachable}
		e.what = "the container's credentials endpoint does not answer"
		e.Hint = fmt.Sprintf("check %s, and that this runs in the container it was set for", from)
	case errors.As(e.Err, &status) && status.HTTPStatusCode() == http.StatusForbidden,
		errors.As(e.Err, &status) && status.HTTPStatusCode() == http.StatusUnauthorized:
		e.also = []Kind{AccessDenied}
		e.what = fmt.Sprintf("the container's credentials endpoint refuses (HTTP %d)", status.HTTPStatusCode())
		e.Hint = "check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	case errors.As(e.Err, &broken):
		e.what = "what the container's credentials endpoint answered is not JSON"
		e.Hint = "check " + from
	case errors.As(e.Err, &status) && status.HTTPStatusCode() > 0:
		if status.HTTPStatusCode() >= http.StatusInternalServerError {
			e.also = []Kind{Unreachable}
		}
		e.what = fmt.Sprintf("the container's credentials endpoint answered HTTP %d", status.HTTPStatusCode())
		e.Hint = "check " + from + " and the role of the task or pod"
	case errors.As(e.Err, &api):
		e.what = "the container's credentials endpoint answered " + api.ErrorCode()
		e.Hint = "check " + from + " and the role of the task or pod"
	default:
		e.what = "no credentials from the container's endpoint"
		e.Hint = "check " + from + " and the authorization token file"
	}
	e.detail = e.what
}

// ssoError says whether the session ended, or was never begun here.
func (s *Session) ssoError(e *Error) {
	profile := s.source.profile
	e.Op = fmt.Sprintf("profile %q", profile)
	name, key := s.facts.sso()
	if e.ssoRefusal(); e.Kind != "" {
		return
	}
	if e.transport(); e.Kind != "" {
		return
	}
	e.Kind = Expired
	e.Hint = "run: aws sso login --profile " + s.source.holder()
	e.what = fmt.Sprintf("SSO session %q has ended", name)
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	if err != nil {
		return
	}
	text, err := os.ReadFile(path)
	var token struct{ ExpiresAt time.Time }
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.what = fmt.Sprintf("SSO session %q has never been logged in on this machine", name)
	case err == nil && json.Unmarshal(text, &token) == nil && token.ExpiresAt.Before(time.Now()) && !token.ExpiresAt.IsZero():
		e.what = fmt.Sprintf("SSO session %q expired %s ago", name, ago(time.Since(token.ExpiresAt)))
	}
}

// loginError says whether a person has to log in again, which the SDK says in
// words only.
func (s *Session) loginError(e *Error) {
	if e.transport(); e.Kind != "" {
		return
	}
	text := e.Err.Error()
	if strings.Contains(text, "reauthenticate") || strings.Contains(text, "login token") {
		e.Kind, e.what = Expired, "the login session has ended or was never begun on this machine"
		e.Hint = "run: aws login --profile " + s.source.holder()
		return
	}
	e.Kind, e.what = NoCredentials, oneLine(text)
}

// ssoRefusal classifies what the SSO portal answered, but for the end of the
// session.
func (e *Error) ssoRefusal() {
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(e.Err, &api) || !errors.As(e.Err, &response) {
		return
	}
	var operation *smithy.OperationError
	switch status := response.HTTPStatusCode(); {
	case api.ErrorCode() == "ForbiddenException" || api.ErrorCode() == "ResourceNotFoundException":
		e.Kind, e.what = AccessDenied, "SSO gives no access to this account and role"
		e.Hint = "check sso_account_id and sso_role_name, and that the user is assigned to them"
	case status == http.StatusTooManyRequests:
		e.Kind, e.what, e.Hint = Throttled, "throttled by SSO, gave up"+stsCall{}.effort(e.Err), "try again later"
	case status >= http.StatusInternalServerError:
		e.Kind, e.what, e.Hint = Unreachable, fmt.Sprintf("SSO fails (HTTP %d), gave up%s", status, stsCall{}.effort(e.Err)), "try again later"
	case errors.As(e.Err, &operation) && operation.ServiceID == "SSO" && status != http.StatusUnauthorized:
		e.Kind, e.what = InvalidOption, fmt.Sprintf("SSO refuses: %s (%s)", sentence(api.ErrorMessage()), api.ErrorCode())
		e.Hint = "check sso_account_id, sso_role_name and sso_region"
	}
}

// ago is a time span for people: 2h13m, 45s.
func ago(d time.Duration) string {
	if d >= time.Minute {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}

// shellNotFound is what a shell ends with where it does not find the program.
const shellNotFound = 127

// processError keeps what the process wrote out of the error: the SDK quotes
// all of it where it is not the expected JSON, keys included.
func processError(e *Error) {
	var exit *exec.ExitError
	cause := e.Err
	e.Kind, e.Err = NoCredentials, nil
	e.Hint = "run the credential_process by hand to see what it says"
	switch {
	case errors.As(cause, &exit) && exit.ExitCode() == shellNotFound:
		e.Err, e.what = exit, "credential_process was not found ("+exit.Error()+")"
	case errors.As(cause, &exit):
		e.Err, e.what = exit, "credential_process ended with "+exit.Error()
	case errors.Is(cause, exec.ErrNotFound) || errors.Is(cause, fs.ErrNotExist):
		e.Err, e.what = exec.ErrNotFound, "credential_process was not found"
	case errors.Is(cause, context.DeadlineExceeded):
		e.Err, e.what = context.DeadlineExceeded, "credential_process did not end in time"
	case strings.Contains(cause.Error(), "parse failed"):
		e.what = "credential_process wrote something that is not JSON"
	case strings.Contains(cause.Error(), "wrong version"), strings.Contains(cause.Error(), "missing"):
		e.what = "credential_process wrote JSON without Version 1, AccessKeyId and SecretAccessKey"
	default:
		e.what = "credential_process failed"
	}
}

func (s *Session) webIdentityError(e *Error) {
	e.Kind = NoCredentials
	text := e.Err.Error()
	if strings.Contains(text, "unable to read file") {
		variable := "AWS_WEB_IDENTITY_TOKEN_FILE"
		if s.source.profile != "" {
			variable = "web_identity_token_file"
		}
		_, text, _ = strings.Cut(text, "unable to read file at ")
		path, reason, _ := strings.Cut(text, ": open ")
		e.what = "the token file cannot be read: " + oneLine(path) + ": " + oneLine(strings.TrimPrefix(reason, path+": "))
		e.Hint = "check " + variable + " and that the token is mounted"
		return
	}
	if e.transport(); e.Kind == NoCredentials {
		e.what = oneLine(text)
	}
}

// bundleError is the error for a CA bundle that the SDK cannot use, nil if err
// is of something else.
func (b *base) bundleError(profile string, err error) error {
	path, said := b.env.CustomCABundle, "AWS_CA_BUNDLE"
	if v, _ := b.files.lookup(profile, "ca_bundle"); path == "" {
		path, said = v.text, b.files.place(profile, "ca_bundle")
	}
	e := &Error{Kind: InvalidOption, Op: said, Err: err, Hint: "name a file with the authorities' certificates in PEM form"}
	var file *fs.PathError
	switch {
	case path != "" && errors.As(err, &file) && file.Path == path:
		e.what = fmt.Sprintf("%s cannot be read: %v", path, file.Err)
	case path != "" && strings.Contains(err.Error(), "custom CA bundle PEM file"):
		e.what = path + " holds no certificate"
	default:
		return nil
	}
	return e
}
