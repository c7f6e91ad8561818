package awsauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestAllFaultsAtOnce: nobody should have to mend five things in five runs.
func TestAllFaultsAtOnce(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nrole_arn = nonsense\nsource_profile = nobody\n", "")
	path := w.Dir + "/config"
	_, err := w.Try(awsauth.WithStaticCredentials(lab.SomeID, "", ""), awsauth.WithRegion("US-EAST-1"), awsauth.WithPartition("aws-mars"),
		awsauth.WithSTSEndpoint("http://sts.example.com"), awsauth.WithProfile("ops"), awsauth.WithAccount("123"), awsauth.WithRole("/x"),
		awsauth.WithSessionName("a"), awsauth.WithDuration(time.Minute), awsauth.WithExternalID("x"), awsauth.WithPolicy("{"))
	lab.RequireBad(t, err, awsauth.InvalidOption, "WithStaticCredentials", "WithRegion", "WithPartition", "WithSTSEndpoint", "WithAccount", "WithRole(",
		"WithSessionName", "WithDuration", "WithExternalID", "WithPolicy", path+":2", path+":3", `"nobody"`)
	assert.ErrorIs(t, err, awsauth.InvalidDuration)
	assert.ErrorIs(t, err, awsauth.ProfileNotFound)
	assert.Empty(t, w.Said())
}

// TestEmptyIsNotGiven: a script passes its flags straight through.
func TestEmptyIsNotGiven(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET")
	s := w.Open(awsauth.WithProfile(""), awsauth.WithStaticCredentials("", "", ""), awsauth.WithRegion(""),
		awsauth.WithPartition(""), awsauth.WithSTSEndpoint(""), awsauth.WithLoadOptions(), awsauth.WithLoadOptions(nil), awsauth.WithLogger(nil),
		awsauth.WithAccount(""), awsauth.WithRole(""), awsauth.WithRoleARN(""), awsauth.WithSessionName(""), awsauth.WithDuration(0),
		awsauth.WithExternalID(""), awsauth.WithSourceIdentity(""), awsauth.WithTags(nil), awsauth.WithTransitiveTags(map[string]string{}),
		awsauth.WithPolicy(""), awsauth.WithPolicyARNs(), awsauth.WithPolicyARNs(""), nil)
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
	require.Len(t, w.Calls(), 1)
}

// optionMistakes are those that an option shows by itself.
func optionMistakes() []mistake {
	return []mistake{
		{
			name: "a temporary key without its token, seen at once",
			make: func(w *lab.Place) error {
				k := w.SessionKeys()
				return w.JustNew(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, ""))
			},
			says: `awsauth: WithStaticCredentials: access key $SESSION is temporary, as all that begin with ASIA, and works with its session token only; ` +
				`pass the session token too`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "keys the wrong way round",
			make: func(w *lab.Place) error {
				return w.JustNew(awsauth.WithStaticCredentials(lab.SomeSecret, lab.SomeID, ""))
			},
			says: `awsauth: WithStaticCredentials: the two are swapped: AKIA…MPLE, which looks like an access key id, is second; ` +
				`pass the access key id first, then the secret`,
			kinds: only(awsauth.InvalidOption), new: true,
		},
	}
}
