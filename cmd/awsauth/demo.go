package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// demoCommand walks through what the library is for.
func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "watch the library at work on an AWS inside the process: no account, no network",
		Description: "Each step prints what the machine has, the code that ran, who it made you, and\n" +
			"which hosts were called. Your own AWS settings are neither read nor changed.",
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if err := demo(ctx, cmd.Root().Writer); err != nil {
				return &failure{fmt.Errorf("awsauth demo: %w", err)}
			}
			return nil
		},
	}
}

// stepTimeout bounds a step. The AWS is in memory: a step takes milliseconds.
const stepTimeout = 30 * time.Second

const intro = `awsauth demo

An AWS runs inside this process, with STS in every partition and EC2 metadata. There is no
account and no network, and your own AWS settings are neither read nor changed.

The code of each step is the code that ran, but for one option, which sends its calls to the
AWS in here. "identity" is what s.Identity(ctx) returned, "called" is what the AWS saw.
`

const outro = `What now

   client := ec2.NewFromConfig(s.Config())     any client of aws-sdk-go-v2 takes a session so;
                                               its keys are renewed before they expire
   awsauth whoami                              who you are, for real
   awsauth whoami --account 123456789012       who you would be there
                                               (in a clone: go run ./cmd/awsauth whoami)
`

// parts are all steps in their order.
var parts = []struct {
	title string
	steps []step
}{
	{"Who you start as", starts},
	{"Becoming a role", roles},
	{"Mistakes, and what you are told", mistakes},
}

// demo builds a world, walks through it, and leaves no trace.
func demo(ctx context.Context, out io.Writer) (err error) {
	w, err := newWorld()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return w.walk(ctx, out)
}

// walk runs all steps and prints them. It fails if one of them did not come
// out as it should.
func (w *world) walk(ctx context.Context, out io.Writer) error {
	p := printer{out: out, pen: penFor(out)}
	p.line("%s", intro)
	number, wrong := 0, 0
	for _, part := range parts {
		p.part(part.title)
		for _, s := range part.steps {
			number++
			result, err := w.perform(ctx, s)
			if err != nil {
				return err
			}
			p.step(number, s, result)
			if len(result.wrong) > 0 {
				wrong++
			}
		}
	}
	if wrong > 0 {
		return errors.Join(fmt.Errorf("%d of %d steps did not come out as they should", wrong, number), p.err)
	}
	p.line("%s", outro)
	p.line("All %d steps came out as they should.", number)
	return p.err
}

// result is what a step came to.
type result struct {
	identity awsauth.Identity
	region   string
	calls    []string
	err      error
	wrong    []string // how it differs from what was wanted
}

// perform runs one step on the machine it asks for. Its error is of the demo,
// not of the step.
func (w *world) perform(ctx context.Context, s step) (result, error) {
	if err := w.become(s.given); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var r result
	session, err := s.run(w.keys[s.given.user], awsauth.WithLoadOptions(w.cloud.LoadOptions()))
	if err == nil {
		r.region = session.Config().Region
		r.identity, err = session.Identity(ctx)
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	r.err, r.calls = err, w.calls()
	r.wrong = r.against(s.want)
	return r, nil
}

// against says what is not as wanted.
func (r result) against(want want) (wrong []string) {
	if want.fails != "" {
		if !errors.Is(r.err, want.fails) {
			wrong = append(wrong, fmt.Sprintf("the error is not %s", kindNames[want.fails]))
		}
	} else {
		name, session, _ := strings.Cut(r.identity.ARN, want.identity)
		if r.err != nil {
			wrong = append(wrong, "there should be no error")
		}
		if name != "" || session != "" && !strings.HasPrefix(session, "/") {
			wrong = append(wrong, "the identity should be "+want.identity)
		}
		if r.region != want.region {
			wrong = append(wrong, "the region should be "+want.region)
		}
	}
	if !slices.Equal(r.calls, want.calls) {
		wrong = append(wrong, fmt.Sprintf("the calls should be %q", want.calls))
	}
	return wrong
}
