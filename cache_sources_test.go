package awsauth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestCacheBaseRotates: base identities that expire are renewed behind their
// callers, for two days, and their true expiry is what callers see.
func TestCacheBaseRotates(t *testing.T) {
	for _, tt := range []struct {
		name     string
		action   string // the call that brings keys
		lifetime time.Duration
		most     int // such calls in 48 h
		open     func(w *place) *awsauth.Session
	}{
		{"role of a profile", "AssumeRole", time.Hour, 120, func(w *place) *awsauth.Session {
			w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
			return w.open(awsauth.WithProfile("ops"))
		}},
		{"role of a profile on EC2", "AssumeRole", time.Hour, 120, func(w *place) *awsauth.Session {
			w.instance()
			w.files("[profile ops]\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n", "")
			return w.open(awsauth.WithProfile("ops"))
		}},
		{"web identity", "AssumeRoleWithWebIdentity", time.Hour, 120, func(w *place) *awsauth.Session {
			w.write("token", w.WebIdentityToken(issuer, "repo:corp/app", 96*time.Hour))
			w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
			return w.open()
		}},
		{"container", "GetCredentials", 6 * time.Hour, 40, func(w *place) *awsauth.Session { w.container(); return w.open() }},
		{"instance", "GetCredentials", 6 * time.Hour, 80, func(w *place) *awsauth.Session { w.instance(); return w.open() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := tt.open(w)
				require.Equal(t, time.Now().Add(tt.lifetime), get(t, s).Expires.Local(), "the true expiry")
				keys := busy(t, s, 10*time.Second, 48*time.Hour)
				require.Greater(t, len(keys), int(48*time.Hour/tt.lifetime))
				calls := len(w.Calls(tt.action))
				t.Logf("%d keys, %d calls", len(keys), calls)
				require.LessOrEqual(t, calls, tt.most)
				// The keys of then are gone, and so is the SDK's copy of them.
				time.Sleep(48 * time.Hour / 2)
				get(t, s)
			})
		})
	}
}

// TestCacheProcess has the keys from a program, in real time: the SDK runs it.
func TestCacheProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the test's program is a shell script")
	}
	w := newPlace(t, awsauth.AWS)
	w.write("print.sh", "#!/bin/sh\necho run >> \"$DIR/runs\"\ncat \"$DIR/keys.json\"\n")
	require.NoError(t, os.Chmod(filepath.Join(w.dir, "print.sh"), 0o700))
	prints := func(id string, expires time.Time) {
		w.write("next.json", fmt.Sprintf(`{"Version": 1, "AccessKeyId": %q, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": %q}`, id, expires.UTC().Format(time.RFC3339Nano)))
		require.NoError(t, os.Rename(filepath.Join(w.dir, "next.json"), filepath.Join(w.dir, "keys.json")))
	}
	w.files("[profile ops]\ncredential_process = \"$DIR/print.sh\"\n", "")
	s := w.open(awsauth.WithProfile("ops"))
	expires := time.Now().Add(2 * time.Second)
	prints("K1", expires)
	c := get(t, s)
	require.Equal(t, "K1", c.AccessKeyID)
	require.Equal(t, expires.UTC(), c.Expires.UTC(), "the true expiry")
	prints("K2", time.Now().Add(time.Hour))
	soon(t, func() bool { return get(t, s).AccessKeyID == "K2" }, "no new keys")
	require.True(t, time.Now().Before(expires), "K2 came only after K1 was gone")
	runs, err := os.ReadFile(filepath.Join(w.dir, "runs"))
	require.NoError(t, err)
	require.Equal(t, "run\nrun\n", string(runs))
}

// outages are the ways in which an instance's metadata service fails.
var outages = map[string]func(w *place) (over func()){
	"answers with what it has": func(w *place) func() {
		i := awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Stale: true}
		w.SetInstance(&i)
		return w.instance
	},
	"refuses connections": func(w *place) func() { w.SetInstance(nil); return w.instance },
	"fails": func(w *place) func() {
		return w.Inject(awsauthtest.Fault{Match: ofMetadata, Kind: awsauthtest.ServerError})
	},
	"does not answer": func(w *place) func() {
		return w.Inject(awsauthtest.Fault{Match: ofMetadata, Kind: awsauthtest.Hang})
	},
}

func ofMetadata(c awsauthtest.Call) bool { return c.Service == "ec2metadata" }
