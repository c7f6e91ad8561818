package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/chaoxiaodi/awsauth"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	"golang.org/x/sync/errgroup"
)

// Concurrency of every walk over accounts, and the role that is taken there.
const (
	Concurrency = 16
	Role        = "manage-role"
	keyID       = "AKIA0000000000000000"
	secretKey   = "0000000000000000000000000000000000000000"
)

// Accounts are n account ids.
func Accounts(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%012d", 100_000_000_000+i)
	}
	return ids
}

func roleARN(account string) string { return "arn:aws:iam::" + account + ":role/" + Role }

// Walker gets credentials in every account, as one of the peers does it. What
// it returns keeps the sessions in memory.
type Walker struct {
	Name string
	Note string
	Walk func(ctx context.Context, url string, accounts []string) (kept any, err error)
}

// Walkers are the peers in Go.
func Walkers() []Walker {
	return []Walker{
		{Ours, "ForEachAccount", walkOurs},
		{"stscreds, shared client", "LoadDefaultConfig once, errgroup(16)", walkShared},
		{"LoadDefaultConfig per account", "errgroup(16)", walkNaive},
		{"aws-sdk-go-base per account", "errgroup(16)", walkBase},
	}
}

// BareHTTP posts as many bytes from as many goroutines with net/http alone:
// what this machine needs for so many round trips.
var BareHTTP = Walker{"bare net/http, for comparison", "", walkHTTP}

func walkHTTP(ctx context.Context, url string, accounts []string) (any, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: Concurrency}}
	defer client.CloseIdleConnections()
	return nil, each(ctx, accounts, func(ctx context.Context, _ int, account string) error {
		form := strings.NewReader("Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600&RoleArn=" + roleARN(account))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, form)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		var buf [4096]byte
		for err == nil {
			_, err = resp.Body.Read(buf[:])
		}
		return resp.Body.Close()
	})
}

func walkOurs(ctx context.Context, url string, accounts []string) (any, error) {
	s, err := awsauth.New(awsauth.WithStaticCredentials(keyID, secretKey, ""), awsauth.WithRegion(Region), awsauth.WithSTSEndpoint(url))
	if err != nil {
		return nil, err
	}
	kept := make(chan *awsauth.Session, len(accounts))
	err = s.ForEachAccount(ctx, accounts, func(ctx context.Context, account *awsauth.Session) error {
		kept <- account
		_, err := account.Retrieve(ctx)
		return err
	}, awsauth.WithConcurrency(Concurrency))
	return kept, err
}

func sdkOptions(url string) []func(*config.LoadOptions) error {
	return []func(*config.LoadOptions) error{
		config.WithRegion(Region),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, secretKey, "")),
		config.WithBaseEndpoint(url),
	}
}

func walkShared(ctx context.Context, url string, accounts []string) (any, error) {
	cfg, err := config.LoadDefaultConfig(ctx, sdkOptions(url)...)
	if err != nil {
		return nil, err
	}
	client := sts.NewFromConfig(cfg)
	kept := make([]*aws.CredentialsCache, len(accounts))
	return kept, each(ctx, accounts, func(ctx context.Context, i int, account string) error {
		kept[i] = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, roleARN(account), oneHour))
		_, err := kept[i].Retrieve(ctx)
		return err
	})
}

func walkNaive(ctx context.Context, url string, accounts []string) (any, error) {
	kept := make([]aws.Config, len(accounts))
	return kept, each(ctx, accounts, func(ctx context.Context, i int, account string) error {
		cfg, err := config.LoadDefaultConfig(ctx, sdkOptions(url)...)
		if err != nil {
			return err
		}
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN(account), oneHour))
		kept[i] = cfg
		_, err = cfg.Credentials.Retrieve(ctx)
		return err
	})
}

func walkBase(ctx context.Context, url string, accounts []string) (any, error) {
	kept := make([]aws.Config, len(accounts))
	return kept, each(ctx, accounts, func(ctx context.Context, i int, account string) error {
		ctx, cfg, diags := awsbase.GetAwsConfig(ctx, &awsbase.Config{
			AccessKey: keyID, SecretKey: secretKey, Region: Region, StsEndpoint: url, StsRegion: Region,
			SkipCredsValidation: true, SkipRequestingAccountId: true, MaxRetries: 1,
			AssumeRole: []awsbase.AssumeRole{{RoleARN: roleARN(account), SessionName: "bench", Duration: time.Hour}},
		})
		if diags.HasError() {
			return fmt.Errorf("aws-sdk-go-base: %v", diags)
		}
		kept[i] = cfg
		_, err := cfg.Credentials.Retrieve(ctx)
		return err
	})
}

// oneHour asks for what awsauth, boto3 and AWS itself give by default; stscreds
// alone asks for 15 minutes.
func oneHour(o *stscreds.AssumeRoleOptions) { o.Duration = time.Hour }

func each(ctx context.Context, accounts []string, do func(context.Context, int, string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(Concurrency)
	for i, account := range accounts {
		g.Go(func() error { return do(ctx, i, account) })
	}
	return g.Wait()
}

// WalkResult is what one walk cost.
type WalkResult struct {
	Accounts     int
	Took         time.Duration
	Counts       Counts
	Bytes        float64 // allocated, per account
	Allocs       float64 // per account
	Kept         float64 // heap bytes per account while the sessions are held
	OfTheLimit   float64 // Took over Limit
	FromPython   bool
	Unobtainable string // why there is no result
}

// Limit is the time below which n accounts cannot be done: rounds × latency.
func Limit(n int, latency time.Duration) time.Duration {
	return time.Duration((n+Concurrency-1)/Concurrency) * latency
}

// Measure walks once, in a process of its own, so that no walk pays for what an
// earlier one left behind. A few accounts go before and do not count.
func (s *STS) Measure(w Walker, n int, latency time.Duration) (r WalkResult, err error) {
	exe, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(exe)
	job, err := json.Marshal(walkJob{w.Name, s.URL, n})
	if err != nil {
		return r, err
	}
	cmd.Env = append(os.Environ(), walkVariable+"="+string(job))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", w.Name, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("%s: %q: %w", w.Name, out, err)
	}
	r.OfTheLimit = float64(r.Took) / float64(Limit(n, latency))
	return r, nil
}

const walkVariable = "AWSAUTH_BENCH_WALK"

type walkJob struct {
	Walker, URL string
	Accounts    int
}

// serveWalk is the other side of Measure.
func serveWalk() {
	text := os.Getenv(walkVariable)
	if text == "" {
		return
	}
	var job walkJob
	err := json.Unmarshal([]byte(text), &job)
	for _, w := range append(Walkers(), BareHTTP) {
		if err == nil && w.Name == job.Walker {
			var r WalkResult
			if r, err = w.measure(job); err == nil {
				err = json.NewEncoder(os.Stdout).Encode(r)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// warmUp is how many accounts go before those that count.
const warmUp = 2 * Concurrency

func (w Walker) measure(job walkJob) (r WalkResult, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	accounts := Accounts(job.Accounts + warmUp)
	if _, err := w.Walk(ctx, job.URL, accounts[:warmUp]); err != nil {
		return r, err
	}
	accounts = accounts[warmUp:]
	sts := &STS{URL: job.URL}
	if _, err := sts.Take(); err != nil {
		return r, err
	}
	r.Accounts = job.Accounts
	n := float64(job.Accounts)
	var before, after runtime.MemStats
	held := heapInUse()
	runtime.ReadMemStats(&before)
	start := time.Now()
	kept, err := w.Walk(ctx, job.URL, accounts)
	r.Took = time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		return r, err
	}
	r.Kept = (heapInUse() - held) / n
	runtime.KeepAlive(kept)
	runtime.KeepAlive(accounts)
	r.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / n
	r.Allocs = float64(after.Mallocs-before.Mallocs) / n
	r.Counts, err = sts.Take()
	return r, err
}

// MeasurePython walks with a re-creation of the Python class: one account
// after the other, as the scripts that use it do.
func (s *STS) MeasurePython(script string, n int, latency time.Duration) (r WalkResult, err error) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		return WalkResult{Unobtainable: "python3 or boto3 is not here: " + err.Error()}, nil
	}
	if _, err := s.Take(); err != nil {
		return r, err
	}
	cmd := exec.Command("python3", append([]string{script}, Accounts(n)...)...)
	cmd.Env = append(os.Environ(), ProgramEnv(s.URL)...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return r, err
	}
	var seconds float64
	if _, err := fmt.Sscan(string(out), &seconds, &r.Kept); err != nil {
		return r, fmt.Errorf("%s said %q: %w", script, out, err)
	}
	r.Took = time.Duration(seconds * float64(time.Second))
	r.Counts, err = s.Take()
	r.Accounts, r.FromPython = n, true
	r.OfTheLimit = float64(r.Took) / float64(Limit(n, latency))
	return r, err
}

// ProgramEnv is the environment of the programs that are measured from outside.
func ProgramEnv(url string) []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_REGION=" + Region, "AWS_DEFAULT_REGION=" + Region, "AWS_ENDPOINT_URL_STS=" + url,
	}
}
