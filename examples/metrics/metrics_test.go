package metrics

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const role = "arn:aws:iam::222222222222:role/manage-role"

// TestMetrics is a role's day: a first refresh that callers wait for and that STS
// throttles, one in the background, an end before its time, an outage that nobody
// feels, and its end, which somebody does.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := awsauthtest.New(t)
		keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
		cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"111111111111"}})
		registry := prometheus.NewPedanticRegistry()
		s, err := awsauth.New(awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""), awsauth.WithAccount("222222222222"),
			awsauth.WithLogger(slog.New(New(slog.DiscardHandler, registry))), awsauth.WithLoadOptions(cloud.LoadOptions()))
		if err != nil {
			t.Fatal(err)
		}
		cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle, Times: 1})
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() { _, _ = s.Retrieve(t.Context()) })
		}
		callers.Wait()
		later(t, s, 45*time.Minute, true) // in the background

		up := cloud.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse})
		later(t, s, 42*time.Minute, true)
		later(t, s, 2*time.Hour, false)
		up()

		want := `
# HELP awsauth_failures_total Refreshes that failed, by kind; felt: a caller got the error.
# TYPE awsauth_failures_total counter
awsauth_failures_total{felt="no",kind="access denied"} 1
awsauth_failures_total{felt="yes",kind="access denied"} 1
# HELP awsauth_refreshes_total New credentials, by identity.
# TYPE awsauth_refreshes_total counter
awsauth_refreshes_total{identity="` + role + `"} 2
# HELP awsauth_throttled_calls_total Calls that a service throttled, by host.
# TYPE awsauth_throttled_calls_total counter
awsauth_throttled_calls_total{host="sts.us-east-1.amazonaws.com"} 1
# HELP awsauth_waits_total Callers who waited for a refresh.
# TYPE awsauth_waits_total counter
awsauth_waits_total 4
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "awsauth_failures_total", "awsauth_refreshes_total",
			"awsauth_throttled_calls_total", "awsauth_waits_total"); err != nil {
			t.Error(err)
		}
	})
}

// later asks for credentials after a while, and waits for what goes on behind.
func later(t *testing.T, s *awsauth.Session, d time.Duration, good bool) {
	t.Helper()
	time.Sleep(d)
	if _, err := s.Retrieve(context.Background()); (err == nil) != good {
		t.Errorf("after %v: %v", d, err)
	}
	time.Sleep(time.Second)
	synctest.Wait()
}
