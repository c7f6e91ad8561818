package redact

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/chaoxiaodi/awsauth/internal/pace"
)

// Error is err as it may be kept, shown and searched: a copy of its chain in which
// each error is either rebuilt without secrets or replaced with a text of ours.
// Neither Error() nor %v, %+v, %#v of any error in the new chain shows a byte of a
// body, of a request's headers, or of an answer that could not be read.
//
// errors.As finds in the copy what it found in err: smithy's and the SDK's types,
// API errors with code and message, network errors, the caller's own types.
// errors.Is finds the same sentinels. Two kinds of types are gone: those of parsers
// (their texts quote the answer; an [UnreadableError] stands in their place), and
// the SDK's unexported wrappers, of which the text stays.
//
// No type or text of one version of the SDK is leant on: what is not known here is
// treated as if it quoted the answer wherever an answer came.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return clean(err, local)
}

// origin says what the text of an error may hold.
type origin int

const (
	local  origin = iota // words of a program: they may be shown
	wire                 // words of net/http, which quotes what it cannot read
	answer               // words of a parser, which quotes what it reads
)

// clean rebuilds one error and what it wraps.
func clean(err error, from origin) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *smithy.OperationError:
		return &smithy.OperationError{ServiceID: e.ServiceID, OperationName: e.OperationName, Err: clean(e.Err, from)}
	case *awshttp.ResponseError:
		return &awshttp.ResponseError{ResponseError: cleanResponse(e.ResponseError), RequestID: label(e.RequestID)}
	case *smithyhttp.ResponseError:
		return cleanResponse(e)
	case *retry.MaxAttemptsError:
		return &retry.MaxAttemptsError{Attempt: e.Attempt, Err: clean(e.Err, from)}
	case *pace.Error:
		return &pace.Error{Attempts: e.Attempts, Elapsed: e.Elapsed, Last: clean(e.Last, from), Cause: clean(e.Cause, from)}
	case *smithy.CanceledError:
		return &smithy.CanceledError{Err: clean(e.Err, from)}
	case *aws.RequestCanceledError:
		return &aws.RequestCanceledError{Err: clean(e.Err, from)}
	case *smithyhttp.RequestSendError:
		return &smithyhttp.RequestSendError{Err: clean(e.Err, wire)}
	case *smithy.DeserializationError:
		return &smithy.DeserializationError{Err: clean(e.Err, answer)}
	case *smithy.SerializationError:
		return &smithy.SerializationError{Err: clean(e.Err, answer)} // it may quote the request
	case *processcreds.ProviderError:
		return &processcreds.ProviderError{Err: clean(e.Err, answer)} // it quotes all that the process wrote
	case *ssocreds.InvalidTokenError:
		return &ssocreds.InvalidTokenError{Err: clean(e.Err, from)}
	case *exec.ExitError:
		return &exec.ExitError{ProcessState: e.ProcessState}
	case *url.Error:
		return &url.Error{Op: e.Op, URL: URL(e.URL), Err: clean(e.Err, max(from, wire))}
	case *net.OpError:
		return &net.OpError{Op: e.Op, Net: e.Net, Source: e.Source, Addr: e.Addr, Err: clean(e.Err, from)}
	case *smithy.GenericAPIError:
		return &smithy.GenericAPIError{Code: label(e.Code), Message: Message(e.Message), Fault: e.Fault}
	}
	return cleanOther(err, from)
}

// cleanOther rebuilds what has no type of its own in clean.
func cleanOther(err error, from origin) error {
	if known := cleanCertificate(err); known != nil {
		return known
	}
	if from == answer && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return unreadable(err)
	}
	if isHarmless(err) {
		return err
	}
	if api, ok := err.(smithy.APIError); ok && kindOf(err) == libraries {
		return cleanAPI(api)
	}
	return newNote(err, from)
}

// cleanResponse keeps of an answer its status and the headers that say nothing
// secret, and of its request the method and the address.
func cleanResponse(e *smithyhttp.ResponseError) *smithyhttp.ResponseError {
	if e == nil {
		return nil
	}
	kept := &http.Response{Header: http.Header{}, Body: http.NoBody}
	if e.Response != nil && e.Response.Response != nil {
		r := e.Response.Response
		kept.StatusCode, kept.Status = r.StatusCode, http.StatusText(r.StatusCode)
		kept.Proto, kept.ProtoMajor, kept.ProtoMinor = "HTTP", r.ProtoMajor, r.ProtoMinor
		for _, name := range []string{"Content-Type", "Date", "Retry-After", "X-Amzn-Requestid", "X-Amz-Retry-After"} {
			if v := r.Header.Get(name); v != "" {
				kept.Header.Set(name, label(v))
			}
		}
		if v := r.Header.Get("Location"); v != "" {
			kept.Header.Set("Location", URL(v))
		}
		kept.Request = cleanRequest(r.Request)
	}
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: kept}, Err: clean(e.Err, answer)}
}

func cleanRequest(r *http.Request) *http.Request {
	if r == nil {
		return nil
	}
	kept := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}}
	if r.URL != nil {
		kept.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}
	}
	return kept
}

// UnreadableError stands for what could not be read: an answer, the output of a
// process, a file. Its text is ours and shows no byte of it.
type UnreadableError struct {
	Reason string // what is wrong: "it is not XML"
	Err    error  // io.EOF or io.ErrUnexpectedEOF, or nil
}

// Error says why it cannot be read.
func (e *UnreadableError) Error() string { return e.Reason }

// Unwrap returns Err.
func (e *UnreadableError) Unwrap() error { return e.Err }
