package awsauth_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMain lets tests start the test program as another process of the user, with
// a role to play.
func TestMain(m *testing.M) {
	if play, ok := roles()[os.Getenv(lab.Role)]; ok {
		play()
		return
	}
	os.Exit(lab.OnLaptop(m.Run)) // where the examples run: a reader sees nothing of it in them
}

func roles() map[string]func() {
	return map[string]func(){
		"worker":           func() { work(os.Stdin, os.Stdout) },
		"read-only worker": func() { freeze(); work(os.Stdin, os.Stdout) },
		"prompt":           prompt,
	}
}

// errand is what a worker is to get credentials for.
type errand struct {
	Profile    string
	ID, Secret string // the user's keys
	Serial     string // of the user's MFA device
	Account    string // whose manage-role to become
	Dir        string // of the disk cache
}

// options are those of New.
func (e errand) options(code func(context.Context) (string, error)) []awsauth.Option {
	opts := []awsauth.Option{awsauth.WithProfile(e.Profile), awsauth.WithStaticCredentials(e.ID, e.Secret, ""), awsauth.WithAccount(e.Account)}
	if e.Serial != "" {
		opts = append(opts, awsauth.WithMFA(e.Serial, code))
	}
	if e.Dir != "" {
		opts = append(opts, awsauth.WithDiskCache(e.Dir))
	}
	return opts
}

// work is a process that gets credentials, once for each errand that it reads. It
// writes "done" and the key id, or "failed". Of an MFA code it writes "prompt", and
// reads the code; what it logs as a warning comes as "warning". It ends with its
// input.
func work(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	warn := slog.New(slog.NewTextHandler(&worded{out}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for lines.Scan() {
		var e errand
		must(json.Unmarshal(lines.Bytes(), &e))
		opts := append(e.options(func(context.Context) (code string, err error) {
			fmt.Fprintln(out, "prompt")
			if !lines.Scan() {
				return "", io.EOF
			}
			return code, json.Unmarshal(lines.Bytes(), &code)
		}), awsauth.WithLogger(warn))
		id, err := keyID(opts)
		if err != nil {
			fmt.Fprintln(out, "failed", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Fprintln(out, "done", id)
	}
}

func keyID(opts []awsauth.Option) (string, error) {
	s, err := awsauth.New(opts...)
	if err != nil {
		return "", err
	}
	keys, err := s.Retrieve(context.Background())
	return keys.AccessKeyID, err
}

// worded puts "warning" before each line of a log.
type worded struct{ out io.Writer }

func (w *worded) Write(line []byte) (int, error) {
	_, err := fmt.Fprintf(w.out, "warning %s", line)
	return len(line), err
}

// profileErrand is the variable that holds the errand of the role "prompt".
const profileErrand = "AWSAUTH_TEST_ERRAND"

// mfaQuestion is what prompt asks, with the profile "ana".
const mfaQuestion = "MFA code for arn:aws:iam::111111111111:mfa/ana (profile ana):"

// prompt is a program at a terminal: it becomes a role behind MFA, and writes who it
// is to its standard output, or what failed.
func prompt() {
	var e errand
	must(json.Unmarshal([]byte(os.Getenv(profileErrand)), &e))
	s, err := awsauth.New(append(e.options(nil), awsauth.WithMFA(e.Serial, awsauth.PromptMFA))...)
	must(err)
	id, err := s.Identity(context.Background())
	if err != nil {
		fmt.Println("failed", errors.Is(err, awsauth.MFARequired), err)
		return
	}
	fmt.Println(lab.ShortARN(id.ARN))
}

// must ends a process of the tests at an error.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
