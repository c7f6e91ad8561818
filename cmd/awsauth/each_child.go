package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth"
)

// one runs the command in one account: once, or once in each region.
func (e *each) one(ctx context.Context, s *awsauth.Session) error {
	keys, err := lasting{s, leftForGood}.Retrieve(ctx)
	if err != nil {
		return err
	}
	id, err := s.Identity(ctx) // came with the credentials
	if err != nil {
		return err
	}
	to := e.target(id)
	if len(e.regions) == 0 {
		return e.start(ctx, keys, to, s.Config().Region)
	}
	var failed regionErrors
	label := to.label
	for _, region := range e.regions {
		to.label = label + " " + region
		if err := e.start(ctx, keys, to, region); err != nil {
			failed = append(failed, regionError{region, err})
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return failed
}

// target is an account in which the command runs.
type target struct {
	account string // its id
	role    string // the role's ARN, if the list has it
	label   string // in front of each line of output
}

// target tells the accounts apart for a reader, and the roles where the list has several
// of one account.
func (e *each) target(id awsauth.Identity) target {
	name := roleName(id.ARN)
	to := target{account: id.Account, role: e.list.role(id.Account, name), label: id.Account}
	if len(e.list.roles[id.Account]) > 1 {
		to.label += " " + name
	}
	return to
}

// childGrace is how long a command that was told to end may take.
const childGrace = 5 * time.Second

// start runs the command once.
func (e *each) start(ctx context.Context, keys aws.Credentials, to target, region string) error {
	c := exec.CommandContext(ctx, e.command[0], e.command[1:]...)
	c.Env = with(e.environ, append(keyVariables(keys, region), variable{"AWSAUTH_ACCOUNT", to.account})...)
	c.Cancel = func() error {
		if c.Process.Signal(syscall.SIGTERM) != nil { // Windows has none
			return c.Process.Kill()
		}
		return nil
	}
	c.WaitDelay = childGrace
	if e.json {
		return e.collect(c, to, region)
	}
	stdout, stderr := e.out.writer(e.out.stdout, to.label), e.out.writer(e.out.stderr, to.label)
	defer stdout.end()
	defer stderr.end()
	c.Stdout, c.Stderr = stdout, stderr
	return ranError(runToEnd(c))
}

// runToEnd runs a command. One that ended well has done so though something that it started
// still holds its output open.
func runToEnd(c *exec.Cmd) error {
	err := c.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // which Run returns only then
		return nil
	}
	return err
}

// runResult is what --output json writes of one run. Its names stay.
type runResult struct {
	Account  string `json:"account"`        // the id, or what stands in the list if it is none
	Role     string `json:"role,omitempty"` // the role's ARN, if the list has it
	Region   string `json:"region,omitempty"`
	ExitCode *int   `json:"exit_code"` // null: it did not run, or did not end by itself
	Output   string `json:"output"`
	Stderr   string `json:"stderr"`
	Error    string `json:"error,omitempty"`
}

// collect runs the command and writes its result as one line of JSON.
func (e *each) collect(c *exec.Cmd, to target, region string) error {
	var stdout, stderr bounded
	c.Stdout, c.Stderr = &stdout, &stderr
	err := runToEnd(c)
	r := runResult{Account: to.account, Role: to.role, Region: region, Output: stdout.text(), Stderr: stderr.text()}
	if c.ProcessState != nil && c.ProcessState.Exited() {
		code := c.ProcessState.ExitCode()
		r.ExitCode = &code
	}
	if err != nil {
		r.Error = err.Error()
	}
	return ranError(errors.Join(err, e.writeResult(r)))
}

// writeUnrun writes the result of an account in which the command did not run.
func (e *each) writeUnrun(err *awsauth.AccountError) {
	var ran *commandError
	if e.json && !errors.As(err, &ran) {
		r := runResult{Account: idOf(err.Account), Error: failedAccountOf(err).reason}
		if r.Account != err.Account {
			r.Role = err.Account
		}
		_ = e.writeResult(r)
	}
}

func (e *each) writeResult(r runResult) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return err
	}
	return e.out.write(e.out.stdout, []byte(escaped(b.String())))
}

// commandError is the error of a command that was started.
type commandError struct{ err error }

func ranError(err error) error {
	if err == nil {
		return nil
	}
	return &commandError{err}
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// regionErrors are the regions of one account in which the command failed.
type regionErrors []regionError

type regionError struct {
	region string
	err    error
}

func (all regionErrors) Error() string {
	var texts []string
	for _, one := range all {
		texts = append(texts, fmt.Sprintf("%s: %v", one.region, one.err))
	}
	return strings.Join(texts, "; ")
}

func (all regionErrors) Unwrap() (errs []error) {
	for _, one := range all {
		errs = append(errs, one.err)
	}
	return errs
}

// mostOutput bounds what is kept of a command's output until it ends.
const mostOutput = 16 << 20

// bounded keeps the beginning of what is written, and takes all.
type bounded struct {
	buffer bytes.Buffer
	more   bool
}

var _ io.Writer = (*bounded)(nil)

func (b *bounded) Write(p []byte) (int, error) {
	room := mostOutput - b.buffer.Len()
	b.buffer.Write(p[:min(len(p), room)])
	b.more = b.more || len(p) > room
	return len(p), nil
}

func (b *bounded) text() string {
	if b.more {
		return b.buffer.String() + "\n(cut off)\n"
	}
	return b.buffer.String()
}
