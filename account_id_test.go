package awsauth_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// withoutAccount are the sources whose keys come without a word of the account: the
// user's own keys where nothing stands beside them, and EC2's metadata.
var withoutAccount = map[string]bool{
	"static keys": true, "static keys with a token": true, "provider": true,
	"profile with keys in the config file": true, "profile with keys in the credentials file": true,
	"environment": true, "environment, old names": true, "AWS_PROFILE": true, "AWS_DEFAULT_PROFILE": true,
	"default profile of the config file": true, "default profile of the credentials file": true,
	"process": true, "EC2": true,
}

// TestAccountIDOfSources: the account goes with the keys of each source that knows it,
// and with those of a role that is assumed from any. Nothing is asked for its sake.
func TestAccountIDOfSources(t *testing.T) {
	for _, src := range lab.EverySource() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := src.Fill(w, "")
			want := lab.Home
			if withoutAccount[src.Name] {
				want = ""
			}
			assert.Equal(t, want, lab.Get(t, w.Open(opts...)).AccountID)
			assert.Equal(t, lab.Target, lab.Get(t, w.Open(append(opts, awsauth.WithAccount(lab.Target))...)).AccountID)
			assert.Empty(t, w.Calls("GetCallerIdentity"))
		})
	}
}

// TestAccountIDSaid: what stands beside keys goes with them, as in the SDK. The
// word of a process counts before its profile's.
func TestAccountIDSaid(t *testing.T) {
	const process = "[profile ops]\naws_account_id = 222222222222\ncredential_process = cat \"$DIR/keys.json\"\n"
	ops := awsauth.WithProfile("ops")
	for _, tt := range []struct {
		name, config, credentials, json string
		env                             []string
		opt                             awsauth.Option
		want                            string
	}{
		{name: "config file", config: "[profile ops]\naws_account_id = 222222222222\n" + lab.KeyLines, opt: ops, want: "222222222222"},
		{name: "credentials file", credentials: "[ops]\naws_account_id = 222222222222\n" + lab.KeyLines, opt: ops, want: "222222222222"},
		{
			name: "config file beside keys of the credentials file", config: "[profile ops]\naws_account_id = 222222222222\n",
			credentials: "[ops]\n" + lab.KeyLines, opt: ops, want: "222222222222",
		},
		{name: "environment", env: append(lab.KeyEnv, "AWS_ACCOUNT_ID=222222222222"), want: "222222222222"},
		{name: "environment beside a profile", config: "[profile ops]\n" + lab.KeyLines, env: []string{"AWS_ACCOUNT_ID=222222222222"}, opt: ops},
		{name: "process", config: process, json: `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET"}`, opt: ops, want: "222222222222"},
		{
			name: "process that says it", config: process, opt: ops, want: "111111111111",
			json: `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET", "AccountId": "111111111111"}`,
		},
		{
			name: "profile of a role", config: "[profile ops]\naws_account_id = 222222222222\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + lab.KeyLines,
			opt: ops, want: lab.Home,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, tt.credentials)
			w.Write("keys.json", tt.json)
			w.Env(tt.env...)
			assert.Equal(t, tt.want, lab.Get(t, w.Open(tt.opt)).AccountID)
		})
	}
}

// TestAccountIDElsewhere: what a provider says, an MFA session, and keys from the disk
// cache.
func TestAccountIDElsewhere(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	said := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: w.Keys.AccessKeyID, SecretAccessKey: w.Keys.SecretAccessKey, AccountID: "222222222222"}, nil
	})
	assert.Equal(t, "222222222222", lab.Get(t, w.Open(awsauth.WithCredentialsProvider(said))).AccountID)
	child := w.InRole()
	assert.Equal(t, lab.Target, lab.Get(t, w.Open(awsauth.WithCredentialsProvider(child))).AccountID)

	device := w.Device()
	assert.Equal(t, lab.Home, lab.Get(t, w.Open(w.Static(), device.Option())).AccountID)

	disk := awsauth.WithDiskCache(w.Dir)
	lab.Get(t, w.InRole(disk))
	calls := w.Assumed()
	assert.Equal(t, lab.Target, lab.Get(t, w.InRole(disk)).AccountID)
	assert.Equal(t, calls, w.Assumed(), "read from the disk")
}
