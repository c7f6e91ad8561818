package awsauth_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// providersOfOthers are the providers of the examples, and some that are alike.
var providersOfOthers = []struct {
	name string
	of   func(w *lab.Place) aws.CredentialsProvider
}{
	{"session", func(w *lab.Place) aws.CredentialsProvider { return w.InRole() }},
	{"session's configuration", func(w *lab.Place) aws.CredentialsProvider { return w.InRole().Config().Credentials }},
	{"stscreds", func(w *lab.Place) aws.CredentialsProvider {
		return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(userConfig(w)), lab.ManageRole, anHour)
	}},
	{"stscreds behind the SDK's cache", func(w *lab.Place) aws.CredentialsProvider {
		return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(userConfig(w)), lab.ManageRole, anHour))
	}},
	{"vault", func(w *lab.Place) aws.CredentialsProvider {
		leases := 0
		w.Handle("vault.example.com", http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			leases++
			keys := w.AddUser(awsauthtest.User{ARN: fmt.Sprintf("arn:aws:iam::%s:user/vault-%d", lab.Target, leases)})
			fmt.Fprintf(out, `{"lease_duration": 3600, "data": {"access_key": %q, "secret_key": %q}}`, keys.AccessKeyID, keys.SecretAccessKey)
		}))
		return vault{w.Client(), "https://vault.example.com/v1/aws/creds/ci", "s.secret"}
	}},
	{"database", func(w *lab.Place) aws.CredentialsProvider { // its keys say nothing of an end
		return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return w.Keys.Provider().Retrieve(ctx) })
	}},
}

func userConfig(w *lab.Place) aws.Config {
	return aws.Config{Region: "us-east-1", HTTPClient: w.Client(), Credentials: w.Keys.Provider()}
}

func anHour(o *stscreds.AssumeRoleOptions) { o.Duration = time.Hour }

// TestProviderRotation: callers who ask every two minutes for five hours always get keys
// that are good, and whoever hands them out is asked about twice an hour.
func TestProviderRotation(t *testing.T) {
	for _, p := range providersOfOthers {
		t.Run(p.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.Open(awsauth.WithCredentialsProvider(p.of(w)))
				seen := map[string]bool{}
				for range 5 * 30 {
					seen[lab.Get(t, s).AccessKeyID] = true
					require.NoError(t, lab.Whoami(s))
					time.Sleep(2 * time.Minute)
				}
				if p.name == "database" {
					assert.Len(t, seen, 1)
					return
				}
				assert.Greater(t, len(seen), 4)
				assert.Less(t, len(seen), 16)
			})
		})
	}
}

// TestProviderRefusal: keys that AWS no longer knows are replaced at the request that
// finds it out, which succeeds.
func TestProviderRefusal(t *testing.T) {
	for _, p := range providersOfOthers {
		t.Run(p.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.Open(awsauth.WithCredentialsProvider(p.of(w)))
				for range 3 {
					before := lab.Get(t, s).AccessKeyID
					require.NoError(t, lab.Whoami(s))
					time.Sleep(2 * time.Minute) // an acceptance a moment ago outweighs "unknown key"
					if before[:4] == "ASIA" {
						w.Expire(before)
					} else {
						w.Deactivate(before)
					}
					if p.name == "database" {
						w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/next-of-"+before)})
					}
					require.NoError(t, lab.Whoami(s))
					assert.NotEqual(t, before, lab.Get(t, s).AccessKeyID)
				}
			})
		})
	}
}
