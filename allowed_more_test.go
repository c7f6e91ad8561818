package awsauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

const hardware = "GAHT12345678" // the serial of a device that tells no account

// TestAllowedNotesBehindMFA: temporary keys pass through an MFA session. The account
// id beside them is no more believed than it is without WithMFA.
func TestAllowedNotesBehindMFA(t *testing.T) {
	for name, set := range map[string]func(w *lab.Place) []awsauth.Option{
		"environment": func(w *lab.Place) []awsauth.Option {
			keys := w.SessionKeys()
			w.Env("AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN="+keys.SessionToken, "AWS_ACCOUNT_ID="+stranger)
			return nil
		},
		"profile": func(w *lab.Place) []awsauth.Option {
			keys := w.SessionKeys()
			w.Files("[profile ops]\naws_account_id = "+stranger+"\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+
				"\naws_session_token = "+keys.SessionToken+"\n", "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := append(set(w), awsauth.WithMFA(hardware, func(context.Context) (string, error) { return "123456", nil }))
			creds, err := w.Open(append(opts, awsauth.WithAllowedAccounts(stranger))...).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			assert.False(t, creds.HasKeys())
		})
	}
}

// TestAllowedSerial: the serial is what the caller wrote. Keys of another account pass
// an MFA session whatever account the serial names.
func TestAllowedSerial(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	keys := w.SessionKeys()
	s := w.Open(awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
		awsauth.WithMFA(w.ARN(stranger, "mfa/ana"), func(context.Context) (string, error) { return "123456", nil }), awsauth.WithAllowedAccounts(stranger))
	creds, err := s.Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.WrongAccount)
	assert.False(t, creds.HasKeys())
}

// TestAllowedNotesOfProviders: a session that is the provider of another hands its note
// on. It is a note there too.
func TestAllowedNotesOfProviders(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env(append(lab.KeyEnv, "AWS_ACCOUNT_ID="+stranger)...)
	first := w.Open()
	_, err := w.Open(awsauth.WithCredentialsProvider(first), awsauth.WithAllowedAccounts(stranger)).Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.WrongAccount)
}

// TestAllowedRoleUnnamed: the account of a role is in its ARN. STS is not asked for it, also where
// its answer does not say whom it made of the caller.
func TestAllowedRoleUnnamed(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	text := lab.AssumedAnswer("AssumeRole", "", "AROAX:x", "ASIAIOSFODNN7EXAMPLE")
	var bodies []string
	client := wired(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		return answer(r, http.StatusOK, http.Header{"Content-Type": {"text/xml"}}, text), err
	})
	lab.Get(t, w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(lab.Target), client.option()))
	require.Len(t, bodies, 1)
	assert.Contains(t, bodies[0], "Action=AssumeRole&")
}

// TestAllowedTheseKeys: the keys that are handed out are those whose account was asked
// after, also where others come while STS is asked.
func TestAllowedTheseKeys(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		foreign := w.AddUser(awsauthtest.User{ARN: w.ARN(stranger, "user/other")})
		var asked atomic.Int32
		s := w.Open(awsauth.WithAllowedAccounts(lab.Home), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			keys := w.Keys
			if asked.Add(1) == 1 {
				keys = foreign
			}
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}, nil
		})))
		w.Inject(awsauthtest.Fault{
			Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Match: func(c awsauthtest.Call) bool { return c.AccessKeyID == foreign.AccessKeyID },
		})
		creds, err := s.Retrieve(t.Context())
		if err == nil {
			assert.Equal(t, w.Keys.AccessKeyID, creds.AccessKeyID, "keys of account %s", stranger)
		}
	})
}

// TestAllowedEverywhere: the guard stands before the console and before every session
// that a child assumes.
func TestAllowedEverywhere(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	keys := w.SessionKeys()
	s := w.Open(awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken), awsauth.WithAllowedAccounts(lab.Target))
	_, err := s.ConsoleURL(t.Context(), "")
	require.ErrorIs(t, err, awsauth.WrongAccount)
	assert.Empty(t, w.Calls("getSigninToken"))
	child, err := s.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	lab.Get(t, child)
	_, err = child.Assume(awsauth.WithRoleARN(w.ARN(lab.Home, "role/middle")))
	require.ErrorIs(t, err, awsauth.WrongAccount)
	err = child.ForEachAccount(t.Context(), []string{w.ARN(lab.Home, "role/middle")}, lab.Enter)
	require.ErrorIs(t, err, awsauth.WrongAccount)
	other := w.Open(awsauth.WithCredentialsProvider(s))
	_, err = other.Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.WrongAccount)
}

// TestAllowedAfterRotation: each new key is asked after, and the answer for one is not
// that for another.
func TestAllowedAfterRotation(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.Open(awsauth.WithAllowedAccounts(lab.Home), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			k := w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci")})
			return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, CanExpire: true, Expires: time.Now().Add(10 * time.Minute)}, nil
		})))
		seen := map[string]bool{}
		for range 30 {
			seen[lab.Get(t, s).AccessKeyID] = true
			time.Sleep(2 * time.Minute)
		}
		assert.Len(t, w.Calls("GetCallerIdentity"), len(seen))
		assert.Greater(t, len(seen), 3)
	})
}

// TestAllowedList: few accounts are all named, many in part.
func TestAllowedList(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	ids := []string{"000000000001", "000000000002", "000000000003", "000000000004", "000000000005"}
	_, err := w.Try(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(ids[:4]...))
	lab.RequireBad(t, err, awsauth.WrongAccount, strings.Join(ids[:4], ", ")+";")
	_, err = w.Try(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(ids...))
	lab.RequireBad(t, err, awsauth.WrongAccount, strings.Join(ids[:4], ", ")+" and 1 more")
}

// TestAllowedOddSerial: a serial that looks like an ARN and is none says nothing of an
// account.
func TestAllowedOddSerial(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static(), awsauth.WithAllowedAccounts(lab.Home),
		awsauth.WithMFA("a:b:c:d:999999999999:f", func(context.Context) (string, error) { return "123456", nil }))
	_, err := s.Retrieve(t.Context())
	require.NotErrorIs(t, err, awsauth.WrongAccount)
}

// TestAllowedExplained: the row of keys that are not handed out says why, once it is known
// whose they are. Whose the keys before were says nothing of those at hand.
func TestAllowedExplained(t *testing.T) {
	const why = "the credentials are of account " + lab.Home
	failed := func(w *lab.Place, s *awsauth.Session) (names []string) {
		for _, step := range w.Explain(s).Steps {
			if step.Status == awsauth.Failed && strings.Contains(step.Detail, why) {
				names = append(names, step.Source)
			}
		}
		return names
	}
	t.Run("keys", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			s := w.Open(w.Static(), awsauth.WithAllowedAccounts(stranger))
			assert.Empty(t, failed(w, s), "it is not known yet")
			remove := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse})
			_, err := s.Retrieve(t.Context())
			require.NotErrorIs(t, err, awsauth.WrongAccount)
			assert.NotContains(t, w.Explain(s).String(), "WithAllowedAccounts allows", "nor now")
			remove()
			time.Sleep(time.Minute)
			_, err = s.Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			assert.Equal(t, []string{"static keys (option)"}, failed(w, s))
			role, err := s.Assume(awsauth.WithRoleARN("arn:aws:iam::" + stranger + ":role/ops"))
			require.NoError(t, err)
			assert.Empty(t, failed(w, role), "they may sign for a role that is allowed")
		})
	})
	t.Run("later keys", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			var changed atomic.Bool
			provider, _ := anaThenBob(w, 10*time.Minute, changed.Load)
			s := w.Open(provider, awsauth.WithAllowedAccounts(stranger))
			_, err := s.Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			require.Len(t, failed(w, s), 1)
			changed.Store(true)
			w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse})
			time.Sleep(11 * time.Minute)
			_, err = s.Retrieve(t.Context())
			require.NotErrorIs(t, err, awsauth.WrongAccount)
			assert.Empty(t, failed(w, s))
		})
	})
	t.Run("no later keys", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			var sealed atomic.Bool
			s := w.Open(awsauth.WithAllowedAccounts(stranger), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				if sealed.Load() {
					return aws.Credentials{}, errors.New("the vault is sealed")
				}
				keys := w.SessionKeys()
				return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
					CanExpire: true, Expires: time.Now().Add(10 * time.Minute)}, nil
			})))
			_, err := s.Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			require.Len(t, failed(w, s), 1)
			sealed.Store(true)
			time.Sleep(11 * time.Minute)
			_, err = s.Retrieve(t.Context())
			require.ErrorContains(t, err, "sealed")
			assert.Empty(t, failed(w, s), "what stands there is why there are none")
		})
	})
	t.Run("temporary keys behind MFA", func(t *testing.T) {
		lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
			keys := w.SessionKeys()
			provider := awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}, nil
			}))
			device := w.ARN(stranger, "mfa/ana")
			s := w.Open(provider, awsauth.WithMFA(device, func(context.Context) (string, error) { return "123456", nil }), awsauth.WithAllowedAccounts(stranger))
			_, err := s.Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			assert.Len(t, failed(w, s), 1)
		})
	})
}
