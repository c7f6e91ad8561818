package awsauthtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
)

// handlers are the services that a test puts beside the Cloud's own, by host.
type handlers struct {
	mu     sync.Mutex
	byHost map[string]http.Handler
}

// Handle puts another service beside STS: requests to that host end in h, once
// their signature has been checked. One line lets a program under test use S3 with
// the credentials that it has assumed:
//
//	cloud.Handle("*.s3.us-east-1.amazonaws.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		who, signed := awsauthtest.Caller(r.Context())
//		…
//	}))
//
// The host may have a port; without one it stands for every port. * in it stands
// for any characters. Of several that fit, the one without *, then the longest
// counts. A nil h takes the host away again. A host of the Cloud's own panics; but
// for those of the sign-in service and of SSO's token service, where h stands in
// the place of the Cloud's.
//
// A wrong signature, an unknown or expired key, and a session that
// [Cloud.Revoke] ended are refused before h is asked, in the form of the service;
// what is not signed with SigV4 reaches h, and [Caller] says so. h runs in the
// goroutine of the client, so it works in a synctest bubble; it may read up to 64
// MiB, and its answer is sent when it returns. SigV4a is refused as not modelled,
// and the signatures of the chunks of an S3 upload are not looked at.
func (c *Cloud) Handle(host string, h http.Handler) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if at, own := c.regions.locate(hostname(host)); own && !at.yields() || host == "" {
		panic(fmt.Sprintf("awsauthtest: Handle: %q is a host of the Cloud's own", host))
	}
	l := &c.handlers
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byHost == nil {
		l.byHost = map[string]http.Handler{}
	}
	l.byHost[host] = h
	if h == nil {
		delete(l.byHost, host)
	}
}

// find is the handler of a host, which may have a port.
func (l *handlers) find(hostport string) (place, bool) {
	hostport = strings.ToLower(hostport)
	names := []string{hostport, strings.TrimSuffix(hostname(hostport), ".")}
	l.mu.Lock()
	defer l.mu.Unlock()
	best := ""
	for host := range l.byHost {
		for _, name := range names {
			if host == name {
				return place{service: serviceHandled, handler: l.byHost[host]}, true
			}
			if len(host) > len(best) && like(host, name) {
				best = host
			}
		}
	}
	if best == "" {
		return place{}, false
	}
	return place{service: serviceHandled, handler: l.byHost[best]}, true
}

// Identity is who signed a request.
type Identity struct {
	Account        string // 12 digits
	ARN            string // as GetCallerIdentity shows it
	UserID         string
	Partition      string // "aws", "aws-cn", …
	RoleARN        string // of a role session; empty for a user
	SourceIdentity string
	AccessKeyID    string
}

// callerKey is where Handle puts the Identity.
type callerKey struct{}

// Caller returns who signed the request that a handler of [Cloud.Handle] answers;
// false: nobody did. ctx is the request's.
func Caller(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(callerKey{}).(Identity)
	return id, ok
}

func (who caller) identity() Identity {
	return Identity{
		Account: who.account, ARN: who.arn, UserID: who.userID, Partition: who.principal.partition,
		RoleARN: who.role, SourceIdentity: who.sourceIdentity, AccessKeyID: who.keyID,
	}
}

// serveHandled checks the signature and lets the handler answer.
func (c *Cloud) serveHandled(ctx context.Context, in *request) (reply, error) {
	if strings.HasPrefix(in.header.Get("Authorization"), "AWS4-ECDSA") {
		return in.serviceFailure(notImplemented("SigV4a")), nil
	}
	if in.authErr != nil || in.auth.keyID != "" {
		who, p := c.authenticate(in)
		if p == nil && who.revoked {
			p = who.denied(in)
		}
		if p != nil {
			return in.serviceFailure(p), nil
		}
		c.calls.prove(in.call, who.arn)
		ctx = context.WithValue(ctx, callerKey{}, who.identity())
	}
	r := in.http.Clone(ctx)
	r.Host, r.RequestURI, r.RemoteAddr = in.host, r.URL.RequestURI(), "127.0.0.1:0"
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(in.body)), int64(len(in.body))
	w := &responseBuffer{header: http.Header{}}
	if aborted(in.at.handler, w, r) {
		return reply{}, connectionError("read", in.host, os.NewSyscallError("read", syscall.ECONNRESET))
	}
	w.WriteHeader(http.StatusOK) // if it has not been written
	out := reply{status: w.status, header: w.header, body: w.body.Bytes()}
	if out.status >= http.StatusBadRequest {
		out.code = http.StatusText(out.status)
	}
	return out, nil
}

// aborted runs the handler, and reports whether it broke the connection off as
// handlers of net/http do.
func aborted(h http.Handler, w http.ResponseWriter, r *http.Request) (broken bool) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			broken = true
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// responseBuffer is an http.ResponseWriter that keeps the answer.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *responseBuffer) Header() http.Header { return w.header }

func (w *responseBuffer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

func (w *responseBuffer) Write(b []byte) (int, error) {
	if w.status == 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(b))
	}
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush is for handlers that need an http.Flusher: the answer is sent at the end.
func (w *responseBuffer) Flush() { w.WriteHeader(http.StatusOK) }
