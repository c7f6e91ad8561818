package awsauth_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskWebIdentityOptions: what the SDK's own options change of a web identity
// decides the answer too. A process without a policy must not share the entry of
// one that has given its permissions up, nor the other way round.
func TestDiskWebIdentityOptions(t *testing.T) {
	for name, change := range map[string]func(w *lab.Place, o *stscreds.WebIdentityRoleOptions){
		"policy":       func(_ *lab.Place, o *stscreds.WebIdentityRoleOptions) { o.Policy = aws.String(lab.Policy) },
		"session name": func(_ *lab.Place, o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = "audit" },
		"duration":     func(_ *lab.Place, o *stscreds.WebIdentityRoleOptions) { o.Duration = 15 * time.Minute },
		"token": func(w *lab.Place, o *stscreds.WebIdentityRoleOptions) {
			o.TokenRetriever = token(w.WebIdentityToken(lab.Issuer, "repo:corp/other", time.Hour))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.WebToken()
			w.WebEnv()
			changed := awsauth.WithLoadOptions(config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) { change(w, o) }))
			first := lab.Get(t, w.Open(disk(w), changed))
			second := lab.Get(t, w.Open(disk(w)))
			assert.NotEqual(t, first.AccessKeyID, second.AccessKeyID, "an entry of somebody else")
		})
	}
}

// TestDiskSSOOptions: the same of SSO.
func TestDiskSSOOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	w.SSOLogin("corp")
	w.AddSSO("sso-token", lab.DefaultRegion(w.Partition), w.ARN(lab.Home, "role/middle"))
	profile := awsauth.WithProfile("dev")
	other := awsauth.WithLoadOptions(config.WithSSOProviderOptions(func(o *ssocreds.Options) { o.RoleName = "middle" }))
	first := lab.Get(t, w.Open(disk(w), profile, other))
	second := lab.Get(t, w.Open(disk(w), profile))
	assert.NotEqual(t, first.AccessKeyID, second.AccessKeyID, "the middle role's keys as those of base")
}

// TestDiskSSOLogins: the login is part of the key: who signs in after somebody else gets
// nothing that the other one's login brought.
func TestDiskSSOLogins(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	path, err := ssocreds.StandardCachedTokenFilepath("corp")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	logins := map[string][]byte{}
	for _, who := range []string{"ana", "bob"} {
		logins[who] = w.LoginSSO("https://corp.awsapps.com/start", "us-east-1", time.Hour, w.ARN(lab.Home, "role/base"))
	}
	seen := map[string]string{}
	for _, who := range []string{"ana", "bob", "ana", "bob"} {
		require.NoError(t, os.WriteFile(path, logins[who], 0o600))
		seen[lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w))).AccessKeyID] = who
	}
	assert.Len(t, seen, 2)
	assert.Len(t, w.Calls("GetRoleCredentials"), 2)
}

// TestDiskNoLogin: a token's file that holds none opens no entry of the disk cache. That
// the login has ended is said.
func TestDiskNoLogin(t *testing.T) {
	const start = "https://corp.awsapps.com/start"
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile dev]\nregion = us-east-1\nsso_account_id = "+lab.Home+"\nsso_role_name = base\nsso_region = us-east-1\nsso_start_url = "+start+"\n", "")
	w.SSOLogin(start)
	lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w)))
	path, err := ssocreds.StandardCachedTokenFilepath(start)
	require.NoError(t, err)
	files := onlyFiles(t, filepath.Join(w.Dir, "cache"))
	for _, text := range []string{`{"expiresAt":"2099-01-01T00:00:00Z"}`, "{", ""} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err = w.Open(awsauth.WithProfile("dev"), disk(w)).Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.Expired, "SSO session", "aws sso login --profile dev")
		assert.Equal(t, files, onlyFiles(t, filepath.Join(w.Dir, "cache")), "nor a lock")
	}
}

// onlyFiles are the names of what a directory holds, none if there is no directory.
func onlyFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestDiskNoBase: without base credentials it is not known whose role it would be, and
// nothing is looked for on the disk.
func TestDiskNoBase(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	_, err := w.Open(disk(w), awsauth.WithAccount(lab.Target), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the vault is sealed")
	}))).Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.NoCredentials, "the vault is sealed")
	assert.Empty(t, onlyFiles(t, filepath.Join(w.Dir, "cache")))
}

// TestDiskOfRenewedBase: a role belongs to who the base is, not to the keys that the base
// has for the moment. Other processes use it after those have ended, and need no others.
func TestDiskOfRenewedBase(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		w.profile = w.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: "us-east-1", RoleARNs: []string{w.role}, Duration: 15 * time.Minute})
		first := lab.Get(t, w.Open(w.option(), disk(w.Place), awsauth.WithAccount(lab.Target)))
		time.Sleep(20 * time.Minute)
		second := lab.Get(t, w.Open(w.option(), disk(w.Place), awsauth.WithAccount(lab.Target)))
		assert.Equal(t, first.AccessKeyID, second.AccessKeyID)
		assert.Len(t, w.Calls("CreateSession"), 1)
	})
}

// TestDiskUserChanges: a provider whose user changes while an MFA session of the one
// before is at hand. What is assumed from that session is not the new user's.
func TestDiskUserChanges(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	var changed atomic.Bool
	provider, bob := anaThenBob(w, 0, changed.Load)
	s := w.Open(provider, disk(w), device.Option())
	lab.Get(t, s)
	changed.Store(true)
	w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
	_, _ = s.Identity(t.Context()) // a refusal: the keys are read again
	child, err := s.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	of := lab.Get(t, child) // ana's session
	isBob := awsauth.WithStaticCredentials(bob.AccessKeyID, bob.SecretAccessKey, "")
	mine := w.Open(isBob, disk(w), awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return "000000", nil }), awsauth.WithAccount(lab.Target))
	got, err := mine.Retrieve(t.Context())
	if err == nil {
		assert.NotEqual(t, of.AccessKeyID, got.AccessKeyID, "bob works with the role that ana's MFA session assumed, and typed nothing")
	}
}

// TestDiskLoggedOut: whose login has ended has no roles either, as with SSO.
func TestDiskLoggedOut(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.LoggedIn()
	w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
	open := func() *awsauth.Session {
		return w.Open(awsauth.WithProfile("dev"), disk(w), awsauth.WithAccount(lab.Target))
	}
	lab.Get(t, open())
	files, err := filepath.Glob(filepath.Join(w.Dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.Remove(files[0]))
	_, err = open().Retrieve(t.Context())
	assert.Error(t, err, "a role after aws logout")
}

// endedSSO leaves a login of SSOProfile's session behind whose token has to be renewed.
func endedSSO(t *testing.T, w *lab.Place) {
	t.Helper()
	path, err := ssocreds.StandardCachedTokenFilepath("corp")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	text := w.LoginSSO("https://corp.awsapps.com/start", "us-east-1", -time.Minute, w.ARN(lab.Home, "role/base"))
	require.NoError(t, os.WriteFile(path, text, 0o600))
}
