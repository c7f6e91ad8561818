package awsauth_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskDeadByAge: on a machine whose clock is behind, an entry looks as if it
// lived longer than was asked for. A process that starts when it has ended by its age
// does not hand it out.
func TestDiskDeadByAge(t *testing.T) {
	for name, behind := range map[string]time.Duration{"minutes": 10 * time.Minute, "hours": 3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				w.SetClock(func() time.Time { return time.Now().Add(behind) })
				first := lab.Get(t, w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target)))
				time.Sleep(time.Hour + time.Minute)
				next := lab.Get(t, w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target))) // another process
				assert.NotEqual(t, first.AccessKeyID, next.AccessKeyID)
				cfg, err := config.LoadDefaultConfig(t.Context(), w.LoadOptions(), config.WithRegion("us-east-1"),
					config.WithCredentialsProvider(credentials.StaticCredentialsProvider{Value: next}))
				require.NoError(t, err)
				_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
				require.NoError(t, err)
			})
		})
	}
}

// TestDiskAgeCounts: on such a machine, a process that takes an entry in the middle of
// its life uses it for the other half, and no longer.
func TestDiskAgeCounts(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SetClock(func() time.Time { return time.Now().Add(3 * time.Hour) })
		first := lab.Get(t, w.InRole(disk(w)))
		time.Sleep(30 * time.Minute)
		s := w.InRole(disk(w))
		require.Equal(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
		time.Sleep(31 * time.Minute)
		assert.NotEqual(t, first.AccessKeyID, lab.Get(t, s).AccessKeyID)
	})
}

// TestDiskNoDate: an entry that does not say when it was fetched is as good as its expiry
// says.
func TestDiskNoDate(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	first := lab.Get(t, w.InRole(disk(w)))
	files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	dated := regexp.MustCompile(`"Fetched":"[^"]*",`)
	require.Regexp(t, dated, string(text))
	require.NoError(t, os.WriteFile(files[0], dated.ReplaceAll(text, nil), 0o600))
	assert.Equal(t, first.AccessKeyID, lab.Get(t, w.InRole(disk(w))).AccessKeyID)
}
