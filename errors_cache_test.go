package awsauth_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestExpiredOnArrival: keys that are over when they come are an error that
// says why that may be.
func TestExpiredOnArrival(t *testing.T) {
	const unset = "awsauth: provider: the keys that were returned can expire (CanExpire), but no expiry was set; " +
		"set Expires to when the keys end, or CanExpire to false"
	const over = "; check that the provider renews them, and that the clock of this machine is right"
	for _, tt := range []struct {
		name    string
		expires func() time.Time
		says    string
	}{
		{"no expiry", func() time.Time { return time.Time{} }, unset},
		{"now", time.Now, unset},
		{"a second ago", func() time.Time { return time.Now().Add(-time.Second) }, "awsauth: provider: the keys that were returned had already expired 1s ago" + over},
		{"a day ago", func() time.Time { return time.Now().Add(-24 * time.Hour) }, "awsauth: provider: the keys that were returned had already expired 24h0m0s ago" + over},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				s := w.Open(awsauth.WithCredentialsProvider(lab.ProviderFunc(func(context.Context) (aws.Credentials, error) {
					c := lab.Issued("K", 0)
					c.Expires = tt.expires()
					return c, nil
				})))
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.Expired)
				require.Equal(t, tt.says, err.Error())
			})
		})
	}
}
