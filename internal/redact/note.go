package redact

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"reflect"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
)

// note stands for an error that is not rebuilt, with a text of ours. It does not hold
// that error but two functions: is says yes where errors.Is looks for it, as hands it
// out where it is of a type of the caller's. So nothing that prints fields, debuggers'
// dumps included, comes to it.
type note struct {
	text    string
	wrapped []error // what the error wraps, rebuilt
	is      func(target error) bool
	as      func(target any) bool
}

// waited is a note of an error that says whether it is a timeout, as net.Error.
type waited struct {
	*note
	timeout bool
}

// Timeout reports whether time ran out.
func (w waited) Timeout() bool { return w.timeout }

// Temporary completes net.Error.
func (w waited) Temporary() bool { return w.timeout }

// newNote makes the note of an error that nothing is known about. What comes from
// a parser is not quoted at all, and what comes from net/http without its quotes.
func newNote(err error, from origin) error {
	n := &note{is: identity(err), as: assignment(err)}
	switch kind := kindOf(err); {
	case kind == callers:
		from = local
	case kind == parsers:
		from = answer
	}
	wrapped := unwrap(err)
	for _, w := range wrapped {
		n.wrapped = append(n.wrapped, clean(w, from))
	}
	switch {
	case from == answer && err.Error() == metadataFailed:
		n.text = metadataFailed
	case from == answer:
		if len(wrapped) == 0 {
			n.wrapped = []error{unreadable(err)}
		}
		n.text = n.wrapped[0].Error()
	case from == wire:
		n.text = OneLine(Secrets(withoutQuotes(err, n.rebuilt(err, wrapped))))
	default:
		n.text = OneLine(Secrets(n.rebuilt(err, wrapped)))
	}
	if t, ok := err.(net.Error); ok {
		return waited{n, t.Timeout()}
	}
	return n
}

// metadataFailed is all that the SDK's metadata client says of a status that is not
// 200. Were it to say it otherwise, nothing of it would be shown.
const metadataFailed = "request to EC2 IMDS failed"

// rebuilt is the text of err, with the texts of what it wraps rebuilt.
func (n *note) rebuilt(err error, wrapped []error) string {
	text := err.Error()
	for i, w := range wrapped {
		before, after := w.Error(), n.wrapped[i].Error()
		if before == after || before == "" {
			continue
		}
		if !strings.Contains(text, before) {
			return after // it was quoted or cut: what is left cannot be told apart
		}
		text = strings.ReplaceAll(text, before, after)
	}
	return text
}

// withoutQuotes cuts what net/http quotes of an answer that is not HTTP: the quoted
// part may be a whole body, keys included.
func withoutQuotes(err error, text string) string {
	switch err.(type) {
	case textproto.ProtocolError, *textproto.Error:
		return "malformed HTTP header"
	}
	before, _, quoted := strings.Cut(text, `"`)
	if !quoted {
		return text
	}
	return strings.TrimRight(before, " ;:,") + " " + hidden
}

// unreadable says in our words why something cannot be read.
func unreadable(err error) *UnreadableError {
	text := err.Error()
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return &UnreadableError{Reason: endsEarly, Err: err}
	case strings.HasSuffix(text, "unexpected EOF") || strings.HasSuffix(text, "unexpected end of JSON input"):
		return &UnreadableError{Reason: endsEarly}
	}
	switch err.(type) {
	case *xml.SyntaxError:
		return &UnreadableError{Reason: "it is not XML"}
	case *json.SyntaxError:
		return &UnreadableError{Reason: "it is not JSON"}
	}
	return &UnreadableError{Reason: "it does not have the expected form"}
}

const endsEarly = "it ends too early"

// unwrap lists what an error wraps.
func unwrap(err error) (wrapped []error) {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		wrapped = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		wrapped = e.Unwrap()
	}
	kept := wrapped[:0:0]
	for _, w := range wrapped {
		if w != nil {
			kept = append(kept, w)
		}
	}
	return kept
}

// Error returns the text of ours.
func (n *note) Error() string { return n.text }

// Unwrap returns what the error wraps, rebuilt.
func (n *note) Unwrap() []error { return n.wrapped }

// Is reports whether target is the error that the note stands for.
func (n *note) Is(target error) bool { return n.is(target) }

// As finds the error that the note stands for, if it is of a type of the caller's.
func (n *note) As(target any) bool { return n.as(target) }

// identity is what errors.Is asks of one error of a chain.
func identity(err error) func(error) bool {
	return func(target error) bool {
		if reflect.TypeOf(err).Comparable() && err == target {
			return true
		}
		e, ok := err.(interface{ Is(error) bool })
		return ok && e.Is(target)
	}
}

// assignment is what errors.As does with one error of a chain. An error of another
// type than the caller's is not handed out: its fields may hold what the text was
// kept from showing.
func assignment(err error) func(any) bool {
	if kindOf(err) != callers {
		return func(any) bool { return false }
	}
	return func(target any) bool {
		to := reflect.ValueOf(target)
		if to.Kind() != reflect.Pointer || to.IsNil() || !reflect.TypeOf(err).AssignableTo(to.Type().Elem()) {
			return false
		}
		to.Elem().Set(reflect.ValueOf(err))
		return true
	}
}

// Format prints the text, whatever the verb: fmt would print the fields.
func (n *note) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		fmt.Fprintf(f, "%q", n.text)
		return
	}
	io.WriteString(f, n.text)
}

// LogValue makes slog print the text.
func (n *note) LogValue() slog.Value { return slog.StringValue(n.text) }

// MarshalText makes encoders write the text.
func (n *note) MarshalText() ([]byte, error) { return []byte(n.text), nil }

// kind says who wrote the type of an error.
type kind int

const (
	callers   kind = iota // the caller, or a package that shows nothing of an answer
	parsers               // a package whose texts quote what it reads
	libraries             // the rest of the standard library, and the SDK
	ours                  // this module, whose errors show no secret by themselves
)

// kindOf tells by the package that declares the error's type.
func kindOf(err error) kind {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path := t.PkgPath()
	first, rest, _ := strings.Cut(path, "/")
	switch first {
	case "encoding", "strconv", "time", "compress":
		return parsers
	case "errors", "fmt", "net", "crypto", "os", "io", "bufio", "bytes", "strings", "mime", "vendor", "internal", "syscall", "context":
		return libraries
	case "github.com":
		if rest == "chaoxiaodi/awsauth" || strings.HasPrefix(rest, "chaoxiaodi/awsauth/") && !strings.HasSuffix(rest, "_test") {
			return ours
		}
		// The errors of config are about files and options, and callers look for
		// their types.
		if strings.HasPrefix(rest, "aws/") && !strings.HasSuffix(rest, "aws-sdk-go-v2/config") {
			return libraries
		}
	}
	return callers
}

// isHarmless reports whether an error says nothing that came from elsewhere.
func isHarmless(err error) bool {
	switch err {
	case context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
		os.ErrDeadlineExceeded, net.ErrClosed, http.ErrServerClosed, http.ErrSchemeMismatch, fs.ErrNotExist, fs.ErrPermission:
		return true
	}
	switch err.(type) {
	case syscall.Errno, *os.SyscallError, *net.DNSError, *net.AddrError, net.UnknownNetworkError, *fs.PathError, tls.AlertError:
		return true
	}
	return kindOf(err) == ours
}

// cleanCertificate rebuilds the errors about a server's certificate without the
// certificate, or returns nil for another error.
func cleanCertificate(err error) error {
	switch e := err.(type) {
	case *tls.CertificateVerificationError:
		return &tls.CertificateVerificationError{Err: clean(e.Err, wire)}
	case tls.RecordHeaderError:
		return tls.RecordHeaderError{Msg: OneLine(e.Msg)}
	case x509.UnknownAuthorityError:
		return x509.UnknownAuthorityError{}
	case x509.CertificateInvalidError:
		return x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: e.Reason, Detail: OneLine(e.Detail)}
	case x509.HostnameError:
		shown := &x509.Certificate{}
		if e.Certificate != nil {
			for _, name := range e.Certificate.DNSNames[:min(len(e.Certificate.DNSNames), 5)] {
				shown.DNSNames = append(shown.DNSNames, label(name))
			}
			shown.IPAddresses = e.Certificate.IPAddresses[:min(len(e.Certificate.IPAddresses), 5)]
		}
		return x509.HostnameError{Certificate: shown, Host: e.Host}
	}
	return nil
}

// cleanAPI copies an API error of a service, with its texts cleaned. Its type stays:
// callers look for *types.ExpiredTokenException and the like.
func cleanAPI(e smithy.APIError) error {
	v := reflect.ValueOf(e)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return &smithy.GenericAPIError{Code: label(e.ErrorCode()), Message: Message(e.ErrorMessage()), Fault: e.ErrorFault()}
	}
	kept := reflect.New(v.Elem().Type())
	kept.Elem().Set(v.Elem())
	for i := range kept.Elem().NumField() {
		cleanField(kept.Elem().Field(i))
	}
	return kept.Interface().(error)
}

// cleanField cleans a field of a copied error: texts are cleaned, numbers stay, and
// what may hold more than that is left out.
func cleanField(f reflect.Value) {
	switch {
	case !f.CanSet():
	case f.Kind() == reflect.String:
		f.SetString(Message(f.String()))
	case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.String && !f.IsNil():
		text := reflect.New(f.Type().Elem())
		text.Elem().SetString(Message(f.Elem().String()))
		f.Set(text)
	case f.Kind() == reflect.Slice, f.Kind() == reflect.Map, f.Kind() == reflect.Interface, f.Kind() == reflect.Pointer, f.Kind() == reflect.Struct:
		f.SetZero()
	}
}
