package awsauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// startMFA is what opening an MFA session is called in errors.
const startMFA = "start MFA session"

// signer is who signs a call: what an error says of the keys.
type signer struct {
	origin    string    // where the keys come from: `profile "ops"`, "role arn:…"
	keyID     string    // where it is known before any call
	partition Partition // that the keys are taken to be of, and
	said      string    // what said so, "" if nothing did: "AWS_REGION=cn-north-1"
	fixed     bool      // an option or a role says the partition,
	inferred  bool      // or something that stands for it: the ARN of a device, a host
}

// stsCall is what was asked of STS, by whom and where: all that an error is made
// from.
type stsCall struct {
	op, target string
	host       string
	service    string // that it is a call of; "" is STS
	region     string
	by         signer
	started    time.Time

	// Of a call that assumes a role:
	duration     string
	durationName string        // the option or the key of a profile that says it
	sent         string        // what went with it: external id, MFA, tags; names, not values
	mfaSession   bool          // it is assumed from an MFA session
	mfaAge       time.Duration // of that session
	mfaSerial    string        // of the MFA device whose code was sent
	web          bool          // it is AssumeRoleWithWebIdentity, with the token of
	token        string        // this file or option

	// Of the request that was refused:
	key      string // the access key id that it was signed with
	hasToken bool   // whether a session token went with it
}

// refusal is the answer of a service that did not do what it was asked.
type refusal struct {
	code, message string
	status        int // of HTTP; 0 if unknown
}

// String is the answer's own words.
func (r refusal) String() string {
	if r.code == "" {
		return fmt.Sprintf("HTTP %d", r.status)
	}
	return fmt.Sprintf("%s (%s)", r.message, r.code)
}

// refusalIn finds the answer in an error. An error without a code of AWS's was
// sent by something that is not AWS: a proxy, a captive portal.
func refusalIn(err error) (r refusal, ok bool) {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.ResponseError != nil && response.Response != nil && response.Response.Response != nil {
		r.status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return r, false
	}
	if transport.NotAWS(err) {
		// What signs its answers with a request id is an STS, AWS's or another,
		// though its refusal cannot be read.
		return r, response != nil && response.ServiceRequestID() != "" && r.status >= http.StatusBadRequest
	}
	r.code, r.message = redact.OneLine(api.ErrorCode()), redact.Message(api.ErrorMessage())
	return r, true
}

// classifySTS turns what STS or the way there answered into an *Error.
func classifySTS(err error, call stsCall) error {
	if e := deepest(err); e != nil {
		return e // the credentials for the call could not be had
	}
	e := &Error{Op: call.op, Target: call.target}
	call.readRequest(err, e)
	r, refused := refusalIn(err)
	tried := effort(err, call.started)
	e.Err = redact.Error(err)
	if !refused {
		e.noAnswer(r, call)
		return e
	}
	switch {
	case r.code == "AccessDenied" || r.code == "AccessDeniedException":
		e.accessDenied(r.message, call)
	case r.code == "InvalidClientTokenId" || r.code == "UnrecognizedClientException" || r.code == "InvalidAccessKeyId":
		e.invalidKey(r.code, call)
	case r.code == "SignatureDoesNotMatch" || r.code == "IncompleteSignature":
		e.badSignature(r, call)
	case call.web && (r.code == "ExpiredTokenException" || r.code == "InvalidIdentityToken" || r.code == "IDPRejectedClaim"):
		e.webToken(r, call)
	case r.code == "ExpiredToken" || r.code == "ExpiredTokenException":
		e.Kind, e.what = Expired, fmt.Sprintf("the session token of %s from %s has expired (%s)", call.keyInUse(), call.by.origin, r.code)
		e.Hint = "get new temporary credentials, or start from a source that renews them"
	case strings.Contains(r.message, "DurationSeconds"):
		e.tooLong(r.message, call)
	default:
		e.trouble(r, call)
		e.tries = tried
	}
	return e
}

// soFar is the error of a call that goes on, for a caller who does not wait for its
// end: how its last attempt failed, and how many there were.
func soFar(err *pace.Error, call stsCall) error {
	e := deepest(classifySTS(err, call))
	if e != nil {
		e.tries = effort(err, call.started)
	}
	return e
}

// readRequest notes what the refused request says of itself: the key that signed
// it, which the cache may have replaced by now.
func (c *stsCall) readRequest(err error, e *Error) {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		return
	}
	e.RequestID = redact.OneLine(response.ServiceRequestID())
	if response.ResponseError == nil {
		return
	}
	if r := response.Response; r != nil && r.Response != nil && r.Request != nil {
		c.key, _ = signingKey(&smithyhttp.Request{Request: r.Request})
		c.hasToken = r.Request.Header.Get("X-Amz-Security-Token") != ""
	}
}

// signingKey is the access key id in a request's Authorization header, "" if there
// is none, and whether the request can be sent again.
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

// trouble classifies a refusal that is not about the caller's rights or keys.
func (e *Error) trouble(r refusal, call stsCall) {
	switch {
	case isThrottle(r.code):
		e.Kind, e.what = Throttled, "throttled by STS in "+call.region
		e.Hint = "keep one Session per role instead of calling New for each task, or run fewer accounts at once"
	case r.code == "MalformedPolicyDocument":
		e.Kind, e.what, e.Hint = InvalidOption, r.String(), "correct the policy of WithPolicy, or the ARNs of WithPolicyARNs"
	case r.code == "PackedPolicyTooLarge":
		e.Kind, e.what, e.Hint = InvalidOption, r.String(), "shorten WithPolicy, or leave out some of WithPolicyARNs and WithTags"
	case r.code == "RegionDisabledException":
		e.Kind, e.what = AccessDenied, fmt.Sprintf("STS in %s is not activated for the account (%s)", call.region, r.code)
		e.Hint = "activate the region in the account's IAM settings, or use another with WithRegion"
	case r.status >= http.StatusInternalServerError:
		e.Kind, e.what = Unreachable, fmt.Sprintf("STS in %s fails (%s)", call.region, r.code)
		e.Hint = "try again later, or another region with WithRegion"
	case r.status == http.StatusForbidden:
		e.Kind, e.what = AccessDenied, "refused: "+r.String()
	default:
		e.Kind, e.what = InvalidOption, r.String()
	}
}

// isThrottle reports whether a code asks to slow down.
func isThrottle(code string) bool {
	_, yes := retry.DefaultThrottleErrorCodes[code]
	return yes
}

// effort says how often a call was tried and for how long: "8 attempts in 21s". It
// is "" where nothing counted.
func effort(err error, started time.Time) string {
	attempts, took := 0, time.Duration(0)
	var tried *retry.MaxAttemptsError
	var paced *pace.Error
	if errors.As(err, &tried) {
		attempts = tried.Attempt
	}
	if !started.IsZero() {
		took = time.Since(started)
	}
	if errors.As(err, &paced) {
		attempts, took = paced.Attempts, paced.Elapsed
	}
	if attempts < 2 {
		return ""
	}
	text := fmt.Sprintf("%d attempts", attempts)
	if took = took.Round(time.Second); took > 0 {
		text += " in " + took.String()
	}
	return text
}

// noAnswer classifies what STS did not send: nothing came, or what came is not
// STS's. Of such an answer nothing is shown but its HTTP status.
func (e *Error) noAnswer(r refusal, call stsCall) {
	e.network()
	switch {
	case errors.Is(e.Err, context.DeadlineExceeded):
		e.what = "no answer from " + call.host
		if took := time.Since(call.started).Round(time.Second); !call.started.IsZero() && took > 0 {
			e.what += " in " + took.String()
		}
		e.Hint = checkNetwork
	case e.Kind == "" && e.what == "":
		e.notAWS(call.host, cmp.Or(call.service, "STS"), r.status)
	}
}

// notAWS is said where something answered in a service's place.
func (e *Error) notAWS(host, service string, status int) {
	e.Kind, e.what = Unreachable, fmt.Sprintf("what %s answered is not an answer of %s", host, service)
	if status != 0 {
		e.what += fmt.Sprintf(" (HTTP %d)", status)
	}
	e.Hint = checkEndpoints
}

func (e *Error) tooLong(message string, call stsCall) {
	hour := "1h"
	if strings.HasPrefix(call.durationName, "duration_seconds") {
		hour = "3600"
	}
	e.Kind, e.what = InvalidDuration, fmt.Sprintf("duration %s is longer than this role allows", call.duration)
	e.Hint = "lower " + call.durationName + " or raise the role's maximum session duration"
	if call.duration == "" {
		e.what = "the duration is longer than this role allows"
	}
	if strings.Contains(message, "chaining") {
		e.what, e.Hint = "a role assumed from another role lasts at most 1h", "lower "+call.durationName+" to "+hour
	}
}

func (e *Error) accessDenied(message string, call stsCall) {
	e.Kind, e.what = AccessDenied, "access denied"
	e.as = callerIn(message)
	action := deniedAction(message)
	policy, verdict := decidingPolicy(message)
	if action == "" {
		policy = "" // what it decided on is not told
	}
	if policy != "" {
		e.what += ": " + fmt.Sprintf(verdict, policy, action)
	} else if action != "" && action != "sts:AssumeRole" && action != "sts:AssumeRoleWithWebIdentity" {
		e.what += " to " + action
	}
	switch {
	case strings.Contains(message, "MultiFactorAuthentication failed"):
		e.Kind, e.what = MFARequired, "STS refused the MFA code for "+call.mfaSerial
		e.Hint = "each code works once, wait for the next one"
		if strings.Contains(message, "serial number is valid") {
			e.what = "STS knows no MFA device " + call.mfaSerial + " of this user"
			e.Hint = "check mfa_serial or WithMFA against the user's devices in IAM"
		}
	case policy != "":
		e.Hint = "ask who keeps that policy to allow " + action + ", or use another role (sent: " + call.sent + ")"
	case action == "sts:TagSession":
		e.Hint = "session tags need sts:TagSession: allow it in the role's trust policy and to the principal, or leave the tags out (sent: " + call.sent + ")"
	case action == "sts:SetSourceIdentity" && strings.Contains(call.sent, sentSource):
		e.Hint = "a source identity needs sts:SetSourceIdentity: allow it in the role's trust policy and to the principal, or leave WithSourceIdentity out (sent: " + call.sent + ")"
	case action == "sts:SetSourceIdentity":
		e.Hint = "the caller's session has a source identity, which goes along to every role (that of Roles Anywhere is the certificate's common name): allow sts:SetSourceIdentity in the role's trust policy and to the principal"
	case call.web:
		e.Hint = "check that the role exists, and that its trust policy names the token's issuer, audience and subject"
	case call.op == startMFA:
		e.Hint = "check that no policy forbids sts:GetSessionToken, and that the keys are a user's"
	case call.op == "assume role":
		e.Hint = "check that the role exists, that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: " + call.sent + ")"
	}
	if call.mfaSession && e.Kind == AccessDenied {
		e.Hint += fmt.Sprintf("; the MFA session is %s old, which a policy may limit (aws:MultiFactorAuthAge)", call.mfaAge.Round(time.Second))
	}
}

func (e *Error) invalidKey(code string, call stsCall) {
	e.Kind = InvalidKey
	e.what = fmt.Sprintf("%s does not know %s from %s (%s)", call.host, call.keyInUse(), call.by.origin, code)
	const one = "keys are valid in one partition only: "
	active := "check that the key is still active"
	if optIn(call.region) {
		active += ", and that region " + call.region + " is enabled in the caller's account"
	}
	switch {
	case strings.HasPrefix(call.key, "ASIA") && !call.hasToken:
		e.Hint = "a key that begins with ASIA is temporary and works with its session token only, which was not sent"
	case strings.HasPrefix(call.key, "AKIA") && call.hasToken:
		e.Hint = "a key that begins with AKIA is long-lived and has no session token, but one was sent: " + withoutToken(call.by.origin)
	case call.by.inferred:
		e.Hint = fmt.Sprintf("%s was taken from %s; use %s keys, or correct it", call.by.partition, call.by.said, call.by.partition)
	case call.by.fixed:
		e.Hint = fmt.Sprintf(one+"use %s keys, or %s", call.by.partition, active)
	case call.by.said != "":
		e.Hint = fmt.Sprintf("%s was taken from %s; for a key of another partition pass WithPartition(%s); else %s",
			call.by.partition, call.by.said, call.by.partition.another(), active)
	default: // nobody said which: the commonest such keys are of China and GovCloud
		e.Hint = one + "if this is a key of China or GovCloud, pass WithPartition(awsauth.China) or WithPartition(awsauth.GovCloud); else " + active
	}
}

// withoutToken is how the session token of a source is left out.
func withoutToken(origin string) string {
	switch {
	case origin == "environment":
		return "unset AWS_SESSION_TOKEN"
	case strings.HasPrefix(origin, "profile "):
		return "remove aws_session_token from the profile"
	}
	return "leave it out"
}

func (e *Error) badSignature(r refusal, call stsCall) {
	e.Kind = InvalidKey
	if strings.Contains(r.message, "Signature expired") || strings.Contains(r.message, "Signature not yet current") {
		e.what = "the clock of this machine is wrong by more than STS accepts (" + r.code + ")"
		e.Hint = "set the clock, for example with NTP"
		return
	}
	if strings.Contains(r.message, "Credential should be scoped") {
		e.what = fmt.Sprintf("%s does not serve the region %s that the request was signed for (%s)", call.host, call.region, r.code)
		e.Hint = "correct the region, or choose the address of STS in it"
		return
	}
	e.what = fmt.Sprintf("%s does not accept the signature of %s from %s (%s)", call.host, call.keyInUse(), call.by.origin, r.code)
	e.Hint = "the secret key does not belong to the access key id; copy both again"
}

// keyInUse names the access key that a call was signed with.
func (c stsCall) keyInUse() string {
	id := c.key
	if id == "" {
		id = c.by.keyID
	}
	if id == "" {
		return "the access key"
	}
	return "access key " + redact.Key(id)
}

// webToken classifies the refusal of a web identity token, in STS's own words.
func (e *Error) webToken(r refusal, call stsCall) {
	e.Kind, e.what = InvalidKey, fmt.Sprintf("STS does not accept the web identity token of %s: %s (%s)", call.token, r.message, r.code)
	e.Hint = "check that it is a token of the issuer and audience that the role's trust policy names"
	if r.code == "ExpiredTokenException" {
		e.Kind, e.what = Expired, fmt.Sprintf("the web identity token of %s has expired: %s (%s)", call.token, r.message, r.code)
		e.Hint = "check that what writes the token still renews it, and that this machine's clock is right"
	}
}
