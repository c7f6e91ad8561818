package awsauth_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestCacheClock moves the wall clock, as NTP and a suspended laptop do.
func TestCacheClock(t *testing.T) {
	for name, tt := range map[string]struct {
		step     time.Duration
		unusable bool // the next caller waits for new keys
	}{
		"suspended over the expiry":     {8 * time.Hour, true},
		"suspended to the refresh time": {40 * time.Minute, false},
		"ahead a bit":                   {time.Minute, false},
		"back a bit":                    {-time.Minute, false},
		"back":                          {-8 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				w.slow(time.Second)
				s := w.inRole()
				first := get(t, s)
				time.Sleep(10 * time.Minute)
				awsauth.StepClock(s, tt.step)
				o := ask(t.Context(), s)
				require.NoError(t, o.err)
				require.Equal(t, tt.unusable, o.creds.AccessKeyID != first.AccessKeyID)
				require.Equal(t, tt.unusable, o.took > 0)
				// The clock that counts seconds knows how old the keys are.
				keys := busy(t, s, time.Second, 20*time.Minute+10*time.Second)
				require.NotEqual(t, first.AccessKeyID, keys[len(keys)-1], "no refresh in 30 minutes")
			})
		})
	}
}

// TestCacheClockInOutage: pauses end although the clock was set back.
func TestCacheClockInOutage(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		first := get(t, s)
		up := w.down(awsauthtest.ServerError)
		time.Sleep(surelyStale)
		busy(t, s, time.Second, 10*time.Minute)
		up()
		awsauth.StepClock(s, -8*time.Hour)
		keys := busy(t, s, time.Second, 6*time.Minute)
		require.NotEqual(t, first.AccessKeyID, keys[len(keys)-1], "in the background")

		s = w.inRole()
		up = w.down(awsauthtest.ServerError)
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		up()
		awsauth.StepClock(s, -8*time.Hour)
		time.Sleep(2 * time.Second)
		get(t, s)
	})
}

// TestCacheClockBehind: where the clock is behind, the expiry looks farther
// than it is. Keys are not used for longer than STS was asked for.
func TestCacheClockBehind(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		later := regexp.MustCompile(`<Expiration>(.*)</Expiration>`)
		s := w.inRole(awsauth.WithLoadOptions(config.WithHTTPClient(roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := w.Client().Do(r)
			if err == nil {
				text, _ := io.ReadAll(resp.Body)
				text = later.ReplaceAll(text, []byte("<Expiration>"+time.Now().Add(lifetime+10*time.Minute).UTC().Format(time.RFC3339)+"</Expiration>"))
				resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			}
			return resp, err
		}))))
		first := get(t, s)
		require.Equal(t, time.Now().Add(lifetime+10*time.Minute), first.Expires.Local(), "what STS said")
		time.Sleep(lifetime)
		require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
	})
}

// roundTrip is an HTTP client.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }
