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

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// asError makes sure that err is an *Error. Errors of the calls below arrive
// classified; the outermost layers of the SDK's wrapping are dropped then.
func asError(err error, op string) error {
	if e := deepest(err); e != nil {
		return e
	}
	e := &Error{Op: op, Err: redact.Error(err)}
	e.network()
	return e
}

const (
	checkNetwork   = "check the network and the proxy variables"
	checkEndpoints = "check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables"
	checkAddresses = "check AWS_ENDPOINT_URL and the proxy variables" // of other services than STS
)

// network classifies an error that no service sent. It leaves Kind empty where
// the caller canceled the call, and what and Kind where it is something else.
func (e *Error) network() {
	var address *url.Error
	host := "the service"
	if errors.As(e.Err, &address) {
		host = hostOf(address.URL)
	}
	if errors.Is(e.Err, context.Canceled) {
		e.what = "canceled"
		return
	}
	if e.proxy(address, host) || e.tls(host) || e.dns(host) {
		return
	}
	var op *net.OpError
	var large *transport.TooLargeError
	switch {
	case errors.As(e.Err, &large):
		e.Kind, e.what, e.Hint = Unreachable, "the answer of "+host+" is too large to be one of AWS's", checkEndpoints
	case errors.Is(e.Err, context.DeadlineExceeded):
		e.Kind, e.what = Unreachable, "no answer in time"
		e.Hint = "allow more time, or check the network and the proxy variables"
	case address != nil:
		e.Kind, e.what, e.Hint = Unreachable, "no connection to "+host+localPath(address.URL)+": "+redact.OneLine(address.Err.Error()), checkNetwork
	case errors.As(e.Err, &op):
		e.Kind, e.what, e.Hint = Unreachable, "no connection: "+redact.OneLine(op.Error()), checkNetwork
	}
}

// proxy classifies what went wrong between here and the proxy, or at it.
func (e *Error) proxy(address *url.Error, host string) bool {
	var op *net.OpError
	switch {
	case errors.As(e.Err, &op) && op.Op == "proxyconnect":
		e.Kind, e.what = Unreachable, "the proxy does not answer: "+redact.OneLine(op.Err.Error())
		e.Hint = "check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY"
	case address != nil && address.Err != nil && proxyRefused(address.Err):
		e.Kind, e.what = Unreachable, fmt.Sprintf("the proxy refuses to connect to %s: %s", host, redact.OneLine(address.Err.Error()))
		e.Hint = "check HTTPS_PROXY and the proxy's rules, or name the host in NO_PROXY"
	default:
		return false
	}
	return true
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

// tls classifies a certificate that is not accepted.
func (e *Error) tls(host string) bool {
	var unknownCA x509.UnknownAuthorityError
	var badName x509.HostnameError
	switch {
	case errors.As(e.Err, &unknownCA):
		e.Kind, e.what = Unreachable, "the certificate of "+host+" is signed by an authority that is not known here"
		e.Hint = "name a file with the authority's certificate, in PEM form, in AWS_CA_BUNDLE"
	case errors.As(e.Err, &badName):
		e.Kind, e.what, e.Hint = Unreachable, "the certificate of "+host+" is for another host", checkEndpoints
	default:
		return false
	}
	return true
}

// dns classifies a host that has no address.
func (e *Error) dns(host string) bool {
	var dns *net.DNSError
	if !errors.As(e.Err, &dns) {
		return false
	}
	e.Kind, e.what = Unreachable, fmt.Sprintf("host %s is not known", redact.OneLine(dns.Name))
	if !dns.IsNotFound {
		e.what = fmt.Sprintf("host %s cannot be looked up: %s", redact.OneLine(dns.Name), redact.OneLine(dns.Err))
	}
	e.Hint = "check the region, the network and the DNS of this machine"
	if strings.HasPrefix(dns.Name, "sts-fips.") {
		e.Hint = "STS has no FIPS endpoint in this region: unset AWS_USE_FIPS_ENDPOINT (use_fips_endpoint in a profile), or use a region that has one"
	}
	return true
}

// localPath is the path of an address on this machine, where it tells which of its
// servers was meant; "" elsewhere.
func localPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || len(u.Path) < 2 {
		return ""
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return ""
	}
	return redact.OneLine(strings.TrimSuffix(u.Path, "/"))
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return redact.OneLine(u.Host)
	}
	return "the endpoint"
}

// notSTS takes STS's own option out of the hint, for other services.
func (e *Error) notSTS() *Error {
	if e.Hint == checkEndpoints {
		e.Hint = checkAddresses
	}
	return e
}
