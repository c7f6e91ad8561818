package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// longer are the steps in which more happens than one session being made.
var longer = []step{
	{
		title: "Three hours, with STS down from 0:10 to 0:50",
		given: given{words: "the clock of testing/synctest; STS takes 0.2 s for an answer, and from 0:10 to 0:50 that is 503", user: ana, env: inEnv},
		code: `s, err := awsauth.New(awsauth.WithAccount("222222222222"))
if err != nil {
	return nil, err
}
for range 180 { // a call of a client each minute
	_, err := s.Retrieve(ctx)
	errs = append(errs, err)
	time.Sleep(time.Minute)
}`,
		hours: func(ctx context.Context, local awsauth.Option) (errs []error, err error) {
			s, err := awsauth.New(awsauth.WithAccount("222222222222"), local)
			if err != nil {
				return nil, err
			}
			for range 180 { // a call of a client each minute
				_, err := s.Retrieve(ctx)
				errs = append(errs, err)
				time.Sleep(time.Minute)
			}
			return errs, err
		},
		note: "Keys that live an hour are renewed in the background, at a moment in the middle third of it. While STS is down, the keys at hand go on being used.",
	},
	{
		title: "Five accounts, of which one refuses",
		given: given{words: "accounts has five ids; whoami(ctx, s) returns s.Identity(ctx)", user: ana, env: inEnv},
		code: `s, err := awsauth.New()
if err != nil {
	return nil, err
}
found, err := awsauth.Collect(ctx, s, accounts, whoami)`,
		fleet: func(ctx context.Context, accounts []string, whoami visitor, local awsauth.Option) (map[string]awsauth.Identity, error) {
			s, err := awsauth.New(local)
			if err != nil {
				return nil, err
			}
			found, err := awsauth.Collect(ctx, s, accounts, whoami)
			return found, err
		},
		note: "All at once, and an account that fails stops no other. awsauth.AccountErrors(err) has the failed ones.",
		want: want{
			found: []string{"222222222222", "666666666666", "777777777777", "888888888888"}, fails: awsauth.AccessDenied,
			calls: []string{
				assumeUS + " manage-role in 222222222222", assumeUS + " manage-role in 666666666666",
				assumeUS + " manage-role in 777777777777", assumeUS + " manage-role in 888888888888", assumeUS + " → AccessDenied",
			},
		},
	},
}

// fiveAccounts are those of the last step. 333333333333 trusts only the hub.
var fiveAccounts = []string{"222222222222", "333333333333", "666666666666", "777777777777", "888888888888"}

// visitor is what is done in each account.
type visitor = func(context.Context, *awsauth.Session) (awsauth.Identity, error)

// visit runs a step that enters many accounts.
func (w *world) visit(ctx context.Context, s step) (result, error) {
	if err := w.become(s.given); err != nil {
		return result{}, err
	}
	whoami := func(ctx context.Context, s *awsauth.Session) (awsauth.Identity, error) { return s.Identity(ctx) }
	found, err := s.fleet(ctx, fiveAccounts, whoami, awsauth.WithLoadOptions(w.cloud.LoadOptions()))
	r := result{err: err, calls: w.calls()}
	slices.Sort(r.calls)
	ids := slices.Sorted(maps.Keys(found))
	r.told = []field{{"found", []string{strings.Join(ids, ", ")}}}
	r.wrong = r.against(s.want)
	if !slices.Equal(ids, s.want.found) {
		r.wrong = append(r.wrong, fmt.Sprintf("found should be %q", s.want.found))
	}
	return r, nil
}

// What the step of hours says is given.
const (
	downFrom, downTo = 10 * time.Minute, 50 * time.Minute
	latency          = 200 * time.Millisecond
)

// pass runs a step of hours. They pass in a bubble of testing/synctest, which can be
// opened outside of tests too: it wants a *testing.T only to tell of failures.
func (w *world) pass(s step) (r result, err error) {
	begun := time.Now()
	var d day
	synctest.Test(new(testing.T), func(*testing.T) { d, err = w.another().live(s) })
	if err != nil {
		return result{}, err
	}
	r.wrong = d.wrong()
	r.told = d.told(time.Since(begun))
	return r, nil
}

// day is what happened in a step of hours.
type day struct {
	calls, failed int
	waited        time.Duration   // all calls together
	renewed       []time.Duration // when STS gave keys
	refused       []time.Duration // when it answered 503
}

// live is the inside of the bubble. Contexts of the outside would hold up its clock.
func (w *world) live(s step) (d day, err error) {
	if err := w.become(s.given); err != nil {
		return day{}, err
	}
	start := time.Now()
	w.cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Delay: latency})
	w.cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.ServerError, Match: func(c awsauthtest.Call) bool {
		at := c.Time.Sub(start)
		return downFrom <= at && at < downTo
	}})
	errs, err := s.hours(context.Background(), awsauth.WithLoadOptions(w.cloud.LoadOptions()))
	if err != nil {
		return day{}, err
	}
	d.calls, d.waited = len(errs), time.Since(start)-time.Duration(len(errs))*time.Minute
	for _, err := range errs {
		if err != nil {
			d.failed++
		}
	}
	time.Sleep(2 * time.Minute) // a refresh that still runs comes to its end
	for _, c := range w.cloud.Calls("AssumeRole") {
		if at := c.Time.Sub(start); c.ErrorCode == "" {
			d.renewed = append(d.renewed, at)
		} else {
			d.refused = append(d.refused, at)
		}
	}
	return d, nil
}

// told is a day in a few lines.
func (d day) told(took time.Duration) []field {
	sts := "gave keys at " + clock(d.renewed...)
	if n := len(d.refused); n > 0 {
		sts += fmt.Sprintf("; refused %d calls, %s to %s", n, clock(d.refused[0]), clock(d.refused[n-1]))
	}
	return []field{
		{"seen", wrap(fmt.Sprintf("%d calls, %d errors, %v of waiting in all; the hours took %v",
			d.calls, d.failed, d.waited, took.Round(time.Millisecond)), textCols)},
		{"STS", wrap(sts, textCols)},
	}
}

// wrong says what is not as it should be: nobody may notice the outage, and it must
// have been one.
func (d day) wrong() (wrong []string) {
	if d.calls != 180 || d.failed > 0 {
		wrong = append(wrong, "180 calls should get keys")
	}
	if d.waited != latency {
		wrong = append(wrong, "only the first call should wait")
	}
	if n := len(d.refused); n == 0 || d.refused[0] < downFrom || d.refused[n-1] >= downTo {
		wrong = append(wrong, "STS should refuse calls, while it is down")
	}
	if len(d.renewed) < 4 || d.renewed[0] != 0 || d.renewed[1] < downTo || d.renewed[1] > downTo+3*time.Minute {
		wrong = append(wrong, "the keys should be renewed as soon as STS is back")
	}
	return wrong
}

// clock shows times of a day.
func clock(times ...time.Duration) string {
	var all []string
	for _, t := range times {
		all = append(all, fmt.Sprintf("%d:%02d", int(t.Hours()), int(t.Minutes())%60))
	}
	return strings.Join(all, ", ")
}
