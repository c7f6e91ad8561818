package awsauth_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// event is one record without what differs from run to run.
type event struct {
	level slog.Level
	text  string
	attrs string // names, sorted
	who   string // the value of source or role
}

// events are all records since the last time. They are written after the
// callers have what they wait for.
func events(log *lab.Records) (all []event) {
	synctest.Wait()
	for _, r := range log.All() {
		names := slices.Sorted(maps.Keys(r.Attrs))
		who := r.Attrs["source"]
		if role, ok := r.Attrs["role"]; ok {
			who = role
		}
		all = append(all, event{r.Level, r.Message, strings.Join(names, " "), who.String()})
	}
	return all
}

// TestEvents is the log of a role from its first day to its last.
func TestEvents(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		s := w.InRole(log.Option())
		assert.Equal(t, []event{{slog.LevelDebug, "awsauth: source chosen", "partition region region_from source", "static keys"}}, events(&log))

		lab.Get(t, s)
		found := event{slog.LevelDebug, "awsauth: credentials found", "source took waiting", "static keys"}
		assumed := event{slog.LevelInfo, "awsauth: role assumed", "expires_in role took waiting", lab.ManageRole}
		assert.ElementsMatch(t, []event{found, assumed}, events(&log))
		for range 10 {
			lab.Get(t, s)
		}
		assert.Empty(t, events(&log), "nothing happened")

		time.Sleep(50 * time.Minute)
		lab.Get(t, s)
		time.Sleep(time.Minute)
		assert.Equal(t, []event{assumed}, events(&log), "renewed")

		up := w.Down(awsauthtest.Reset)
		time.Sleep(48 * time.Minute)
		lab.Get(t, s)
		time.Sleep(30 * time.Second)
		assert.Equal(t, []event{{slog.LevelWarn, "awsauth: refresh failed, using current credentials", "err expires_in next_try role took waiting", lab.ManageRole}}, events(&log))
		up()

		stuck := w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Hang, Times: 1})
		lab.Get(t, s)
		time.Sleep(2 * time.Minute)
		warned := events(&log)
		require.Len(t, warned, 1)
		assert.Equal(t, "err expires_in next_try role took waiting", warned[0].attrs)
		stuck()

		up = w.Down(awsauthtest.Reset)
		time.Sleep(time.Hour)
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Equal(t, []event{{slog.LevelError, "awsauth: no credentials", "err role took waiting", lab.ManageRole}}, events(&log))
		up()

		time.Sleep(time.Minute)
		lab.Get(t, s)
		assert.Equal(t, []event{assumed}, events(&log))
		w.Expire(lab.Get(t, s).AccessKeyID)
		_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		assert.ElementsMatch(t, []event{ // the refresh may end before the refusal is told
			{slog.LevelWarn, "awsauth: a service refused the credentials before their time, getting new ones", "role", lab.ManageRole}, assumed,
		}, events(&log))
	})
}

// TestEventAbandoned: a provider that does not heed its context is left behind.
func TestEventAbandoned(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		calls := 0
		s := w.Open(log.Option(), awsauth.WithCredentialsProvider(deaf{&calls}))
		lab.Get(t, s)
		assert.Equal(t, []event{
			{slog.LevelDebug, "awsauth: source chosen", "partition region region_from source", "provider"},
			{slog.LevelInfo, "awsauth: credentials refreshed", "expires_in source took waiting", "provider"},
		}, events(&log))
		time.Sleep(50 * time.Minute)
		lab.Get(t, s)
		time.Sleep(time.Minute)
		assert.Equal(t, []event{
			{slog.LevelWarn, "awsauth: refresh abandoned, using current credentials", "err expires_in next_try source took waiting", "provider"},
		}, events(&log))
		time.Sleep(time.Hour)
	})
}

// deaf is a provider that answers once and never again, whatever its context.
type deaf struct{ calls *int }

// Retrieve implements aws.CredentialsProvider.
func (d deaf) Retrieve(context.Context) (aws.Credentials, error) {
	if *d.calls++; *d.calls > 1 {
		time.Sleep(time.Hour)
	}
	return lab.Issued(lab.SomeID, time.Hour), nil
}

// TestEventValues: what the attributes hold.
func TestEventValues(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Env("AWS_REGION=eu-west-3")
		var log lab.Records
		told := func(level slog.Level) []lab.Record { synctest.Wait(); return log.At(level) }
		s := w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithDuration(15*time.Minute), log.Option())
		chosen := told(slog.LevelDebug)[0].Attrs
		assert.Equal(t, "eu-west-3", chosen["region"].String())
		assert.Equal(t, "AWS_REGION", chosen["region_from"].String())
		assert.Equal(t, "aws", chosen["partition"].String())
		lab.Get(t, s)
		assert.Equal(t, 15*time.Minute, told(slog.LevelInfo)[0].Attrs["expires_in"].Duration())
		w.Down(awsauthtest.Throttle)
		time.Sleep(10 * time.Minute)
		lab.Get(t, s)
		time.Sleep(time.Minute)
		warning := told(slog.LevelWarn)
		require.Len(t, warning, 1)
		assert.InDelta(t, 5*time.Minute, warning[0].Attrs["expires_in"].Duration(), float64(30*time.Second))
		assert.InDelta(t, time.Second, warning[0].Attrs["next_try"].Duration(), float64(time.Second/4))
		err := warning[0].Attrs["err"].String()
		assert.NotContains(t, err, "\n")
		assert.Contains(t, err, "throttled by STS in eu-west-3")
	})
}

// TestEventProfileWins: given two identities, one is not silently dropped.
func TestEventProfileWins(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines, "")
	var log lab.Records
	w.Open(awsauth.WithProfile("ops"), w.Static(), log.Option())
	told := log.At(slog.LevelInfo)
	require.Len(t, told, 1)
	assert.Equal(t, "awsauth: WithProfile beats the keys or the provider that were given too", told[0].Message)
	assert.Equal(t, "ops", told[0].Attrs["profile"].String())
}

// TestEventEffort: how long a refresh took, and how many waited for it; one that runs
// in the background is waited for by nobody. A throttled call is told of once.
func TestEventEffort(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		var log lab.Records
		s := w.InRole(log.Option())
		told := func(message string) (found []lab.Record) {
			synctest.Wait()
			for _, r := range log.All() {
				if r.Message == message {
					found = append(found, r)
				}
			}
			return found
		}
		fast := w.Slow(2 * time.Second)
		lab.Crowd(s, 3)
		assumed := told("awsauth: role assumed")
		require.Len(t, assumed, 1)
		assert.EqualValues(t, 3, assumed[0].Attrs["waiting"].Int64())
		assert.Equal(t, 2*time.Second, assumed[0].Attrs["took"].Duration())
		time.Sleep(surelyStale)
		lab.Get(t, s)
		time.Sleep(time.Minute)
		assumed = told("awsauth: role assumed")
		require.Len(t, assumed, 1)
		assert.Zero(t, assumed[0].Attrs["waiting"].Int64())
		fast()

		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle, Times: 2})
		s, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
		require.NoError(t, err)
		lab.Get(t, s)
		throttled := told("awsauth: a call is throttled, trying again more slowly")
		require.Len(t, throttled, 1)
		assert.Equal(t, "sts.us-east-1.amazonaws.com", throttled[0].Attrs["host"].String())
		assert.Equal(t, w.ARN(lab.Target, "role/team/ops"), throttled[0].Attrs["role"].String())
	})
}
