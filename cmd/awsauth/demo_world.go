package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// world is what the demo happens in: an AWS in this process, and a machine of
// which nothing but the process is real.
type world struct {
	cloud *awsauthtest.Cloud
	keys  map[string]awsauthtest.Keys // by the user's ARN
	files string                      // directory of the shared files
	saved []string                    // the environment as it was
}

// newWorld builds the AWS, and keeps the real machine's out until close: the
// variables that steer an AWS client, proxies among them, and the shared files.
func newWorld() (*world, error) {
	files, err := os.MkdirTemp("", "awsauth-demo-")
	if err != nil {
		return nil, err
	}
	w := &world{files: files, saved: os.Environ()}
	w.populate()
	return w, nil
}

// another is the same machine with an AWS of its own, made where it is called: in a
// bubble of testing/synctest.
func (w *world) another() *world {
	inner := &world{files: w.files, saved: w.saved}
	inner.populate()
	return inner
}

// populate builds the AWS.
func (w *world) populate() {
	w.cloud, w.keys = awsauthtest.Start(), map[string]awsauthtest.Keys{}
	for _, user := range []string{ana, anaCN} {
		w.keys[user] = w.cloud.AddUser(awsauthtest.User{ARN: user})
	}
	for _, r := range []awsauthtest.Role{
		{ARN: server, Trust: []string{"ec2.amazonaws.com"}},
		{ARN: "arn:aws:iam::222222222222:role/manage-role", Trust: []string{"111111111111"}},
		{ARN: "arn:aws:iam::222222222222:role/deploy", Trust: []string{"111111111111"}},
		{ARN: "arn:aws:iam::222222222222:role/hub", Trust: []string{"111111111111"}},
		{ARN: "arn:aws:iam::333333333333:role/manage-role", Trust: []string{"arn:aws:iam::222222222222:role/hub"}},
		{ARN: "arn:aws:iam::666666666666:role/manage-role", Trust: []string{"111111111111"}},
		{ARN: "arn:aws:iam::777777777777:role/manage-role", Trust: []string{"111111111111"}},
		{ARN: "arn:aws:iam::888888888888:role/manage-role", Trust: []string{"111111111111"}},
		{ARN: "arn:aws-cn:iam::555555555555:role/manage-role", Trust: []string{"444444444444"}},
	} {
		w.cloud.AddRole(r)
	}
}

// close gives the environment back and removes the files.
func (w *world) close() error {
	clearEnv()
	var failed []error
	for _, pair := range w.saved {
		if name, value, ok := strings.Cut(pair, "="); ok && foreign(name) {
			failed = append(failed, os.Setenv(name, value))
		}
	}
	return errors.Join(append(failed, os.RemoveAll(w.files))...)
}

// become makes the machine the one that g describes.
func (w *world) become(g given) error {
	clearEnv()
	fill := strings.NewReplacer("$KEY_ID", w.keys[g.user].AccessKeyID, "$SECRET", w.keys[g.user].SecretAccessKey)
	config, credentials := filepath.Join(w.files, "config"), filepath.Join(w.files, "credentials")
	env := append([]string{
		"AWS_CONFIG_FILE=" + config,
		"AWS_SHARED_CREDENTIALS_FILE=" + credentials,
	}, g.env...)
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if err := os.Setenv(name, fill.Replace(value)); err != nil {
			return err
		}
	}
	for path, text := range map[string]string{config: g.config, credentials: g.credentials} {
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o600); err != nil {
			return err
		}
	}
	w.cloud.SetInstance(g.instance)
	w.cloud.ResetCalls()
	return nil
}

// clearEnv unsets what could steer an AWS client.
func clearEnv() {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); foreign(name) {
			_ = os.Unsetenv(name) // fails for no name that Environ returns
		}
	}
}

// foreign reports whether a variable could steer an AWS client.
func foreign(name string) bool {
	switch upper := strings.ToUpper(name); upper {
	case "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY":
		return true
	default:
		return strings.HasPrefix(upper, "AWS_")
	}
}

// calls lists what was asked of the AWS: "host AssumeRole hub in 222222222222",
// "host action → refusal". All in a row to the metadata are one line.
func (w *world) calls() []string {
	var lines []string
	last := ""
	for _, c := range w.cloud.Calls() {
		action := c.Action
		if c.ErrorCode != "" {
			action += " → " + c.ErrorCode
		} else if role := strings.Split(c.Params.Get("RoleArn"), ":"); len(role) == 6 {
			action += " " + strings.TrimPrefix(role[5], "role/") + " in " + role[4]
		}
		if c.Service != "sts" && c.Host == last {
			lines[len(lines)-1] += ", " + action
			continue
		}
		lines, last = append(lines, fmt.Sprintf("%s %s", c.Host, action)), c.Host
	}
	return lines
}
