package awsauthtest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Call is the record of one request. It holds no secret: no MFA code, no web
// identity or bearer token, no signature, no session token.
type Call struct {
	Time        time.Time  // when the request came, UTC
	Service     string     // "sts", "ec2metadata", "container", "sso"; empty: a host that could not be reached
	Action      string     // "AssumeRole", …; of metadata "GetToken", "GetRole", "GetCredentials", "GetRegion", else its path
	Method      string     // of HTTP
	Host        string     // as in the Host header
	Path        string     // escaped
	Region      string     // of the credential scope; empty if the request was not signed
	AccessKeyID string     // of the signature, whether it was right or not
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
		case "TokenCode", "WebIdentityToken", "SAMLAssertion":
		default:
			if !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
				out[name] = slices.Clone(values)
			}
		}
	}
	return out
}
