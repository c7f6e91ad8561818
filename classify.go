package awsauth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// stsCall is what was asked of STS: the facts that an error is made from.
type stsCall struct {
	op, target string
	region     string
	duration   string
	sent       string // what went with an AssumeRole: external id, MFA; names, not values
	mfaSerial  string // of the MFA device whose code was sent
	key        string // the access key that it was signed with, and
	token      bool   // whether a session token went with it: from the request that was refused
	web        bool   // AssumeRoleWithWebIdentity
	hop        bool   // of a role that a profile names
	started    time.Time
}

// assumeCall is the call that assumes role.
func assumeCall(role roleARN, r roleSettings, region string) stsCall {
	return stsCall{op: "assume role", target: role.String(), region: region, duration: r.duration.String(), started: time.Now(),
		sent: sentWith(r.externalID != "", false, r.sourceIdentity != "")}
}

// hopCall is the call that assumes a role which a profile names.
func hopCall(in *sts.AssumeRoleInput, region string) stsCall {
	return stsCall{op: "assume role", target: aws.ToString(in.RoleArn), region: region, hop: true, started: time.Now(),
		mfaSerial: aws.ToString(in.SerialNumber),
		duration:  (time.Duration(aws.ToInt32(in.DurationSeconds)) * time.Second).String(),
		sent:      sentWith(in.ExternalId != nil, in.TokenCode != nil, in.SourceIdentity != nil)}
}

func sentWith(externalID, mfa, sourceIdentity bool) string {
	sent := "no external id"
	if externalID {
		sent = "an external id"
	}
	if mfa {
		sent += ", an MFA code"
	} else {
		sent += ", no MFA"
	}
	if sourceIdentity {
		sent += ", a source identity"
	}
	return sent
}

// sentence is a message of AWS as part of a line.
func sentence(message string) string { return strings.TrimRight(oneLine(message), ". ") }

// asError makes sure that err is an *Error. Errors of the calls below arrive
// classified; the outermost layers of the SDK's wrapping are dropped then.
func asError(err error, op string) error {
	if e := deepest(err); e != nil {
		return e
	}
	strip(err)
	e := &Error{Op: op, Err: err}
	e.transport()
	return e
}

// strip takes secrets out of an error of the SDK's: its copy of the answer, which
// may hold new keys, the request with its session token, bearer token or form,
// and the values that STS repeats where they have the wrong form.
func strip(err error) {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		r := response.Response.Response
		r.Body = http.NoBody
		if r.Request != nil {
			r.Request = &http.Request{Method: r.Request.Method, URL: r.Request.URL, Host: r.Request.Host}
		}
	}
	var broken *smithy.DeserializationError
	if errors.As(err, &broken) {
		broken.Snapshot = nil
	}
	var api *smithy.GenericAPIError
	if errors.As(err, &api) {
		api.Message = withoutSecretValues(api.Message)
	}
}

// withoutSecretValues takes the values of secret fields out of a
// ValidationError of STS, which repeats them: "Value '123' at 'tokenCode' …".
func withoutSecretValues(message string) string {
	for _, field := range []string{"tokenCode", "webIdentityToken"} {
		before, after, found := strings.Cut(message, "' at '"+field+"'")
		if i := strings.LastIndex(before, "Value '"); found && i >= 0 {
			message = before[:i] + "Value '…' at '" + field + "'" + after
		}
	}
	return message
}

// deepest is the innermost *Error: what went wrong first.
func deepest(err error) (found *Error) {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return found
		}
		found, err = e, e.Err
	}
	return found
}

// classify turns what STS or the way there answered to a call of s into an
// *Error.
func (s *Session) classify(err error, call stsCall) error {
	if e := deepest(err); e != nil {
		return e // the credentials for the call could not be had
	}
	if strings.Contains(err.Error(), "get identity: get credentials: ") {
		return s.sourceError(err) // nor those that a profile's role is assumed with
	}
	e := &Error{Op: call.op, Target: call.target, Err: err}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.RequestID = response.ServiceRequestID()
		if r := response.Response; r != nil && r.Response != nil && r.Request != nil {
			call.key, _ = signingKey(&smithyhttp.Request{Request: r.Request})
			call.token = r.Request.Header.Get("X-Amz-Security-Token") != ""
		}
	}
	strip(err)
	var api smithy.APIError
	if !errors.As(err, &api) {
		e.noAnswer(s, call)
		return e
	}
	code := api.ErrorCode()
	status := 0
	if response != nil && response.Response != nil {
		status = response.HTTPStatusCode()
	}
	switch {
	case code == "AccessDenied" || code == "AccessDeniedException":
		e.accessDenied(s, api.ErrorMessage(), call)
	case code == "InvalidClientTokenId" || code == "UnrecognizedClientException" || code == "InvalidAccessKeyId":
		e.invalidKey(s, code, call)
	case code == "SignatureDoesNotMatch" || code == "IncompleteSignature":
		e.badSignature(s, code, api.ErrorMessage(), call)
	case call.web && (code == "ExpiredTokenException" || code == "InvalidIdentityToken" || code == "IDPRejectedClaim"):
		e.webIdentity(code)
	case code == "ExpiredToken" || code == "ExpiredTokenException":
		e.Kind, e.what = Expired, fmt.Sprintf("the session token of %s from %s has expired (%s)", s.keyInUse(call), s.origin(), code)
		e.Hint = "get new temporary credentials, or start from a source that renews them"
	case strings.Contains(api.ErrorMessage(), "DurationSeconds"):
		e.tooLong(api.ErrorMessage(), call)
	case isThrottled(err):
		e.Kind, e.what = Throttled, fmt.Sprintf("throttled by STS in %s, gave up%s", call.region, call.effort(err))
		e.Hint = "keep one Session per role instead of calling New for each task, or run fewer accounts at once"
	case code == "RegionDisabledException":
		e.Kind, e.what = AccessDenied, fmt.Sprintf("STS in %s is not activated for the account (%s)", call.region, code)
		e.Hint = "activate the region in the account's IAM settings, or use another with WithRegion"
	case status >= http.StatusInternalServerError:
		e.Kind, e.what = Unreachable, fmt.Sprintf("STS in %s fails (%s), gave up%s", call.region, code, call.effort(err))
		e.Hint = "try again later, or another region with WithRegion"
	case status == http.StatusForbidden:
		e.Kind, e.what = AccessDenied, fmt.Sprintf("refused: %s (%s)", sentence(api.ErrorMessage()), code)
	default:
		e.Kind, e.what = InvalidOption, fmt.Sprintf("%s (%s)", sentence(api.ErrorMessage()), code)
	}
	return e
}

func (e *Error) tooLong(message string, call stsCall) {
	from, hour := "WithDuration", "1h"
	if call.hop {
		from, hour = "duration_seconds", "3600"
	} else if call.web {
		from = "the duration"
	}
	e.Kind, e.what = InvalidDuration, fmt.Sprintf("duration %s is longer than this role allows", call.duration)
	e.Hint = "lower " + from + " or raise the role's maximum session duration"
	if call.duration == "" {
		e.what = "the duration is longer than this role allows"
	}
	if strings.Contains(message, "chaining") {
		e.what, e.Hint = "a role assumed from another role lasts at most 1h", "lower "+from+" to "+hour
	}
}

// noAnswer classifies what STS did not send.
func (e *Error) noAnswer(s *Session, call stsCall) {
	var broken *smithy.DeserializationError
	switch e.transport(); {
	case errors.Is(e.Err, context.DeadlineExceeded):
		e.what = "no answer from " + s.stsHost(call.region)
		if took := time.Since(call.started).Round(time.Second); !call.started.IsZero() && took > 0 {
			e.what += " in " + took.String()
		}
		e.Hint = "check the network and the proxy variables"
	case e.Kind == "" && errors.As(e.Err, &broken) && broken.Err != nil:
		e.Kind = Unreachable
		e.what = fmt.Sprintf("what %s answered is not STS's: %s", s.stsHost(call.region),
			strings.TrimPrefix(oneLine(broken.Err.Error()), "failed to decode response body, "))
		e.Hint = "check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables"
	}
}

func (e *Error) accessDenied(s *Session, message string, call stsCall) {
	e.Kind, e.what = AccessDenied, "access denied"
	e.as = callerIn(message)
	switch {
	case strings.Contains(message, "MultiFactorAuthentication failed"):
		e.Kind, e.what = MFARequired, "STS refused the MFA code for "+call.mfaSerial
		e.Hint = "each code works once, wait for the next one"
		if strings.Contains(message, "serial number is valid") {
			e.what = "STS knows no MFA device " + call.mfaSerial + " of this user"
			e.Hint = "check mfa_serial against the user's devices in IAM"
		}
	case call.web:
		e.Hint = "check that the role exists, and that its trust policy names the token's issuer, audience and subject"
	case call.op == "assume role":
		e.Hint = "check that the role exists, that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: " + call.sent + ")"
	}
}

// callerIn is the ARN that AWS names as the one it refused.
func callerIn(message string) string {
	_, rest, found := strings.Cut(message, "User: ")
	arn, _, _ := strings.Cut(rest, " ")
	if !found || !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	return arn
}

func (e *Error) invalidKey(s *Session, code string, call stsCall) {
	e.Kind = InvalidKey
	e.what = fmt.Sprintf("%s does not know %s from %s (%s)", s.stsHost(call.region), s.keyInUse(call), s.origin(), code)
	p, _ := PartitionOf(call.region)
	e.Hint = fmt.Sprintf("keys are valid in one partition only: use %s keys, or check that the key is still active", p)
	if !s.place.fixed && p == AWS { // nobody said which: the commonest such key is one of China
		e.Hint = "keys are valid in one partition only: if this is a key of China, pass WithPartition(awsauth.China); else check that the key is still active"
	}
	if strings.HasPrefix(call.key, "ASIA") && !call.token {
		e.Hint = "a key that begins with ASIA is temporary and works with its session token only, which was not sent"
	}
}

func (e *Error) badSignature(s *Session, code, message string, call stsCall) {
	e.Kind = InvalidKey
	if strings.Contains(message, "Signature expired") || strings.Contains(message, "Signature not yet current") {
		e.what = "the clock of this machine is wrong by more than STS accepts (" + code + ")"
		e.Hint = "set the clock, for example with NTP"
		return
	}
	e.what = fmt.Sprintf("%s does not accept the signature of %s from %s (%s)", s.stsHost(call.region), s.keyInUse(call), s.origin(), code)
	e.Hint = "the secret key does not belong to the access key id; copy both again"
}

// keyInUse names the access key that a call was signed with.
func (s *Session) keyInUse(call stsCall) string {
	id := call.key
	if id == "" {
		id = s.source.keyID
	}
	if id == "" {
		return "the access key"
	}
	return "access key " + shortKey(id)
}

// stsHost is the host of STS that the session's calls for a region go to: what
// the SDK makes of the region, FIPS, dual stack and AWS_ENDPOINT_URL_STS.
func (s *Session) stsHost(region string) string {
	o := s.sts().Options()
	for _, override := range []string{s.wire.endpoint, aws.ToString(o.BaseEndpoint), aws.ToString(s.wire.baseURL)} {
		if override != "" {
			return hostOf(override)
		}
	}
	region = stsRegion(region)
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region:       &region,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return "STS in " + region
	}
	return endpoint.URI.Host
}

// origin is where the keys of s come from.
func (s *Session) origin() string {
	if s.role != nil {
		return "role " + s.role.arn.String()
	}
	return s.source.String()
}

// effort says how often a call was tried, and for how long.
func (c stsCall) effort(err error) string {
	var tried *retry.MaxAttemptsError
	if !errors.As(err, &tried) {
		return ""
	}
	text := fmt.Sprintf(" after %d attempts", tried.Attempt)
	if took := time.Since(c.started).Round(time.Second); !c.started.IsZero() && took > 0 {
		text += " in " + took.String()
	}
	return text
}

// webIdentity classifies the refusal of a web identity token.
func (e *Error) webIdentity(code string) {
	e.Kind, e.what = InvalidKey, "STS does not accept the web identity token ("+code+")"
	e.Hint = "check that the role's trust policy names the token's issuer and audience"
	if code == "ExpiredTokenException" {
		e.Kind, e.what = Expired, "the web identity token has expired ("+code+")"
		e.Hint = "check that what writes the token file still renews it"
	}
}

// transport classifies an error that no service sent.
func (e *Error) transport() {
	err := e.Err
	var dns *net.DNSError
	var op *net.OpError
	var unknownCA x509.UnknownAuthorityError
	var badName x509.HostnameError
	host := "the service"
	var address *url.Error
	if errors.As(err, &address) {
		host = hostOf(address.URL)
	}
	switch {
	case errors.Is(err, context.Canceled):
		e.what = "canceled"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Kind, e.what = Unreachable, "the proxy does not answer: "+oneLine(op.Err.Error())
		e.Hint = "check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY"
	case address != nil && address.Err != nil && proxyRefused(address.Err):
		e.Kind, e.what = Unreachable, fmt.Sprintf("the proxy refuses to connect to %s: %s", host, oneLine(address.Err.Error()))
		e.Hint = "check HTTPS_PROXY and the proxy's rules, or name the host in NO_PROXY"
	case errors.As(err, &unknownCA):
		e.Kind, e.what = Unreachable, "the certificate of "+host+" is signed by an authority that is not known here"
		e.Hint = "name a file with the authority's certificate, in PEM form, in AWS_CA_BUNDLE"
	case errors.As(err, &badName):
		e.Kind, e.what = Unreachable, "the certificate of "+host+" is for another host"
		e.Hint = "check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables"
	case errors.As(err, &dns):
		e.Kind, e.what = Unreachable, fmt.Sprintf("host %s is not known", dns.Name)
		if !dns.IsNotFound {
			e.what = fmt.Sprintf("host %s cannot be looked up: %s", dns.Name, dns.Err)
		}
		e.Hint = "check the region, the network and the DNS of this machine"
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.what = Unreachable, "no answer in time"
		e.Hint = "allow more time, or check the network and the proxy variables"
	case address != nil:
		e.Kind, e.what = Unreachable, "no connection to "+host+": "+oneLine(address.Err.Error())
		e.Hint = "check the network and the proxy variables"
	case errors.As(err, &op):
		e.Kind, e.what = Unreachable, "no connection: "+oneLine(op.Error())
		e.Hint = "check the network and the proxy variables"
	}
}

// proxyRefused reports whether a proxy answered CONNECT with a refusal: all
// that net/http makes of it is the status text.
func proxyRefused(err error) bool {
	text := err.Error()
	for _, code := range []int{http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		if text == http.StatusText(code) {
			return true
		}
	}
	return false
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "the endpoint"
}
