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

// become replaces this program by another one. Process id, terminal, signals, exit
// code and job control are then the other's own, because nothing of us is left. It
// returns only if it fails.
func become(program string, argv, environ []string) error {
	err := syscall.Exec(program, argv, environ)
	return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %s: %w", program, err)}
}

// runBeside runs the command as a child, and does as it does: it ends, stops and
// continues with it. The child has our process group and so the terminal: Ctrl-C
// and Ctrl-Z reach it from there. We leave the group, so that they do not reach us too,
// and hand on whatever somebody sends to us.
func (x *execution) runBeside(environ []string) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, notIgnored(passedOn()...)...)
	defer signal.Stop(signals)
	group := unix.Getpgrp()
	child, err := os.StartProcess(x.program, x.argv, &os.ProcAttr{Env: environ, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: %w", err)}
	}
	defer child.Release()
	stepAside(group)
	done := make(chan struct{})
	defer close(done)
	go passOn(child.Pid, signals, done)
	return follow(child.Pid, group)
}

// passedOn are the signals that are caught so that the child has its say. A signal
// that we were started to ignore (nohup) stays ignored, here and in the child.
func passedOn() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGCONT,
	}
}

// passOn hands signals to the child. What the terminal sends goes to the whole
// process group in the foreground. Where we could not leave it, the child has had that
// already.
func passOn(pid int, signals <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			switch s {
			case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP:
				if inForeground(unix.Getpgrp()) {
					continue
				}
			}
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}
}

// stepAside leaves the process group that has the terminal to the child, and to those
// that share a pipeline or a script with it. A signal does not say who sent it; out of
// the group there is no doubt: it is not the terminal's. (A group of the child's own
// would not do: a pager behind it would lose the keyboard, and a script would not see
// Ctrl-C.)
//
// Until this is done, after a start and after fg, a signal that the terminal sends as
// well is taken for the terminal's.
//
// The leader of a group cannot make a new one, so a process is started that can. It ends
// at once; the group stays for as long as we are in it. The leader of a session, as in
// a container with a terminal, cannot leave, and stays.
func stepAside(group int) {
	if !hasTerminal() {
		return
	}
	signal.Ignore(syscall.SIGTTOU) // else "stty tostop" stops us when we have something to tell
	if group != os.Getpid() {
		_ = unix.Setpgid(0, 0)
		return
	}
	self, err := os.Executable()
	if err != nil {
		return
	}
	leader, err := os.StartProcess(self, []string{self, "--version"}, &os.ProcAttr{Env: []string{}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		return
	}
	_ = unix.Setpgid(0, leader.Pid) // possible until it is waited for, also if it has ended
	_, _ = leader.Wait()
}

// inForeground reports whether a process group has the terminal.
func inForeground(group int) bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	foreground, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && foreground == group
}

// follow waits for the child to end. Where it stops in the foreground of a terminal,
// so do we, in its group, so that the shell which waits for us has its prompt back; fg
// continues both. So it is where it stops because it wants a terminal that it does not
// have. Elsewhere nobody would continue us.
func follow(pid, group int) error {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return &exited{code: exitNotRun, err: fmt.Errorf("awsauth: exec: wait: %w", err)}
		case status.Stopped():
			wants := status.StopSignal() == syscall.SIGTTIN || status.StopSignal() == syscall.SIGTTOU
			if !wants && !inForeground(group) {
				continue
			}
			_ = unix.Setpgid(0, group)
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
			stepAside(group)
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
