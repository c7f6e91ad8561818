package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/chaoxiaodi/awsauth"
)

// Start is one way to get from nothing to a role's credentials provider; with
// a profile, or with what the environment says.
type Start struct {
	Name string
	New  func(profile string, client *http.Client) (aws.CredentialsProvider, error)
}

const someAccount = "123456789012"

// Starts are the SDK's way, and ours.
func Starts() []Start {
	return []Start{
		{"LoadDefaultConfig + stscreds", newSDK},
		{Ours, newOurs},
	}
}

func newSDK(profile string, client *http.Client) (aws.CredentialsProvider, error) {
	var opts []func(*config.LoadOptions) error
	if profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(profile))
	}
	if client != nil {
		opts = append(opts, config.WithHTTPClient(client))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), opts...)
	if err != nil {
		return nil, err
	}
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN(someAccount), oneHour))
	return cfg.Credentials, nil
}

func newOurs(profile string, client *http.Client) (aws.CredentialsProvider, error) {
	opts := []awsauth.Option{awsauth.WithAccount(someAccount), awsauth.WithProfile(profile)}
	if client != nil {
		opts = append(opts, awsauth.WithLoadOptions(config.WithHTTPClient(client)))
	}
	return awsauth.New(opts...)
}

// FromKeys puts keys and a region into the environment until restore is called.
func FromKeys() (profile string, restore func()) {
	return "", setenv(map[string]string{"AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_REGION": Region})
}

// FromProfile writes shared files of a few profiles into dir and points the
// environment at them until restore is called.
func FromProfile(dir string) (profile string, restore func(), err error) {
	var conf, creds strings.Builder
	for _, name := range []string{"one", "two", "ops", "four"} {
		fmt.Fprintf(&conf, "[profile %s]\nregion = %s\noutput = json\n\n", name, Region)
		fmt.Fprintf(&creds, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n\n", name, keyID, secretKey)
	}
	configFile, credentialsFile := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	err = firstError(os.WriteFile(configFile, []byte(conf.String()), 0o600), os.WriteFile(credentialsFile, []byte(creds.String()), 0o600))
	return "ops", setenv(map[string]string{"AWS_CONFIG_FILE": configFile, "AWS_SHARED_CREDENTIALS_FILE": credentialsFile}), err
}

func setenv(values map[string]string) (restore func()) {
	old := map[string]*string{}
	for name, value := range values {
		if v, ok := os.LookupEnv(name); ok {
			old[name] = &v
		} else {
			old[name] = nil
		}
		os.Setenv(name, value)
	}
	return func() {
		for name, value := range old {
			if value == nil {
				os.Unsetenv(name)
			} else {
				os.Setenv(name, *value)
			}
		}
	}
}

// Program is one that assumes a role and ends.
type Program struct {
	Name         string
	Command      []string
	Env          []string // beside that of ProgramEnv
	Times        []time.Duration
	Unobtainable string
}

// Median is the time of the run in the middle.
func (p *Program) Median() time.Duration { return Median(p.Times) }

// Median is the value in the middle.
func Median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// goBuild builds a package of the module in dir.
func goBuild(dir, program, pkg string) error {
	build := exec.Command("go", "build", "-o", program, pkg)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", build, err, out)
	}
	return nil
}

// withSTS calls f with an STS and a directory, which are there until f ends.
func withSTS(latency time.Duration, f func(s *STS, dir string) error) error {
	s, err := StartSTS(latency)
	if err != nil {
		return err
	}
	defer s.Close()
	dir, err := os.MkdirTemp("", "awsauth-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return f(s, dir)
}

// MeasurePrograms builds the tiny programs of cold/ into dir and runs them,
// and the Python one, in turn: from process start to the first assumed
// credentials. runs is for Go; Python gets a tenth.
func MeasurePrograms(benchDir, dir, url string, runs int) ([]*Program, error) {
	programs := []*Program{{Name: "bare SDK"}, {Name: Ours}, {Name: "boto3 class"}}
	for i, name := range []string{"sdk", "awsauth"} {
		programs[i].Command = []string{filepath.Join(dir, name)}
		if err := goBuild(benchDir, programs[i].Command[0], "./cold/"+name); err != nil {
			return nil, err
		}
	}
	python := programs[2]
	python.Command = []string{"python3", filepath.Join(benchDir, "python", "walk.py"), someAccount}
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		python.Unobtainable = "python3 or boto3 is not here: " + err.Error()
	}
	for run := range runs + 1 { // the first warms the disk cache and does not count
		for i, p := range programs {
			if p.Unobtainable != "" || i == 2 && run%10 != 0 {
				continue
			}
			took, err := p.run(url)
			if err != nil {
				return nil, err
			}
			if run > 0 || i == 2 && runs < 10 {
				p.Times = append(p.Times, took)
			}
		}
	}
	return programs, nil
}

func (p *Program) run(url string) (time.Duration, error) {
	cmd := exec.Command(p.Command[0], p.Command[1:]...)
	cmd.Env = append(append(os.Environ(), ProgramEnv(url)...), p.Env...)
	var said strings.Builder
	cmd.Stderr = &said
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", p.Name, err, said.String())
	}
	return took, nil
}

// ModulesOf counts the modules that a package needs to be built.
func ModulesOf(benchDir, pkg string) (int, error) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pkg)
	cmd.Dir = benchDir
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return len(slices.Compact(lines)) - 1, nil // less the module that asks
}

// KiB prints bytes.
func KiB(bytes float64) string { return strconv.FormatFloat(bytes/1024, 'f', 1, 64) + " KiB" }
