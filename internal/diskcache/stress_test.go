package diskcache_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// workerDir is the variable that makes the test program a worker of TestStress.
const workerDir = "AWSAUTH_TEST_DISKCACHE_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerDir); dir != "" {
		work(dir, os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

func roundKey(round string) diskcache.Key {
	return diskcache.NewKey().Add("round", round).Sum()
}

// work is a process that shares the cache. It reads the name of a round from its
// input, asks for the round's entry, and writes "done" and the key id that it got.
// To fetch, it writes "fetch" and reads the key id. It ends with its input.
func work(dir string, in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	store := diskcache.Open(diskcache.Config{Dir: dir, Warn: func(_ context.Context, msg string, err error) {
		fmt.Fprintln(out, "warning", msg, err)
	}})
	for lines.Scan() {
		e, err := store.Through(context.Background(), diskcache.Request{Key: roundKey(lines.Text())}, func(context.Context) (diskcache.Entry, error) {
			fmt.Fprintln(out, "fetch")
			if !lines.Scan() {
				return diskcache.Entry{}, io.EOF
			}
			e := newEntry(lines.Text())
			e.SessionToken = long(4)
			return e, nil
		})
		if err != nil || e.SessionToken != long(4) {
			fmt.Fprintln(out, "warning", "wrong entry", err)
		}
		fmt.Fprintln(out, "done", e.AccessKeyID)
	}
}

// TestStress shares one directory between many processes, some of which are killed
// while they fetch, write or wait. In each round all ask for an entry that is new.
// Whoever is not killed gets the same keys, from one fetch; nobody ever fetches
// while another does; no entry is torn; no lock stays.
//
// AWSAUTH_STRESS=1000 runs so many rounds with a hundred processes.
func TestStress(t *testing.T) {
	processes, rounds := 16, 10
	if n, err := strconv.Atoi(os.Getenv("AWSAUTH_STRESS")); err == nil {
		processes, rounds = 100, n
	} else if testing.Short() {
		t.Skip("short")
	}
	c := &crowd{dir: filepath.Join(t.TempDir(), "cache")}
	for range processes {
		c.workers = append(c.workers, c.start(t))
	}
	defer c.end()
	for round := range rounds {
		c.play(t, fmt.Sprint(round))
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d processes, %d rounds: %d fetches, %d killed (%d of them while fetching or writing)",
		processes, rounds, c.fetches, c.killed, c.killedFetching)

	n, err := diskcache.Open(diskcache.Config{Dir: c.dir}).Clear(t.Context())
	require.NoError(t, err)
	require.Equal(t, rounds, n, "an entry for each round")
	require.Equal(t, []string{"CACHEDIR.TAG"}, mustReadDir(t, c.dir))
}

// crowd is the processes, and the judge of what they do.
type crowd struct {
	dir     string
	workers []*worker

	mu       sync.Mutex
	round    string
	fetching *worker // who was told to fetch, and may still be writing
	fetches  int     // in all rounds
	live     int     // fetches of this round whose process was not killed
	ids      map[string]int
	faults   []string

	killed, killedFetching int
}

type worker struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	dead bool          // guarded by the crowd's mutex
	done chan struct{} // the worker is done with the round, or dead
	once *sync.Once    // closes done
}

func (c *crowd) start(t *testing.T) *worker {
	w := &worker{cmd: exec.Command(os.Args[0], "-test.run=^$")}
	w.cmd.Env = append(os.Environ(), workerDir+"="+c.dir)
	w.cmd.Stderr = os.Stderr
	in, err := w.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := w.cmd.StdoutPipe()
	require.NoError(t, err)
	w.in = in
	require.NoError(t, w.cmd.Start())
	w.once, w.done = &sync.Once{}, make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.hear(w, lines.Text())
		}
	}()
	return w
}

func (c *crowd) end() {
	for _, w := range c.workers {
		_ = w.in.Close()
		_ = w.cmd.Wait()
	}
}

// play is one round. While it runs, a few workers are killed at any time; they
// are replaced when it is over.
func (c *crowd) play(t *testing.T, round string) {
	c.mu.Lock()
	c.round, c.fetching, c.live, c.ids = round, nil, 0, map[string]int{}
	for _, w := range c.workers {
		w.once, w.done = &sync.Once{}, make(chan struct{})
	}
	c.mu.Unlock()
	for _, w := range c.workers {
		fmt.Fprintln(w.in, round)
	}
	for range rand.N(3) {
		<-time.After(rand.N(20 * time.Millisecond))
		c.kill(c.workers[rand.N(len(c.workers))])
	}
	stuck := time.After(2 * time.Minute)
	for _, w := range c.workers {
		select {
		case <-w.done:
		case <-stuck:
			t.Fatal("a process waits for ever")
		}
	}
	c.judge(t)
	for i, w := range c.workers {
		if w.dead {
			_ = w.cmd.Wait()
			c.workers[i] = c.start(t)
		}
	}
}

// judge looks at what a round has left.
func (c *crowd) judge(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Empty(t, c.faults)
	require.Len(t, c.ids, 1, "all get the same keys")
	require.LessOrEqual(t, c.live, 1, "fetches of processes that were not killed")
	s := diskcache.Open(diskcache.Config{Dir: c.dir, Warn: func(_ context.Context, msg string, err error) { t.Error(msg, err) }})
	e, err := s.Through(t.Context(), diskcache.Request{Key: roundKey(c.round)}, failing)
	require.NoError(t, err, "the entry is whole")
	require.Contains(t, c.ids, e.AccessKeyID)
	_, err = s.Through(t.Context(), diskcache.Request{Key: roundKey(c.round), Wait: time.Minute, Good: func(diskcache.Entry) bool { return false }}, failing)
	require.Same(t, errFetch, err, "the lock is free; else there is a warning, which fails the test")
}

// hear takes a line of a worker's.
func (c *crowd) hear(w *worker, line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "fetch":
		c.answer(w)
	case "done":
		c.mu.Lock()
		if c.fetching == w {
			c.fetching = nil
		}
		if !w.dead {
			c.ids[rest]++
		}
		c.mu.Unlock()
		w.once.Do(func() { close(w.done) })
	default:
		c.mu.Lock()
		c.faults = append(c.faults, line)
		c.mu.Unlock()
	}
}

// answer lets a worker fetch. A quarter of them are killed instead, and a quarter
// a moment after they have their keys, which is when they write.
func (c *crowd) answer(w *worker) {
	c.mu.Lock()
	if c.fetching != nil && !c.fetching.dead && !w.dead {
		c.faults = append(c.faults, "two processes fetch at once")
	}
	c.fetching = w
	c.fetches++
	if !w.dead {
		c.live++
	}
	id := fmt.Sprintf("ASIA%s.%d", c.round, c.fetches)
	c.mu.Unlock()
	fate := rand.N(4)
	if fate == 0 {
		c.kill(w)
		return
	}
	fmt.Fprintln(w.in, id)
	if fate == 1 {
		<-time.After(rand.N(3 * time.Millisecond))
		c.kill(w)
	}
}

// kill ends a process as kill -9 does. It counts as dead before it is.
func (c *crowd) kill(w *worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.dead {
		return
	}
	w.dead = true
	c.killed++
	if c.fetching == w {
		c.killedFetching++
		c.live--
	}
	_ = w.cmd.Process.Kill()
	w.once.Do(func() { close(w.done) })
}
