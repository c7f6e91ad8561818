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
func (r *records) events() (all []event) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		attrs := map[string]string{}
		rec.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.Resolve().String(); return true })
		names := slices.Sorted(maps.Keys(attrs))
		all = append(all, event{rec.Level, rec.Message, strings.Join(names, " "), attrs["source"] + attrs["role"]})
	}
	r.all = nil
	return all
}

// TestEvents is the log of a role from its first day to its last.
func TestEvents(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var log records
		s := w.inRole(log.option())
		assert.Equal(t, []event{{slog.LevelDebug, "awsauth: source chosen", "partition region region_from source", "static keys"}}, log.events())

		get(t, s)
		found := event{slog.LevelDebug, "awsauth: credentials found", "source", "static keys"}
		assumed := event{slog.LevelInfo, "awsauth: role assumed", "expires_in role", manageRole}
		assert.Equal(t, []event{found, assumed}, log.events())
		for range 10 {
			get(t, s)
		}
		assert.Empty(t, log.events(), "nothing happened")

		time.Sleep(50 * time.Minute)
		get(t, s)
		time.Sleep(time.Minute)
		assert.Equal(t, []event{assumed}, log.events(), "renewed")

		up := w.down(awsauthtest.Reset)
		time.Sleep(48 * time.Minute)
		get(t, s)
		time.Sleep(30 * time.Second)
		assert.Equal(t, []event{{slog.LevelWarn, "awsauth: refresh failed, using current credentials", "err expires_in next_try role", manageRole}}, log.events())
		up()

		stuck := w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Hang, Times: 1})
		get(t, s)
		time.Sleep(2 * time.Minute)
		warned := log.events()
		require.Len(t, warned, 1)
		assert.Equal(t, "err expires_in next_try role", warned[0].attrs)
		stuck()

		up = w.down(awsauthtest.Reset)
		time.Sleep(time.Hour)
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Equal(t, []event{{slog.LevelError, "awsauth: no credentials", "err role", manageRole}}, log.events())
		up()

		time.Sleep(time.Minute)
		get(t, s)
		assert.Equal(t, []event{assumed}, log.events())
		w.Expire(get(t, s).AccessKeyID)
		_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, []event{
			{slog.LevelWarn, "awsauth: a service refused the credentials before their time, getting new ones", "role", manageRole}, assumed,
		}, log.events())
	})
}

// TestEventAbandoned: a provider that does not heed its context is left behind.
func TestEventAbandoned(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		var log records
		calls := 0
		s := w.open(log.option(), awsauth.WithCredentialsProvider(deaf{&calls}))
		get(t, s)
		assert.Equal(t, []event{
			{slog.LevelDebug, "awsauth: source chosen", "partition region region_from source", "provider"},
			{slog.LevelInfo, "awsauth: credentials refreshed", "expires_in source", "provider"},
		}, log.events())
		time.Sleep(50 * time.Minute)
		get(t, s)
		time.Sleep(time.Minute)
		assert.Equal(t, []event{
			{slog.LevelWarn, "awsauth: refresh abandoned, using current credentials", "err expires_in next_try source", "provider"},
		}, log.events())
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
	return issued(someID, time.Hour), nil
}

// TestEventValues: what the attributes hold.
func TestEventValues(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.env("AWS_REGION=eu-west-3")
		var log records
		told := func(level slog.Level) []record { synctest.Wait(); return log.at(level) }
		s := w.open(w.static(), awsauth.WithAccount(target), awsauth.WithDuration(15*time.Minute), log.option())
		chosen := told(slog.LevelDebug)[0].attrs
		assert.Equal(t, "eu-west-3", chosen["region"].String())
		assert.Equal(t, "AWS_REGION", chosen["region_from"].String())
		assert.Equal(t, "aws", chosen["partition"].String())
		get(t, s)
		assert.Equal(t, 15*time.Minute, told(slog.LevelInfo)[0].attrs["expires_in"].Duration())
		w.down(awsauthtest.Throttle)
		time.Sleep(10 * time.Minute)
		get(t, s)
		time.Sleep(time.Minute)
		warning := told(slog.LevelWarn)
		require.Len(t, warning, 1)
		assert.InDelta(t, 5*time.Minute, warning[0].attrs["expires_in"].Duration(), float64(30*time.Second))
		assert.InDelta(t, time.Second, warning[0].attrs["next_try"].Duration(), float64(time.Second/4))
		err := warning[0].attrs["err"].String()
		assert.NotContains(t, err, "\n")
		assert.Contains(t, err, "throttled by STS in eu-west-3")
	})
}

// TestEventProfileWins: given two identities, one is not silently dropped.
func TestEventProfileWins(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.files("[profile ops]\n"+keyLines, "")
	var log records
	w.open(awsauth.WithProfile("ops"), w.static(), log.option())
	told := log.at(slog.LevelInfo)
	require.Len(t, told, 1)
	assert.Equal(t, "awsauth: WithProfile beats the keys or the provider that were given too", told[0].text)
	assert.Equal(t, "ops", told[0].attrs["profile"].String())
}
