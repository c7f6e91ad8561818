package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// SharedLogin is what comes of many processes that find one login expired.
type SharedLogin struct {
	Processes int
	Succeeded int
	Renewals  int // that the sign-in service granted
	Asked     int // how often it was asked
}

// MeasureLogin lets processes of the program find a login of `aws login` expired at
// the same moment, so many times over. The sign-in service is awsauthtest's.
func MeasureLogin(program, way, dir string, processes, rounds int) (r SharedLogin, err error) {
	const user = "arn:aws:iam::111111111111:user/ana"
	cloud := awsauthtest.Start()
	defer cloud.Close()
	cloud.AddUser(awsauthtest.User{ARN: user})
	url, err := cloud.Serve()
	if err != nil {
		return r, err
	}
	confFile := filepath.Join(dir, "config-login")
	path, err := logincreds.StandardCachedTokenFilepath(user, dir)
	err = firstError(err, os.WriteFile(confFile, []byte("[profile dev]\nregion = "+Region+"\nlogin_session = "+user+"\n"), 0o600))
	if err != nil {
		return r, err
	}
	env := append(os.Environ(), "AWS_CONFIG_FILE="+confFile, "AWS_LOGIN_CACHE_DIRECTORY="+dir, "AWS_ENDPOINT_URL="+url, "LOGIN_SESSION="+user)
	for range rounds {
		if err := os.WriteFile(path, cloud.Login(user, 0), 0o600); err != nil {
			return r, err
		}
		succeeded, err := atOnce(processes, env, program, way)
		if err != nil {
			return r, err
		}
		r.Processes, r.Succeeded = r.Processes+processes, r.Succeeded+succeeded
	}
	for _, call := range cloud.Calls("CreateOAuth2Token") {
		r.Asked++
		if call.ErrorCode == "" {
			r.Renewals++
		}
	}
	return r, nil
}

// atOnce starts processes, lets them begin together, and counts those that succeed.
func atOnce(n int, env []string, program string, args ...string) (succeeded int, err error) {
	var all []*exec.Cmd
	var begin []io.Closer
	for range n {
		cmd := exec.Command(program, args...)
		cmd.Env = env
		in, err := cmd.StdinPipe()
		if err := firstError(err, cmd.Start()); err != nil {
			return 0, fmt.Errorf("%s: %w", program, err)
		}
		all, begin = append(all, cmd), append(begin, in)
	}
	for _, in := range begin {
		if err := in.Close(); err != nil {
			return 0, err
		}
	}
	for _, cmd := range all {
		if cmd.Wait() == nil {
			succeeded++
		}
	}
	return succeeded, nil
}

func (t Tables) login() (*mdTable, error) {
	dir, err := os.MkdirTemp("", "awsauth-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "login")
	if err := goBuild(t.Dir, program, "./cold/login"); err != nil {
		return nil, err
	}
	const processes = 8
	table := newTable("program", "processes", "succeeded", "renewals granted", "renewals asked for")
	for _, way := range []string{"bare SDK", Ours} {
		r, err := MeasureLogin(program, way, dir, processes, t.Logins)
		if err != nil {
			return nil, err
		}
		table.row(way, thousands(r.Processes), thousands(r.Succeeded), thousands(r.Renewals), thousands(r.Asked))
	}
	table.note("%d processes at once on one expired login, %d times. A refresh token works once.", processes, t.Logins)
	return table, nil
}
