package awsauthtest

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// FaultKind is a way in which AWS fails.
type FaultKind int

// The ways to fail. After None the request is answered as usual; so is it before
// Malformed, and only then is the answer cut.
const (
	None        FaultKind = iota // only the delay
	Throttle                     // 400 Throttling, "Rate exceeded"
	ServerError                  // 503 ServiceUnavailable, unless Status, Code or Message say otherwise
	Hang                         // no answer until the request's context ends
	Reset                        // the connection is reset
	Malformed                    // 200, and half an answer
	Refuse                       // Status, Code and Message, for any refusal that AWS knows
)

// Fault is a failure to come.
type Fault struct {
	Action  string          // which action fails; empty: all, of every service
	Role    string          // an ARN: only calls that ask for credentials of that role fail; empty: all
	Match   func(Call) bool // which requests fail, if given; called from the requests' goroutines
	Times   int             // how often; 0: until removed
	Delay   time.Duration   // before anything else happens
	Kind    FaultKind
	Code    string // of Refuse (default AccessDenied) and ServerError
	Message string
	Status  int // HTTP status of Refuse (default 403) and ServerError (default 503)
}

// armed is a Fault that waits for its requests.
type armed struct {
	Fault
	left int // only if Times > 0
}

// faultList has its own lock, which is never held while Match runs.
type faultList struct {
	mu    sync.Mutex
	armed []*armed
}

// Inject makes requests fail from now on, until remove is called or the fault
// has struck Times times. A request to STS that is not signed is not hit: STS
// does not get that far with it. Of several that match, the one injected first
// strikes; those of kind None only add their delay and let the next have its
// chance.
func (c *Cloud) Inject(f Fault) (remove func()) {
	a := &armed{Fault: f, left: f.Times}
	l := &c.faults
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = append(l.armed, a)
	return func() { l.remove(a) }
}

func (l *faultList) remove(a *armed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A new slice: snapshots of the old one are still being walked.
	l.armed = slices.DeleteFunc(slices.Clone(l.armed), func(other *armed) bool { return other == a })
}

func (l *faultList) snapshot() []*armed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clip(l.armed)
}

// strike uses a fault once; false: it is used up, or was removed meanwhile.
func (l *faultList) strike(a *armed) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.armed, a) {
		return false
	}
	if a.Times <= 0 {
		return true
	}
	a.left--
	if a.left == 0 {
		l.armed = slices.DeleteFunc(slices.Clone(l.armed), func(other *armed) bool { return other == a })
	}
	return true
}

// meet waits out the delays of the faults that match a call, and returns the one
// that strikes (Kind None: none does). The error is that of ctx.
func (c *Cloud) meet(ctx context.Context, call Call) (Fault, error) {
	for _, a := range c.faults.snapshot() {
		if a.Action != "" && a.Action != call.Action {
			continue
		}
		if a.Role != "" && a.Role != call.Role {
			continue
		}
		if a.Match != nil && !a.Match(call.clone()) {
			continue
		}
		if !c.faults.strike(a) {
			continue
		}
		if err := wait(ctx, a.Delay); err != nil {
			return Fault{}, err
		}
		if a.Kind != None {
			return a.Fault, nil
		}
	}
	return Fault{}, ctx.Err()
}

// problem is the refusal that a fault stands for.
func (f Fault) problem() *problem {
	p := &problem{http.StatusForbidden, "AccessDenied", "Access denied"}
	switch f.Kind {
	case Throttle:
		return throttled()
	case ServerError:
		p = &problem{http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request."}
	}
	if f.Status != 0 {
		p.status = f.Status
	}
	if f.Code != "" {
		p.code = f.Code
	}
	if f.Message != "" {
		p.message = f.Message
	}
	return p
}

func throttled() *problem { return refuse(http.StatusBadRequest, "Throttling", "Rate exceeded") }

// limiter is a token bucket for each account.
type limiter struct {
	mu        sync.Mutex
	perSecond float64
	buckets   map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// LimitSTS lets the callers of each account make perSecond calls to STS a second,
// and as many at once; more are refused with Throttling. 0 lifts the limit. Real
// limits are per account and region, too.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (c *Cloud) LimitSTS(perSecond int) {
	c.limits.mu.Lock()
	defer c.limits.mu.Unlock()
	c.limits.perSecond, c.limits.buckets = float64(perSecond), map[string]bucket{}
}

// allow takes one token of the account's bucket.
func (l *limiter) allow(account string, t time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perSecond <= 0 {
		return true
	}
	b, ok := l.buckets[account]
	if !ok {
		b = bucket{tokens: l.perSecond, at: t}
	}
	if since := t.Sub(b.at); since > 0 {
		b.tokens = min(l.perSecond, b.tokens+since.Seconds()*l.perSecond)
	}
	b.at = t
	ok = b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[account] = b
	return ok
}
