package awsauthtest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Call is the record of one request. It holds no secret: no MFA code, no web
// identity or bearer token, no signature, no session token.
type Call struct {
	Time        time.Time  // when the request came, UTC
	Service     string     // "sts", "ec2metadata", "container", "sso", "sso-oidc", "signin", "rolesanywhere"; of Handle the service of the signature, or "handled"; empty: a host that could not be reached
	Action      string     // "AssumeRole", …; of metadata "GetToken", "GetRole", "GetCredentials", "GetRegion", else its path; of REST services "PUT /path"
	Method      string     // of HTTP
	Host        string     // as in the Host header
	Path        string     // escaped
	Role        string     // ARN of the role whose credentials were asked for; empty: none was
	Caller      string     // ARN of who signed, if the signature was right; of a web identity token issuer and subject: "example.com:subject"; of a certificate its subject: "CN=host-7,O=Example"
	Region      string     // of the credential scope; empty if the request was not signed
	AccessKeyID string     // of the signature, whether it was right or not; of Roles Anywhere the certificate's serial number, in decimal
	Params      url.Values // query and form fields, without what is secret
	Status      int        // of the answer; 0: none yet, or the connection failed
	ErrorCode   string     // of the answer: "AccessDenied", …; "ConnectionFailed" without one
	UserAgent   string
}

// recorder keeps the calls in the order in which they came.
type recorder struct {
	mu    sync.Mutex
	calls []*Call
	total int // also of those that ResetCalls forgot
}

// Calls returns what was asked so far, in the order in which the requests
// came; those actions only, if any are named. A request that is still waiting
// for its answer is there with Status 0. The record grows until
// [Cloud.ResetCalls].
func (c *Cloud) Calls(action ...string) []Call {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	var out []Call
	for _, call := range c.calls.calls {
		if len(action) == 0 || slices.Contains(action, call.Action) {
			out = append(out, call.clone())
		}
	}
	return out
}

// CallsTo returns the calls that asked for credentials of a role: to STS, to the
// SSO portal, to Roles Anywhere, and to the endpoints of an instance or container of that role.
func (c *Cloud) CallsTo(roleARN string) []Call {
	var out []Call
	for _, call := range c.Calls() {
		if call.Role == roleARN {
			out = append(out, call)
		}
	}
	return out
}

// CallsBy returns the calls of a caller, in the order in which they came. In it *
// stands for any characters: "*:assumed-role/audit/*" is all sessions of a role.
// A call that was refused before its signature was proven is nobody's.
func (c *Cloud) CallsBy(caller string) []Call {
	var out []Call
	for _, call := range c.Calls() {
		if call.Caller != "" && like(caller, call.Caller) {
			out = append(out, call)
		}
	}
	return out
}

// String says who did what to which role, and how it was refused:
//
//	arn:aws:iam::111111111111:user/ci AssumeRole arn:aws:iam::222222222222:role/audit (AccessDenied)
func (call Call) String() string {
	parts := []string{call.Caller, call.Action}
	if call.Caller == "" {
		parts[0] = "nobody"
	}
	if call.Role != "" {
		parts = append(parts, call.Role)
	}
	if call.ErrorCode != "" {
		parts = append(parts, "("+call.ErrorCode+")")
	}
	return strings.Join(parts, " ")
}

// AssertCalled fails the test, and returns false, unless the caller did the
// action, on the role if one is named, and was not refused. In all three *
// stands for any characters, and empty is any. A role session as caller is its
// ARN, arn:…:sts::…:assumed-role/<role>/<session>.
func (c *Cloud) AssertCalled(t testing.TB, caller, action, role string) bool {
	t.Helper()
	if c.called(caller, action, role, true) {
		return true
	}
	t.Errorf("awsauthtest: no successful call %q %q %q among:\n%s", caller, action, role, c.listCalls())
	return false
}

// AssertNotCalled fails the test, and returns false, if there was such a call,
// refused or not. It reads its arguments as [Cloud.AssertCalled] does.
func (c *Cloud) AssertNotCalled(t testing.TB, caller, action, role string) bool {
	t.Helper()
	if !c.called(caller, action, role, false) {
		return true
	}
	t.Errorf("awsauthtest: a call %q %q %q among:\n%s", caller, action, role, c.listCalls())
	return false
}

func (c *Cloud) called(caller, action, role string, succeeded bool) bool {
	return slices.ContainsFunc(c.Calls(), func(call Call) bool {
		fits := func(pattern, s string) bool { return pattern == "" || like(pattern, s) }
		return fits(caller, call.Caller) && fits(action, call.Action) && fits(role, call.Role) &&
			(!succeeded || call.Status/100 == 2)
	})
}

func (c *Cloud) listCalls() string {
	var lines []string
	for _, call := range c.Calls() {
		lines = append(lines, "\t"+call.String())
	}
	if lines == nil {
		return "\tno calls"
	}
	return strings.Join(lines, "\n")
}

// ResetCalls forgets the calls recorded so far.
func (c *Cloud) ResetCalls() {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	c.calls.calls = nil
}

// add appends a call and returns its number.
func (r *recorder) add(call *Call) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	r.total++
	return r.total
}

// prove notes who made a call.
func (r *recorder) prove(call *Call, who string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	call.Caller = who
}

func (r *recorder) finish(call *Call, status int, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	call.Status, call.ErrorCode = status, code
}

func (call *Call) clone() Call {
	out := *call
	out.Params = maps.Clone(call.Params)
	for name, values := range out.Params {
		out.Params[name] = slices.Clone(values)
	}
	return out
}

// publicParams leaves out of a request's fields what nobody may read in a
// record. X-Amz-… are the parts of a presigned URL.
func publicParams(form url.Values) url.Values {
	out := url.Values{}
	for name, values := range form {
		switch name {
		case "TokenCode", "WebIdentityToken", "SAMLAssertion", "Session", "SigninToken":
		default:
			if !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
				out[name] = slices.Clone(values)
			}
		}
	}
	return out
}
