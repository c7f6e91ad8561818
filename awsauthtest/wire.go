package awsauthtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// request is one request on its way through the Cloud, the same whether it came
// from memory or from the socket.
type request struct {
	method   string
	host     string // as in the Host header
	path     string // escaped, as sent
	rawQuery string
	header   http.Header
	body     []byte
	at       place
	form     url.Values // query and form body together
	auth     authorization
	authErr  *problem      // why auth could not be read; nil also if there was none to read
	http     *http.Request // as it came, its body read
	call     *Call         // the record; its status is set when the answer is known
	number   int           // of the call, from 1
	now      time.Time
}

// reply is an answer on its way back.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   string // of the error, for the record
}

// problem is a refusal, in AWS's terms.
type problem struct {
	status  int
	code    string
	message string
}

func refuse(status int, code, format string, args ...any) *problem {
	return &problem{status, code, fmt.Sprintf(format, args...)}
}

// maxBody is more than any request of these services needs.
func (at place) maxBody() int64 {
	if at.service == serviceHandled {
		return 64 << 20
	}
	return 1 << 20
}

// newRequest takes a request apart. at is where it is bound.
func newRequest(r *http.Request, host string, body []byte, at place) *request {
	in := &request{
		method: r.Method, host: host, path: r.URL.EscapedPath(), rawQuery: r.URL.RawQuery,
		header: r.Header, body: body, at: at, http: r,
	}
	if in.method == "" {
		in.method = http.MethodGet
	}
	if in.path == "" {
		in.path = "/"
	}
	in.form, _ = url.ParseQuery(in.rawQuery) // what cannot be read is not there
	if mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mediaType == "application/x-www-form-urlencoded" {
		posted, _ := url.ParseQuery(string(body))
		for name, values := range posted {
			in.form[name] = append(in.form[name], values...)
		}
	}
	in.readGrant()
	if at.service == serviceAnywhere {
		in.addJSON()
	}
	in.auth, in.authErr = in.authorization()
	return in
}

// answer is the way of every request: it is recorded, the faults have their
// chance, and the service answers. An error is one of the connection, not of
// the service.
func (c *Cloud) answer(ctx context.Context, in *request) (reply, error) {
	c.record(in)
	out, err := c.outcome(ctx, in)
	if err != nil {
		out.code = connectionFailed
	}
	c.calls.finish(in.call, out.status, out.code)
	return out, err
}

// connectionFailed is the Call.ErrorCode of what got no answer.
const connectionFailed = "ConnectionFailed"

func (c *Cloud) record(in *request) {
	in.now = c.now()
	role, service := c.roleAsked(in), in.at.service
	if service == serviceHandled && in.auth.service != "" {
		service = in.auth.service
	}
	in.call = &Call{
		Role: role,
		Time: in.now, Service: service, Action: in.action(), Method: in.method, Host: in.host,
		Path: in.path, Region: in.auth.region, AccessKeyID: in.auth.keyID,
		Params: publicParams(in.form), UserAgent: in.header.Get("User-Agent"),
	}
	in.number = c.calls.add(in.call)
}

// outcome is the fault that strikes, or else the service's answer.
func (c *Cloud) outcome(ctx context.Context, in *request) (reply, error) {
	ctx, done, err := c.pending.begin(ctx)
	if err != nil {
		return reply{}, err
	}
	defer done()
	var fault Fault
	if in.reachesService() {
		if fault, err = c.meet(ctx, *in.call); err != nil {
			return reply{}, err
		}
	}
	switch fault.Kind {
	case Hang:
		<-ctx.Done()
		return reply{}, context.Cause(ctx)
	case Reset:
		return reply{}, connectionError("read", in.host, os.NewSyscallError("read", syscall.ECONNRESET))
	case Throttle, ServerError, Refuse:
		return in.failure(fault.problem()), nil
	}
	in.now = c.now() // a delay may have passed
	out, err := c.serve(ctx, in)
	if err != nil {
		return reply{}, err
	}
	if fault.Kind == Malformed {
		out = reply{status: http.StatusOK, header: out.header, body: out.body[:len(out.body)/2]}
	}
	return out, nil
}

// reachesService reports whether a request gets as far as to the service that a
// Fault stands for. One to STS that nobody signed does not, unless its action
// needs no signature: it may be anybody's who found the socket.
func (in *request) reachesService() bool {
	if in.at.service != serviceSTS || in.auth.keyID != "" {
		return true
	}
	return in.path == "/" && unsignedActions[in.form.Get("Action")]
}

// unsignedActions are those of STS that need no signature.
var unsignedActions = map[string]bool{"AssumeRoleWithWebIdentity": true, "AssumeRoleWithSAML": true}

// roleAsked is the ARN of the role whose credentials a request asks for.
func (c *Cloud) roleAsked(in *request) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch in.at.service {
	case serviceSTS:
		return in.form.Get("RoleArn")
	case serviceMetadata:
		if c.instance != nil && metadataAction(in) == "GetCredentials" {
			return c.instance.RoleARN
		}
	case serviceContainer:
		if c.task != nil {
			return c.task.RoleARN
		}
	case serviceSSO:
		if g, ok := c.granted(in); ok {
			return g.role.String()
		}
	case serviceAnywhere:
		return in.form.Get("roleArn")
	}
	return ""
}

// action names what a request asks for, as Call.Action shows it.
func (in *request) action() string {
	switch in.at.service {
	case serviceSTS:
		return in.form.Get("Action")
	case serviceMetadata:
		return metadataAction(in)
	case serviceContainer:
		return "GetCredentials"
	case serviceSSO:
		return in.ssoAction()
	case serviceOIDC:
		return in.oidcAction()
	case serviceSignin:
		return in.signinAction()
	case serviceAnywhere:
		return in.anywhereAction()
	case serviceHandled:
		return in.handledAction()
	}
	return ""
}

// handledAction is the action in the form, or in the header X-Amz-Target, or
// method and path.
func (in *request) handledAction() string {
	target := in.header.Get("X-Amz-Target")
	switch {
	case target != "":
		return target[strings.LastIndexByte(target, '.')+1:]
	case in.form.Has("Action"):
		return in.form.Get("Action")
	}
	return in.method + " " + in.path
}

// serve lets the service answer.
func (c *Cloud) serve(ctx context.Context, in *request) (reply, error) {
	switch in.at.service {
	case serviceHandled:
		return c.serveHandled(ctx, in)
	case serviceMetadata:
		return c.serveMetadata(in), nil
	case serviceContainer:
		return c.serveContainer(in), nil
	case serviceSSO:
		return c.serveSSO(in), nil
	case serviceOIDC:
		return c.serveOIDC(in), nil
	case serviceSignin:
		return c.serveSignin(in), nil
	case serviceAnywhere:
		return c.serveAnywhere(in), nil
	}
	return c.serveSTS(in), nil
}

// failure is a refusal in the form of the service that was asked.
func (in *request) failure(p *problem) reply {
	switch in.at.service {
	case serviceMetadata:
		return metadataFailure(p)
	case serviceContainer, serviceSSO:
		return jsonFailure(p)
	case serviceOIDC:
		return oidcFailure(p)
	case serviceSignin:
		return in.signinFailure(p)
	case serviceHandled:
		return in.serviceFailure(p)
	case serviceAnywhere:
		return in.anywhereFailure(p)
	}
	return in.stsFailure(p)
}

// memory is the transport without a network.
type memory struct{ c *Cloud }

// RoundTrip answers in the caller's goroutine.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	at, routeErr := m.route(r.URL)
	body, err := readBody(r, at.maxBody())
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	in := newRequest(r, host, body, at)
	if routeErr != nil {
		m.c.record(in)
		m.c.calls.finish(in.call, 0, connectionFailed)
		return nil, routeErr
	}
	out, err := m.c.answer(r.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.response(r), nil
}

// isLocalSTS reports whether a URL leads to where AWS_ENDPOINT_URL_STS sends STS on
// this machine, to a local one beside the tests. Whoever asks there with the client
// of a Cloud means the Cloud.
func isLocalSTS(u *url.URL) bool {
	local, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL_STS"))
	if err != nil || local.Host != u.Host {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// route dials, so to speak: it finds the service that a URL leads to, or fails
// as the network would.
func (m memory) route(u *url.URL) (place, error) {
	if m.c.socket.is(u) || isLocalSTS(u) {
		return m.c.routeLoopback(u.Path), nil
	}
	if rest, found := strings.CutPrefix(u.String(), nowhere); found && strings.Trim(rest, "/") == "" { // whoever asks here has not forgotten the Cloud
		return place{service: serviceSTS, anyPath: true}, nil
	}
	at, ok := m.c.locate(u.Host)
	switch {
	case at.service == serviceHandled:
		return at, nil
	case !ok && net.ParseIP(u.Hostname()) != nil:
		return at, refused(u)
	case !ok && m.c.regions.unmodelled(u.Hostname()):
		return at, connectionError("dial", "", &net.DNSError{
			Err: "awsauthtest does not model this service: put a handler there with Cloud.Handle", Name: u.Hostname(), IsNotFound: true,
		})
	case !ok:
		return at, connectionError("dial", "", &net.DNSError{Err: "no such host", Name: u.Hostname(), IsNotFound: true})
	case at.service == serviceMetadata && !m.c.hasInstance(), at.service == serviceContainer && !m.c.hasTask():
		return at, refused(u)
	case port(u) != at.port() || (u.Scheme == "https") != (at.port() == "443"):
		return at, refused(u)
	}
	return at, nil
}

// locate finds the service behind a host, which may have a port.
func (c *Cloud) locate(hostport string) (place, bool) {
	at, own := c.regions.locate(strings.Trim(hostname(hostport), "[]"))
	if own && !at.yields() {
		return at, true
	}
	if handled, ok := c.handlers.find(hostport); ok {
		return handled, true
	}
	return at, own
}

// yields reports whether a handler of Handle may take the service's place.
func (at place) yields() bool { return at.service == serviceSignin || at.service == serviceOIDC }

func refused(u *url.URL) error {
	return connectionError("dial", net.JoinHostPort(u.Hostname(), port(u)), os.NewSyscallError("connect", syscall.ECONNREFUSED))
}

// port is the one that a URL leads to.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// connectionError is what the net package returns for a connection that failed.
func connectionError(op, addr string, err error) error {
	failed := &net.OpError{Op: op, Net: "tcp", Err: err}
	if host, _, splitErr := net.SplitHostPort(addr); splitErr == nil && net.ParseIP(host) != nil {
		if to, err := net.ResolveTCPAddr("tcp", addr); err == nil {
			failed.Addr = to
		}
	}
	return failed
}

// wait pauses, or leaves when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
