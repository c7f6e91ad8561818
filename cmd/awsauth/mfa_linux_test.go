package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/ptytest"
)

// asArgs is the environment of a process of this test binary that is the command, with
// arguments of its own.
func asArgs(args ...string) []string {
	return []string{asCommand + "=1", commandArgs + "=" + strings.Join(args, "\n")}
}

// TestMFATerminal: a person at the terminal is asked, what is typed is not shown, and
// only the answer is on stdout. The next command does not ask.
func TestMFATerminal(t *testing.T) {
	for name, tt := range map[string]struct {
		args     []string
		question string
	}{
		"the role's profile": {[]string{"--profile", "admin"}, "MFA code for " + anasDevice + " (profile admin): "},
		"beside the keys":    {[]string{"--profile", "beside", "--account", accountA}, "MFA code for " + anasDevice + " (profile beside): "},
		"the flag":           {[]string{"--profile", "ana", "--account", accountA, "--mfa-serial", anasDevice}, "MFA code for " + anasDevice + " (profile ana): "},
	} {
		t.Run(name, func(t *testing.T) {
			cloud, _ := device(t)
			p := ptytest.New(t)
			c := p.Start(t, asArgs(append([]string{"process"}, tt.args...)...)...)
			p.Asked(t, tt.question)
			p.Press(t, cloud.MFACode(anasDevice)+"\n")
			c.End(t)
			var answer map[string]any
			require.NoError(t, json.Unmarshal([]byte(c.Tells.String()), &answer), c.Tells.String())
			assert.Equal(t, accountA, answer["AccountId"])

			c = p.Start(t, asArgs(append([]string{"process"}, tt.args...)...)...)
			c.End(t)
			assert.Zero(t, c.Cmd.ProcessState.ExitCode())
			assert.Len(t, cloud.Calls("GetSessionToken"), 1)
		})
	}
}

// TestMFAUnasked: an mfa_serial beside keys says nothing where no role is taken, and
// without a terminal nobody can be asked for it. A role's mfa_serial is required.
func TestMFAUnasked(t *testing.T) {
	cloud, _ := device(t)
	p := ptytest.New(t)
	c := p.Start(t, asArgs("whoami", "--profile", "beside")...)
	c.End(t)
	assert.Contains(t, c.Tells.String(), ana)
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--profile", "beside", "--account", accountA, "--role", "open"}, exitOK, ""},
		{[]string{"--profile", "admin"}, exitFailed, "no terminal"},
		{[]string{"--profile", "ana", "--account", accountA, "--mfa-serial", anasDevice}, exitFailed, "give --mfa-process a command that prints the code"},
	} {
		c, stdout, stderr := process(t, append([]string{"process"}, tt.args...)...)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		_ = c.Run()
		assert.Equal(t, tt.code, c.ProcessState.ExitCode(), stderr.String())
		assert.Contains(t, stderr.String(), tt.says)
		if tt.code != exitOK {
			assert.Empty(t, stdout.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		}
	}
	assert.Empty(t, cloud.Calls("GetSessionToken"))
}

// TestMFAKept: without a terminal, as under cron, a session that somebody opened today is
// used, whatever names the device. Where there is none, an mfa_serial beside keys counts
// for nothing, as for the AWS CLI.
func TestMFAKept(t *testing.T) {
	for name, tt := range map[string]struct{ args, cold string }{
		"the role's profile": {"--profile admin", "no terminal"},
		"beside the keys":    {"--profile beside --account " + accountA, "access denied"},
		"the flag":           {"--profile ana --account " + accountA + " --mfa-serial " + anasDevice, "no terminal"},
	} {
		t.Run(name, func(t *testing.T) {
			cloud, _ := device(t)
			alone := func(line string) ran {
				c, stdout, stderr := process(t, strings.Fields(line)...)
				c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				_ = c.Run()
				return ran{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
			}
			got := alone("process " + tt.args)
			assert.Equal(t, exitFailed, got.code)
			assert.Contains(t, got.stderr, tt.cold)

			p := ptytest.New(t)
			c := p.Start(t, asArgs("whoami", "--profile", "beside", "--account", accountB)...) // signs in for the day
			p.Asked(t, "MFA code for "+anasDevice+" (profile beside): ")
			p.Press(t, cloud.MFACode(anasDevice)+"\n")
			c.End(t)
			for _, command := range []string{"process", "exec", "env", "whoami", "each"} {
				line := command + " " + tt.args
				switch command {
				case "exec":
					line += " -- true"
				case "each":
					if name == "the role's profile" {
						continue // it starts as the role
					}
					line = strings.Replace(line, "--account", "--accounts", 1) + " -- true"
				}
				got = alone(line)
				assert.Equal(t, exitOK, got.code, "%s: %s", line, got.stderr)
			}
			assert.Len(t, cloud.Calls("GetSessionToken"), 1)

			got = alone("process --no-cache " + tt.args)
			assert.Equal(t, exitFailed, got.code)
			assert.Contains(t, got.stderr, tt.cold)
		})
	}
}

// TestMFAUnanswered: nobody types, so process gives up by itself before the SDK that
// waits for it does.
func TestMFAUnanswered(t *testing.T) {
	cloud, _ := device(t)
	p := ptytest.New(t)
	start := time.Now()
	c := p.Start(t, asArgs("process", "--profile", "admin", "--timeout", "2s")...)
	p.Asked(t, "MFA code for "+anasDevice+" (profile admin): ")
	c.End(t)
	assert.Less(t, time.Since(start), processTimeout, "--timeout counts, and not the default")
	assert.Equal(t, exitFailed, c.Cmd.ProcessState.ExitCode())
	assert.Empty(t, c.Tells.String())
	assert.Empty(t, cloud.Calls())
	assert.Less(t, processTimeout, time.Minute)
}
