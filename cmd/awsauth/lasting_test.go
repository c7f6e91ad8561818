package main

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProcessCrowd: a hundred processes at once make one call to STS, and all have the
// same keys.
func TestProcessCrowd(t *testing.T) {
	cloud, url := fleet(t)
	const crowd = 100
	answers := make(chan string, crowd)
	var all sync.WaitGroup
	for range crowd {
		c, stdout, stderr := process(t, "process", "--account", accountA, "--sts-endpoint", url)
		require.NoError(t, c.Start())
		all.Go(func() {
			if err := c.Wait(); err != nil {
				t.Error(errors.Join(err, errors.New(stderr.String())))
			}
			answers <- stdout.String()
		})
	}
	all.Wait()
	close(answers)
	first := <-answers
	for answer := range answers {
		assert.Equal(t, first, answer)
	}
	assert.True(t, json.Valid([]byte(first)), first)
	assert.Len(t, cloud.Calls("AssumeRole"), 1)
}

// TestLasting: keys from disk are handed to another program with more than 15 minutes
// left, or a third of their life; to one that cannot ask again with a third of it.
// whoami, which hands none out, takes them to their end.
func TestLasting(t *testing.T) {
	sh := shell(t)
	for _, tt := range []struct {
		life  string
		old   time.Duration
		again map[string]bool // command: whether it asks STS
	}{
		{"1h", 30 * time.Minute, map[string]bool{"process": false, "serve": false, "exec": false, "env": false, "each": false, "whoami": false}},
		{"1h", 42 * time.Minute, map[string]bool{"process": false, "serve": false, "exec": true, "env": true, "each": true, "whoami": false}},
		{"1h", 46 * time.Minute, map[string]bool{"process": true, "serve": true, "exec": true, "env": true, "each": true, "whoami": false}},
		{"15m", 9 * time.Minute, map[string]bool{"process": false, "serve": false, "exec": false, "env": false, "each": false, "whoami": false}},
		{"15m", 11 * time.Minute, map[string]bool{"process": true, "serve": true, "exec": true, "env": true, "each": true, "whoami": false}},
	} {
		for name, again := range tt.again {
			t.Run(tt.life+" "+tt.old.String()+" "+name, func(t *testing.T) {
				cloud, url := fleet(t)
				same := []string{"--duration", tt.life, "--session-name", "me", "--sts-endpoint", url}
				args := map[string][]string{
					"process": {"process", "--account", accountA}, "env": {"env", "--account", accountA}, "whoami": {"whoami", "--account", accountA},
					"exec": {"exec", "--account", accountA}, "serve": {"exec", "--serve", "--account", accountA}, "each": {"each", "--accounts", accountA},
				}[name]
				args = append(args, same...)
				if args[0] == "exec" || args[0] == "each" {
					args = append(args, "--", sh, "-c", "true")
				}
				cloud.SetClock(func() time.Time { return time.Now().Add(-tt.old) })
				got := runProcess(t, append([]string{"whoami", "--account", accountA}, same...)...)
				require.Equal(t, exitOK, got.code, got.stderr)
				cloud.SetClock(nil)
				cloud.ResetCalls()
				got = runProcess(t, args...)
				require.Equal(t, exitOK, got.code, got.stderr)
				want := 0
				if again {
					want = 1
				}
				assert.Len(t, cloud.Calls("AssumeRole"), want)
			})
		}
	}
}
