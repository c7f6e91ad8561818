package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	machine = "arn:aws:iam::111111111111:user/machine"
	app     = "arn:aws-cn:iam::444444444444:user/app"
)

// vault is an AWS with a secret, which only the machine may read.
type vault struct {
	*awsauthtest.Cloud
	keys  atomic.Pointer[awsauthtest.Keys] // in the secret
	down  atomic.Bool
	reads atomic.Int32
}

func newVault(t *testing.T) *vault {
	v := &vault{Cloud: awsauthtest.New(t)}
	v.replace()
	v.Handle("secretsmanager.us-east-1.amazonaws.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := awsauthtest.Caller(r.Context())
		if v.down.Load() || who.ARN != machine {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		v.reads.Add(1)
		keys := v.keys.Load()
		secret, _ := json.Marshal(map[string]string{"access_key_id": keys.AccessKeyID, "secret_access_key": keys.SecretAccessKey})
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": "prod/china", "SecretString": string(secret)})
	}))
	return v
}

// replace puts new keys into the secret, and returns the old ones.
func (v *vault) replace() (old *awsauthtest.Keys) {
	keys := v.AddUser(awsauthtest.User{ARN: app})
	return v.keys.Swap(&keys)
}

// daemon runs the program while day goes on, and holds what it did against what it
// should have done: all of its work, at the end with the keys of the secret.
func daemon(t *testing.T, every time.Duration, day func(*vault)) {
	synctest.Test(t, func(t *testing.T) {
		v := newVault(t)
		own := v.AddUser(awsauthtest.User{ARN: machine})
		t.Setenv("AWS_ACCESS_KEY_ID", own.AccessKeyID)
		t.Setenv("AWS_SECRET_ACCESS_KEY", own.SecretAccessKey)
		ctx, stop := context.WithCancel(t.Context())
		var out strings.Builder
		ended := make(chan error)
		begun := time.Now()
		go func() {
			ended <- run(ctx, []string{"-secret", "prod/china", "-partition", "aws-cn", "-every", every.String()},
				slog.New(slog.NewTextHandler(&out, nil)), awsauth.WithLoadOptions(v.LoadOptions()))
		}()
		time.Sleep(time.Second) // beside the work, not at its moments
		day(v)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		work := int(time.Since(begun)/every) + 1
		if done := strings.Count(out.String(), "work done\" as="+app); done != work || strings.Contains(out.String(), "work failed") {
			t.Errorf("%d of %d pieces of work were done:\n%s", done, work, &out)
		}
		calls := v.CallsBy(app)
		if last := calls[len(calls)-1]; last.AccessKeyID != v.keys.Load().AccessKeyID {
			t.Errorf("the last call has key %s", last.AccessKeyID)
		}
		if strings.Contains(out.String(), v.keys.Load().SecretAccessKey) || strings.Contains(out.String(), own.SecretAccessKey) {
			t.Errorf("a secret in the log:\n%s", &out)
		}
	})
}

// TestReplaced: the new keys are used within the lifetime, and the old ones can then go.
func TestReplaced(t *testing.T) {
	daemon(t, time.Minute, func(v *vault) {
		time.Sleep(5 * time.Hour)
		old := v.replace()
		time.Sleep(time.Hour)
		v.Deactivate(old.AccessKeyID)
		time.Sleep(5 * time.Hour)
		if n := v.reads.Load(); n < 11 || n > 34 {
			t.Errorf("the secret was read %d times in 11 hours", n)
		}
	})
}

// TestReplacedAtOnce: the old keys are gone with the moment the new ones are there. The
// request that finds out is sent again.
func TestReplacedAtOnce(t *testing.T) {
	daemon(t, 5*time.Minute, func(v *vault) {
		for range 3 {
			time.Sleep(47 * time.Minute)
			v.Deactivate(v.replace().AccessKeyID)
		}
		time.Sleep(time.Hour)
		if n := len(v.Calls("GetCallerIdentity")) - len(v.CallsBy(app)); n != 3 {
			t.Errorf("%d requests were refused, of which the daemon noticed nothing", n)
		}
	})
}

// TestUnreachable: the keys at hand are used while nobody can read the secret.
func TestUnreachable(t *testing.T) {
	daemon(t, time.Minute, func(v *vault) {
		time.Sleep(3*time.Hour + 7*time.Minute)
		v.down.Store(true)
		time.Sleep(18 * time.Minute)
		v.down.Store(false)
		time.Sleep(3 * time.Hour)
	})
}

// TestRow: a row of a database is as good as a secret.
func TestRow(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: app})
	db := sql.OpenDB(table{keys.AccessKeyID, keys.SecretAccessKey})
	defer db.Close()
	s, err := awsauth.New(awsauth.WithPartition(awsauth.China), awsauth.WithLoadOptions(cloud.LoadOptions()), awsauth.WithCredentialsProvider(
		Stored{Read: Row(db, "SELECT access_key_id, secret_access_key FROM aws_keys WHERE name = ?", "china"), Lifetime: time.Hour}))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := s.Identity(t.Context()); err != nil || id.ARN != app {
		t.Errorf("got %v, %v", id, err)
	}
}

// table is a database with one row, whatever is asked.
type table []string

func (t table) Connect(context.Context) (driver.Conn, error) { return t, nil }
func (t table) Driver() driver.Driver                        { return nil }
func (t table) Prepare(string) (driver.Stmt, error)          { return t, nil }
func (t table) Begin() (driver.Tx, error)                    { return nil, driver.ErrSkip }
func (t table) Close() error                                 { return nil }
func (t table) NumInput() int                                { return -1 }
func (t table) Exec([]driver.Value) (driver.Result, error)   { return nil, driver.ErrSkip }
func (t table) Query(args []driver.Value) (driver.Rows, error) {
	return &row{table: t, left: len(args)}, nil
}

// row is the answer to a query with one argument.
type row struct {
	table
	left int
}

func (r *row) Columns() []string { return make([]string, len(r.table)) }
func (r *row) Next(to []driver.Value) error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	for i, value := range r.table {
		to[i] = value
	}
	return nil
}
