package awsauth_test

import (
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
