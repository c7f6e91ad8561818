package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth"
)

// asker asks the person at the terminal for an MFA code. The terminal is asked and
// not stdin, which may be anything else: a list of accounts, the input of a command.
type asker struct {
	open   func() (io.ReadWriteCloser, error)
	hushed atomic.Bool
}

func terminalAsker() *asker { return &asker{open: openTerminal} }

// openTerminal is the terminal of this process, whatever stdin and stdout are.
func openTerminal() (io.ReadWriteCloser, error) {
	if runtime.GOOS != "windows" {
		return os.OpenFile("/dev/tty", os.O_RDWR, 0)
	}
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return console{in}, nil
}

// console reads what is typed in Windows' console, and writes on stderr.
type console struct{ *os.File }

func (console) Write(p []byte) (int, error) { return os.Stderr.Write(p) }

// option lets a profile with an mfa_serial ask. Without a terminal nobody is there
// to ask, and the library says that MFA is required.
func (a *asker) option() awsauth.Option {
	terminal, err := a.open()
	if err != nil {
		return nil
	}
	_ = terminal.Close()
	return awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.TokenProvider = a.ask
	}))
}

// hush ends the asking: from now on the terminal is another program's.
func (a *asker) hush() { a.hushed.Store(true) }

func (a *asker) ask() (string, error) {
	if a.hushed.Load() {
		return "", errors.New("a new MFA code is needed, and the terminal is the command's; start it anew")
	}
	terminal, err := a.open()
	if err != nil {
		return "", fmt.Errorf("ask for the MFA code: %w", err)
	}
	defer terminal.Close()
	fmt.Fprint(terminal, "MFA code: ")
	line, err := bufio.NewReader(terminal).ReadString('\n')
	if code := strings.TrimSpace(line); code != "" {
		return code, nil
	}
	return "", fmt.Errorf("no MFA code was typed: %w", err)
}
