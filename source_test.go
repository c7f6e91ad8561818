package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRotates: base identities that expire are renewed behind their callers, for
// two days, and their true expiry is what callers see.
func TestRotates(t *testing.T) {
	for _, tt := range []struct {
		name     string
		action   string // the call that brings keys
		lifetime time.Duration
		most     int // such calls in 48 h
		open     func(w *lab.Place) *awsauth.Session
	}{
		{"role of a profile", "AssumeRole", time.Hour, 120, (*lab.Place).ProfileRole},
		{"role of a profile on EC2", "AssumeRole", time.Hour, 120, func(w *lab.Place) *awsauth.Session {
			w.OnInstance()
			w.Files("[profile ops]\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n", "")
			return w.Open(awsauth.WithProfile("ops"))
		}},
		{"web identity", "AssumeRoleWithWebIdentity", time.Hour, 120, (*lab.Place).WebIdentity},
		{"SSO", "GetRoleCredentials", time.Hour, 120, func(w *lab.Place) *awsauth.Session {
			w.SSOProfile()
			w.SSOLogin("corp")
			return w.Open(awsauth.WithProfile("dev"))
		}},
		// The agent has new keys only shortly before the end of the old ones, and
		// is asked for them once a minute from the refresh moment on.
		{"container", "GetCredentials", 6 * time.Hour, 960, func(w *lab.Place) *awsauth.Session { w.InContainer(); return w.Open() }},
		{"instance", "GetCredentials", 6 * time.Hour, 80, func(w *lab.Place) *awsauth.Session { w.OnInstance(); return w.Open() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := tt.open(w)
				require.Equal(t, time.Now().Add(tt.lifetime), lab.Get(t, s).Expires.Local(), "the true expiry")
				keys := lab.Busy(t, s, 10*time.Second, 48*time.Hour)
				require.Greater(t, len(keys), int(48*time.Hour/tt.lifetime))
				calls := len(w.Calls(tt.action))
				t.Logf("%d keys, %d calls", len(keys), calls)
				require.LessOrEqual(t, calls, tt.most)
				// The keys of then are gone, and so is the SDK's copy of them.
				time.Sleep(24 * time.Hour)
				lab.Get(t, s)
			})
		})
	}
}

// TestProcessRotates has the keys from a program, in real time: the SDK runs it.
func TestProcessRotates(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the test's program is a shell script")
	}
	w := lab.New(t, awsauth.AWS)
	w.Write("print.sh", "#!/bin/sh\necho run >> \"$DIR/runs\"\ncat \"$DIR/keys.json\"\n")
	require.NoError(t, os.Chmod(filepath.Join(w.Dir, "print.sh"), 0o700))
	prints := func(id string, expires time.Time) {
		w.Write("next.json", fmt.Sprintf(`{"Version": 1, "AccessKeyId": %q, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": %q}`, id, expires.UTC().Format(time.RFC3339Nano)))
		require.NoError(t, os.Rename(filepath.Join(w.Dir, "next.json"), filepath.Join(w.Dir, "keys.json")))
	}
	w.Files("[profile ops]\ncredential_process = \"$DIR/print.sh\"\n", "")
	s := w.Open(awsauth.WithProfile("ops"))
	expires := time.Now().Add(6 * time.Second) // stale after 2 to 4 s
	prints("K1", expires)
	c := lab.Get(t, s)
	require.Equal(t, "K1", c.AccessKeyID)
	require.Equal(t, expires.UTC(), c.Expires.UTC(), "the true expiry")
	prints("K2", time.Now().Add(time.Hour))
	lab.Soon(t, func() bool { return lab.Get(t, s).AccessKeyID == "K2" }, "no new keys")
	require.True(t, time.Now().Before(expires), "K2 came only after K1 was gone")
	runs, err := os.ReadFile(filepath.Join(w.Dir, "runs"))
	require.NoError(t, err)
	require.Equal(t, "run\nrun\n", string(runs))
}

type providerKey struct{}

// TestProviderContext: a provider of the caller's gets the values of the
// caller's context and 30 s, and what it says can be found in the error.
func TestProviderContext(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		mine := errors.New("the vault is sealed")
		s := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 30*time.Second, time.Until(deadline))
			require.Equal(t, "value", ctx.Value(providerKey{}))
			return aws.Credentials{}, mine
		})))
		_, err := s.Retrieve(context.WithValue(t.Context(), providerKey{}, "value"))
		require.ErrorIs(t, err, mine)
	})
}
