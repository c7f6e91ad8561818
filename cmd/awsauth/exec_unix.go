//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// temporaryVariable names the directory of temporary files.
const temporaryVariable = "TMPDIR"

// become replaces this program by another one. Process id, terminal, signals, exit
// code and job control are then the other's own, because nothing of us is left. It
// returns only if it fails.
func become(program string, argv, environ []string) error {
	err := syscall.Exec(program, argv, environ)
	return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %q: %w", program, err)}
}

// runBeside runs the command as a child, and does as it does: it ends, stops and
// continues with it. The child has our process group and so the terminal: Ctrl-C
// and Ctrl-Z reach it from there.
func (x *execution) runBeside(environ []string) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, notIgnored(passedOn()...)...)
	defer signal.Stop(signals)
	child, err := os.StartProcess(x.program, x.argv, &os.ProcAttr{Env: environ, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %w", fileError(err))}
	}
	defer child.Release()
	done := make(chan struct{})
	defer close(done)
	go passOn(child.Pid, signals, done)
	return follow(child.Pid)
}

// passedOn are the signals that are caught so that the child has its say. A signal
// that we were started to ignore (nohup) stays ignored, here and in the child.
func passedOn() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGCONT,
	}
}

// passOn hands signals to the child. What the terminal sends goes to the whole
// process group: the child has had it already. An interrupt that somebody sends to us
// alone while we have the terminal cannot be told from that, and ends here; SIGTERM
// does not.
func passOn(pid int, signals <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			switch s {
			case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP:
				if inForeground() {
					continue
				}
			}
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}
}

// inForeground reports whether our process group has the terminal.
func inForeground() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return false
	}
	own, err := unix.Getpgid(0)
	return err == nil && group == own
}

// follow waits for the child to end. Where it stops in the foreground of a terminal,
// so do we, so that the shell which waits for us has its prompt back; fg continues
// both. Where it stops because it wanted the terminal in the background, the kernel has
// stopped the whole group, and us with it. Elsewhere nobody would continue us.
func follow(pid int) error {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: wait: %w", err)}
		case status.Stopped():
			wanted := status.StopSignal() == syscall.SIGTTIN || status.StopSignal() == syscall.SIGTTOU
			if wanted || !inForeground() {
				continue
			}
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
			_ = syscall.Kill(pid, syscall.SIGCONT)
		case status.Signaled():
			return &exited{code: 128 + int(status.Signal()), signal: status.Signal()}
		case status.ExitStatus() != 0:
			return &exited{code: status.ExitStatus()}
		default:
			return nil
		}
	}
}

// dieOf ends this program by the signal that ended its child, where that can be
// done quietly: a shell that runs a loop stops it only if the command died of
// Ctrl-C.
func dieOf(s os.Signal) {
	switch s {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL:
		signal.Reset(s)
		_ = syscall.Kill(syscall.Getpid(), s.(syscall.Signal))
		select {} // the signal is on its way
	}
}
