package rolesanywhere

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// maxAnswer is far more than an answer with the longest session token has.
const maxAnswer = 1 << 20

// ServiceError is a refusal in the service's own words, cleaned.
type ServiceError struct {
	Status    int
	Code      string // "AccessDeniedException", …
	Message   string
	RequestID string

	// Skew is how far the service's clock was ahead of this machine's when it
	// refused; zero if it did not say.
	Skew time.Duration
}

// Error returns code and message.
func (e *ServiceError) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// ErrorCode returns Code.
func (e *ServiceError) ErrorCode() string { return e.Code }

// ErrorMessage returns Message.
func (e *ServiceError) ErrorMessage() string { return e.Message }

// ErrorFault says by the status whose fault it is.
func (e *ServiceError) ErrorFault() smithy.ErrorFault {
	if e.Status >= http.StatusInternalServerError {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// maxSkew is from where on a clock is taken for the reason of a refusal.
const maxSkew = 4 * time.Minute

// skewOf is by how much to correct the time of a signature; zero: not at all.
func skewOf(err error) time.Duration {
	var e *ServiceError
	if errors.As(err, &e) && e.Status == http.StatusForbidden && e.Skew.Abs() > maxSkew {
		return e.Skew
	}
	return 0
}

// issued is what a successful answer holds.
type issued struct {
	keys    aws.Credentials
	session Session
}

// send sends one request, signed at a time, and reads the answer.
func (c Client) send(ctx context.Context, r Request, id identity, body []byte, now time.Time) (*issued, error) {
	request, err := r.signed(ctx, id, body, now)
	if err != nil {
		return nil, err
	}
	if c.UserAgent != "" {
		request.Header.Set("User-Agent", c.UserAgent)
	}
	response, err := c.HTTP.Do(request)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &aws.RequestCanceledError{Err: ctx.Err()}
	case err != nil:
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &aws.RequestCanceledError{Err: ctx.Err()}
	case err != nil:
		return nil, failed(response, &smithy.DeserializationError{Err: err})
	case len(answer) > maxAnswer:
		return nil, failed(response, &redact.UnreadableError{Reason: "it is larger than 1 MiB"})
	case response.StatusCode != http.StatusCreated && response.StatusCode != http.StatusOK:
		return nil, failed(response, refusal(response, answer, now))
	}
	out, err := read(answer)
	if err != nil {
		return nil, failed(response, err)
	}
	return out, nil
}

// failed gives an error the form of the SDK's, with status and request id.
func failed(r *http.Response, err error) error {
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: r}, Err: err},
		RequestID:     requestID(r),
	}
}

func requestID(r *http.Response) string { return redact.OneLine(r.Header.Get("X-Amzn-Requestid")) }

// refusal reads an answer that is none of success. One without a code is none of
// the service's: a proxy's, or a load balancer's.
func refusal(r *http.Response, body []byte, now time.Time) error {
	var said struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // the header has the code, too
	code, _, _ := strings.Cut(cmp.Or(r.Header.Get("X-Amzn-Errortype"), said.Type, said.Code), ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	if code == "" {
		return &redact.UnreadableError{Reason: "it is not an answer of Roles Anywhere"}
	}
	e := &ServiceError{
		Status: r.StatusCode, Code: redact.OneLine(code), Message: redact.Message(said.Message), RequestID: requestID(r),
	}
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		e.Skew = date.Sub(now)
	}
	return e
}

// read takes the keys from an answer.
func read(body []byte) (*issued, error) {
	var answer struct {
		CredentialSet []struct {
			Credentials struct {
				AccessKeyID     string `json:"accessKeyId"`
				SecretAccessKey string `json:"secretAccessKey"`
				SessionToken    string `json:"sessionToken"`
				Expiration      string `json:"expiration"`
			} `json:"credentials"`
			User struct {
				ARN string `json:"arn"`
				ID  string `json:"assumedRoleId"`
			} `json:"assumedRoleUser"`
		} `json:"credentialSet"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &smithy.DeserializationError{Err: err}
	}
	if len(answer.CredentialSet) == 0 {
		return nil, &redact.UnreadableError{Reason: "it holds no credentials"}
	}
	got := answer.CredentialSet[0]
	keys := got.Credentials
	expires, err := time.Parse(time.RFC3339, keys.Expiration)
	switch {
	case keys.AccessKeyID == "" || keys.SecretAccessKey == "" || keys.SessionToken == "":
		return nil, &redact.UnreadableError{Reason: "its credentials are not complete"}
	case err != nil:
		return nil, &redact.UnreadableError{Reason: "its expiration is not a time"}
	}
	out := &issued{session: Session{ARN: got.User.ARN, UserID: got.User.ID}, keys: aws.Credentials{
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
		CanExpire: true, Expires: expires.UTC(), Source: Source,
	}}
	if a, ok := split(out.session.ARN); ok {
		out.keys.AccountID = a.account
	}
	return out, nil
}
