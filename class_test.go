package awsauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// TestTheClassThisReplaces has one row for each thing that the Python class
// AwsApi(access_key, secret_key, profile_name, account_id, role, is_global) got
// wrong, with the better outcome.
func TestTheClassThisReplaces(t *testing.T) {
	t.Run("all four documented uses work", allFourUses)
	t.Run("the guard against long-lived keys is a choice", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		_, err := w.try(w.static(), awsauth.WithTemporaryOnly())
		requireBad(t, err, awsauth.LongTermCredentials, "WithTemporaryOnly")
	})
	t.Run("the profile wins over keys", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.files("[profile ops]\n"+keyLines, "")
		s := w.open(awsauth.WithProfile("ops"), awsauth.WithStaticCredentials(someID, someSecret, ""))
		assert.Equal(t, w.arn(home, "user/ci"), w.identity(s))
	})
	t.Run("one key without the other is nobody", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.files("", "[default]\n"+keyLines)
		for _, half := range []awsauth.Option{awsauth.WithStaticCredentials(someID, "", ""), awsauth.WithStaticCredentials("", someSecret, "")} {
			_, err := w.try(half, awsauth.WithAccount(target))
			requireBad(t, err, awsauth.InvalidOption, "WithStaticCredentials")
		}
		assert.Empty(t, w.said())
	})
	t.Run("the China session has a region", func(t *testing.T) {
		w := newPlace(t, awsauth.China)
		s := w.open(w.static(), awsauth.WithPartition(awsauth.China), awsauth.WithAccount(target))
		assert.Equal(t, "cn-north-1", s.Config().Region)
		assert.Equal(t, "arn:aws-cn:sts::123456789012:assumed-role/manage-role", w.identity(s))
	})
	t.Run("sessions are named after the caller", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		_ = w.identity(w.open(w.static(), awsauth.WithAccount(target)))
		name := w.Calls("AssumeRole")[0].Params.Get("RoleSessionName")
		assert.NotEqual(t, "string", name)
		assert.Equal(t, names.DefaultSession(), name)
	})
	t.Run("it goes on after 60 minutes", afterAnHour)
	t.Run("an 11-digit account id stays here", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		_, err := w.try(w.static(), awsauth.WithAccount("12345678901"))
		requireBad(t, err, awsauth.InvalidOption, `WithAccount("12345678901")`, "has 11", `"012345678901"`)
		assert.Empty(t, w.said())
	})
	t.Run("the role is another one if one says so", func(t *testing.T) {
		w := newPlace(t, awsauth.AWS)
		w.AddRole(awsauthtest.Role{ARN: w.arn(target, "role/reader"), Trust: []string{home}})
		assert.Equal(t, w.became(target, "reader"), w.identity(w.open(w.static(), awsauth.WithAccount(target), awsauth.WithRole("reader"))))
	})
}

func allFourUses(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.files("[profile ops]\n"+keyLines, "[default]\n"+keyLines)
	account := awsauth.WithAccount(target)
	for name, opts := range map[string][]awsauth.Option{
		"default chain":   {account},
		"keys":            {w.static(), account},
		"profile":         {awsauth.WithProfile("ops"), account},
		"keys, no role":   {w.static()}, // its guard against long-lived keys raised here
		"profile, itself": {awsauth.WithProfile("ops")},
	} {
		_, err := w.open(opts...).Identity(t.Context())
		require.NoError(t, err, name)
	}
}

func afterAnHour(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	synctest.Test(t, func(t *testing.T) {
		s := w.open(w.static(), awsauth.WithAccount(target))
		for range 20 { // ten hours, by a call each half hour
			creds, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			require.False(t, creds.Expired())
			<-time.After(30 * time.Minute)
		}
	})
	assert.GreaterOrEqual(t, len(w.Calls("AssumeRole")), 10)
}
