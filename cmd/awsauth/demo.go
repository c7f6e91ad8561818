package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
)

// demoCommand walks through what the library is for.
func demoCommand() *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "watch the library at work on an AWS inside the process: no account, no network",
		ArgsUsage: "[STEP]",
		Description: "Each step prints the code that ran, who it made you, and which hosts were\n" +
			"called. With the number of a step, only that one runs, and prints all that the\n" +
			"machine has. Your own AWS settings are neither read nor changed. Examples:\n\n" +
			"    awsauth demo\n" +
			"    awsauth demo 4",
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			only, err := stepNumber(cmd)
			if err != nil {
				return err
			}
			if err := demo(ctx, cmd.Root().Writer, only); err != nil {
				return &failure{fmt.Errorf("awsauth demo: %w", err)}
			}
			return nil
		},
	}
}

// stepNumber reads which step is wanted; 0 is all of them.
func stepNumber(cmd *cli.Command) (int, error) {
	if !cmd.Args().Present() {
		return 0, nil
	}
	if cmd.Args().Len() > 1 {
		return 0, misused(cmd, fmt.Errorf("demo takes one step or none, not %q too", cmd.Args().Get(1)))
	}
	word, last := cmd.Args().First(), len(allSteps())
	if n, err := strconv.Atoi(word); err == nil && 1 <= n && n <= last {
		return n, nil
	}
	return 0, misused(cmd, fmt.Errorf("demo takes the number of a step, 1 to %d, not %q", last, word))
}

// stepTimeout bounds a step. The AWS is in memory: a step takes milliseconds.
const stepTimeout = 30 * time.Second

const intro = `awsauth demo: an AWS runs inside this process. There is no account and no
network, and your own AWS settings are neither read nor changed. The code of a
step is what ran, "who" is what s.Identity(ctx) returned, "called" what the AWS
saw. Where nothing is given, the keys of the user ana are in the environment.`

const outro = `All %d steps came out as they should. What now:
   awsauth demo 4   all about step 4
   awsauth whoami   who you are for real; go run ./cmd/awsauth whoami in a clone
   client := ec2.NewFromConfig(s.Config())   in your program: any client of AWS`

// parts are all steps in their order.
var parts = []struct {
	title string
	steps []step
}{
	{"Who you start as", starts},
	{"Becoming a role", roles},
	{"Mistakes, and what you are told", mistakes},
	{"Over time, and over many accounts", longer},
}

// allSteps are those of all parts.
func allSteps() (all []step) {
	for _, part := range parts {
		all = append(all, part.steps...)
	}
	return all
}

// demo builds a world, walks through it, and leaves no trace. only is the number of the
// one step to run, or 0.
func demo(ctx context.Context, out io.Writer, only int) (err error) {
	w, err := newWorld()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if only > 0 {
		return w.show(ctx, out, only)
	}
	return w.walk(ctx, out)
}

// walk runs all steps and prints them, in short. It fails if one of them did not
// come out as it should.
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
	p.line(outro, number)
	return p.err
}

// show runs one step, and prints all about it.
func (w *world) show(ctx context.Context, out io.Writer, number int) error {
	p := printer{out: out, pen: penFor(out), full: true}
	s := allSteps()[number-1]
	result, err := w.perform(ctx, s)
	if err != nil {
		return err
	}
	p.step(number, s, result)
	if len(result.wrong) > 0 {
		return errors.Join(fmt.Errorf("step %d did not come out as it should", number), p.err)
	}
	p.line("Step %d of %d came out as it should.", number, len(allSteps()))
	return p.err
}

// perform runs one step on the machine it asks for. Its error is of the demo,
// not of the step.
func (w *world) perform(ctx context.Context, s step) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	switch {
	case s.hours != nil:
		r, err = w.pass(s)
	case s.fleet != nil:
		r, err = w.visit(ctx, s)
	default:
		r, err = w.open(ctx, s)
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	return r, err
}

// open runs a step that makes a session.
func (w *world) open(ctx context.Context, s step) (result, error) {
	if err := w.become(s.given); err != nil {
		return result{}, err
	}
	var r result
	keys := w.keys[s.given.user]
	session, err := s.run(keys.AccessKeyID, keys.SecretAccessKey, awsauth.WithLoadOptions(w.cloud.LoadOptions()))
	if err == nil {
		r.region = session.Config().Region
		r.identity, err = session.Identity(ctx)
	}
	r.err, r.calls = err, w.calls()
	r.wrong = r.against(s.want)
	return r, nil
}
