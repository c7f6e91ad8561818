package terminal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/chaoxiaodi/awsauth/internal/terminal"
)

// role is the variable that makes a process of this test binary play a role.
const role = "AWSAUTH_TEST_ROLE"

// jobRole is what the job of a shell plays.
const jobRole = "AWSAUTH_TEST_JOB"

func TestMain(m *testing.M) {
	roles := map[string]func(){
		"ask":           askOnce,
		"ask, handlers": askWithHandlers,
		"ask, ignoring": askIgnoring,
		"ask, twice":    askTwice,
		"shell":         func() { shell(true) },
		"shell, bg":     func() { shell(false) },
	}
	if play, ok := roles[os.Getenv(role)]; ok {
		play()
		return
	}
	os.Exit(m.Run())
}

// tell asks and tells the test what came of it.
func tell(ctx context.Context, t *terminal.Terminal) {
	s, err := t.Ask(ctx, "Code:")
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("answer:", s)
}

func askOnce() { tell(context.Background(), terminal.New()) }

// askWithHandlers is a program that handles signals in its own way.
func askWithHandlers() {
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	tell(context.Background(), terminal.New())
	fmt.Println("signals:", len(c))
}

func askIgnoring() {
	signal.Ignore(syscall.SIGTERM)
	tell(context.Background(), terminal.New())
}

// askTwice leaves its first question when it is told so.
func askTwice() {
	ctx, cancel := context.WithCancelCause(context.Background())
	in := bufio.NewScanner(os.Stdin)
	go func() {
		in.Scan()
		cancel(errors.New("left"))
	}()
	t := terminal.New()
	tell(ctx, t)
	in.Scan()
	tell(context.Background(), t)
}

// shell runs a job and tells when it is stopped. On its standard input it is told
// where the job continues: fg or bg.
func shell(foreground bool) {
	job := exec.Command(os.Args[0])
	job.Env = append(os.Environ(), role+"="+os.Getenv(jobRole))
	job.Stdout = os.Stdout
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: foreground, Ctty: 3}
	must(job.Start())
	pid := job.Process.Pid
	in := bufio.NewScanner(os.Stdin)
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		must(err)
		if !status.Stopped() {
			fmt.Println("ended")
			return
		}
		signal.Ignore(syscall.SIGTTOU)
		must(unix.IoctlSetPointerInt(3, unix.TIOCSPGRP, unix.Getpgrp()))
		signal.Reset(syscall.SIGTTOU)
		fmt.Println("stopped")
		in.Scan()
		if in.Text() == "fg" {
			must(unix.IoctlSetPointerInt(3, unix.TIOCSPGRP, pid))
		}
		must(syscall.Kill(-pid, syscall.SIGCONT))
	}
}

func must(err error) {
	if err != nil {
		fmt.Println("broken:", err)
		os.Exit(1)
	}
}
