package awsauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestPromptsOnlyForCallersOfRoles: a role that is assumed behind MFA does not
// prompt when it is renewed behind its callers. It goes on with the keys that the
// MFA session has.
func TestPromptsOnlyForCallersOfRoles(t *testing.T) {
	for name, open := range map[string]func(w *lab.Place, opts ...awsauth.Option) *awsauth.Session{
		"role of a profile": func(w *lab.Place, opts ...awsauth.Option) *awsauth.Session {
			w.Files("[profile behind]\nrole_arn = $MIDDLE\nsource_profile = admin\n"+lab.MFALines, "")
			return w.Open(append(opts, awsauth.WithProfile("behind"))...)
		},
		"one role": func(w *lab.Place, opts ...awsauth.Option) *awsauth.Session {
			return w.Open(append(opts, awsauth.WithProfile("admin"), awsauth.WithAccount(lab.Target))...)
		},
		"two roles": func(w *lab.Place, opts ...awsauth.Option) *awsauth.Session {
			s := w.Open(append(opts, awsauth.WithProfile("admin"), awsauth.WithAccount(lab.Target))...)
			s, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
			require.NoError(w.T, err)
			return s
		},
	} {
		t.Run(name, func(t *testing.T) { promptsOnlyForCallers(t, open) })
	}
}

func promptsOnlyForCallers(t *testing.T, open func(w *lab.Place, opts ...awsauth.Option) *awsauth.Session) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.MFAProfile()
		var prompts, waiting int
		s := open(w, w.MFAFrom(func() (string, error) {
			if prompts++; waiting == 0 {
				t.Errorf("a prompt in the background")
			}
			time.Sleep(time.Minute)
			return w.MFACode(lab.MFASerial), nil
		}))
		for start := time.Now(); time.Since(start) < 30*time.Hour; time.Sleep(time.Second) {
			waiting++
			o := lab.Ask(t.Context(), s)
			waiting--
			require.NoError(t, o.Err, "after %v", time.Since(start))
			require.False(t, o.Creds.Expired())
			synctest.Wait()
		}
		require.Equal(t, 3, prompts, "one for each 12 hours")
	})
}
