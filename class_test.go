package awsauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/names"
)

// TestTheClassThisReplaces has one row for each thing that the Python class
// AwsApi(access_key, secret_key, profile_name, account_id, role, is_global) got
// wrong, with the better outcome.
func TestTheClassThisReplaces(t *testing.T) {
	t.Run("all four documented uses work", allFourUses)
	t.Run("the guard against long-lived keys is a choice", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		_, err := w.Try(w.Static(), awsauth.WithTemporaryOnly())
		lab.RequireBad(t, err, awsauth.LongTermCredentials, "WithTemporaryOnly")
	})
	t.Run("the profile wins over keys", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.Files("[profile ops]\n"+lab.KeyLines, "")
		s := w.Open(awsauth.WithProfile("ops"), awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, ""))
		assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
	})
	t.Run("one key without the other is nobody", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.Files("", "[default]\n"+lab.KeyLines)
		for _, half := range []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, "", ""), awsauth.WithStaticCredentials("", lab.SomeSecret, "")} {
			_, err := w.Try(half, awsauth.WithAccount(lab.Target))
			lab.RequireBad(t, err, awsauth.InvalidOption, "WithStaticCredentials")
		}
		assert.Empty(t, w.Said())
	})
	t.Run("the China session has a region", func(t *testing.T) {
		w := lab.New(t, awsauth.China)
		s := w.Open(w.Static(), awsauth.WithPartition(awsauth.China), awsauth.WithAccount(lab.Target))
		assert.Equal(t, "cn-north-1", s.Config().Region)
		assert.Equal(t, "arn:aws-cn:sts::123456789012:assumed-role/manage-role", w.IdentityOf(s))
	})
	t.Run("sessions are named after the caller", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		_ = w.IdentityOf(w.Open(w.Static(), awsauth.WithAccount(lab.Target)))
		name := w.Calls("AssumeRole")[0].Params.Get("RoleSessionName")
		assert.NotEqual(t, "string", name)
		assert.Equal(t, names.DefaultSession(), name)
	})
	t.Run("it goes on after 60 minutes", afterAnHour)
	t.Run("an 11-digit account id stays here", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		_, err := w.Try(w.Static(), awsauth.WithAccount("12345678901"))
		lab.RequireBad(t, err, awsauth.InvalidOption, `WithAccount("12345678901")`, "has 11", `"012345678901"`)
		assert.Empty(t, w.Said())
	})
	t.Run("the role is another one if one says so", func(t *testing.T) {
		w := lab.New(t, awsauth.AWS)
		w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Target, "role/reader"), Trust: []string{lab.Home}})
		assert.Equal(t, w.Became(lab.Target, "reader"), w.IdentityOf(w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithRole("reader"))))
	})
}

func allFourUses(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines, "[default]\n"+lab.KeyLines)
	account := awsauth.WithAccount(lab.Target)
	for name, opts := range map[string][]awsauth.Option{
		"default chain":   {account},
		"keys":            {w.Static(), account},
		"profile":         {awsauth.WithProfile("ops"), account},
		"keys, no role":   {w.Static()}, // its guard against long-lived keys raised here
		"profile, itself": {awsauth.WithProfile("ops")},
	} {
		_, err := w.Open(opts...).Identity(t.Context())
		require.NoError(t, err, name)
	}
}

func afterAnHour(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	synctest.Test(t, func(t *testing.T) {
		s := w.Open(w.Static(), awsauth.WithAccount(lab.Target))
		for range 20 { // ten hours, by a call each half hour
			creds, err := s.Retrieve(t.Context())
			require.NoError(t, err)
			require.False(t, creds.Expired())
			<-time.After(30 * time.Minute)
		}
	})
	assert.GreaterOrEqual(t, len(w.Calls("AssumeRole")), 10)
}
