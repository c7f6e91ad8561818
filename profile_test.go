package awsauth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDurationsOfProfiles reach STS as they are written.
func TestDurationsOfProfiles(t *testing.T) {
	for _, seconds := range []string{"900", "930", "960", "3601", "43200"} {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/base"), Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
			w.Files("[profile ops]\nrole_arn = $BASE\nduration_seconds = "+seconds+"\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			c := lab.Get(t, w.Open(awsauth.WithProfile("ops")))
			require.Equal(t, seconds, w.Calls("AssumeRole")[0].Params.Get("DurationSeconds"))
			require.Equal(t, seconds, fmt.Sprint(time.Until(c.Expires).Seconds()))
		})
	}
}

// TestChainedDurationOfProfile is refused before any call, with its place.
func TestChainedDurationOfProfile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, between := range []string{"", "[profile between]\nrole_arn = $MANAGE\nsource_profile = first\n"} {
		source := "first"
		if between != "" {
			source = "between"
		}
		w.Files("[profile ops]\nrole_arn = $MIDDLE\nduration_seconds = 7200\nsource_profile = "+source+"\n"+between+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		_, err := w.Try(awsauth.WithProfile("ops"))
		lab.RequireBad(t, err, awsauth.InvalidDuration, w.Dir+"/config:3: ", "1h", "3600")
	}
	require.Empty(t, w.Said())
}
