package awsauth_test

//lint:file-ignore SA1019 importers still use the older endpoint resolvers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSharedPool: ten sessions of one family, and clients of their Config, leave
// one idle connection behind when they have taken turns.
func TestSharedPool(t *testing.T) {
	awsauthtest.Isolate(t)
	var open, opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Account>111111111111</Account><Credentials><AccessKeyId>%s</AccessKeyId>`+
			`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`+
			`</Credentials></%[1]sResult></%[1]sResponse>`, r.FormValue("Action"), lab.SomeID)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
			opened.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	s, err := awsauth.New(awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, ""), awsauth.WithSTSEndpoint(server.URL),
		// In this mode every client of the SDK would make a pool of its own of a client that is not frozen.
		awsauth.WithLoadOptions(config.WithDefaultsMode(aws.DefaultsModeStandard)))
	require.NoError(t, err)
	for i := range 10 {
		child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", i)))
		require.NoError(t, err)
		_, err = child.Retrieve(t.Context())
		require.NoError(t, err)
		_, err = sts.NewFromConfig(child.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
	}
	assert.NotZero(t, opened.Load())
	// A connection may be closed instead of kept, and the server hears of it
	// late; but what each of ten pools keeps stays open.
	assert.Eventually(t, func() bool { return open.Load() <= 1 }, 5*time.Second, time.Millisecond, "%d are open", open.Load())
}

// TestOwnRetryer: sessions share no retry budget.
func TestOwnRetryer(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var mu sync.Mutex
	made := map[*countedRetryer]int{}
	s := w.Open(w.Static(), awsauth.WithLoadOptions(config.WithRetryer(func() aws.Retryer {
		mu.Lock()
		defer mu.Unlock()
		r := &countedRetryer{Retryer: retry.NewStandard(), mu: &mu, used: made}
		made[r] = 0
		return r
	})))
	for i := range 10 {
		child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithSessionName(fmt.Sprint("number-", i)))
		require.NoError(t, err)
		_, err = child.Retrieve(t.Context())
		require.NoError(t, err)
	}
	busy := 0
	for _, times := range made {
		assert.LessOrEqual(t, times, 1)
		busy += times
	}
	assert.Equal(t, 10, busy, "each call has a retryer of the caller's making")
}

// countedRetryer counts the calls that it is used for.
type countedRetryer struct {
	aws.Retryer
	mu   *sync.Mutex
	used map[*countedRetryer]int
}

func (r *countedRetryer) MaxAttempts() int { return r.Retryer.MaxAttempts() }

func (r *countedRetryer) GetInitialToken() func(error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[r]++
	return r.Retryer.GetInitialToken()
}

// TestExplainOlderResolver: Explain names the host that an older resolver of the
// caller's says, or where that fails the SDK's.
func TestExplainOlderResolver(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		host string
	}{
		"says a host": {nil, "sts.old.example"},
		"fails":       {errors.New("no such endpoint"), "sts.us-east-1.amazonaws.com"},
	} {
		w := lab.New(t, awsauth.AWS)
		s := w.InRole(awsauth.WithRegion("us-east-1"), awsauth.WithLoadOptions(config.WithEndpointResolverWithOptions(
			aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) {
				return aws.Endpoint{URL: "https://sts.old.example"}, tt.err
			}))))
		_, roles := lab.Rows(t, s.Explain())
		require.Len(t, roles, 1, name)
		assert.Equal(t, "at "+tt.host+" when credentials are first needed", roles[0].Detail, name)
	}
}

// TestAttemptsInAdaptiveMode: where nobody says how many, they are the SDK's three.
func TestAttemptsInAdaptiveMode(t *testing.T) {
	for said, want := range map[string]int{"": 3, "1": 1, "2": 2} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			w.Env("AWS_MAX_ATTEMPTS=" + said)
			w.Down(awsauthtest.ServerError)
			require.Error(t, lab.Ask(t.Context(), w.InRole(awsauth.WithLoadOptions(config.WithRetryMode(aws.RetryModeAdaptive)))).Err)
			require.Len(t, w.Calls("AssumeRole"), want, "AWS_MAX_ATTEMPTS=%s", said)
		})
	}
}
