package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// shown is a Cloud, and a profile "ops" with keys and a region in the shared
// files.
func shown(t *testing.T) (cloud *awsauthtest.Cloud, url, path, key string) {
	t.Helper()
	cloud, keys, url := served(t, ana)
	path = filepath.Join(t.TempDir(), "credentials")
	text := "[ops]\naws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey + "\nregion = eu-north-1\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	return cloud, url, path, shortKey(keys.AccessKeyID)
}

// rows are those of a table, each on one line.
func rows(table string) (all []string) {
	for line := range strings.Lines(strings.TrimLeft(table, "\n")) {
		text := oneLine(line)
		if strings.HasPrefix(line, " ") {
			all[len(all)-1] += " " + text
		} else {
			all = append(all, text)
		}
	}
	return all
}

// The table says which source it is and why not the others, in the words of the
// command line, and asks nobody.
func TestExplain(t *testing.T) {
	cloud, url, path, key := shown(t)
	code, out, stderr := command(t, "explain", "--sts-endpoint", url, "--profile", "ops", "--account", "222222222222")
	require.Equal(t, exitOK, code, stderr)
	assert.Empty(t, stderr)
	assert.Empty(t, cloud.Calls())
	host := strings.TrimPrefix(url, "http://")
	assert.Equal(t, []string{
		`USED profile (option) profile "ops": access key ` + key + ` in ` + path,
		`NOT TRIED environment profile "ops" comes first`,
		`SKIPPED web identity AWS_WEB_IDENTITY_TOKEN_FILE not set`,
		`SKIPPED profile "default" not in ` + os.Getenv("AWS_CONFIG_FILE") + `, ` + path,
		`SKIPPED container AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI not set`,
		`SKIPPED EC2 disabled by AWS_EC2_METADATA_DISABLED`,
		`USED region eu-north-1 from profile "ops"`,
		`NOT TRIED assume role arn:aws:iam::222222222222:role/manage-role at ` + host + ` when credentials are first needed`,
	}, rows(out))

	_, out, _ = command(t, "explain", "--region", "eu-west-1")
	assert.Regexp(t, `SKIPPED +profile \(option\) +--profile not given\n`, out)
	assert.Regexp(t, `USED +environment +access key `+key+` in AWS_ACCESS_KEY_ID\n`, out)
	assert.Regexp(t, `USED +region eu-west-1 +from --region\n`, out)
}

func TestExplainJSON(t *testing.T) {
	cloud, url, _, _ := shown(t)
	args := []string{"explain", "--sts-endpoint", url, "--account", "222222222222", "--region", "eu-west-1"}
	_, table, _ := command(t, args...)
	code, out, stderr := command(t, append(args, "--json")...)
	require.Equal(t, exitOK, code, stderr)
	var report awsauth.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Equal(t, rows(table), rows(strings.ReplaceAll(report.String(), "\t", " ")), "the same for programs")
	assert.Equal(t, "--region", report.RegionFrom)
	assert.Equal(t, awsauth.AWS, report.Partition)
	assert.Equal(t, "environment → arn:aws:iam::222222222222:role/manage-role", report.Source)
	assert.Empty(t, cloud.Calls())
}

// TestExplainFails: the table goes up to the fault, then comes the error, and a last
// line that says what follows.
func TestExplainFails(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		args []string
		row  string // the last of the table
		text string // of the error
	}{
		{"unknown profile", nil, []string{"--profile", "opss"}, `FAILED +profile \(option\) +profile "opss" is not in `, `did you mean "ops"?`},
		{"half keys", []string{"AWS_SECRET_ACCESS_KEY="}, nil, `FAILED +environment +AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not`, "set both"},
		{"half in the profile", nil, []string{"--profile", "half"}, `FAILED +profile \(option\) +.*aws_secret_access_key`, "credentials"},
		{"region", nil, []string{"--region", "mars"}, `FAILED +--region "mars" +no region`, "us-east-1"},
		{"partition", nil, []string{"--role-arn", "arn:aws-cn:iam::222222222222:role/x", "--region", "us-east-1"}, `FAILED +partition +role arn:aws-cn:iam`, "--region"},
		{"two faults", []string{"AWS_SECRET_ACCESS_KEY="}, []string{"--account", "12"}, `FAILED +environment`, `--account "12"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud, _, path, _ := shown(t)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, append(text, "[half]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"...), 0o600))
			for _, pair := range tt.env {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			code, out, stderr := command(t, append([]string{"explain"}, tt.args...)...)
			want := exitFailed
			if len(tt.args) > 0 && tt.args[0] != "--profile" { // those name what is not there, or half there
				want = exitUsage
			}
			assert.Equal(t, want, code)
			all := rows(out)
			assert.Regexp(t, tt.row, all[len(all)-1])
			assert.Equal(t, 1, strings.Count(out, "FAILED"))
			assert.Contains(t, stderr, tt.text)
			assert.True(t, strings.HasSuffix(stderr, "\n"+afterFault+"\n"), stderr)
			assert.NotRegexp(t, `\bWith[A-Z]`, stderr)
			assert.Empty(t, cloud.Calls())

			code, out, _ = command(t, append([]string{"explain", "--json"}, tt.args...)...)
			assert.Equal(t, want, code)
			var report reportJSON
			require.NoError(t, json.Unmarshal([]byte(out), &report))
			assert.Equal(t, awsauth.Failed, report.Steps[len(report.Steps)-1].Status)
			require.NotEmpty(t, report.Faults)
			messages := ""
			for _, fault := range report.Faults {
				assert.NotEmpty(t, fault.Kind)
				assert.NotRegexp(t, goWords, fault.Message+fault.Hint)
				messages += fault.Message
			}
			assert.Contains(t, messages, tt.text)
		})
	}
	code, _, stderr := command(t, "explain", "ops")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `not "ops"`)
}

// TestTable: no line is wider than the terminal, unless one word is.
func TestTable(t *testing.T) {
	path := "/home/somebody/with/a/long/name/and/many/folders/.aws/credentials"
	r := awsauth.Report{Steps: []awsauth.Step{
		{Source: "environment", Status: awsauth.Skipped, Detail: "AWS_ACCESS_KEY_ID not set, and a reason of many words that does not fit beside it"},
		{Source: `profile "default"`, Status: awsauth.Used, Detail: "access key AKIA…MPLE in " + path},
		{Source: "assume role arn:aws:iam::222222222222:role/manage-role", Status: awsauth.NotTried, Detail: "later"},
		{Source: "EC2", Status: awsauth.Skipped},
	}}
	assert.Equal(t, `SKIPPED    environment             AWS_ACCESS_KEY_ID not set, and a reason of
                                   many words that does not fit beside it
USED       profile "default"
             access key AKIA…MPLE in
             `+path+`
NOT TRIED  assume role arn:aws:iam::222222222222:role/manage-role
             later
SKIPPED    EC2
`, table(r, 80))
	for width := 80; width <= 200; width++ {
		for line := range strings.Lines(table(r, width)) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width)
		}
	}
}
