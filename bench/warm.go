package bench

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cliVariable names an AWS CLI of version 2, where it is not on the path.
const cliVariable = "AWSAUTH_BENCH_AWSCLI"

// MeasureWarm measures fresh processes that find the credentials of a role on the
// disk: ours, our command, and the AWS CLI, which has a cache of its own and is the last.
// The first program only loads the SDK's config, the one before the command makes a call
// to STS each time. They are built into dir and run in turn.
func MeasureWarm(benchDir, dir, url string, runs int) ([]*Program, error) {
	cache := filepath.Join(dir, "cache")
	programs := []*Program{
		{Name: "LoadDefaultConfig, and no credentials", Command: []string{filepath.Join(dir, "config")}},
		{Name: "awsauth, from the disk cache", Command: []string{filepath.Join(dir, "warm"), cache}},
		{Name: "awsauth, from the disk cache, encrypted", Command: []string{filepath.Join(dir, "warm"), cache, "encrypted"}},
		{Name: "bare SDK, a call to STS", Command: []string{filepath.Join(dir, "sdk")}},
		{Name: "the command: `awsauth process`", Command: []string{filepath.Join(dir, "command"), "process", "--cache-dir", cache, "--account", someAccount}},
		{Name: "the command: `awsauth exec -- true`", Command: []string{filepath.Join(dir, "command"), "exec", "--cache-dir", cache, "--account", someAccount, "--", "true"}},
		newCLI(dir),
	}
	// The command is of the library's module: its own dependencies are not in this one.
	if err := goBuild(filepath.Dir(absolute(benchDir)), filepath.Join(dir, "command"), "./cmd/awsauth"); err != nil {
		return nil, err
	}
	for _, name := range []string{"config", "warm", "sdk"} {
		if err := goBuild(benchDir, filepath.Join(dir, name), "./cold/"+name); err != nil {
			return nil, err
		}
	}
	for run := range runs + 1 { // the first fills the caches and does not count
		for _, p := range programs {
			slow := p.Env != nil
			if p.Unobtainable != "" || slow && run%25 != 0 {
				continue
			}
			took, err := p.run(url)
			switch {
			case err != nil && slow:
				p.Unobtainable = err.Error()
			case err != nil:
				return nil, err
			case run > 0 || slow && runs < 25:
				p.Times = append(p.Times, took)
			}
		}
	}
	return programs, nil
}

// absolute is dir, from wherever one stands.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// Over is how much longer a program takes than another one: the median over the pairs
// of runs that took place side by side, where there are as many of both.
func (p *Program) Over(floor *Program) time.Duration {
	if len(p.Times) != len(floor.Times) {
		return p.Median() - floor.Median()
	}
	var more []time.Duration
	for i, took := range p.Times {
		more = append(more, took-floor.Times[i])
	}
	return Median(more)
}

// newCLI is `aws configure export-credentials`, with a home in which the CLI's cache
// has the role's credentials already.
func newCLI(dir string) *Program {
	p := &Program{Name: "aws configure export-credentials, from its cache"}
	path, err := findCLI()
	if err != nil {
		p.Unobtainable = err.Error()
		return p
	}
	home := filepath.Join(dir, "home")
	cached := filepath.Join(home, ".aws", "cli", "cache", cliCacheName(roleARN(someAccount)))
	entry := fmt.Sprintf(`{"Credentials": {"AccessKeyId": "ASIA0000000000000000", "SecretAccessKey": %q, "SessionToken": %q, "Expiration": %q}}`,
		strings.Repeat("0", 40), sessionToken, time.Now().Add(12*time.Hour).UTC().Format(time.RFC3339))
	conf := fmt.Sprintf("[profile ops]\nregion = %s\nrole_arn = %s\nsource_profile = keys\n[profile keys]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		Region, roleARN(someAccount), keyID, secretKey)
	confFile := filepath.Join(home, ".aws", "config")
	if err := firstError(os.MkdirAll(filepath.Dir(cached), 0o700), os.WriteFile(cached, []byte(entry), 0o600), os.WriteFile(confFile, []byte(conf), 0o600)); err != nil {
		p.Unobtainable = err.Error()
		return p
	}
	p.Command = []string{path, "configure", "export-credentials", "--profile", "ops"}
	p.Env = []string{"HOME=" + home, "AWS_CONFIG_FILE=" + confFile, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}
	return p
}

// cliCacheName is the file in which the AWS CLI keeps the credentials of a role that
// is assumed without further parameters.
func cliCacheName(roleARN string) string {
	sum := sha1.Sum([]byte(`{"RoleArn": "` + roleARN + `"}`))
	return hex.EncodeToString(sum[:]) + ".json"
}

// findCLI is an AWS CLI that has export-credentials, which version 1 lacks.
func findCLI() (string, error) {
	path := os.Getenv(cliVariable)
	if path == "" {
		path = "aws"
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return "", errors.New("there is no AWS CLI here")
	}
	out, err := exec.Command(path, "--version").CombinedOutput()
	if version := strings.TrimSpace(string(out)); err != nil || !strings.HasPrefix(version, "aws-cli/2") {
		version, _, _ = strings.Cut(version, " ")
		return "", fmt.Errorf("%s lacks the command; %s names an AWS CLI of version 2", version, cliVariable)
	}
	return path, nil
}

// fasterThan is the ratio of the medians, nothing where other could not be run.
func (p *Program) fasterThan(other *Program) string {
	if other.Unobtainable != "" {
		return ""
	}
	return ratio(float64(other.Median()), float64(p.Median()))
}

func (t Tables) warm() (*mdTable, error) {
	var programs []*Program
	err := withSTS(stsLatency, func(s *STS, dir string) (err error) {
		programs, err = MeasureWarm(t.Dir, dir, s.URL, t.Warm)
		return err
	})
	if err != nil {
		return nil, err
	}
	table := newTable("program", "median", "over LoadDefaultConfig", "ratio", "faster than the AWS CLI by")
	floor, cli := programs[0], programs[len(programs)-1]
	for _, p := range programs {
		if p.Unobtainable != "" {
			table.row(p.Name, "skipped: "+p.Unobtainable)
			continue
		}
		over := ""
		if p != floor {
			over = "+" + millis(p.Over(floor))
		}
		table.row(p.Name, millis(p.Median()), over, ratio(float64(p.Median()), float64(floor.Median())), p.fasterThan(cli))
	}
	table.note("From the start of the process to its end. STS at %s, keys in the environment; the AWS CLI reads them from a profile.", waitText(stsLatency))
	return table, nil
}
