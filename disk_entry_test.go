package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskListed: an entry says what it is of and who asked for it, for a listing.
func TestDiskListed(t *testing.T) {
	const role, device = "role " + lab.ManageRole, "arn:aws:iam::111111111111:mfa/ana"
	for name, tt := range map[string]struct {
		opts func(*lab.Place) []awsauth.Option
		want map[string]string // what → from
	}{
		"a role": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithAccount(lab.Target)}
		}, map[string]string{role: "static keys"}},
		"behind an MFA session": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Device().Option(), w.Static(), awsauth.WithAccount(lab.Target)}
		}, map[string]string{role: "static keys → MFA " + device, "MFA session of " + device: "static keys"}},
		"a role of SSO": {func(w *lab.Place) []awsauth.Option {
			w.SSOProfile()
			w.SSOLogin("corp")
			return []awsauth.Option{awsauth.WithProfile("dev"), awsauth.WithAccount(lab.Target)}
		}, map[string]string{role: `profile "dev" (SSO)`, `SSO session "corp"`: `profile "dev" (SSO)`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			lab.Get(t, w.Open(append(tt.opts(w), disk(w))...))
			items, err := diskcache.Open(diskcache.Config{Dir: filepath.Join(w.Dir, "cache")}).List(t.Context())
			require.NoError(t, err)
			got := map[string]string{}
			for _, item := range items {
				got[item.What] = item.From
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// TestTokenMargin: a token with ten seconds left or less is refreshed by one process at
// a time, as the SDK may find it expired a moment later; one with more is just used.
func TestTokenMargin(t *testing.T) {
	for name, login := range map[string]func(w *lab.Place, left time.Duration) string{
		"SSO": func(w *lab.Place, left time.Duration) string {
			w.SSOProfile()
			path, err := ssocreds.StandardCachedTokenFilepath("corp")
			require.NoError(w.T, err)
			require.NoError(w.T, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(w.T, os.WriteFile(path, w.LoginSSO("https://corp.awsapps.com/start", "us-east-1", left, w.ARN(lab.Home, "role/base")), 0o600))
			return path
		},
		"login": func(w *lab.Place, left time.Duration) string {
			w.Files("[profile dev]\nregion = us-east-1\nlogin_session = "+w.ARN(lab.Home, "user/ci")+"\n", "")
			w.Env("AWS_LOGIN_CACHE_DIRECTORY=$DIR")
			path, err := logincreds.StandardCachedTokenFilepath(w.ARN(lab.Home, "user/ci"), w.Dir)
			require.NoError(w.T, err)
			require.NoError(w.T, os.WriteFile(path, w.Login(w.ARN(lab.Home, "user/ci"), left), 0o600))
			return path
		},
	} {
		for left, locked := range map[time.Duration]bool{11 * time.Second: false, 10 * time.Second: true, time.Second: true, -time.Second: true} {
			t.Run(name+" "+left.String(), func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					path := login(w, left)
					require.NoError(t, os.WriteFile(path+".lock", nil, 0o600))
					holdLocks(t, filepath.Dir(path))
					o := lab.Ask(t.Context(), w.Open(awsauth.WithProfile("dev")))
					require.NoError(t, o.Err)
					assert.Equal(t, locked, o.Took >= 7*time.Second, "%v", o.Took) // whoever holds the lock is waited for, 8 s at most
				})
			})
		}
	}
}
