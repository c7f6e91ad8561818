package awsauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// ssoSession is what is known of an SSO session without asking it.
type ssoSession struct {
	profile string // that the session was asked for
	name    string // in sso_session, or the start URL of the older form
	holder  string // the profile to log in with
	token   string // the file of the login
}

// errNoKeys is the error of an answer of SSO's that is none: it has no keys in it.
var errNoKeys = errors.New("the answer has no keys")

// ssoError explains whether the session ended, was never begun here, or gives no
// access.
func ssoError(e *Error, sso ssoSession) {
	defer e.notSTS()
	e.Op = fmt.Sprintf("profile %q", sso.profile)
	again := "run: aws sso login --profile " + sso.holder
	if e.noLoginFile(sso.token, again) {
		return
	}
	r, refused := refusalIn(e.Err)
	switch {
	case errors.Is(e.Err, errNoKeys):
		e.notAWS("the SSO endpoint", "SSO", http.StatusOK)
		return
	case !refused:
	case r.code == "ForbiddenException" || r.code == "ResourceNotFoundException":
		e.Kind, e.what = AccessDenied, "SSO gives no access to this account and role"
		e.Hint = "check sso_account_id and sso_role_name, and that the user is assigned to them"
		return
	case r.status == http.StatusTooManyRequests || isThrottle(r.code):
		e.Kind, e.what, e.tries, e.Hint = Throttled, "throttled by SSO", effort(e.Err, time.Time{}), "try again later"
		return
	case r.status >= http.StatusInternalServerError:
		e.Kind, e.what, e.tries, e.Hint = Unreachable, fmt.Sprintf("SSO fails (HTTP %d)", r.status), effort(e.Err, time.Time{}), "try again later"
		return
	case r.status != http.StatusUnauthorized && !endsLogin(r.code):
		e.Kind, e.what = InvalidOption, fmt.Sprintf("SSO refuses: %s (%s)", r.message, r.code)
		e.Hint = "check sso_account_id, sso_role_name and sso_region"
		return
	}
	if e.network(); e.Kind != "" {
		return
	}
	if !refused && r.status != 0 && r.status != http.StatusUnauthorized {
		e.notAWS("the SSO endpoint", "SSO", r.status)
		return
	}
	e.Kind, e.what, e.Hint = Expired, sso.state(), again
}

// noLoginFile explains that a login's file is there and cannot be read. A new login
// would meet the same. It reports false for every other error.
func (e *Error) noLoginFile(path, again string) bool {
	var file *tokenFileError
	var opened *fs.PathError
	switch {
	case errors.As(e.Err, &file):
	case errors.As(e.Err, &opened) && opened.Path == path && !errors.Is(opened, fs.ErrNotExist):
		file = &tokenFileError{path, opened}
	default:
		return false
	}
	e.Kind, e.what = NoCredentials, "the login's file cannot be read: "+file.Error()
	e.Hint = "remove what is there, then " + again
	if errors.Is(file, fs.ErrPermission) {
		e.Hint = "make it readable for this user"
	}
	return true
}

// endsLogin reports whether SSO's token service says by a code that only a new
// login helps.
func endsLogin(code string) bool {
	switch code {
	case "InvalidGrantException", "ExpiredTokenException", "UnauthorizedException", "UnauthorizedClientException", "InvalidClientException":
		return true
	}
	return false
}

// state says what the login's file says of it.
func (sso ssoSession) state() string {
	text, err := readRegular(sso.token)
	var token struct {
		AccessToken string
		ExpiresAt   time.Time
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("SSO session %q has never been logged in on this machine", sso.name)
	case err != nil:
	case json.Unmarshal(text, &token) != nil || token.AccessToken == "":
		return fmt.Sprintf("the login's file %s of SSO session %q is broken", redact.OneLine(sso.token), sso.name)
	case token.ExpiresAt.Before(time.Now()) && !token.ExpiresAt.IsZero():
		return fmt.Sprintf("SSO session %q expired %s ago", sso.name, ago(time.Since(token.ExpiresAt)))
	}
	return fmt.Sprintf("SSO session %q has ended", sso.name)
}

// ago is a time span for people: 2h13m, 45s.
func ago(d time.Duration) string {
	if d >= time.Minute {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}

// loginError explains whether a person has to log in again with the profile. The
// SDK says so in words only, where the sign-in service gave no other reason.
func loginError(e *Error, profile, path string) {
	defer e.notSTS()
	again := "run: aws login --profile " + profile
	if e.noLoginFile(path, again) {
		return
	}
	r, refused := refusalIn(e.Err)
	text := e.Err.Error()
	switch {
	case refused && (isThrottle(r.code) || r.status == http.StatusTooManyRequests):
		e.Kind, e.what, e.tries, e.Hint = Throttled, "throttled by the sign-in service", effort(e.Err, time.Time{}), "try again later"
	case r.status >= http.StatusInternalServerError:
		e.Kind, e.what = Unreachable, fmt.Sprintf("the sign-in service fails (HTTP %d)", r.status)
		e.tries, e.Hint = effort(e.Err, time.Time{}), "try again later"
	case strings.Contains(text, "insufficient permissions") || refused && strings.Contains(r.message, "INSUFFICIENT_PERMISSIONS"):
		e.Kind, e.what = AccessDenied, "the sign-in service refuses to renew the login: the user may not call signin:CreateOAuth2Token"
		e.Hint = "allow it to the user, then " + again
	case refused && strings.HasPrefix(r.code, "AccessDenied"):
		e.Kind, e.what, e.Hint = AccessDenied, fmt.Sprintf("the sign-in service refuses: %s (%s)", r.message, r.code), again
	case errors.Is(e.Err, fs.ErrPermission):
		e.Kind, e.what, e.Hint = NoCredentials, "the login's file cannot be read: "+said(e.Err), "make it readable for this user"
	case strings.Contains(text, "reauthenticate"):
		e.Kind, e.what, e.Hint = Expired, "the login session has ended or was never begun on this machine", again
	case errors.Is(e.Err, errBrokenLogin) || strings.Contains(text, "login token"):
		e.Kind, e.what, e.Hint = Expired, "the login's file "+redact.OneLine(path)+" is broken", again
	default:
		switch e.network(); {
		case e.Kind != "":
		case transport.NotAWS(e.Err):
			e.notAWS("the address of the sign-in service", "it", r.status)
		case refused:
			e.Kind, e.what, e.Hint = NoCredentials, "the sign-in service refuses: "+r.String(), again
		default:
			e.Kind, e.what, e.Hint = NoCredentials, said(e.Err), again
		}
	}
}

// shellNotFound is what a shell ends with where it does not find the program.
const shellNotFound = 127

// processError keeps what the process wrote out of the error: the SDK quotes
// all of it where it is not the expected JSON, keys included.
func processError(e *Error) {
	var exit *exec.ExitError
	var syntax *json.SyntaxError
	cause := e.Err
	wrong := wrongField(cause)
	e.Kind, e.Err = NoCredentials, nil
	e.Hint = "run the credential_process by hand to see what it says"
	switch {
	case errors.As(cause, &exit) && exit.ExitCode() == shellNotFound:
		e.Err, e.what = exit, "credential_process was not found ("+exit.Error()+")"
	case errors.As(cause, &exit) && strings.Contains(cause.Error(), "timed out"): // it was killed for it
		e.Err, e.what = context.DeadlineExceeded, "credential_process did not end in time"
	case errors.As(cause, &exit):
		e.Err, e.what = exit, "credential_process ended with "+exit.Error()
	case errors.Is(cause, exec.ErrNotFound) || errors.Is(cause, fs.ErrNotExist):
		e.Err, e.what = exec.ErrNotFound, "credential_process was not found"
	case errors.Is(cause, context.DeadlineExceeded):
		e.Err, e.what = context.DeadlineExceeded, "credential_process did not end in time"
	case wrong == wrongTime:
		e.what = "credential_process wrote " + wrong
		e.Hint = "write it like 2030-01-02T15:04:05Z, or leave it out for keys that do not expire"
	case wrong == wrongDocument:
		e.what = "credential_process wrote " + wrong
	case wrong != "":
		e.what = "credential_process wrote " + wrong
		e.Hint = "write Version as the number 1 and all else as strings"
	case errors.As(cause, &syntax) && syntax.Offset == 0:
		e.what = "credential_process wrote nothing"
	case errors.As(cause, &syntax) || strings.Contains(cause.Error(), "parse failed"):
		e.what = "credential_process wrote something that is not JSON"
	case strings.Contains(cause.Error(), "wrong version"), strings.Contains(cause.Error(), "missing"):
		e.what = "credential_process wrote JSON without Version 1, AccessKeyId and SecretAccessKey"
	default:
		e.what = "credential_process failed"
	}
}
