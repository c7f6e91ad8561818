package awsauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestPromptsOnlyForCallers: a profile with MFA asks once for each expiry, when
// somebody needs the keys, and lets a person type for a minute.
func TestPromptsOnlyForCallers(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.MFAProfile()
		prompts := 0
		s := w.Open(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) {
			prompts++
			time.Sleep(time.Minute)
			return w.MFACode(lab.MFASerial), nil
		}))
		for round := 1; round <= 4; round++ {
			o := lab.Ask(t.Context(), s)
			require.NoError(t, o.Err)
			require.Equal(t, time.Minute, o.Took, "the person's minute")
			require.Greater(t, time.Until(o.Creds.Expires), 58*time.Minute)
			require.Equal(t, []string{o.Creds.AccessKeyID}, lab.Busy(t, s, time.Second, time.Until(o.Creds.Expires)))
			require.Equal(t, round, prompts, "a prompt in the background")
			require.Equal(t, round, w.Assumed())
		}
	})
}

// TestPromptsOnlyForCallersOfRoles: nor does a role that is assumed from such a
// session prompt when it is renewed behind its callers. It goes on with the keys
// that the session has.
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
		for start := time.Now(); time.Since(start) < 6*time.Hour; time.Sleep(time.Second) {
			waiting++
			o := lab.Ask(t.Context(), s)
			waiting--
			require.NoError(t, o.Err, "after %v", time.Since(start))
			require.False(t, o.Creds.Expired())
			synctest.Wait()
		}
		require.LessOrEqual(t, prompts, 7)
		require.GreaterOrEqual(t, prompts, 3)
	})
}
