package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestDemoStep: each step can be run by itself, and then tells all of the machine.
func TestDemoStep(t *testing.T) {
	awsauthtest.Isolate(t)
	for i, s := range allSteps() {
		code, out, stderr := command(t, "demo", fmt.Sprint(i+1))
		require.Equal(t, exitOK, code, "%s%s", out, stderr)
		assert.Empty(t, stderr)
		assert.True(t, strings.HasPrefix(out, fmt.Sprintf("%2d %s\n", i+1, s.title)), out)
		assert.True(t, strings.HasSuffix(out, fmt.Sprintf("\nStep %d of 14 came out as it should.\n", i+1)), out)
		for code := range strings.Lines(strings.ReplaceAll(s.code, "\t", "    ")) {
			assert.Contains(t, out, code)
		}
		for line := range strings.Lines(sessionName.ReplaceAllString(out, "$1/NAME")) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%q", line)
		}
	}
	_, out, _ := command(t, "demo", "4")
	for _, line := range []string{"in ~/.aws/config\n", "source_profile = dev\n", "aws_secret_access_key = …\n", "region eu-central-1\n", "note   The end of the ARN"} {
		assert.Contains(t, out, line)
	}
	_, out, _ = command(t, "demo", "14")
	assert.Equal(t, 5, strings.Count(out, "sts.us-east-1.amazonaws.com AssumeRole "), out)
}

// What the READMEs say of the demo is so.
func TestDemoReadme(t *testing.T) {
	for file, says := range map[string]string{"README.md": "%d steps,", "README.zh-CN.md": "演示共 %d 步"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		require.NoError(t, err)
		assert.Contains(t, string(text), fmt.Sprintf(says, len(allSteps())))
		assert.Contains(t, string(text), "`demo 13`")
	}
}

func TestDemoStepMisused(t *testing.T) {
	awsauthtest.Isolate(t)
	for args, says := range map[string]string{
		"0":   `demo takes the number of a step, 1 to 14, not "0"`,
		"15":  `demo takes the number of a step, 1 to 14, not "15"`,
		"now": `demo takes the number of a step, 1 to 14, not "now"`,
		"1 2": `demo takes one step or none, not "2" too`,
	} {
		code, out, stderr := command(t, append([]string{"demo"}, strings.Fields(args)...)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Empty(t, out, args)
		assert.Equal(t, "awsauth: "+says+"; see awsauth demo --help\n", stderr)
	}
}

// A step by itself notices, too, when something does not come out as it says.
func TestDemoStepFails(t *testing.T) {
	awsauthtest.Isolate(t)
	steps := parts[0].steps
	t.Cleanup(func() { parts[0].steps = steps })
	spoiled := steps[0]
	spoiled.want.region = "us-west-2"
	parts[0].steps = []step{spoiled}

	code, out, stderr := command(t, "demo", "1")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, "WRONG  the region should be us-west-2")
	assert.Equal(t, "awsauth demo: step 1 did not come out as it should\n", stderr)
}

// The step of many accounts is held against what it should find.
func TestDemoFleetNotices(t *testing.T) {
	s := longer[1]
	for says, change := range map[string]func(*want){
		"found should be":  func(w *want) { w.found = w.found[1:] },
		"the calls should": func(w *want) { w.calls = w.calls[1:] },
		"the error is not": func(w *want) { w.fails = awsauth.InvalidKey },
	} {
		spoiled := s
		change(&spoiled.want)
		r, err := testWorld(t).perform(t.Context(), spoiled)
		require.NoError(t, err)
		assert.Contains(t, strings.Join(r.wrong, "\n"), says)
	}
}

// A day that is not as it should be is found out, each part of it.
func TestDemoDay(t *testing.T) {
	at := func(minutes ...int) (times []time.Duration) {
		for _, m := range minutes {
			times = append(times, time.Duration(m)*time.Minute)
		}
		return times
	}
	good := func() day {
		return day{calls: 180, waited: latency, renewed: at(0, 51, 80, 110), refused: at(25, 30, 49)}
	}
	require.Empty(t, good().wrong())
	assert.Equal(t, "gave keys at 0:00, 0:51, 1:20, 1:50; refused 3 calls, 0:25 to 0:49", strings.Join(good().told(0)[1].lines, " "))
	for says, change := range map[string]func(*day){
		"180 calls should get keys":                              func(d *day) { d.failed = 1 },
		"only the first call should wait":                        func(d *day) { d.waited += time.Second },
		"STS should refuse calls, while it is down":              func(d *day) { d.refused = nil },
		"the keys should be renewed as soon as STS is back":      func(d *day) { d.renewed[1] += 5 * time.Minute },
		"180 calls should get keys\nonly the first call should ": func(d *day) { d.calls, d.waited = 179, time.Hour },
	} {
		d := good()
		change(&d)
		assert.Contains(t, strings.Join(d.wrong(), "\n"), says)
	}
}

// TestDemoHours: three hours take no time, and nobody notices the outage, whenever in it
// the keys are to be renewed.
func TestDemoHours(t *testing.T) {
	w := testWorld(t)
	begun := time.Now()
	for range 10 {
		r, err := w.perform(t.Context(), longer[0])
		require.NoError(t, err)
		assert.Empty(t, r.wrong)
	}
	assert.Less(t, time.Since(begun), time.Minute)
}

// A name as long as a session's may be does not make a line longer than the rest.
func TestDemoLongName(t *testing.T) {
	var out bytes.Buffer
	p := printer{out: &out}
	r := result{identity: awsauth.Identity{ARN: "arn:aws-cn:sts::555555555555:assumed-role/manage-role/" + strings.Repeat("é", 64)}}
	p.step(1, starts[0], r)
	for line := range strings.Lines(out.String()) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, line)
	}
	assert.Contains(t, out.String(), "é…\n")
}
