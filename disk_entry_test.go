package awsauth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskTyped: an entry says whether a person typed a code for it: that of an MFA
// session does, that of a role with a code of its own, and no other.
func TestDiskTyped(t *testing.T) {
	for name, tt := range map[string]struct {
		opts func(*lab.Place, *lab.Device) []awsauth.Option
		want map[string]bool // what the entry is of → typed
	}{
		"no device": {func(w *lab.Place, _ *lab.Device) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithAccount(lab.Target)}
		}, map[string]bool{"role": false}},
		"behind a session": {func(w *lab.Place, d *lab.Device) []awsauth.Option {
			return []awsauth.Option{w.Static(), d.Option(), awsauth.WithAccount(lab.Target)}
		}, map[string]bool{"role": false, "MFA": true}},
		"a code of its own": {func(w *lab.Place, d *lab.Device) []awsauth.Option {
			return []awsauth.Option{w.Static(), d.Option(), awsauth.WithAccount(lab.Target), awsauth.WithDuration(2 * time.Hour)}
		}, map[string]bool{"role": true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			device := w.Device()
			w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
			lab.Get(t, w.Open(append(tt.opts(w, device), disk(w))...))
			files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*.json"))
			require.NoError(t, err)
			got := map[string]bool{}
			for _, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				var entry struct {
					Typed      bool
					What, From string
				}
				require.NoError(t, json.Unmarshal(text, &entry), "%s", text)
				assert.Contains(t, entry.From, "static keys", "who asks")
				kind, _, _ := strings.Cut(entry.What, " ")
				got[kind] = entry.Typed
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
