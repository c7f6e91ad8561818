package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Crowd is something that only happens to many. Run belongs into a bubble.
type Crowd struct {
	Name   string
	What   string
	Caches []string // those that differ in it
	Run    func(cache string) (Felt, error)
	Tell   func(Felt) string // what the other columns of the table do not say
}

// Felt is what a crowd felt, and what it cost the service.
type Felt struct {
	Outcome               // STS counts the calls to the source, whatever it is
	Dying   int           // calls that got the keys that were about to end
	Back    time.Duration // from the recovery of the source to the first new keys
	Took    time.Duration // from the start to the last caller
	Person  Outcome       // of the one who did not belong to the crowd
}

// add counts one call.
func (o *Outcome) add(waited time.Duration, err error) {
	o.Calls++
	o.MaxWait = max(o.MaxWait, waited)
	if err != nil {
		o.Errors++
	}
}

// Crowds are the scenarios in the order of the table, with that many sessions
// or accounts, and half as many callers of one session.
func Crowds(size int) []Crowd {
	callers := size / 2
	three, two := []string{SDK, SDK5, Ours}, []string{SDK, Ours}
	return []Crowd{
		{"failing refresh", thousands(callers) + " callers, once a second each; the source fails from 1 s before the expiry to 5 s after it", three,
			func(cache string) (Felt, error) { return failingRefresh(cache, callers) },
			func(f Felt) string { return "new keys " + waitText(f.Back) + " after the recovery" }},
		{"dying keys", thousands(callers) + " callers at once, 500 ms before the expiry, nobody before them", three,
			func(cache string) (Felt, error) { return dyingKeys(cache, callers) },
			func(f Felt) string { return thousands(f.Dying) + " got keys that end in 500 ms" }},
		{"one person", thousands(size) + " sessions have to renew, STS allows 3 calls a second; one person takes 5 other roles in that minute", three,
			func(cache string) (Felt, error) { return onePerson(cache, size) },
			func(f Felt) string {
				return fmt.Sprintf("the person: %d of %d failed, longest wait %s", f.Person.Errors, f.Person.Calls, waitText(f.Person.MaxWait))
			}},
		{"accounts at once", thousands(size) + " accounts at once, STS allows 50 calls a second", two,
			func(cache string) (Felt, error) { return throttledWalk(cache, size, size) }, tellTook},
		{"accounts in turn", thousands(size) + " accounts, 16 at a time, STS allows 50 calls a second", two,
			func(cache string) (Felt, error) { return throttledWalk(cache, size, Concurrency) }, tellTook},
		{"refused", "100 sessions want their first keys, STS refuses connections", two,
			func(cache string) (Felt, error) {
				return noConnection(cache, os.NewSyscallError("connect", syscall.ECONNREFUSED))
			}, tellGaveUp},
		{"unknown host", "100 sessions want their first keys, the host of STS is unknown", two,
			func(cache string) (Felt, error) {
				return noConnection(cache, &net.DNSError{Err: "no such host", Name: "sts.us-east-1.amazonaws.com", IsNotFound: true})
			}, tellGaveUp},
	}
}

func tellTook(f Felt) string   { return "all done after " + waitText(f.Took) }
func tellGaveUp(f Felt) string { return "all gave up within " + waitText(f.MaxWait) }

// failingRefresh lets a refresh fail that callers come to wait for.
func failingRefresh(cache string, callers int) (f Felt, err error) {
	const late, before, after = 50 * time.Millisecond, time.Second, 5 * time.Second
	keys := &Keys{Lifetime: time.Hour, Latency: late}
	p, err := OverKeys(cache, keys)
	if err != nil {
		return f, err
	}
	first, err := p.Retrieve(context.Background())
	if err != nil {
		return f, err
	}
	time.Sleep(keys.Lifetime - late - before)
	down := errors.New("the source is down")
	keys.Fails.Store(&down)
	recovery := time.Now().Add(before + after)
	time.AfterFunc(before+after, func() { keys.Fails.Store(nil) })
	var back atomic.Int64
	together(callers, &f.Outcome, func(i int, call timed) {
		for time.Sleep(time.Second * time.Duration(i) / time.Duration(callers)); time.Since(recovery) < 10*time.Second; time.Sleep(time.Second) {
			_ = call(func() error {
				got, err := p.Retrieve(context.Background())
				if err == nil && got.AccessKeyID != first.AccessKeyID {
					back.CompareAndSwap(0, int64(time.Since(recovery)))
				}
				return err
			})
		}
	})
	f.Back, f.STS = time.Duration(back.Load()), keys.Calls()
	return f, nil
}

// dyingKeys asks an idle session for keys that are about to end.
func dyingKeys(cache string, callers int) (f Felt, err error) {
	keys := &Keys{Lifetime: time.Hour, Latency: Latency}
	p, err := OverKeys(cache, keys)
	if err != nil {
		return f, err
	}
	first, err := p.Retrieve(context.Background())
	if err != nil {
		return f, err
	}
	time.Sleep(keys.Lifetime - 500*time.Millisecond)
	var dying atomic.Int64
	together(callers, &f.Outcome, func(_ int, call timed) {
		_ = call(func() error {
			got, err := p.Retrieve(context.Background())
			if got.AccessKeyID == first.AccessKeyID {
				dying.Add(1)
			}
			return err
		})
	})
	time.Sleep(time.Second) // for refreshes in the background
	f.Dying, f.STS = int(dying.Load()), keys.Calls()
	return f, nil
}

// timed makes one call and counts what it felt.
type timed func(call func() error) error

// together runs n callers, one goroutine each, and adds their calls up in o.
func together(n int, o *Outcome, do func(i int, call timed)) {
	var mu sync.Mutex
	call := func(call func() error) error {
		begun := time.Now()
		err := call()
		mu.Lock()
		defer mu.Unlock()
		o.add(time.Since(begun), err)
		return err
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i, call) })
	}
	all.Wait()
}

func retrieve(p aws.CredentialsProvider) error {
	_, err := p.Retrieve(context.Background())
	return err
}

// crowdCloud has a user who may take the role of every account, at a STS that
// answers in 50 ms.
func crowdCloud(accounts []string) (*awsauthtest.Cloud, awsauthtest.Keys) {
	cloud := awsauthtest.Start()
	for _, account := range accounts {
		cloud.AddRole(awsauthtest.Role{ARN: roleARN(account), Trust: []string{"111111111111"}})
	}
	cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: 50 * time.Millisecond})
	return cloud, cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/bench"})
}

// onePerson takes roles while a crowd of sessions renews, for a minute. Each
// session is used every 10 s.
func onePerson(cache string, sessions int) (f Felt, err error) {
	const roles, every = 5, 10 * time.Second
	accounts := Accounts(sessions + roles)
	cloud, user := crowdCloud(accounts)
	open, err := opener(cache, user.AccessKeyID, user.SecretAccessKey, cloud.Client())
	if err != nil {
		return f, err
	}
	crowd, err := allDue(cache, open, accounts[:sessions])
	if err != nil {
		return f, err
	}
	cloud.ResetCalls()
	cloud.LimitSTS(3)
	defer cloud.LimitSTS(0) // whatever still runs ends soon
	begun := time.Now()
	var crowds sync.WaitGroup
	crowds.Go(func() {
		together(sessions, &f.Outcome, func(i int, call timed) {
			for time.Sleep(every * time.Duration(i) / time.Duration(sessions)); time.Since(begun) < time.Minute; time.Sleep(every) {
				_ = call(func() error { return retrieve(crowd[i]) })
			}
		})
	})
	together(1, &f.Person, func(_ int, call timed) {
		for _, account := range accounts[sessions:] {
			time.Sleep(every)
			_ = call(func() error {
				p, err := open(account)
				if err != nil {
					return err
				}
				return retrieve(p)
			})
		}
	})
	crowds.Wait()
	f.STS = len(cloud.Calls("AssumeRole"))
	return f, nil
}

// allDue opens sessions and waits until every one of them wants to renew, which
// depends on the cache: after the middle third of the lifetime, in the window,
// or at the expiry.
func allDue(cache string, open func(string) (aws.CredentialsProvider, error), accounts []string) ([]aws.CredentialsProvider, error) {
	due := map[string]time.Duration{SDK: time.Hour, SDK5: 58 * time.Minute, Ours: 41 * time.Minute}[cache]
	start := time.Now()
	crowd := make([]aws.CredentialsProvider, len(accounts))
	for i, account := range accounts {
		var err error
		if crowd[i], err = open(account); err != nil {
			return nil, err
		}
	}
	var first Outcome
	together(len(crowd), &first, func(i int, call timed) { _ = call(func() error { return retrieve(crowd[i]) }) })
	if first.Errors > 0 {
		return nil, fmt.Errorf("%s: %d sessions have no first keys", cache, first.Errors)
	}
	time.Sleep(due - time.Since(start))
	return crowd, nil
}

// throttledWalk gets keys in every account, so many at a time.
func throttledWalk(cache string, n, concurrency int) (f Felt, err error) {
	accounts := Accounts(n)
	cloud, user := crowdCloud(accounts)
	cloud.LimitSTS(50)
	begun := time.Now()
	if cache == Ours {
		err = f.walkOurs(cloud.Client(), user, accounts, concurrency)
	} else {
		err = f.walkSDK(cache, cloud.Client(), user, accounts, concurrency)
	}
	f.Took = time.Since(begun)
	f.STS = len(cloud.Calls("AssumeRole"))
	return f, err
}

func (f *Felt) walkOurs(client *http.Client, user awsauthtest.Keys, accounts []string, concurrency int) error {
	s, err := base(user.AccessKeyID, user.SecretAccessKey, client)
	if err != nil {
		return err
	}
	together(1, &f.Outcome, func(_ int, call timed) {
		err = s.ForEachAccount(context.Background(), accounts, func(ctx context.Context, s *awsauth.Session) error {
			return call(func() error { _, err := s.Retrieve(ctx); return err })
		}, awsauth.WithConcurrency(concurrency))
	})
	if f.Errors > 0 { // which are counted
		return nil
	}
	return err
}

func (f *Felt) walkSDK(cache string, client *http.Client, user awsauthtest.Keys, accounts []string, concurrency int) error {
	open, err := opener(cache, user.AccessKeyID, user.SecretAccessKey, client)
	if err != nil {
		return err
	}
	todo := make(chan string, len(accounts))
	for _, account := range accounts {
		todo <- account
	}
	close(todo)
	together(concurrency, &f.Outcome, func(_ int, call timed) {
		for account := range todo {
			_ = call(func() error {
				p, err := open(account)
				if err != nil {
					return err
				}
				return retrieve(p)
			})
		}
	})
	return nil
}

// noConnection asks for first keys where no connection can be made.
func noConnection(cache string, why error) (f Felt, err error) {
	wall := &wall{err: &net.OpError{Op: "dial", Net: "tcp", Err: why}}
	open, err := opener(cache, keyID, secretKey, &http.Client{Transport: wall})
	if err != nil {
		return f, err
	}
	const sessions = 100
	accounts := Accounts(sessions)
	together(sessions, &f.Outcome, func(i int, call timed) {
		_ = call(func() error {
			p, err := open(accounts[i])
			if err != nil {
				return err
			}
			return retrieve(p)
		})
	})
	f.STS = int(wall.tried.Load())
	return f, nil
}

// wall lets nothing through.
type wall struct {
	err   error
	tried atomic.Int64
}

func (w *wall) RoundTrip(*http.Request) (*http.Response, error) {
	w.tried.Add(1)
	return nil, w.err
}
