package awsauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// defaultConcurrency is how many accounts ForEachAccount works on at a time.
const defaultConcurrency = 16

// AccountError is what went wrong with one account of ForEachAccount.
type AccountError struct {
	Account string // as it stands in the list: an id or a role ARN
	Err     error
}

// Error names the account and the first cause. Where a service call failed for
// want of credentials, the SDK's layers round that are left out.
func (e *AccountError) Error() string {
	name := e.Account
	if quoted := strconv.Quote(redact.Clip(name)); name == "" || quoted != `"`+name+`"` {
		name = quoted // what is no account may hold anything
	}
	if first := deepest(e.Err); first != nil {
		return name + ": " + strings.TrimPrefix(first.Error(), "awsauth: ")
	}
	if e.Err == nil {
		return name
	}
	return name + ": " + cmp.Or(redact.Message(e.Err.Error()), noWords)
}

// Unwrap returns what do returned.
func (e *AccountError) Unwrap() error { return e.Err }

// ForEachAccount runs do once for each account, with a session in that account
// assumed from s.
//
// An account is an id, entered through the role of WithRole (DefaultRole unless
// set), or a role ARN. The other role options hold for all. For example, this
// enters the role audit of two accounts and one role of its own name:
//
//	err := s.ForEachAccount(ctx, []string{"123456789012", "210987654321", "arn:aws:iam::111122223333:role/ops"},
//		do, awsauth.WithRole("audit"))
//
// At most WithConcurrency (16) accounts are worked on at a time. Duplicates run
// once. Options and accounts are all checked before the first call: if one is
// wrong, do never runs. An empty list does nothing.
//
// ForEachAccount waits for every do that was started. It returns nil, or one
// *AccountError for each account that failed, joined in the order of the list. One
// that fails stops no other. When ctx ends no more are started, and those that
// were not are reported too. A panic in do reaches the caller of ForEachAccount,
// once those that run have ended.
//
// Credentials are fetched when do needs them. The sessions share connections and
// the pace of their STS calls: when STS throttles, all slow down together, and
// each call waits for its turn as long as its own context allows.
func (s *Session) ForEachAccount(ctx context.Context, accounts []string, do func(context.Context, *Session) error, opts ...FleetOption) error {
	if do == nil {
		return s.walk(ctx, accounts, nil, opts)
	}
	return s.walk(ctx, accounts, func(ctx context.Context, _ string, s *Session) error { return do(ctx, s) }, opts)
}

// Collect runs get once for each account, as ForEachAccount runs its func, and
// returns the results by account, as it stands in the list. Accounts whose get failed
// are missing there and are in the error: what the others returned is kept.
//
//	users, err := awsauth.Collect(ctx, s, accounts, listUsers)
//	for _, failed := range awsauth.AccountErrors(err) {
//		log.Println(failed.Account, failed.Err)
//	}
//
// In get, Identity tells the account, with no call beside the one for the role's
// credentials. The map is never nil.
func Collect[T any](ctx context.Context, s *Session, accounts []string, get func(context.Context, *Session) (T, error), opts ...FleetOption) (map[string]T, error) {
	results := map[string]T{}
	if get == nil {
		return results, s.walk(ctx, accounts, nil, opts)
	}
	var mu sync.Mutex
	err := s.walk(ctx, accounts, func(ctx context.Context, account string, s *Session) error {
		result, err := get(ctx, s)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		results[account] = result
		return nil
	}, opts)
	return results, err
}

// AccountErrors returns the errors of single accounts that are joined in an error of
// ForEachAccount or Collect, or in one that wraps it, in the order of the list. Of nil
// it returns nil.
func AccountErrors(err error) (all []*AccountError) {
	switch e := err.(type) {
	case nil:
	case *AccountError:
		if e != nil {
			all = append(all, e)
		}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, AccountErrors(one)...)
		}
	case interface{ Unwrap() error }:
		return AccountErrors(e.Unwrap())
	}
	return all
}

// walk is ForEachAccount with a func that is told the account.
func (s *Session) walk(ctx context.Context, accounts []string, do func(context.Context, string, *Session) error, opts []FleetOption) error {
	var f fleetSettings
	for _, o := range opts {
		if o != nil {
			o.applyToFleet(&f)
		}
	}
	members, err := s.fleet(accounts, do != nil, &f)
	if err != nil {
		return err
	}
	w := &walk{members: members, do: do, progress: f.progress, errs: make([]error, len(members))}
	w.run(ctx, min(f.concurrency, len(members)))
	return errors.Join(w.errs...)
}

// member is one account of the walk.
type member struct {
	account string
	session *Session
}

// fleet checks everything and makes the sessions, without any call.
func (s *Session) fleet(accounts []string, work bool, f *fleetSettings) ([]member, error) {
	wrong := f.role.checkManner()
	if s.gate != nil {
		wrong.add(checkHour(f.role.duration, "behind MFA a role of more than 1h takes a code of its own, and each account is one"))
	}
	if f.role.account != "" || f.role.arn != "" {
		wrong.add(invalid("ForEachAccount", "WithAccount and WithRoleARN have no meaning here").mend("put the accounts or the role ARNs in the list"))
	}
	if name := f.role.name; name != "" {
		if err := checkRoleName(name); err != nil {
			wrong.bad("WithRole", name, "%v", err)
		}
	}
	switch {
	case f.concurrency < 0:
		wrong.add(invalid(fmt.Sprintf("WithConcurrency(%d)", f.concurrency), "at least one account must be worked on").mend("use 1 or more"))
	case f.concurrency == 0:
		f.concurrency = defaultConcurrency
	}
	if !work {
		wrong.add(invalid("ForEachAccount", "there is nothing to do").mend("pass a func"))
	}
	members, faulty := s.members(accounts, f.role)
	wrong = append(wrong, faulty...)
	if n := len(members); s.gate != nil && s.source().temporary && n > 1 {
		e := invalid("ForEachAccount", "with temporary keys a code goes with each account, and there are %d", n)
		wrong.add(e.mend("start from the user's long-lived keys, for which one code will do"))
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return members, nil
}

// members makes the sessions of the accounts, each once.
func (s *Session) members(accounts []string, role roleSettings) (members []member, wrong faults) {
	members = make([]member, 0, len(accounts))
	seen := make(map[string]bool, len(accounts))
	told := map[string]bool{}
	for _, account := range accounts {
		if seen[account] {
			continue
		}
		seen[account] = true
		r := role
		r.account, r.arn = "", ""
		if err := r.enter(account); err != nil {
			wrong.add(&AccountError{account, err})
			continue
		}
		child, err := s.assume(&r)
		if err != nil {
			var e *Error
			if errors.As(err, &e) && e.Op != "" { // an option, which is wrong for the others too
				if told[e.Op] {
					continue
				}
				told[e.Op] = true
			}
			wrong.add(&AccountError{account, err})
			continue
		}
		if arn := child.role.arn.String(); !seen[arn] || arn == account {
			seen[arn] = true
			members = append(members, member{account, child})
		}
	}
	return members, wrong
}

// enter sets which role an entry of the list means.
func (r *roleSettings) enter(account string) error {
	if !strings.HasPrefix(account, "arn:") {
		r.account = account
		if err := checkAccount(account); err != nil {
			return invalid("ForEachAccount", "%v", err)
		}
		return nil
	}
	r.name, r.arn = "", account
	if _, err := parseRoleARN(account); err != nil {
		return invalid("ForEachAccount", "%v", err)
	}
	return nil
}

// walk is one ForEachAccount under way.
type walk struct {
	members  []member
	do       func(context.Context, string, *Session) error
	progress func(Progress)
	errs     []error // one slot for each account: no lock

	stop     atomic.Bool // a do has panicked
	mu       sync.Mutex  // orders the calls of progress, and guards:
	done     int
	panicked any
}

// run starts the accounts one after another, n at a time, and returns when all
// have ended.
func (w *walk) run(ctx context.Context, n int) {
	var running sync.WaitGroup
	places := make(chan struct{}, n)
	for i := range w.members {
		places <- struct{}{}
		if w.stop.Load() {
			break
		}
		if err := ctx.Err(); err != nil {
			w.errs[i] = &AccountError{w.members[i].account, &Error{Op: "ForEachAccount", what: "not started: " + err.Error(), Err: err}}
			<-places
			continue
		}
		running.Go(func() {
			defer func() { <-places }()
			w.one(ctx, i)
		})
	}
	running.Wait()
	if w.panicked != nil {
		panic(w.panicked)
	}
}

// errNoReturn is the error of a do that called runtime.Goexit, as testing's
// FailNow does.
var errNoReturn = errors.New("awsauth: the func ended its goroutine instead of returning")

// one runs do for an account, and keeps a panic for the caller of
// ForEachAccount.
func (w *walk) one(ctx context.Context, i int) {
	m := &w.members[i]
	s := m.session
	m.session = nil // what do does not keep may go
	defer func() { w.caught(recover()) }()
	err := errNoReturn
	defer func() {
		if v := recover(); v != nil {
			w.caught(v)
			return
		}
		if err != nil {
			w.errs[i] = &AccountError{m.account, err}
		}
		w.tell(m.account, w.errs[i])
	}()
	err = w.do(ctx, m.account, s)
}

// caught notes what do or progress panicked with, the first of them, and lets
// no further account start.
func (w *walk) caught(v any) {
	if v == nil {
		return
	}
	w.stop.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.panicked == nil {
		w.panicked = v
	}
}

// tell calls progress.
func (w *walk) tell(account string, err error) {
	if w.progress == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	w.progress(Progress{w.done, len(w.members), account, err})
}
