package awsauth_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestStress: many processes of two users want one role at the same moment, and
// share a directory. For each user there is one AssumeRole, and behind MFA one code
// and one GetSessionToken. Users never share an entry.
//
// In most rounds some of the processes are killed: while they ask for a code, while
// STS answers, while they write, at any time. Then there is one call and one code
// among the processes that live; no entry is torn, and no lock stays.
//
// AWSAUTH_STRESS=1000 runs so many rounds with a hundred processes.
func TestStress(t *testing.T) {
	processes, rounds := 16, 9
	if n, err := strconv.Atoi(os.Getenv("AWSAUTH_STRESS")); err == nil {
		processes, rounds = 100, n
	} else if testing.Short() {
		t.Skip("short")
	}
	c := newCrowd(t, processes)
	start := time.Now()
	for round := range rounds {
		c.play(round)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d processes, %d rounds in %v: %d STS calls and %d prompts, of which %d and %d by processes that were killed; %d killed",
		processes, rounds, time.Since(start).Round(time.Second), c.calls, c.prompts, c.callsDead, c.promptsDead, c.killed)
}

// crowd is the processes, and the judge of what they do.
type crowd struct {
	*lab.Place
	workers []*lab.Process

	mu   sync.Mutex
	all  map[string]*lab.Process // by name, those of former rounds included
	at   *round
	time time.Time // in the Cloud

	calls, callsDead, prompts, promptsDead, killed int
}

// round is one in which all ask for entries that are new.
type round struct {
	deadly  bool
	dir     string
	users   []*stressUser
	member  map[*lab.Process]*stressUser
	waiting map[*lab.Process]chan struct{} // closed when it is done, or dead
	faults  []string
}

// stressUser is a user of a round, and what was seen of its processes.
type stressUser struct {
	errand
	calls   map[string][]*lab.Process // by action
	prompts []*lab.Process
	ids     map[string]bool // of the keys that processes got
	mortal  int             // how many processes may still be killed; half of them stay
}

func newCrowd(t *testing.T, processes int) *crowd {
	c := &crowd{Place: lab.New(t, awsauth.AWS), time: time.Now(), all: map[string]*lab.Process{}}
	c.SetClock(func() time.Time {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.time
	})
	c.Inject(awsauthtest.Fault{Match: func(call awsauthtest.Call) bool { c.called(call); return false }})
	for i := range processes {
		c.workers = append(c.workers, c.start(fmt.Sprint("worker-", i)))
	}
	return c
}

func (c *crowd) start(name string) *lab.Process {
	p := c.Process("worker", name, c.hear)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[name] = p
	return p
}

// begin makes two users and a directory that are new. Every third round has no MFA;
// else one of the users has a device.
func (c *crowd) begin(number int) *round {
	r := &round{
		deadly: number%4 != 0, dir: filepath.Join(c.Dir, fmt.Sprint("round", number)),
		member: map[*lab.Process]*stressUser{}, waiting: map[*lab.Process]chan struct{}{},
	}
	for i := range 2 {
		user := awsauthtest.User{ARN: c.ARN(lab.Home, fmt.Sprintf("user/round%d-%d", number, i))}
		if number%3 == i+1 {
			user.MFASerial = c.ARN(lab.Home, fmt.Sprintf("mfa/round%d", number))
		}
		keys := c.AddUser(user)
		r.users = append(r.users, &stressUser{
			errand: errand{ID: keys.AccessKeyID, Secret: keys.SecretAccessKey, Serial: user.MFASerial, Account: lab.Target, Dir: r.dir},
			calls:  map[string][]*lab.Process{}, ids: map[string]bool{}, mortal: len(c.workers) / 4,
		})
	}
	for i, p := range c.workers {
		r.member[p], r.waiting[p] = r.users[i%2], make(chan struct{})
	}
	return r
}

// play is one round. While it runs, a few processes are killed at any time; they
// are replaced when it is over.
func (c *crowd) play(number int) {
	r := c.begin(number)
	c.ResetCalls()
	c.mu.Lock()
	c.at, c.time = r, time.Now()
	c.mu.Unlock()
	for _, p := range c.workers {
		p.Say(r.member[p].errand)
	}
	for range rand.N(3) {
		<-time.After(rand.N(20 * time.Millisecond))
		c.kill(c.workers[rand.N(len(c.workers))])
	}
	stuck := time.After(2 * time.Minute)
	for _, p := range c.workers {
		select {
		case <-r.waiting[p]:
		case <-stuck:
			c.T.Fatal("a process waits for ever")
		}
	}
	c.mu.Lock()
	r.deadly = false // who is done lives on
	c.mu.Unlock()
	for i, p := range c.workers {
		if p.Dead() {
			p.End()
			c.workers[i] = c.start(fmt.Sprintf("worker-%d-%d", i, number))
		}
	}
	c.judge(r)
	require.NoError(c.T, os.RemoveAll(r.dir))
}

// hear takes a line of a process's.
func (c *crowd) hear(p *lab.Process, line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "prompt":
		c.prompted(p)
		return
	case "done":
		c.mu.Lock()
		if !p.Dead() {
			c.at.member[p].ids[rest] = true
		}
		c.finish(p)
		c.mu.Unlock()
	default:
		c.mu.Lock()
		c.at.faults = append(c.at.faults, p.Name+" "+line)
		if word == "failed" {
			c.finish(p)
		}
		c.mu.Unlock()
	}
}

func (c *crowd) finish(p *lab.Process) {
	if done := c.at.waiting[p]; done != nil {
		select {
		case <-done:
		default:
			close(done)
		}
	}
}

// prompted is a person who reads the device. A code works once: who is asked again
// in a round, because the one who had the code was killed, waits for the next one.
func (c *crowd) prompted(p *lab.Process) {
	c.mu.Lock()
	user := c.at.member[p]
	if len(user.prompts) > 0 {
		c.time = c.time.Add(30 * time.Second)
	}
	user.prompts = append(user.prompts, p)
	c.mu.Unlock()
	c.fate(p, func() { p.Say(c.MFACode(user.Serial)) })
}

// called hears of each request to STS before it is answered. One of a process that
// was killed may come when the next round has begun.
func (c *crowd) called(call awsauthtest.Call) {
	_, name, _ := strings.Cut(call.UserAgent, "app/")
	name, _, _ = strings.Cut(name, " ")
	c.mu.Lock()
	p := c.all[name]
	user := c.at.member[p]
	switch {
	case user != nil:
		user.calls[call.Action] = append(user.calls[call.Action], p)
	case p == nil || !p.Dead():
		c.at.faults = append(c.at.faults, "a call of nobody: "+call.UserAgent)
	}
	c.mu.Unlock()
	if user != nil {
		c.fate(p, func() {})
	}
}

// fate kills a quarter of the processes where they are, and a quarter a moment after
// next, which is when they write what they got.
func (c *crowd) fate(p *lab.Process, next func()) {
	fate := rand.N(4)
	if fate == 0 && c.kill(p) {
		return
	}
	next()
	if fate == 1 {
		time.AfterFunc(rand.N(4*time.Millisecond), func() { c.kill(p) })
	}
}

// kill is kill -9, where that may happen.
func (c *crowd) kill(p *lab.Process) (done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user := c.at.member[p]
	if user == nil || !c.at.deadly || user.mortal == 0 || !p.Kill() {
		return false
	}
	user.mortal--
	c.killed++
	c.finish(p)
	return true
}

// judge looks at what a round has left.
func (c *crowd) judge(r *round) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, entries := c.T, 0
	require.Empty(t, r.faults)
	for i, user := range r.users {
		name := fmt.Sprintf("user %d of %v", i, user.Serial)
		wanted := map[string]int{"AssumeRole": 1, "GetSessionToken": 0, "GetCallerIdentity": 0}
		if user.Serial != "" {
			wanted["GetSessionToken"] = 1
		}
		entries += 1 + wanted["GetSessionToken"]
		for action, one := range wanted {
			dead := count(user.calls[action], (*lab.Process).Dead)
			c.calls, c.callsDead = c.calls+len(user.calls[action]), c.callsDead+dead
			assert.LessOrEqual(t, len(user.calls[action])-dead, one, "%s: %s", name, action)
			assert.GreaterOrEqual(t, len(user.calls[action]), one, "%s: %s", name, action)
		}
		dead := count(user.prompts, (*lab.Process).Dead)
		c.prompts, c.promptsDead = c.prompts+len(user.prompts), c.promptsDead+dead
		assert.LessOrEqual(t, len(user.prompts)-dead, wanted["GetSessionToken"], "%s: prompts", name)
		assert.Len(t, user.ids, 1, "%s: all get the same keys", name)
		for id := range user.ids {
			assert.NotContains(t, r.users[1-i].ids, id, "two users share an entry")
		}
	}
	c.judgeFiles(r.dir, entries)
}

func count(all []*lab.Process, is func(*lab.Process) bool) (n int) {
	for _, p := range all {
		if is(p) {
			n++
		}
	}
	return n
}

// judgeFiles asks that all entries are whole and no lock is held.
func (c *crowd) judgeFiles(dir string, entries int) {
	store := diskcache.Open(diskcache.Config{Dir: dir, Warn: func(_ context.Context, msg string, err error) { c.T.Error(msg, err) }})
	items, err := store.List(context.Background())
	require.NoError(c.T, err)
	assert.Len(c.T, items, entries)
	for _, item := range items {
		assert.NotZero(c.T, item.Expires, "%s is torn", item.File)
	}
	locks, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	require.NoError(c.T, err)
	assert.Len(c.T, locks, entries)
	free := errors.New("the lock is free")
	for _, lock := range locks {
		var key diskcache.Key
		_, err := hex.Decode(key[:], []byte(strings.TrimSuffix(filepath.Base(lock), ".lock")))
		require.NoError(c.T, err)
		_, err = store.Through(context.Background(), diskcache.Request{Key: key, Wait: time.Second, Good: func(diskcache.Entry) bool { return false }},
			func(context.Context) (diskcache.Entry, error) { return diskcache.Entry{}, free })
		assert.Same(c.T, free, err, "where it is held there is a warning, which fails the test")
	}
}
