package awsauth_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// documented is a row of docs/logging.md.
type documented struct{ level, message, attrs string }

// covers reports whether a record is of the row. mfa and source stand in the place of
// role where the session is none.
func (d documented) covers(r lab.Record) bool {
	start, open := strings.CutSuffix(d.message, "…")
	if r.Message != d.message && !(open && strings.HasPrefix(r.Message, start)) {
		return false
	}
	return r.Level.String() == d.level || d.message == "awsauth: SDK: …"
}

func (d documented) names() []string {
	return slices.DeleteFunc(slices.Sorted(strings.FieldsSeq(d.attrs)), isSubject)
}

// isSubject tells the names that say whose credentials a record is about.
func isSubject(name string) bool { return name == "role" || name == "mfa" || name == "source" }

// logPage is the first table of docs/logging.md.
func logPage(t *testing.T) (rows []documented) {
	page, err := os.ReadFile("docs/logging.md")
	require.NoError(t, err)
	table, _, _ := strings.Cut(string(page), "\n## ")
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.Contains(cells[2], "`awsauth: ") {
			rows = append(rows, documented{strings.TrimSpace(cells[1]), strings.Trim(cells[2], " `"), cells[3]})
		}
	}
	return rows
}

// logStories make the library write every record that it can.
var logStories = map[string]func(*testing.T, *lab.Place, awsauth.Option){
	"a role from its first day to its last": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		s := w.InRole(log)
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle, Times: 1})
		lab.Get(t, s)
		w.Expire(lab.Get(t, s).AccessKeyID)
		require.NoError(t, lab.Whoami(s))
		w.Down(awsauthtest.Reset)
		time.Sleep(50 * time.Minute)
		lab.Get(t, s)
		time.Sleep(time.Hour)
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
	},
	"a provider": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		same := lab.Issued(lab.SomeID, time.Hour)
		s := w.Open(log, awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return same, nil })))
		lab.Get(t, s)
		time.Sleep(50 * time.Minute)
		lab.Get(t, s)
		gone := w.Open(log, awsauth.WithCredentialsProvider(deaf{new(int)}))
		lab.Get(t, gone)
		time.Sleep(50 * time.Minute)
		lab.Get(t, gone)
		time.Sleep(time.Hour)
	},
	"an instance": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Stale: true})
		_, err := w.Open(log).Retrieve(t.Context())
		require.NoError(t, err)
	},
	"MFA": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		s := w.Open(w.Static(), w.Device().Option(), awsauth.WithAccount(lab.Target), log)
		for range 6 * 13 { // the code's 12 hours end while the role's keys are good
			lab.Get(t, s)
			time.Sleep(10 * time.Minute)
		}
	},
	"the disk cache": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		for range 2 {
			lab.Get(t, w.InRole(log, awsauth.WithDiskCache(filepath.Join(w.Dir, "cache"))))
		}
		w.Write("file", "")
		lab.Get(t, w.InRole(log, awsauth.WithDiskCache(filepath.Join(w.Dir, "file"))))
	},
	"a login": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		w.ExpiredLogin()
		file, err := logincreds.StandardCachedTokenFilepath(lab.LoginSession, w.Dir)
		require.NoError(t, err)
		require.NoError(t, os.Mkdir(file+".lock", 0o700))
		w.Files("[profile ops]\nlogin_session = "+lab.LoginSession+"\n", "")
		_, _ = w.Open(awsauth.WithProfile("ops"), log).Retrieve(t.Context())
	},
	"settings": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		w.Files("[profile ops]\ncredential_process = true\n"+lab.KeyLines, "")
		w.Open(awsauth.WithProfile("ops"), w.Static(), log)
		w.Open(w.Static(), log, awsauth.WithRegion("me-central-1"), awsauth.WithSTSEndpoint("https://sts.amazonaws.com"))
		w.Env("AWS_USE_FIPS_ENDPOINT=true", "AWS_PROFILE=ops", "AWS_DEFAULT_PROFILE=other")
		w.Open(log, awsauth.WithSTSEndpoint("https://sts.us-east-1.amazonaws.com"))
	},
	"the SDK": func(t *testing.T, w *lab.Place, log awsauth.Option) {
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.ServerError, Times: 1})
		lab.Get(t, w.InRole(log, awsauth.WithLoadOptions(config.WithClientLogMode(aws.LogRetries))))
	},
}

// TestLogContract: what the library writes is what docs/logging.md says, and nothing
// stands there that it does not write.
func TestLogContract(t *testing.T) {
	rows := logPage(t)
	require.Greater(t, len(rows), 15)
	seen := make([]bool, len(rows))
	for name, story := range logStories {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				var log lab.Records
				story(t, w, log.Option())
				synctest.Wait()
				for _, r := range log.All() {
					i := slices.IndexFunc(rows, func(d documented) bool { return d.covers(r) })
					require.GreaterOrEqual(t, i, 0, "%s %s is not in docs/logging.md", r.Level, r.Message)
					seen[i] = true
					names := slices.DeleteFunc(slices.Sorted(maps.Keys(r.Attrs)), isSubject)
					assert.Equal(t, fmt.Sprint(rows[i].names()), fmt.Sprint(names), "%s", r.Message)
				}
			})
		})
	}
	for i, row := range rows {
		assert.True(t, seen[i], "docs/logging.md has %q, which nothing wrote", row.message)
	}
}

// logMarks are in a line that writes a record, or chooses its text.
var logMarks = []string{".Debug(", ".Info(", ".Warn(", ".WarnContext(", ".Error(", ".Log(", "message"}

// TestLogContractSource: each text that the root's files begin with the library's name
// and hand to a logger is a row, so that a record which no story tells is not forgotten.
func TestLogContractSource(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	rows, found := logPage(t), 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for line := range strings.Lines(string(text)) {
			_, message, ok := strings.Cut(line, `"awsauth: `)
			if !ok || !slices.ContainsFunc(logMarks, func(mark string) bool { return strings.Contains(line, mark) }) {
				continue
			}
			message, _, _ = strings.Cut(message, `"`)
			found++
			assert.True(t, slices.ContainsFunc(rows, func(d documented) bool { return strings.HasPrefix(d.message, "awsauth: "+message) }), "%s: %q is not in docs/logging.md", file, message)
		}
	}
	assert.GreaterOrEqual(t, found, 19)
}
