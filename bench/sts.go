package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// STS is a local STS in a process of its own: it answers AssumeRole after a
// fixed time, checks nothing, and counts.
type STS struct {
	URL string
	cmd *exec.Cmd
	in  io.Closer
}

// Counts is what an STS saw since it was last asked.
type Counts struct{ Calls, Connections int64 }

const stsVariable = "AWSAUTH_BENCH_STS"

// StartSTS starts a copy of this program as STS. Setup must have been called
// first thing in main, or in TestMain.
func StartSTS(latency time.Duration) (*STS, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), stsVariable+"="+latency.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end is the STS's end
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the STS did not start: %w", err)
	}
	return &STS{URL: strings.TrimSpace(line), cmd: cmd, in: in}, nil
}

// Close ends the STS.
func (s *STS) Close() error {
	return firstError(s.in.Close(), s.cmd.Wait())
}

// Take returns the counts and sets them to 0.
func (s *STS) Take() (c Counts, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.URL + "/counts")
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&c)
	c.Connections-- // this one
	return c, err
}

// serveSTS is the other side of StartSTS.
func serveSTS() {
	latency, err := time.ParseDuration(os.Getenv(stsVariable))
	if err != nil {
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var calls, connections atomic.Int64
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/counts" {
				json.NewEncoder(w).Encode(Counts{calls.Swap(0), connections.Swap(0)})
				return
			}
			body, _ := io.ReadAll(r.Body)
			calls.Add(1)
			time.Sleep(latency)
			w.Header().Set("Content-Type", "text/xml")
			io.WriteString(w, assumed(string(body)))
		}),
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // the parent has ended, however it did
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	os.Exit(1)
}

// assumed is the answer to a call of AssumeRole.
func assumed(form string) string {
	arn := "arn:aws:iam::000000000000:role/none"
	if _, rest, ok := strings.Cut(form, "RoleArn="); ok {
		value, _, _ := strings.Cut(rest, "&")
		if text, err := url.QueryUnescape(value); err == nil {
			arn = text
		}
	}
	arn = strings.Replace(strings.Replace(arn, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1)
	return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>` +
		`<AssumedRoleId>AROA00000000000000000:bench</AssumedRoleId><Arn>` + arn + `/bench</Arn></AssumedRoleUser><Credentials>` +
		`<AccessKeyId>ASIA0000000000000000</AccessKeyId><SecretAccessKey>0000000000000000000000000000000000000000</SecretAccessKey>` +
		`<SessionToken>` + sessionToken + `</SessionToken><Expiration>` + time.Now().UTC().Add(time.Hour).Format(time.RFC3339) +
		`</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>` +
		`</ResponseMetadata></AssumeRoleResponse>`
}

// sessionToken is about as long as real ones are.
var sessionToken = strings.Repeat("IQoJb3JpZ2luX2Vj", 24)

// MemorySTS is an HTTP client that answers at once, without a socket.
func MemorySTS() *http.Client { return &http.Client{Transport: memorySTS{}} }

type memorySTS struct{}

func (memorySTS) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body.Close()
	text := assumed(string(body))
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"text/xml"}},
		Body:          io.NopCloser(strings.NewReader(text)),
		ContentLength: int64(len(text)),
	}, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
