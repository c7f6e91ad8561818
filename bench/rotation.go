package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Latency of STS in the scenarios of this file.
const Latency = 200 * time.Millisecond

// Lab is one role in an AWS in memory, and one cache that holds it. It belongs
// into a bubble.
type Lab struct {
	Cloud    *awsauthtest.Cloud
	Provider aws.CredentialsProvider
	gate     *gate
	start    time.Time
}

// NewLab makes one with the cache of that name.
func NewLab(cache string) (*Lab, error) {
	cloud := awsauthtest.Start()
	user := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/bench"})
	arn := roleARN(someAccount)
	cloud.AddRole(awsauthtest.Role{ARN: arn, Trust: []string{"111111111111"}})
	cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: Latency})
	client := cloud.Client()
	l := &Lab{Cloud: cloud, start: time.Now(), gate: &gate{next: client.Transport}}
	through := config.WithHTTPClient(&http.Client{Transport: l.gate})
	if cache == Ours {
		s, err := awsauth.New(awsauth.WithRoleARN(arn), awsauth.WithRegion(Region), awsauth.WithLoadOptions(through),
			awsauth.WithStaticCredentials(user.AccessKeyID, user.SecretAccessKey, ""))
		l.Provider = s
		return l, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), through, config.WithRegion(Region), config.WithCredentialsProvider(user.Provider()))
	if err != nil {
		return nil, err
	}
	l.Provider = sdkCache(cache, stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), arn, oneHour))
	return l, nil
}

// gate can keep a request from ever being answered, whatever its context says
// to the layers above: a connection that a firewall has forgotten.
type gate struct {
	next http.RoundTripper
	mu   sync.Mutex
	hang int // so many requests from now on
	open chan struct{}
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	open := g.open
	if g.hang > 0 {
		g.hang--
	} else {
		open = nil
	}
	g.mu.Unlock()
	if open != nil {
		select {
		case <-open:
			return nil, errors.New("the connection was lost")
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return g.next.RoundTrip(r)
}

// HangNext lets the next n requests go unanswered. The end of the experiment
// is release, so that nothing is left behind in the bubble.
func (l *Lab) HangNext(n int) (release func()) {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	l.gate.hang, l.gate.open = n, make(chan struct{})
	return sync.OnceFunc(func() { close(l.gate.open) })
}

// Outage makes STS answer 503 from..to after the start of the lab.
func (l *Lab) Outage(from, to time.Duration) {
	l.Cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.ServerError, Match: func(awsauthtest.Call) bool {
		since := time.Since(l.start)
		return from <= since && since < to
	}})
}

// Sample is one call for credentials.
type Sample struct {
	At     time.Duration // since the start of the run
	Waited time.Duration
	Failed bool
}

// Traffic is who asks, and how often.
type Traffic struct {
	Callers  int
	Every    time.Duration // each of them
	For      time.Duration
	Patience time.Duration // of each call; 0: no limit
}

// Run makes the calls, evenly spread, each in a goroutine of its own, and
// waits for all of them.
func (l *Lab) Run(t Traffic) []Sample {
	n := int(t.For / t.Every)
	samples := make([]Sample, n*t.Callers)
	var all sync.WaitGroup
	for c := range t.Callers {
		all.Add(1)
		go func() {
			defer all.Done()
			time.Sleep(t.Every * time.Duration(c) / time.Duration(t.Callers))
			for i := range n {
				due := time.Since(l.start)
				samples[i*t.Callers+c] = l.Call(t.Patience)
				time.Sleep(t.Every - (time.Since(l.start)-due)%t.Every) // a caller who waited drops the calls it missed
			}
		}()
	}
	all.Wait()
	return clip(samples, t.For)
}

// clip drops what callers who had to wait did after the end of the run.
func clip(samples []Sample, end time.Duration) (in []Sample) {
	for _, s := range samples {
		if s.At < end {
			in = append(in, s)
		}
	}
	return in
}

// Call asks once.
func (l *Lab) Call(patience time.Duration) Sample {
	ctx := context.Background()
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	begun := time.Now()
	_, err := l.Provider.Retrieve(ctx)
	return Sample{begun.Sub(l.start), time.Since(begun), err != nil}
}

// Outcome is what callers saw, and STS.
type Outcome struct {
	Calls, Errors int
	MaxWait       time.Duration
	Waited        int // calls that waited more than a millisecond
	STS           int
	LastError     time.Duration // when, since the start; 0: none
}

// summary leaves out the first second, in which everybody waits for the first
// credentials.
func (l *Lab) summary(samples []Sample) (o Outcome) {
	for _, s := range samples {
		if s.At < time.Second {
			continue
		}
		o.Calls++
		o.MaxWait = max(o.MaxWait, s.Waited)
		if s.Waited > time.Millisecond {
			o.Waited++
		}
		if s.Failed {
			o.Errors++
			o.LastError = max(o.LastError, s.At)
		}
	}
	o.STS = len(l.Cloud.Calls("AssumeRole"))
	return o
}

// Scenario is something that happens to a service in production.
type Scenario struct {
	Name string
	What string
	Run  func(cache string) (Outcome, error)
}

// Scenarios of rotation, in the order of the table, with so many callers.
func Scenarios(callers int) []Scenario {
	busy := Traffic{Callers: callers, Every: time.Second, For: 62 * time.Minute}
	return []Scenario{
		{"expiry, busy", fmt.Sprint(callers, " callers, once a second each, over an expiry"), func(cache string) (Outcome, error) {
			return busyRun(cache, busy, nil)
		}},
		{"expiry, idle", fmt.Sprint(callers, " callers at once, the first after the keys have expired"), func(cache string) (Outcome, error) {
			return idleExpiry(cache, callers)
		}},
		{"outage, keys good", "STS down from minute 54 to 59 of keys that live 60", func(cache string) (Outcome, error) {
			return busyRun(cache, busy, func(l *Lab) { l.Outage(54*time.Minute, 59*time.Minute) })
		}},
		{"outage over expiry", "STS down for 18 minutes, from minute 50", func(cache string) (Outcome, error) {
			busy := busy
			busy.For = 75 * time.Minute
			return busyRun(cache, busy, func(l *Lab) { l.Outage(50*time.Minute, 68*time.Minute) })
		}},
		{"hung refresh", "one STS call is never answered; callers give up after 5 s", func(cache string) (Outcome, error) {
			busy := busy
			busy.For, busy.Patience = 75*time.Minute, 5*time.Second
			return hungRefresh(cache, busy)
		}},
	}
}

func busyRun(cache string, t Traffic, prepare func(*Lab)) (Outcome, error) {
	l, err := NewLab(cache)
	if err != nil {
		return Outcome{}, err
	}
	if prepare != nil {
		prepare(l)
	}
	return l.summary(l.Run(t)), nil
}

func idleExpiry(cache string, callers int) (Outcome, error) {
	l, err := NewLab(cache)
	if err != nil {
		return Outcome{}, err
	}
	if first := l.Call(0); first.Failed {
		return Outcome{}, fmt.Errorf("%s: no first credentials", cache)
	}
	time.Sleep(61 * time.Minute)
	samples := make([]Sample, callers)
	var all sync.WaitGroup
	for i := range samples {
		all.Add(1)
		go func() {
			defer all.Done()
			samples[i] = l.Call(0)
		}()
	}
	all.Wait()
	return l.summary(samples), nil
}

// hungRefresh lets the second call for the role hang, whenever it comes.
func hungRefresh(cache string, t Traffic) (Outcome, error) {
	var release func()
	o, err := busyRun(cache, t, func(l *Lab) {
		l.Call(0)
		release = l.HangNext(1)
	})
	if release != nil {
		release()
	}
	time.Sleep(time.Minute) // let what hung end
	return o, err
}

// Day is the run that the chart shows: one role for 3 hours, two calls a
// second from twenty callers, and an outage of 18 minutes over an expiry of the
// keys that the SDK's cache holds, and over a refresh of ours.
type Day struct {
	Traffic  Traffic
	From, To time.Duration // of the outage
	Samples  map[string][]Sample
	Asked    map[string][]time.Duration // when STS was called
	Outcomes map[string]Outcome
}

// RunDay measures both caches. It opens bubbles of its own. When our cache
// refreshes is partly chance, and the outage may fall between two refreshes: such
// a run proves nothing and is run again.
func RunDay() (*Day, error) {
	d := &Day{
		Traffic: Traffic{Callers: 20, Every: 10 * time.Second, For: 3 * time.Hour},
		From:    112 * time.Minute, To: 130 * time.Minute,
		Samples: map[string][]Sample{}, Asked: map[string][]time.Duration{}, Outcomes: map[string]Outcome{},
	}
	for _, cache := range []string{SDK, Ours} {
		for try := 0; !d.struck(cache); try++ {
			if try == 50 {
				return nil, fmt.Errorf("%s: the outage of the day never struck", cache)
			}
			if err := InBubble(func() error { return d.run(cache) }); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

func (d *Day) run(cache string) error {
	l, err := NewLab(cache)
	if err != nil {
		return err
	}
	l.Outage(d.From, d.To)
	d.Samples[cache] = l.Run(d.Traffic)
	d.Outcomes[cache] = l.summary(d.Samples[cache])
	d.Asked[cache] = nil
	for _, call := range l.Cloud.Calls("AssumeRole") {
		d.Asked[cache] = append(d.Asked[cache], call.Time.Sub(l.start))
	}
	return nil
}

// struck reports whether STS was asked in the first half of its outage.
func (d *Day) struck(cache string) bool {
	return slices.ContainsFunc(d.Asked[cache], func(at time.Duration) bool { return d.From <= at && at < (d.From+d.To)/2 })
}
