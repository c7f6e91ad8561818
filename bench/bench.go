// Package bench holds awsauth against its peers: the SDK's own cache and
// providers, aws-sdk-go-base, and the Python class that awsauth replaces.
//
//	go test -bench . -timeout 300s   # benchmarks
//	go run ./cmd/table               # all tables of README.md
//	go run ./cmd/chart               # docs/rotation.svg and docs/spread.svg, from measured data
//
// Whatever is about rotation runs on the clock of testing/synctest, against an
// AWS in memory: waits are exact, and hours take a second. What is about cost
// runs on the machine's clock, against a STS on a loopback socket that lives in
// a process of its own, so that its allocations are not counted.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/chaoxiaodi/awsauth"
)

// Names of the two caches, as tables and charts have them.
const (
	SDK    = "aws.CredentialsCache"
	SDK5   = "aws.CredentialsCache, 5 min window"
	Ours   = "awsauth"
	Region = "us-east-1"
)

// SDKWindow is what people set on the SDK's cache to have it refresh early:
// the window, and the part of it that is jittered.
const (
	SDKWindow       = 5 * time.Minute
	SDKWindowJitter = 0.5
)

// Setup makes a program, or a test binary, ready to measure: the machine's own
// AWS is out of sight, and a process that was started to be the STS, or to
// walk, does that and ends. Call it first.
func Setup() {
	serveSTS()
	serveWalk()
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			os.Unsetenv(name)
		}
	}
	none := filepath.Join(os.TempDir(), "awsauth-bench-no-such-file")
	os.Setenv("AWS_CONFIG_FILE", none)
	os.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// Main is for programs: Setup, then f, then the end. f runs as a test, because
// only tests may open bubbles. Flags must be defined before; Main parses them.
func Main(f func() error) {
	Setup()
	test := testing.InternalTest{Name: "main", F: func(t *testing.T) {
		inTest = t
		if err := f(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0) // before testing says PASS
	}}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{test}, nil, nil)
}

// inTest is the test that Main runs in.
var inTest *testing.T

// InBubble runs f on the clock of testing/synctest, in a program of Main or in
// a benchmark.
func InBubble(f func() error) (err error) {
	err = errors.New("the bubble did not end")
	bubble := func(t *testing.T) {
		synctest.Test(t, func(*testing.T) { err = f() })
	}
	if inTest != nil {
		bubble(inTest)
		return err
	}
	match := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(match, []testing.InternalTest{{Name: "bubble", F: bubble}}) {
		return errors.Join(errors.New("the bubble failed"), err)
	}
	return err
}

// Keys is a credentials provider in memory, for what is measured above STS.
type Keys struct {
	Lifetime time.Duration
	Latency  time.Duration
	OnCall   func()
	Fails    atomic.Pointer[error] // what Retrieve returns instead, if set
	calls    atomic.Int64
}

// Retrieve hands out new keys.
func (k *Keys) Retrieve(context.Context) (aws.Credentials, error) {
	n := k.calls.Add(1)
	if k.OnCall != nil {
		k.OnCall()
	}
	if k.Latency > 0 {
		time.Sleep(k.Latency)
	}
	if err := k.Fails.Load(); err != nil {
		return aws.Credentials{}, *err
	}
	return aws.Credentials{
		AccessKeyID:     fmt.Sprintf("ASIA%016d", n),
		SecretAccessKey: "secret",
		SessionToken:    "token",
		CanExpire:       true,
		Expires:         time.Now().Add(k.Lifetime),
		Source:          "bench",
	}, nil
}

// Calls says how often Retrieve was called.
func (k *Keys) Calls() int { return int(k.calls.Load()) }

// sdkCache is the SDK's cache as the name says.
func sdkCache(name string, p aws.CredentialsProvider) *aws.CredentialsCache {
	return aws.NewCredentialsCache(p, func(o *aws.CredentialsCacheOptions) {
		if name == SDK5 {
			o.ExpiryWindow, o.ExpiryWindowJitterFrac = SDKWindow, SDKWindowJitter
		}
	})
}

// OverKeys puts the cache of that name over a provider.
func OverKeys(name string, k *Keys) (aws.CredentialsProvider, error) {
	if name == Ours {
		return awsauth.New(awsauth.WithCredentialsProvider(k), awsauth.WithRegion(Region))
	}
	return sdkCache(name, k), nil
}
