package awsauth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

const stranger = "999999999999" // an account that nothing here is of

// TestAllowedRole: a role's account stands in its ARN, so nothing is asked.
func TestAllowedRole(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	_, err := w.Try(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(stranger, lab.Home))
	lab.RequireBad(t, err, awsauth.WrongAccount, lab.Target, stranger, lab.Home, "role arn:aws:iam::"+lab.Target)
	assert.Empty(t, w.Said())

	s := w.Open(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(lab.Target))
	lab.Get(t, s)
	assert.Len(t, w.Calls(), 1, "the base may be of any account, and is not asked after")
	_, err = s.Assume(awsauth.WithAccount(lab.Home), awsauth.WithRole("base"))
	lab.RequireBad(t, err, awsauth.WrongAccount, lab.Home, lab.Target)

	w.Files(lab.RoleProfile, "")
	_, err = w.Try(awsauth.WithProfile("ops"), awsauth.WithAllowedAccounts(lab.Target))
	lab.RequireBad(t, err, awsauth.WrongAccount, "role "+w.ARN(lab.Home, "role/base"), lab.Target)
	lab.Get(t, w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(lab.Target)))
}

// TestAllowedBases: every base is held against the ids before its credentials are
// handed out, in Retrieve and in clients.
func TestAllowedBases(t *testing.T) {
	for _, src := range lab.EverySource() {
		for _, allowed := range []bool{true, false} {
			name := src.Name
			if !allowed {
				name += ", refused"
			}
			t.Run(name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				if src.Setup != nil {
					src.Setup(w)
				}
				w.Files(src.ProfileText(w, ""), src.Credentials)
				w.Env(src.Variables...)
				ids := awsauth.WithAllowedAccounts(stranger)
				if allowed {
					ids = awsauth.WithAllowedAccounts(stranger, lab.Home)
				}
				s, err := w.Try(append(src.Again(w), ids)...)
				if err == nil {
					_, err = s.Retrieve(t.Context())
				}
				if allowed {
					require.NoError(t, err)
					require.NoError(t, lab.Whoami(s))
					return
				}
				require.ErrorIs(t, err, awsauth.WrongAccount)
				for _, part := range []string{lab.Home, stranger} {
					require.Contains(t, err.Error(), part)
				}
				if s != nil {
					assert.True(t, slices.ContainsFunc(s.Explain().Steps, func(step awsauth.Step) bool {
						return step.Status == awsauth.Failed && strings.Contains(step.Detail, "of account "+lab.Home)
					}), s.Explain().String())
					_, err = sts.NewFromConfig(s.Config()).GetSessionToken(t.Context(), nil)
					require.ErrorIs(t, err, awsauth.WrongAccount)
					assert.Empty(t, w.Calls("GetSessionToken"))
				}
			})
		}
	}
}

// TestAllowedNotes: an account id beside keys in a file or the environment is not
// believed.
func TestAllowedNotes(t *testing.T) {
	for name, set := range map[string]func(w *lab.Place) []awsauth.Option{
		"profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\naws_account_id = "+stranger+"\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"process": func(w *lab.Place) []awsauth.Option {
			w.Write("keys.json", `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET"}`)
			w.Files("[profile ops]\naws_account_id = "+stranger+"\ncredential_process = cat \"$DIR/keys.json\"\n", "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		},
		"environment": func(w *lab.Place) []awsauth.Option {
			w.Env(append(lab.KeyEnv, "AWS_ACCOUNT_ID="+stranger)...)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			_, err := w.Open(append(set(w), awsauth.WithAllowedAccounts(stranger))...).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.WrongAccount)
			assert.Len(t, w.Calls("GetCallerIdentity"), 1)
		})
	}
}

// TestAllowedAsks: STS is asked once for each key. While it cannot be asked nothing
// is handed out.
func TestAllowedAsks(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static(), awsauth.WithAllowedAccounts(lab.Home))
	remove := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse})
	creds, err := s.Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.AccessDenied)
	require.False(t, creds.HasKeys())
	remove()
	for range 10 {
		lab.Get(t, s)
	}
	assert.Len(t, w.Calls("GetCallerIdentity"), 2)
}

// TestAllowedRotation: keys of another account that come later are refused too.
func TestAllowedRotation(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		other := w.AddUser(awsauthtest.User{ARN: w.ARN(stranger, "user/ci")})
		now := w.Keys
		s := w.Open(awsauth.WithAllowedAccounts(lab.Home), awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			return now.Provider().Retrieve(ctx)
		})))
		lab.Get(t, s)
		now = other
		w.Deactivate(w.Keys.AccessKeyID)
		time.Sleep(2 * time.Minute) // the key's last use is long ago
		require.ErrorIs(t, lab.Whoami(s), awsauth.WrongAccount)
		_, err := s.Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.WrongAccount)
	})
}

// TestAllowedFleet: an account that is not allowed is one account's error, and as
// with every fault of the list nothing is started.
func TestAllowedFleet(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	accounts := w.Accounts(3)
	s := w.Open(w.Static(), awsauth.WithAllowedAccounts(accounts[0]), awsauth.WithAllowedAccounts(accounts[1]))
	err := s.ForEachAccount(t.Context(), accounts, lab.Enter)
	require.ErrorIs(t, err, awsauth.WrongAccount)
	require.ErrorContains(t, err, accounts[2])
	assert.Empty(t, w.Said())
	require.NoError(t, s.ForEachAccount(t.Context(), accounts[:2], lab.Enter))
}

// TestAllowedMFA: an MFA session is the user's, and its serial tells the account.
func TestAllowedMFA(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	lab.Get(t, w.Open(w.Static(), device.Option(), awsauth.WithAllowedAccounts(lab.Home)))
	_, err := w.Try(w.Static(), device.Option(), awsauth.WithAllowedAccounts(stranger))
	lab.RequireBad(t, err, awsauth.WrongAccount, lab.Home, stranger)
}

// TestAllowedOptions: a guard that would allow everybody or nobody is refused.
func TestAllowedOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for _, ids := range [][]string{nil, {}, {""}, {lab.Home, ""}, {"12345"}, {lab.Home + "\r\n"}, {"arn:aws:iam::111111111111:root"}} {
		_, err := w.Try(w.Static(), awsauth.WithAllowedAccounts(ids...))
		lab.RequireBad(t, err, awsauth.InvalidOption, "WithAllowedAccounts")
	}
	many := strings.Split(strings.Repeat(stranger+" ", 40), " ")[:40]
	_, err := w.Try(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithAllowedAccounts(many...))
	lab.RequireBad(t, err, awsauth.WrongAccount, "and 36 more")
}

// TestAccountOfAStranger: what a source says of the account is dropped where it is none.
func TestAccountOfAStranger(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for said, want := range map[string]string{lab.Home: lab.Home, "$(id)": "", "12ab": "", lab.Home + "\n": ""} {
		s := w.Open(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: w.Keys.AccessKeyID, SecretAccessKey: w.Keys.SecretAccessKey, AccountID: said}, nil
		})))
		assert.Equal(t, want, lab.Get(t, s).AccountID, "%q", said)
	}
}
